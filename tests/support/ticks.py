"""Plays a tick in one process: the looks that it asks for, and what these ask `redeploy` for, one after the other.

A process comes in. What goes to other functions waits on its bus, as always.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from shared.errors import Reject, Retry
from shared.ports import Bus
from shared.workflow import flow
from shared.workflow.context import Context, StepResult
from shared.workflow.records.rejections import record_rejection
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.give_traffic import give_traffic
from shared.workflow.rollout.rollout_effects import TrafficOrder
from shared.workflow.schedule import schedule_looks
from shared.workflow.verify import verify, watch_service

FUNCTION_BY_TOPIC = {flow.INCIDENT_DUE: "verify", flow.REDEPLOY_APPROVED: "redeploy"}
OWN_TOPICS = frozenset(FUNCTION_BY_TOPIC)
"""What a tick leads to, directly or by a look."""


@dataclass
class _TickBus:
    """Keeps the requests of a tick; effects go through."""

    behind: Bus
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def publish(self, topic: str, message: Mapping[str, str]) -> None:
        self.behind.publish(topic, message)

    def request(self, topic: str, message: Mapping[str, str]) -> None:
        self.asked.append((topic, message))


class _TickContext:
    """A process whose requests are kept."""

    def __init__(self, context: Context, bus: Bus) -> None:
        self._context, self.bus = context, bus

    def __getattr__(self, name: str) -> object:
        return getattr(self._context, name)


def play_tick(context: Context) -> StepResult:
    """`ticked`. Raises what one of them raised, after all of them."""
    bus = _TickBus(context.bus)
    world = cast("Context", _TickContext(context, bus))
    result, errors = schedule_looks(world), list[Exception]()
    while bus.asked:
        topic, message = bus.asked.pop(0)
        try:
            follow_request(world, topic, message)
        except Reject as refused:
            record_rejection(world, FUNCTION_BY_TOPIC[topic], refused.reason, refused.detail)
        except Exception as error:  # noqa: BLE001  # as each message has a delivery of its own
            errors.append(error)
    if errors:
        raise min(errors, key=lambda raised: isinstance(raised, Retry))
    return result


def follow_request(context: Context, topic: str, message: Mapping[str, str]) -> StepResult:
    """What the function of a topic does with a message."""
    if topic == flow.INCIDENT_DUE and "service" in message:
        return watch_service(context, message["service"])
    if topic == flow.INCIDENT_DUE:
        return verify(context, message["incident"])
    assert topic == flow.REDEPLOY_APPROVED
    if "revision" not in message:
        return redeploy(context, message["proposal"])
    return give_traffic(context, TrafficOrder(message["proposal"], message["revision"], int(message["percent"])))
