"""Says which log sinks a set of watched services needs, and renders the filter of each.

There is one sink for a project (or a folder) and a kind, as long as its services have room in one filter. The files
beside this one are templates that Terraform's `templatefile` reads as they are, so they hold nothing but `${name}`:

    services                   the terms that select the watched services, with ` OR ` between them
    own_project                where provenfix runs
    own_functions              the names of its functions, each in double quotes, with ` OR ` between them

https://cloud.google.com/logging/docs/view/logging-query-language, https://cloud.google.com/logging/quotas
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from itertools import groupby
from string import Template

from shared.errors import UsageError
from shared.service import Service

MAX_FILTER_LENGTH = 20_000
"""Characters that a filter may have."""
SERVICES_PER_SINK = 20
"""As many of the longest names have room in a filter, each in a region and a project of its own."""

_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}", re.IGNORECASE)


class Sink(StrEnum):
    """The kinds of sinks; each value is the name of a file beside this one."""

    SIGNALS = "signals"
    """Entries that may say that a service fails."""
    REVISIONS = "revisions"
    """Revisions that became ready, or failed to."""


@dataclass(frozen=True, slots=True)
class LogSink:
    """One sink, as terraform/sinks.tf makes it."""

    parent: str
    """`projects/ID`, or `folders/NUMBER` where one sink serves all projects in it."""
    kind: Sink
    number: int
    """1, and more only where the services have no room in one filter."""
    services: tuple[Service, ...]

    @property
    def key(self) -> str:
        """Its key in Terraform: `shop-prod signals`, `folders/123 signals`, `shop-prod signals 2`."""
        key = f"{self.parent.removeprefix('projects/')} {self.kind.value}"
        return f"{key} {self.number}" if self.number > 1 else key

    @property
    def name(self) -> str:
        """Without provenfix's prefix."""
        return f"{self.kind.value}-{self.number}" if self.number > 1 else self.kind.value


def list_sinks(services: Iterable[Service], folder: str = "") -> list[LogSink]:
    """The sinks of all watched services: those of their projects, or of the one `folder` that holds these."""

    def read_parent(service: Service) -> str:
        return f"folders/{folder}" if folder else f"projects/{service.project}"

    in_order = sorted(services, key=lambda service: (read_parent(service), service.id))
    return [
        LogSink(parent, kind, number, part)
        for parent, held in groupby(in_order, read_parent)
        for number, part in enumerate(_split_by_room(tuple(held)), start=1)
        for kind in Sink
    ]


def _split_by_room(services: tuple[Service, ...]) -> list[tuple[Service, ...]]:
    return [services[start : start + SERVICES_PER_SINK] for start in range(0, len(services), SERVICES_PER_SINK)]


def render_sink_filter(sink: Sink, services: Sequence[Service], own_project: str, own_functions: Sequence[str]) -> str:
    """Raises UsageError where a name could end a quoted text, or where provenfix's own functions are not named."""
    if not own_functions:
        raise UsageError("A log sink needs the names of provenfix's own functions: own.functions in provenfix.yaml.")
    names = [name for service in services for name in (service.project, service.region, service.name)]
    for name in (*names, own_project, *own_functions):
        if not _SAFE_NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot be the name of a project, a region or a service in a log sink's filter.")
    # Not `substitute`: a `$` that begins no name is the end of a text in a pattern, here as in Terraform.
    return Template(read_filter_template(sink)).safe_substitute(
        services=_render_services(services), own_project=own_project, own_functions=_join_quoted(own_functions)
    )


def _render_services(services: Sequence[Service]) -> str:
    """One term for each project and region."""
    placed = sorted((service.project, service.region, service.name) for service in services)
    terms = [
        f'(resource.labels.project_id="{project}" AND resource.labels.location="{region}" '
        f"AND resource.labels.service_name=({_join_quoted(name for *_, name in held)}))"
        for (project, region), held in groupby(placed, lambda names: names[:2])
    ]
    return "\n  OR ".join(terms)


def _join_quoted(names: Iterable[str]) -> str:
    return " OR ".join(f'"{name}"' for name in names)


def read_filter_template(sink: Sink) -> str:
    """The file as it is."""
    return (files(__package__) / f"{sink.value}.tftpl").read_text(encoding="utf-8")
