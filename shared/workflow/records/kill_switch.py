"""The kill switch as stored: stops and resumes the deployments of one service or of all, and tells whether they stand.

A switch is a document of the store that every function reads right before it deploys or shifts traffic. One that
somebody wrote by hand, whatever it holds, stops as well; only `"stopped": false` in it does not.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.errors import Retry
from shared.ports import Clock, Document, Store
from shared.text.timestamps import format_rfc3339

KIND = "switches"
ALL_SERVICES = ""
"""Instead of a service's id: every service."""
_MAX_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class SwitchState:
    """How a switch stands: who turned it last and when; both None where nobody has or nobody wrote it down."""

    stopped: bool
    by: str | None = None
    at: str | None = None


def switch_key(service: str) -> str:
    """The key of a service's switch; that of all services for `ALL_SERVICES`."""
    return f"kill.{service}" if service else "kill"


def read_switch(store: Store, service: str) -> SwitchState:
    """How the switch of one service, or with `ALL_SERVICES` of all of them, stands. Raises Retry."""
    stored = store.read(KIND, switch_key(service))
    if stored is None:
        return SwitchState(stopped=False)
    by, at = stored.value.get("by"), stored.value.get("at")
    return SwitchState(
        stored.value.get("stopped") is not False,
        by if isinstance(by, str) else None,
        at if isinstance(at, str) else None,
    )


def is_kill_switch_on(store: Store, service: str) -> bool:
    """Whether a service's deployments are stopped, by its own switch or by that of all services. Raises Retry."""
    return read_switch(store, ALL_SERVICES).stopped or read_switch(store, service).stopped


def set_switch(store: Store, clock: Clock, service: str, by: str, *, stopped: bool) -> bool:
    """Stops or resumes; False where it stood so already. Who and when is kept. Raises Retry."""
    for _ in range(_MAX_ATTEMPTS):
        stored = store.read(KIND, switch_key(service))
        if read_switch(store, service).stopped is stopped:
            return False
        value = _switch_to_document(by, clock.now(), stopped=stopped)
        if stored is None:
            written = store.create(KIND, switch_key(service), value)
        else:
            written = store.replace(KIND, switch_key(service), value, stored.version)
        if written:
            return True
    raise Retry("the switch is being turned by too many at once; try again")


def _switch_to_document(by: str, at: datetime, *, stopped: bool) -> Document:
    return {"stopped": stopped, "by": by, "at": format_rfc3339(at)}
