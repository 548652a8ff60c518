"""Runs the demo on a running stack until the incident is at rest, and reports each step.

The service really fails; functions and page that stop are restarted. The user approves and merges, or the demo does so
in their place and says so.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from functions.demo.environment import APPROVER
from functions.demo.other_setups import AppSetup, EarlySetup
from functions.demo.scenario import ScenarioName
from functions.demo.setup import DemoSetup, StatusPrinter
from functions.demo.ws_client import Visitors
from functions.local.narration import describe_proof, describe_step, find_approved_proposal
from functions.local.page.slack_clicks import ClickSender
from functions.local.stack import RunningStack
from shared.adapters.slack.interaction import APPROVE
from shared.adapters.slack.message_buttons import TRY_LABEL
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.adapters.standins.process_platform import ProcessPlatform
from shared.adapters.system import SystemClock
from shared.errors import Reject
from shared.ports import Document, Store
from shared.proof.model.recommendation import ActionKind
from shared.service import Service
from shared.workflow import flow
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents, incident_record
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.reports import KIND as EVIDENCE
from shared.workflow.records.sound_states import SERVING_STATES

TICK_SECONDS = 1.0
_POLL_SECONDS = 0.1
_STORM_GRACE_SECONDS = 2.0
"""So long after the verdict the rest of a storm may be recorded: who waits for the verdict waits no longer."""
_CLICK_RETRY_SECONDS = 3.0
"""After this long a click that was not heard is repeated."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to run. `page_port` 0 takes a free one."""

    folder: Path
    scenario: ScenarioName
    page_port: int
    auto_approve: bool
    print_status: StatusPrinter
    show_page: Callable[[str], None]
    """Takes the page's address once it can be looked at."""


