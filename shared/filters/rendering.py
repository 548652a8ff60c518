"""Renders the filter of one log sink of a watched service, which leaves out provenfix's own functions.

The files are templates that Terraform's `templatefile` reads as they are, so they hold nothing but `${name}`:

    project, region, service   of the watched service
    own_project                where provenfix runs
    own_functions              the names of its functions, each in double quotes, with ` OR ` between them

https://cloud.google.com/logging/docs/view/logging-query-language
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from importlib.resources import files
from string import Template

from shared.errors import UsageError
from shared.service import Service

MAX_FILTER_LENGTH = 20_000
"""Characters that a filter may have."""

_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}", re.IGNORECASE)


class Sink(StrEnum):
    """The sinks of a service; each value is the name of a file beside this one."""

    SIGNALS = "signals"
    """Entries that may say that the service fails."""
    REVISIONS = "revisions"
    """Revisions that became ready, or failed to."""


def render_sink_filter(sink: Sink, service: Service, own_project: str, own_functions: Sequence[str]) -> str:
    """Raises UsageError where a name could end a quoted text, or where provenfix's own functions are not named."""
    if not own_functions:
        raise UsageError("A log sink needs the names of provenfix's own functions: own.functions in provenfix.yaml.")
    values = {
        "project": service.project,
        "region": service.region,
        "service": service.name,
        "own_project": own_project,
    }
    for name in (*values.values(), *own_functions):
        if not _SAFE_NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot be the name of a project, a region or a service in a log sink's filter.")
    listed = " OR ".join(f'"{name}"' for name in own_functions)
    # Not `substitute`: a `$` that begins no name is the end of a text in a pattern, here as in Terraform.
    return Template(read_filter_template(sink)).safe_substitute(values, own_functions=listed)


def read_filter_template(sink: Sink) -> str:
    """The file as it is."""
    return (files(__package__) / f"{sink.value}.tftpl").read_text(encoding="utf-8")
