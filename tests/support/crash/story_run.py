"""Plays a story against the five functions, delivering as Pub/Sub does: again, until it is acknowledged.

In: a setting, a plan of what goes wrong. Out: the setting as it is afterwards. A delivery that fails comes again after
thirty seconds, while leases still live, and then after they are over; it has to succeed by then.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.detection.entry import LogEntry
from shared.errors import Reject, Retry
from shared.ports import Document
from shared.proposal.decision import Click, ClickAnswer, ClickKind
from shared.pushes import PushEvent
from shared.workflow import flow
from shared.workflow.commit_checks.check_push import check_push
from shared.workflow.commit_checks.check_revision import check_revision
from shared.workflow.commit_checks.request_checks import request_checks
from shared.workflow.commit_checks.watch_service import REVISION_CHECK
from shared.workflow.context import Context, StepResult
from shared.workflow.decide import handle_click
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.ledger import LEASE
from shared.workflow.record import record_log_entry
from shared.workflow.schedule import schedule_looks
from tests.support.crash.faults import FaultPlan, ProcessDied
from tests.support.harness import Harness
from tests.support.ticks import OWN_TOPICS, follow_request

Step = Callable[[Context], object]
_WAITS = (timedelta(seconds=30), LEASE + timedelta(minutes=1))
"""Before the second delivery, and before the third and last one."""
_DECISIONS = {ClickKind.APPROVE: "approved", ClickKind.DENY: "denied"}
MINUTE = timedelta(minutes=1)


class SecondWorker(StrEnum):
    """Whether a second worker gets the same message while the first one is at the struck call."""

    ALONE = "redelivered alone"
    BEFORE = "a second worker ran just before the call"
    AFTER = "a second worker ran just after the call"


class UndeliverableError(AssertionError):
    """A message that did not get through in three deliveries."""


@dataclass
class StoryRun:
    """One story under one plan."""

    harness: Harness
    plan: FaultPlan
    second_worker: SecondWorker = SecondWorker.ALONE
    outcomes: list[str] = field(default_factory=list)
    _message: Step | None = None
    _world: Context | None = None

    def __post_init__(self) -> None:
        if self.second_worker is SecondWorker.BEFORE:
            self.plan.meanwhile_before = self._run_second_worker
        elif self.second_worker is SecondWorker.AFTER:
            self.plan.meanwhile_after = self._run_second_worker

    def log(self, entry: LogEntry) -> None:
        """The sink delivers an entry."""
        self._deliver(lambda world: record_log_entry(world, entry))

    def push(self, event: PushEvent) -> None:
        """The code host delivers a push, and again until it is taken."""
        self._deliver(lambda world: request_checks(world, event))

    def click(self, click: Click) -> None:
        """A person presses a button, and again if it says that something went wrong and nothing was stored."""

        def pressed(world: Context) -> ClickAnswer:
            return handle_click(world, click)

        while not self._deliver_once(pressed):
            self.harness.clock.advance(timedelta(seconds=30))
            if click.kind is ClickKind.SNOOZE:
                continue
            stored = self.harness.store.read("decisions", click.proposal.removesuffix("-back"))
            if stored is not None and (
                stored.value["state"] == _DECISIONS[click.kind] or _has_voted(stored.value, click)
            ):
                return

    def tick(self) -> None:
        """The scheduler's minute."""
        self._deliver(schedule_looks)
        self._drain(OWN_TOPICS)

    def drain(self) -> None:
        """Delivers all that was published, and what is published by that."""
        self._drain({topic for topic, _ in self.harness.bus.waiting} | {flow.INCIDENT_OPENED} | OWN_TOPICS)

    def _drain(self, topics: Collection[str]) -> None:
        while numbers := [number for number, (topic, _) in enumerate(self.harness.bus.waiting) if topic in topics]:
            topic, message = self.harness.bus.waiting.pop(numbers[0])
            self._deliver(step_for(topic, dict(message)))

    def _deliver(self, message: Step) -> None:
        for wait in (*_WAITS, None):
            if self._deliver_once(message):
                return
            if wait is None:
                raise UndeliverableError(
                    "a message was delivered three times, the last time with no lease alive, and never got through"
                )
            self.harness.clock.advance(wait)

    def _deliver_once(self, message: Step) -> bool:
        """One delivery; whether it was acknowledged."""
        self._message = message
        if self._world is None:
            self._world = self.harness.start_process(self.plan.tap())
        try:
            self._record_result(message(self._world))
        except Retry:
            return False
        except ProcessDied:
            self._world = None
            return False
        except Reject as reason:
            self.outcomes.append(f"reject:{reason.reason}")
        return True

    def _record_result(self, result: object) -> None:
        if isinstance(result, StepResult):
            self.outcomes.append(result.name)
        elif isinstance(result, ClickAnswer):
            self.outcomes.append(result.result.value)

    def _run_second_worker(self) -> None:
        """The same message, in another process, as far as it gets."""
        assert self._message is not None
        try:
            self._message(self.harness.start_process())
        except (Retry, Reject):
            return  # its copy comes again as well; the first worker's does so in any case


def _has_voted(decision: Document, click: Click) -> bool:
    votes = decision["votes"]
    assert isinstance(votes, list)
    return decision["state"] == "counting" and {"by": click.user, "proposal": click.proposal} in votes


def step_for(topic: str, message: dict[str, str]) -> Step:
    """What the function of a topic does with a message."""
    if topic == flow.INCIDENT_OPENED:
        return lambda world: investigate_incident(world, message["incident"])
    if topic == flow.CHECK_REQUESTED and message["kind"] == REVISION_CHECK:
        return lambda world: check_revision(world, message)
    if topic == flow.CHECK_REQUESTED:
        return lambda world: check_push(world, message)
    return lambda world: follow_request(world, topic, message)