@dataclass(slots=True)
class DemoRun:
    """A running stack, and what has been reported of it."""

    options: DemoOptions
    service: Service
    stack: RunningStack
    setup: DemoSetup | AppSetup
    store: Store
    click_sender: ClickSender
    visitors: Visitors
    page_url: str
    """The address of the page."""
    reported: set[tuple[str, int]] = field(default_factory=set)
    last_visit: str = ""
    traffic_percent: int = 0
    next_tick_at: float = 0.0
    next_click_at: float = 0.0
    merged: bool = False

    def run_until_closed(self) -> IncidentRecord:
        """Returns the incident once it is at rest, and a storm is recorded or was given its time. Raises InputError."""
        until = float("inf")
        while True:
            record = self._run_once()
            if record is not None and not record.active:
                until = min(until, time.monotonic() + _STORM_GRACE_SECONDS)
                if not self._count_pending_entries() or time.monotonic() >= until:
                    self._report_storm()
                    return record
            time.sleep(_POLL_SECONDS)

    def run_until_interrupted(self) -> None:
        """Keeps the page up for the user; Ctrl-C is no failure now."""
        with suppress(KeyboardInterrupt):
            while True:
                self._run_once()
                time.sleep(_POLL_SECONDS)

    def _run_once(self) -> IncidentRecord | None:
        for name in self.stack.supervisor.restart_ended():
            self.options.print_status(f"{name} stopped and was restarted.")
        self._publish_tick()
        record = self.find_incident()
        if record is None:
            self._deploy_unvisited()
        if record is not None:
            self._report_history(record)
            self._report_traffic(record)
            self._act_as_people(record)
        self._report_visit()
        return record

    def _deploy_unvisited(self) -> None:
        """Once provenfix has seen what serves, the user deploys."""
        if isinstance(self.setup, EarlySetup) and self.store.read(SERVING_STATES.kind, self.service.id) is not None:
            self.setup.deploy_unvisited(ProcessPlatform(self.store, SystemClock()))

    def _count_pending_entries(self) -> int:
        """The entries of a storm that still wait."""
        queue = self.stack.bus
        if not self.setup.scenario.storm_entries or not isinstance(queue, SqliteQueue):
            return 0
        return queue.count_pending(flow.LOG_ENTRIES)

    def _report_storm(self) -> None:
        if not self.setup.scenario.storm_entries:
            return
        pending = self._count_pending_entries()
        recorded = "All entries of the storm are recorded."
        waiting = f"{pending:,} entries of the storm are still in the queue; none is lost."
        self.options.print_status(waiting if pending else recorded)

    def _has_messages(self, topic: str) -> bool:
        queue = self.stack.bus
        return isinstance(queue, SqliteQueue) and queue.oldest_age(topic) > 0

    def find_incident(self) -> IncidentRecord | None:
        """Returns the incident of the scenario, None until it is recorded."""
        records = [
            incident_record.INCIDENTS.decode(document.value)
            for document in self.store.find(incident_record.KIND, "service", self.service.id)
        ]
        errors = [record for record in records if record.kind in self.setup.scenario.signals]
        return max(errors, key=lambda record: record.generation) if errors else None

    def _publish_tick(self) -> None:
        """Publishes a tick once the last one is done: in the cloud two are a minute apart."""
        is_done = not any(self._has_messages(topic) for topic in flow.REPEATED_TOPICS)
        if time.monotonic() >= self.next_tick_at and is_done:
            self.next_tick_at = time.monotonic() + TICK_SECONDS
            self.stack.bus.publish_raw(flow.TICK, [b"{}"])

    def _report_history(self, record: IncidentRecord) -> None:
        for number, step in enumerate(record.history):
            if (record.id, number) not in self.reported:
                self.reported.add((record.id, number))
                approved = find_approved_proposal(self.store, record, number)
                self.options.print_status(describe_step(record, number, self._read_evidence(record), approved))
                if step.state is IncidentState.PROPOSED:
                    self._report_question(record)

    def _report_traffic(self, record: IncidentRecord) -> None:
        """The steps on the way to all of the traffic, which change no state."""
        share = record.rollout.share if record.rollout else 0
        if share > self.traffic_percent and record.state is IncidentState.DEPLOYING:
            self.options.print_status(f"It holds: {share} % of the traffic goes to the new revision now.")
        self.traffic_percent = share

    def _report_question(self, record: IncidentRecord) -> None:
        for line in describe_proof(self._read_evidence(record)):
            self.options.print_status(f"  {line}")
        if not self.options.auto_approve:
            self.options.print_status(f"Your turn: approve or deny at {self.page_url} (Ctrl-C stops the demo).")

    def _read_evidence(self, record: IncidentRecord) -> Document:
        stored = self.store.read(EVIDENCE, record.evidence_key)
        return stored.value if stored else {}

    def _act_as_people(self, record: IncidentRecord) -> None:
        """Does what the approver and the developer would do."""
        plot = self.setup.scenario
        if record.state in {IncidentState.WATCHING, IncidentState.RESOLVED}:
            self.visitors.is_waiting = False
        if record.state is IncidentState.UNFIXED and plot.pull_request and not self.merged:
            self.merged = True
            self.options.print_status("A developer reads the issue and merges the pull request.")
            self.setup.merge_pull_request()
        if (
            record.state is IncidentState.PROPOSED
            and self.options.auto_approve
            and time.monotonic() >= self.next_click_at
        ):
            self.next_click_at = time.monotonic() + _CLICK_RETRY_SECONDS
            self._approve(record)

    def _approve(self, record: IncidentRecord) -> None:
        """The button is the message's own, and the request the one that the chat would send."""
        posted = self.store.read("local-messages", record.message)
        if posted is None:
            return
        try:
            _, answered = self.click_sender.press_button(self.service, record.message, posted.value, APPROVE, APPROVER)
        except Reject:
            return  # the message has changed just now: the next turn sees why
        is_trial = documents.read_part(posted.value, "message").get("kind") == ActionKind.TRIAL.value
        button = TRY_LABEL if is_trial else "Approve"
        self.options.print_status(
            f"Pressing {button} (--auto-approve) with a request signed as the chat would: {answered.text}"
        )

    def _report_visit(self) -> None:
        last = self.visitors.last
        seen = last.summary if last else ""
        if seen and seen != self.last_visit:
            self.last_visit = seen
            self.options.print_status(f"A visitor's socket {seen}.")
