"""Judges what a commit newly breaks in one service: a commit and a sound one in, `CommitCheck` out.

BROKEN is only what newly and definitely fails in what the service loads. Whatever keeps that from being said is a
reason for UNKNOWN.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.proof.compare_services import (
    SYNTAX,
    Alarm,
    ComparedService,
    ComparisonRequest,
    ServiceComparison,
    list_alarms,
)
from shared.proof.model.ports import Compilers, History
from shared.proof.started_services import StartedService, find_compared_services
from shared.text.phrases import pluralize

ASSUMED = "assumed"
"""How the source of a Python version begins that nothing names."""


class CheckOutcome(StrEnum):
    """What is known of a commit."""

    BROKEN = "broken"
    UNKNOWN = "unknown"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class CommitCheckRequest:
    """`name` and `source_roots` say which of several images is the service's; `python` is that of its image."""

    baseline: str
    commit: str
    name: str
    source_roots: tuple[str, ...] = ()
    python: str | None = None
    fallback_python: str = "3.11"


@dataclass(frozen=True, slots=True)
class CommitCheck:
    """What a commit newly breaks. `alarms`: what definitely fails; `reasons`: a sentence each for what is unknown."""

    baseline: str
    commit: str
    alarms: tuple[Alarm, ...] = ()
    reasons: tuple[str, ...] = ()
    services: tuple[ComparedService, ...] = ()

    @property
    def outcome(self) -> CheckOutcome:
        """What definitely fails counts, whatever else is unknown."""
        if self.alarms:
            return CheckOutcome.BROKEN
        return CheckOutcome.UNKNOWN if self.reasons else CheckOutcome.SOUND


def check_commit(history: History, compilers: Compilers, request: CommitCheckRequest) -> CommitCheck:
    """Compares a commit with a sound one. Raises UsageError and InputError for a commit that is not there."""
    return CommitChecks(history, compilers).check(request)


class CommitChecks:
    """Judges commits of one history; what two have in common is computed once."""

    def __init__(self, history: History, compilers: Compilers) -> None:
        self._history = history
        self._comparison = ServiceComparison(history, compilers)

    def check(self, request: CommitCheckRequest) -> CommitCheck:
        """See `check_commit`."""
        services = find_compared_services(self._history, request.commit, request.baseline)
        started = choose_started(services, request.name, request.source_roots)
        comparison = ComparisonRequest(
            request.baseline, request.commit, request.python, request.fallback_python, request.source_roots
        )
        compared = self._comparison.compare(comparison, started)
        definite = [alarm for alarm in list_alarms(compared) if is_definite(alarm, compared)]
        reasons = tuple(_list_reasons(compared, definite))
        return CommitCheck(request.baseline, request.commit, tuple(definite), reasons, compared)


def choose_started(
    services: Sequence[StartedService], name: str, source_roots: Sequence[str]
) -> Sequence[StartedService]:
    """Those of a repository's images that may be the service's: by its source roots, else by its name, else all."""
    inside = [
        service
        for service in services
        if any(service.start_path.startswith(f"{root.strip('/')}/") for root in source_roots)
    ]
    if inside:
        return inside
    named = [service for service in services if name.lower() in _list_words(service)]
    return named or services


def _list_words(service: StartedService) -> frozenset[str]:
    """The folders and suffixes by which a repository names an image: `services/chat/`, `Dockerfile.chat`."""
    built = service.built_by.lower()
    folders = [*built.split("/")[:-1], *service.start_path.lower().split("/")[:-1]]
    return frozenset([*folders, *built.rpartition("/")[2].split(".")])


def is_definite(alarm: Alarm, services: Sequence[ComparedService]) -> bool:
    """Whether the service fails by it, whichever of the images it is, and on whichever Python."""
    if any(alarm.identity not in {other.identity for other in service.alarms} for service in services):
        return False
    return alarm.family != SYNTAX or not any(service.python_source.startswith(ASSUMED) for service in services)


def _list_reasons(services: Sequence[ComparedService], definite: Sequence[Alarm]) -> Iterator[str]:
    if not services:
        yield "No Dockerfile, Procfile or main.py says what the service starts with."
    for service in services:
        if service.python_source.startswith(ASSUMED):
            yield (
                f"The repository names no version of Python. {service.python} was assumed; set `python` in "
                "provenfix.yaml."
            )
            break
    unjudged = [path for service in services for path in service.unjudged]
    if unjudged:
        others = f" and {pluralize(len(unjudged) - 1, 'other file')}" if len(unjudged) > 1 else ""
        yield f"No compiler gave a verdict on {unjudged[0]}{others}."
    doubtful = [alarm for alarm in list_alarms(services) if alarm not in definite]
    if len(services) > 1 and doubtful:
        starts = ", ".join(service.start_path for service in services)
        yield (
            f"The repository builds several images, which start {starts}, and not all of them load "
            f"{doubtful[0].path}, which newly fails. Set `source_roots` to the folder of this service."
        )
