"""What every step receives, and what it returns: the ports of one process as a Protocol, and a step's named result."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from shared.deployment_records import DeploymentRecords
from shared.ports import (
    Bus,
    Chat,
    CheckRuns,
    Clock,
    Deployer,
    IdGenerator,
    Issues,
    LinkBuilder,
    Logs,
    Pager,
    Probe,
    Revisions,
    Store,
)
from shared.proof.model.ports import Compilers, History
from shared.pushes import CheckRunWriter
from shared.report import links
from shared.service import Service

if TYPE_CHECKING:
    from shared.workflow.prover import Prover

THROTTLE_PERIOD = timedelta(seconds=30)
_FREE_TIMES = 3
"""So often the log is read at once for one kind of entry; then ever more rarely, until the kind stays away."""
_SPENT_PERIOD = timedelta(seconds=5)
_MAX_THROTTLE_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class _Recorded:
    last: datetime
    times: int


@dataclass(slots=True)
class Throttle:
    """Keys and when they were last recorded; the oldest are forgotten first."""

    _seen: OrderedDict[object, _Recorded] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def is_recent(self, key: object, now: datetime) -> bool:
        """Whether the key was recorded within the last 30 seconds."""
        with self._lock:
            seen = self._seen.get(key)
        return seen is not None and now - seen.last < THROTTLE_PERIOD

    def is_spent(self, key: object, now: datetime) -> bool:
        """Whether the key was recorded often of late: for what differs inside, and is costly to distinguish.

        A few times are free, then the time between two grows by five seconds each, to the half minute of `is_recent`.
        """
        with self._lock:
            seen = self._seen.get(key)
        if seen is None or seen.times < _FREE_TIMES:
            return False
        return now - seen.last < min(_SPENT_PERIOD * (seen.times - _FREE_TIMES + 1), THROTTLE_PERIOD)

    def mark_recorded(self, key: object, now: datetime) -> None:
        """To be called once all that a recording does is done, so that a failed one is never taken for done."""
        with self._lock:
            seen = self._seen.get(key)
            earlier = seen.times if seen is not None and now - seen.last < 2 * THROTTLE_PERIOD else 0
            self._seen[key] = _Recorded(now, earlier + 1)
            self._seen.move_to_end(key)
            while len(self._seen) > _MAX_THROTTLE_KEYS:
                self._seen.popitem(last=False)


class NoLinkBuilder:
    """Implements `shared.ports.LinkBuilder` where nothing can be looked at, as on one machine."""

    def build_links(self, service: Service, commits: Sequence[str]) -> "links.Links":  # noqa: ARG002  # as the port has it
        """None."""
        return links.NO_LINKS


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did with a message: a name for the log line, such as `opened`, `duplicate`, `refused:no_signal`."""

    name: str
    incident: str = ""
    """The incident's id, where there is one."""
    detail: str = ""
    seconds: float | None = None
    """From the incident's beginning to this result, where a metric measures it."""
    counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    """What a metric counts besides, by the field of the log line."""


class Context(Protocol):
    """The ports of one process; a port may be made when a step first reads it. `shared.wiring` implements this."""

    @property
    def store(self) -> Store: ...

    @property
    def bus(self) -> Bus: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def ids(self) -> IdGenerator: ...

    @property
    def logs(self) -> Logs: ...

    @property
    def compilers(self) -> Compilers: ...

    @property
    def issues(self) -> Issues: ...

    @property
    def chat(self) -> Chat: ...

    @property
    def pager(self) -> Pager: ...

    @property
    def revisions(self) -> Revisions: ...

    @property
    def deployer(self) -> Deployer: ...

    @property
    def probe(self) -> Probe: ...

    @property
    def checks(self) -> CheckRuns: ...

    @property
    def deployment_records(self) -> DeploymentRecords: ...

    @property
    def check_runs(self) -> CheckRunWriter: ...

    @property
    def link_builder(self) -> LinkBuilder: ...

    @property
    def prover(self) -> "Prover": ...

    @property
    def services(self) -> Mapping[str, Service]:
        """By `Service.id`."""
        ...

    @property
    def own_functions(self) -> frozenset[str]:
        """`Service.id` of this product's own functions: what they log is never a signal."""
        ...

    @property
    def throttle(self) -> Throttle:
        """What this process has recorded lately."""
        ...

    def open_history(self, service: Service, /) -> AbstractContextManager[History]:
        """Opens the history of a service's repository, up to date; closed by leaving the context."""
        ...

    def open_limited_history(
        self, service: Service, requests: int, seconds: float, /
    ) -> AbstractContextManager[History]:
        """The same for one check: what costs more raises `Reject(LIMIT_REACHED)` (`shared.pushes`)."""
        ...

    def is_kill_switch_on(self, service: str, /) -> bool:
        """Whether deployments of a service (`Service.id`) are stopped; asked before each, and before each share."""
        ...

    def limit_wait(self, usual_wait: timedelta) -> timedelta:
        """How long a wait takes here that usually takes this long; only the stack of one machine shortens it."""
        ...
