"""The whole loop on one machine, told while it happens: a running stack goes in, the incident at rest comes out.

A service that really fails, the five functions, the page; whoever dies on the way is started again. What a person does
(approve, merge) a person does, or this does it in their place and says so.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from functions.demo.environment import APPROVER
from functions.demo.scenario import ScenarioName
from functions.demo.setup import StatusPrinter, DemoSetup
from functions.demo.visitors import Visitors
from functions.local.narration import find_approved_proposal, describe_proof, describe_step
from functions.local.page.clicks import ClickSender
from functions.local.stack import RunningStack
from shared.adapters.slack.interaction import APPROVE
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.detection.signal import SignalKind
from shared.errors import Reject
from shared.ports import Document, Store
from shared.service import Service
from shared.workflow import flow
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.gather_evidence import KIND as EVIDENCE
from shared.workflow.records import incident_records
from shared.workflow.records.incident_record import IncidentRecord, record_from_document

TICK_SECONDS = 1.0
_POLL_SECONDS = 0.1
_CLICK_RETRY_SECONDS = 3.0
"""After this long a click that was not heard is repeated."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What is to be performed. `page_port` 0 takes a free one."""

    folder: Path
    scenario: ScenarioName
    page_port: int
    auto_approve: bool
    say: StatusPrinter
    show: Callable[[str], None]
    """Takes the page's address once it can be looked at."""


@dataclass(slots=True)
class DemoRun:
    """A running stack and all that has been told of it."""

    asked: DemoOptions
    service: Service
    stack: RunningStack
    staging: DemoSetup
    store: Store
    clicker: ClickSender
    visitors: Visitors
    page: str
    """The address of the page."""
    told: set[tuple[str, int]] = field(default_factory=set)
    visit: str = ""
    share: int = 0
    due: float = 0.0
    clicked: float = 0.0
    merged: bool = False

    def until_over(self) -> IncidentRecord:
        """Returns the incident once it is at rest, and no entry waits any more. Raises Unreadable."""
        while True:
            case = self._turn()
            if case is not None and not case.active and not self._waiting():
                return case
            time.sleep(_POLL_SECONDS)

    def until_interrupted(self) -> None:
        """Goes on, for whoever looks at the page; Ctrl-C is no failure any more."""
        with suppress(KeyboardInterrupt):
            while True:
                self._turn()
                time.sleep(_POLL_SECONDS)

    def _turn(self) -> IncidentRecord | None:
        for name in self.stack.tended.revive():
            self.asked.say(f"{name} had ended; it was started again.")
        self._tick()
        case = self.case()
        if case is not None:
            self._tell(case)
            self._tell_share(case)
            self._act(case)
        self._look()
        return case

    def _waiting(self) -> bool:
        """Whether a storm is still being dealt with."""
        return self.staging.plot.storm > 0 and self._lies_there(flow.LOG_ENTRIES)

    def _lies_there(self, topic: str) -> bool:
        queue = self.stack.bus
        return isinstance(queue, SqliteQueue) and queue.age(topic) > 0

    def case(self) -> IncidentRecord | None:
        """The incident that this is about."""
        found = [record_from_document(each.value) for each in self.store.find(incident_records.KIND, "service", self.service.id)]
        errors = [case for case in found if case.kind is SignalKind.SYNTAX_ERROR]
        return max(errors, key=lambda case: case.generation) if errors else None

    def _tick(self) -> None:
        """Never before the last one is done with: in earnest a minute lies between two of them."""
        if time.monotonic() >= self.due and not self._lies_there(flow.TICK):
            self.due = time.monotonic() + TICK_SECONDS
            self.stack.bus.put(flow.TICK, [b"{}"])

    def _tell(self, case: IncidentRecord) -> None:
        for number, step in enumerate(case.history):
            if (case.id, number) not in self.told:
                self.told.add((case.id, number))
                approved = find_approved_proposal(self.store, case, number)
                self.asked.say(describe_step(case, number, self._evidence(case), approved))
                if step["state"] == IncidentState.PROPOSED.value:
                    self._show_question(case)

    def _tell_share(self, case: IncidentRecord) -> None:
        """The steps on the way to all of the traffic, which change no state."""
        share = case.rollout.share if case.rollout else 0
        if share > self.share and case.state is IncidentState.DEPLOYING:
            self.asked.say(f"It holds: {share} % of the traffic goes to it now.")
        self.share = share

    def _show_question(self, case: IncidentRecord) -> None:
        for line in describe_proof(self._evidence(case)):
            self.asked.say(f"  {line}")
        if not self.asked.auto_approve:
            self.asked.say(f"Now it is your turn: approve or deny at {self.page} (or end it with Ctrl-C).")

    def _evidence(self, case: IncidentRecord) -> Document:
        stored = self.store.read(EVIDENCE, case.evidence)
        return stored.value if stored else {}

    def _act(self, case: IncidentRecord) -> None:
        """What people do."""
        plot = self.staging.plot
        if case.state is IncidentState.UNFIXED and plot.pull_request and not self.merged:
            self.merged = True
            self.asked.say("A person reads the issue and merges the pull request.")
            self.staging.merge()
        if case.state is IncidentState.PROPOSED and self.asked.auto_approve and time.monotonic() >= self.clicked:
            self.clicked = time.monotonic() + _CLICK_RETRY_SECONDS
            self._approve(case)

    def _approve(self, case: IncidentRecord) -> None:
        """The button is the message's own, and the request the one that the chat would send."""
        posted = self.store.read("local-messages", case.message)
        if posted is None:
            return
        try:
            _, answered = self.clicker.press(self.service, case.message, posted.value, APPROVE, APPROVER)
        except Reject:
            return  # the message has changed just now: the next turn sees why
        self.asked.say(f"Pressing Approve (--auto-approve), with the request that the chat would sign: {answered.text}")

    def _look(self) -> None:
        last = self.visitors.last
        seen = last.told if last else ""
        if seen and seen != self.visit:
            self.visit = seen
            self.asked.say(f"A visitor's socket {seen}.")
