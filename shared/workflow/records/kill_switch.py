"""The kill switch: stops and resumes the deployments of one service or of all services.

A switch is a document that every function reads right before it deploys or shifts traffic. A document that a user wrote
by hand stops deployments whatever it holds, unless it holds `"stopped": false`.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from shared.ports import Clock, Store
from shared.text.timestamps import format_rfc3339
from shared.workflow.records.documents import Collection

ALL_SERVICES = ""
"""Instead of a service's id: every service."""

_TextOrNone = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)]


@dataclass(frozen=True, slots=True)
class SwitchState:
    """The state of a switch: who turned it last and when; both None where nobody has or nobody wrote it down."""

    stopped: Annotated[bool, BeforeValidator(lambda value: value is not False)] = True
    by: _TextOrNone = None
    at: _TextOrNone = None


KIND = "switches"
SWITCHES = Collection(KIND, SwitchState)
_NEVER_TURNED = SwitchState(stopped=False)


def switch_key(service: str) -> str:
    """The key of a service's switch; that of all services for `ALL_SERVICES`."""
    return f"kill.{service}" if service else "kill"


def read_switch(store: Store, service: str) -> SwitchState:
    """The switch of one service, or with `ALL_SERVICES` of all of them. Raises Retry."""
    return SWITCHES.read(store, switch_key(service)) or _NEVER_TURNED


def is_kill_switch_on(store: Store, service: str) -> bool:
    """Whether a service's deployments are stopped, by its own switch or by that of all services. Raises Retry."""
    return read_switch(store, ALL_SERVICES).stopped or read_switch(store, service).stopped


def set_switch(store: Store, clock: Clock, service: str, by: str, *, stopped: bool) -> bool:
    """Stops or resumes, and stores by whom and when. False where that was so already. Raises Retry."""
    turned = SwitchState(stopped, by, format_rfc3339(clock.now()))
    stands = SWITCHES.change(
        store, switch_key(service), lambda now: now if now.stopped is stopped else turned, _NEVER_TURNED
    )
    return stands is turned
