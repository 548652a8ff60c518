"""The incident that provenfix is built from, rebuilt: a repository, its log, and the facts that a proof must find."""

from functions.local.showcase.build import Showcase, build_incident
from functions.local.showcase.handlers import Flavour
from functions.local.showcase.log import Shape, incident_log
from functions.local.showcase.plan import Role

__all__ = ["Flavour", "Role", "Shape", "Showcase", "build_incident", "incident_log"]
