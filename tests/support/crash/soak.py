"""A state machine that lives through incidents as badly as they can come, and is held to the rules after every step.

In: whatever Hypothesis draws: log entries of two services, copies, delays, another order, clicks of friends and
strangers, ticks, crashes at any call, second workers. Out: nothing, or the shortest story that breaks a rule.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.detection.entry import LogEntry
from shared.errors import Reject, Retry
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.decision import ClickAnswer, ClickKind, ClickResult
from shared.proposal.rollout import MAX_WATCH_DURATION, WATCH_DURATION, ProbeResult
from shared.workflow.context import Context
from shared.workflow.decide import handle_click
from shared.workflow.ledger import LEASE
from shared.workflow.record import record_log_entry
from tests.support.commit_graph import commit_id
from tests.support.crash.faults import Fault, FaultPlan, ProcessDied
from tests.support.crash.invariants import find_rule_violations
from tests.support.crash.story_run import MINUTE, Step, step_for
from tests.support.harness import Harness, button_click, syntax_error, watched_service
from tests.support.memory import MemoryStore
from tests.support.ticks import play_tick

SERVICE_NAMES = ("tide", "gull")
TEXTS = (
    syntax_error(),
    syntax_error(line=9),
    "SyntaxError: invalid syntax (greeting.py, line 7)",
    syntax_error("/app/chat/farewell.py", 3),
    "connection closed: received 1011 (internal error)",
    "received 1011 (internal error) keepalive ping timeout",
    'GET /health HTTP/1.1" 200',
)
"""Two defects of each service, one of them under two names; symptoms; and noise."""
NO_FAULTS = FaultPlan()


class IncidentMachine(RuleBasedStateMachine):
    """`pool` holds messages that are delivered in any order, and stay until they are acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        services = {f"shore.{name}": watched_service(name, daily_cap=2) for name in SERVICE_NAMES}
        self.setting = Harness(services)
        self.pool: list[Step] = []
        self.denied: set[str] = set()
        self.deployed_by_hand = 0

    @initialize(stage=st.integers(0, 5))
    def start_at_stage(self, stage: int) -> None:
        """Most of what can go wrong begins with a failure; how far that one has come by now is drawn."""
        self._log("tide", syntax_error(), "")
        steps: tuple[Callable[[], object], ...] = (
            self.deliver_everything,
            lambda: self.click_button(0, ClickKind.APPROVE, 0, Fault.NONE, {}),
            self.deliver_everything,
            lambda: self.run_tick(0, Fault.NONE),
            lambda: self.run_tick(0, Fault.NONE),
        )
        for step in steps[:stage]:
            step()

    @rule(name=st.sampled_from(SERVICE_NAMES), text=st.sampled_from(TEXTS), newest=st.booleans())
    def log_entry(self, name: str, text: str, newest: bool) -> None:  # noqa: FBT001
        revisions = list(self.setting.cloud.services[f"shore.{name}"].revisions)
        self._log(name, text, revisions[-1] if newest else revisions[0])

    def _log(self, name: str, text: str, revision: str) -> None:
        entry = self.setting.log_entry(text, revision, name=name)
        self.pool.append(_make_recorder(entry))

    @rule(which=st.integers(0, 50), copies=st.integers(1, 2))
    def copy_message(self, which: int, copies: int) -> None:
        self._collect()
        if self.pool:
            self.pool += [self.pool[which % len(self.pool)]] * copies

    @rule(which=st.integers(0, 50), at=st.integers(0, 40), fault=st.sampled_from(Fault))
    def deliver_message(self, which: int, at: int, fault: Fault) -> None:
        self._collect()
        if self.pool:
            self._deliver(which % len(self.pool), FaultPlan(at, fault))

    @rule(which=st.integers(0, 50), other=st.integers(0, 50), at=st.integers(0, 40), fault=st.sampled_from(Fault))
    def deliver_two_at_once(self, which: int, other: int, at: int, fault: Fault) -> None:
        self._collect()
        if self.pool:
            beside = self.pool[other % len(self.pool)]
            plan = FaultPlan(at, fault, meanwhile_before=lambda: self._attempt(beside, NO_FAULTS))
            self._deliver(which % len(self.pool), plan)

    @rule(
        which=st.integers(0, 50),
        kind=st.sampled_from((None, ClickKind.APPROVE, ClickKind.DENY, ClickKind.SNOOZE)),
        at=st.integers(0, 60),
    )
    def intrude_on_delivery(self, which: int, kind: ClickKind | None, at: int) -> None:
        self._collect()
        if self.pool:
            self._deliver(which % len(self.pool), FaultPlan(at, meanwhile_before=lambda: self._intrude(kind)))

    @rule(kind=st.sampled_from((None, ClickKind.APPROVE, ClickKind.DENY, ClickKind.SNOOZE)), at=st.integers(0, 80))
    def intrude_on_tick(self, kind: ClickKind | None, at: int) -> None:
        self.setting.clock.advance(MINUTE)
        self._attempt(play_tick, FaultPlan(at, meanwhile_before=lambda: self._intrude(kind)))

    def _intrude(self, kind: ClickKind | None) -> None:
        """A click on the last question, or another tick."""
        if kind is None:
            self._attempt(play_tick, NO_FAULTS)
        elif self.setting.chat.posted:
            self.click_button(len(self.setting.chat.posted) - 1, kind, 0, Fault.NONE, {})

    @rule(at=st.integers(0, 60), fault=st.sampled_from(Fault))
    def run_tick(self, at: int, fault: Fault) -> None:
        self.setting.clock.advance(MINUTE)
        self._attempt(play_tick, FaultPlan(at, fault))

    @rule()
    def deliver_everything(self) -> None:
        for _ in range(3):
            self._collect()
            self.pool = [message for message in self.pool if not self._attempt(message, NO_FAULTS)]

    @precondition(lambda self: self.setting.chat.posted)
    @rule(
        which=st.integers(0, 5),
        kind=st.sampled_from(ClickKind),
        at=st.integers(0, 60),
        fault=st.sampled_from(Fault),
        twist=st.sampled_from(
            [{}, {}, {}, {"user": "U-STRANGER"}, {"commit": commit_id("broken")}, {"channel": "C-X"}]
        ),
    )
    def click_button(self, which: int, kind: ClickKind, at: int, fault: Fault, twist: Mapping[str, str]) -> None:
        posted = self.setting.chat.posted[which % len(self.setting.chat.posted)]
        pressed = button_click(posted.message, kind, **{"channel": posted.channel, **twist})
        replies: list[ClickAnswer] = []
        self._attempt(lambda world: replies.append(handle_click(world, pressed)), FaultPlan(at, fault))
        for reply in replies:
            assert not (twist and reply.is_accepted), f"a stranger's click counted: {reply}"
            if reply.result in {ClickResult.DENIED, ClickResult.ALREADY_DENIED}:
                self.denied.add(pressed.proposal)

    @rule(minutes=st.sampled_from([1, 5, 14, 120, 400, int(WATCH_DURATION / MINUTE)]))
    def pass_time(self, minutes: int) -> None:
        self.setting.clock.advance(minutes * MINUTE)

    @rule(ok=st.booleans())
    def change_probe_result(self, ok: bool) -> None:  # noqa: FBT001
        self.setting.probe.result = ProbeResult(ok=ok)

    @rule()
    def add_traffic(self) -> None:
        for operation in self.setting.cloud.operations:
            self.setting.logs.request_counts[operation.revision] = 100

    @rule(name=st.sampled_from(SERVICE_NAMES), commit=st.sampled_from([None, commit_id("broken"), commit_id("later")]))
    def deploy_manually(self, name: str, commit: str | None) -> None:
        self.deployed_by_hand += 1
        known = self.setting.services[f"shore.{name}"]
        self.setting.cloud.deploy_manually(known, f"{name}-{self.deployed_by_hand:05}-hand", commit)

    @rule(merged=st.booleans())
    def merge_or_revert_fix(self, merged: bool) -> None:  # noqa: FBT001
        self.setting.histories.head = commit_id("later" if merged else "attempt")
        kind, reason = (ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED) if merged else (ActionKind.NONE, Reason.NO_FIX)
        self.setting.prover.kind, self.setting.prover.reason = kind, reason

    @rule(killed=st.booleans())
    def toggle_kill_switch(self, killed: bool) -> None:  # noqa: FBT001
        self.setting.kill_switch = killed

    @precondition(lambda self: self.setting.issues.issues)
    @rule(which=st.integers(0, 5), closed=st.booleans())
    def stop_automation(self, which: int, closed: bool) -> None:  # noqa: FBT001
        issue = self.setting.issues.issues[which % len(self.setting.issues.issues)]
        if closed:
            issue.is_open = False
        else:
            issue.labels.add("provenfix:wrong")

    @invariant()
    def assert_no_violations(self) -> None:
        assert find_rule_violations(self.setting, self.denied) == []

    def teardown(self) -> None:
        """The weather clears: everything is delivered, and within some days everything is at rest."""
        for wait in (
            LEASE + MINUTE,
            2 * MINUTE,
            timedelta(hours=7),
            2 * MINUTE,
            WATCH_DURATION,
            MAX_WATCH_DURATION,
            2 * MINUTE,
            MINUTE,
        ):
            self.setting.clock.advance(wait)
            for _ in range(3):
                self._collect()
                self.pool = [message for message in self.pool if not self._attempt(message, NO_FAULTS)]
                self.setting.clock.advance(MINUTE)
                assert self._attempt(play_tick, NO_FAULTS) or wait == LEASE + MINUTE, "a tick fails in fair weather"
        assert find_rule_violations(self.setting, self.denied) == []
        assert not self.pool, "a message never gets through"
        assert isinstance(self.setting.store, MemoryStore)
        active = {
            key: incident["state"]
            for key, incident in self.setting.store.documents("incidents").items()
            if incident["active_for"]
        }
        assert active == {}, "stuck"

    def _collect(self) -> None:
        self.pool += [step_for(topic, dict(message)) for topic, message in self.setting.bus.waiting]
        self.setting.bus.waiting.clear()

    def _deliver(self, index: int, plan: FaultPlan) -> None:
        message = self.pool[index]
        if self._attempt(message, plan) and message in self.pool:
            self.pool.remove(message)

    def _attempt(self, message: Callable[[Context], object], plan: FaultPlan) -> bool:
        """One delivery to a process of its own; whether it was acknowledged."""
        try:
            message(self.setting.start_process(plan.tap()))
        except (Retry, ProcessDied):
            return False
        except Reject:
            return True
        return True


def _make_recorder(entry: LogEntry) -> Step:
    return lambda world: record_log_entry(world, entry)


def run_stories(examples: int, *, the_same: bool = False) -> None:
    """Fails with the shortest story that breaks a rule. `the_same`: those of every other run."""
    run_state_machine_as_test(
        IncidentMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=the_same,
            suppress_health_check=list(HealthCheck),
        ),
    )
