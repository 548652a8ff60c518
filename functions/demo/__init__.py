"""The incident that provenfix is built from, rebuilt: a repository, its log, and the facts that a proof must find."""

from functions.demo.build_repository import ExampleRepository, build_incident
from functions.demo.example_module import Flavour
from functions.demo.history_plan import Role
from functions.demo.incident_log import Shape, write_incident_log
from functions.demo.startup_stories import (
    StartupRepository,
    StartupStoryName,
    build_startup_incident,
    write_startup_log,
)

__all__ = [
    "ExampleRepository",
    "Flavour",
    "Role",
    "Shape",
    "StartupRepository",
    "StartupStoryName",
    "build_incident",
    "build_startup_incident",
    "write_incident_log",
    "write_startup_log",
]
