"""The ports of one process as one frozen value, and the result that every step returns."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

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
    Probe,
    Revisions,
    Store,
)
from shared.proof.model.ports import Compilers, History
from shared.service import Service

THROTTLE_PERIOD = timedelta(seconds=30)
_MAX_THROTTLE_KEYS = 10_000


@dataclass(slots=True)
class Throttle:
    """Keys and when they were last recorded; the oldest are forgotten first."""

    _seen: OrderedDict[object, datetime] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def is_recent(self, key: object, now: datetime) -> bool:
        """Whether the key was recorded within the last 30 seconds."""
        with self._lock:
            seen = self._seen.get(key)
        return seen is not None and now - seen < THROTTLE_PERIOD

    def mark_recorded(self, key: object, now: datetime) -> None:
        """To be called once all that a recording does is done, so that a failed one is never taken for done."""
        with self._lock:
            self._seen[key] = now
            self._seen.move_to_end(key)
            while len(self._seen) > _MAX_THROTTLE_KEYS:
                self._seen.popitem(last=False)


if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.report.links import Links
    from shared.workflow.prover import Prover


def _build_prover() -> "Prover":
    from shared.workflow.prover import Prover  # noqa: PLC0415  # all of the proof; made before it is needed only in tests

    return Prover()


class NoLinkBuilder:
    """Implements `shared.ports.LinkBuilder` where nothing can be looked at, as on one machine."""

    def build_links(self, service: Service, commits: "Sequence[str]") -> "Links":  # noqa: ARG002  # as the port has it
        """None."""
        from shared.report.links import NO_LINKS  # noqa: PLC0415

        return NO_LINKS


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a message: a name for the log line, such as `opened`, `duplicate`, `refused:no_signal`."""

    name: str
    incident: str = ""
    """The incident's id, where there is one."""
    detail: str = ""
    seconds: float | None = None
    """From the incident's beginning to this result, where it is measured."""


@dataclass(frozen=True, slots=True)
class Context:
    """The ports of one process. `services` are keyed by `Service.id`."""

    store: Store
    bus: Bus
    clock: Clock
    ids: IdGenerator
    logs: Logs
    open_history: Callable[[Service], AbstractContextManager[History]]
    """Opens the history of a service's repository, up to date; closed by leaving the context."""
    compilers: Compilers
    issues: Issues
    chat: Chat
    revisions: Revisions
    deployer: Deployer
    probe: Probe
    checks: CheckRuns
    services: Mapping[str, Service]
    link_builder: LinkBuilder = field(default_factory=NoLinkBuilder)
    own_functions: frozenset[str] = frozenset()
    """`Service.id` of this product's own functions: what they log is never a signal."""
    is_kill_switch_on: Callable[[str], bool] = lambda _: False
    """Whether deployments of a service (`Service.id`) are stopped; asked right before each, and before each share."""
    prover: "Prover" = field(default_factory=_build_prover)
    throttle: Throttle = field(default_factory=Throttle)
    """What this process has recorded lately."""
    max_wait: timedelta = timedelta.max
    """No wait of the flow takes longer; only the stack of one machine sets it, so that a person can look on."""

    def limit_wait(self, usual_wait: timedelta) -> timedelta:
        """How long a wait takes here that usually takes this long."""
        return min(usual_wait, self.max_wait)
