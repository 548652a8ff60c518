"""What happens when nobody clicks: who is reminded of an open question, how often, and what silences it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.adapters.slack.message_layout import build_message_body
from shared.adapters.slack.reminder_layout import build_reminder_body
from shared.errors import Reject, Retry
from shared.ports import Document
from shared.proposal.decision import ClickKind, ClickResult
from shared.proposal.proposal import SNOOZE_PERIOD, Reminder
from shared.service import PAGER, Service
from tests.support.chat import FakeChat, FakePager
from tests.support.crash.faults import FaultPlan
from tests.support.drivers import MINUTE, press_button, propose_deployment, read_documents, read_incident, run_tick
from tests.support.harness import APPROVER, SECOND_APPROVER, Harness, watched_service
from tests.support.memory import MemoryStore
from tests.support.ticks import play_tick

DELAY = 10 * MINUTE
REMINDED = watched_service(remind_after=DELAY, escalate_to=PAGER, runbook_url="https://wiki.invalid/tide")


@pytest.fixture
def harness() -> Harness:
    """A service whose question waits for an answer."""
    harness = Harness({"shore.tide": REMINDED})
    propose_deployment(harness)
    return harness


def _reminders(harness: Harness) -> int:
    channel = sum(len(posted.reminders) for posted in harness.chat.posted)
    assert channel == len(harness.pager.alerts)
    return channel


def test_the_channel_and_the_pager_are_reminded_once_when_it_is_time(harness: Harness) -> None:
    run_tick(harness, DELAY - MINUTE)
    assert _reminders(harness) == 0
    for _ in range(3):
        run_tick(harness)
    [posted] = harness.chat.posted
    [reminder] = posted.reminders
    assert reminder.asked_at == harness.clock.now() - DELAY - 2 * MINUTE
    assert reminder.title == (posted.message.brief.title or posted.message.title)
    assert harness.pager.alerts == {reminder.marker: reminder}


def _is_ringing(harness: Harness) -> bool:
    return bool(harness.pager.ringing)


@pytest.mark.parametrize("kind", [ClickKind.APPROVE, ClickKind.DENY])
def test_an_answer_ends_the_alert_at_the_next_tick(harness: Harness, kind: ClickKind) -> None:
    run_tick(harness, DELAY)
    assert _is_ringing(harness)
    press_button(harness, kind)
    run_tick(harness)
    assert not _is_ringing(harness)
    [incident] = _incidents(harness)
    assert incident["open_alerts"] == []


def test_an_incident_that_ends_ends_all_of_its_alerts(harness: Harness) -> None:
    run_tick(harness, DELAY)
    press_button(harness, ClickKind.SNOOZE)
    run_tick(harness, SNOOZE_PERIOD)
    assert len(harness.pager.ringing) == 2
    run_tick(harness, timedelta(hours=6))
    assert _incidents(harness)[0]["state"] == "expired"
    assert not _is_ringing(harness)


def test_an_alert_goes_on_ringing_while_nobody_answers(harness: Harness) -> None:
    for wait in (DELAY, MINUTE, MINUTE):
        run_tick(harness, wait)
    assert _is_ringing(harness)


def test_a_pager_that_refuses_the_end_of_an_alert_does_not_keep_the_incident() -> None:
    class _RefusingPager(FakePager):
        def resolve(self, service: Service, marker: str) -> None:
            raise Reject("alert_refused", f"{service.name}: {marker}")

    harness = Harness({"shore.tide": REMINDED}, pager=_RefusingPager())
    propose_deployment(harness)
    run_tick(harness, DELAY)
    press_button(harness, ClickKind.DENY)
    run_tick(harness)
    [incident] = _incidents(harness)
    assert (incident["state"], incident["open_alerts"]) == ("denied", [])
    assert [refused["reason"] for refused in read_documents(harness, "rejections").values()] == ["alert_refused"]


def test_a_question_that_was_reminded_of_costs_a_tick_two_reads_more(harness: Harness) -> None:
    reads = []
    for wait in (MINUTE, DELAY, MINUTE):
        harness.clock.advance(wait)
        plan = FaultPlan()
        play_tick(harness.start_process(plan.tap()))
        reads.append(plan.calls.count("store.read"))
    before, reminding, after = reads
    assert before < reminding
    assert after - before == 2


def test_a_service_without_the_setting_reminds_nobody() -> None:
    harness = Harness()
    propose_deployment(harness)
    run_tick(harness, timedelta(hours=5))
    assert _reminders(harness) == 0


@pytest.mark.parametrize("kind", [ClickKind.APPROVE, ClickKind.DENY])
def test_an_answer_silences_it(harness: Harness, kind: ClickKind) -> None:
    press_button(harness, kind)
    run_tick(harness, DELAY)
    assert _reminders(harness) == 0


def test_a_closed_issue_silences_it(harness: Harness) -> None:
    harness.issues.issues[0].is_open = False
    run_tick(harness, DELAY)
    assert _reminders(harness) == 0


def test_a_kill_switch_silences_it_until_it_is_released(harness: Harness) -> None:
    harness.kill_switch = True
    run_tick(harness, DELAY)
    assert _reminders(harness) == 0
    harness.kill_switch = False
    run_tick(harness)
    assert _reminders(harness) == 1


def test_a_first_of_two_approvals_does_not_silence_it() -> None:
    services = {"shore.tide": watched_service(remind_after=DELAY, quorum=2, approvers=(APPROVER, SECOND_APPROVER))}
    harness = Harness(services)
    propose_deployment(harness)
    press_button(harness)
    run_tick(harness, DELAY)
    assert len(harness.chat.posted[0].reminders) == 1


def test_a_snooze_puts_it_off_for_an_hour_and_shows_until_when(harness: Harness) -> None:
    run_tick(harness, DELAY)
    assert press_button(harness, ClickKind.SNOOZE).result is ClickResult.SNOOZED
    until = harness.clock.now() + SNOOZE_PERIOD
    for _ in range(2):
        run_tick(harness)
    [posted] = harness.chat.posted
    assert (posted.message.snoozed_until, posted.update_count) == (until, 1)
    run_tick(harness, SNOOZE_PERIOD - 3 * MINUTE)
    assert _reminders(harness) == 1
    for _ in range(3):
        run_tick(harness)
    assert _reminders(harness) == 2


def test_a_snooze_before_the_first_reminder_counts_too(harness: Harness) -> None:
    press_button(harness, ClickKind.SNOOZE)
    run_tick(harness, DELAY)
    assert _reminders(harness) == 0
    run_tick(harness, SNOOZE_PERIOD)
    assert _reminders(harness) == 1


def test_only_an_approver_can_snooze(harness: Harness) -> None:
    assert press_button(harness, ClickKind.SNOOZE, user="U-STRANGER").result is ClickResult.FOREIGN_USER
    run_tick(harness, DELAY)
    assert _reminders(harness) == 1


def test_the_author_of_the_fix_may_snooze() -> None:
    harness = Harness({"shore.tide": watched_service(remind_after=DELAY, not_author=True, authors={APPROVER: ("x",)})})
    propose_deployment(harness)
    assert press_button(harness, ClickKind.SNOOZE).result is ClickResult.SNOOZED


@pytest.mark.parametrize(
    ("kind", "result"),
    [(ClickKind.APPROVE, ClickResult.ALREADY_APPROVED), (ClickKind.DENY, ClickResult.ALREADY_DENIED)],
)
def test_a_snooze_after_the_decision_changes_nothing(harness: Harness, kind: ClickKind, result: ClickResult) -> None:
    press_button(harness, kind)
    assert press_button(harness, ClickKind.SNOOZE).result is result
    [incident] = _incidents(harness)
    assert incident["snoozed_until"] == ""


def test_of_two_snoozes_the_later_end_stays(harness: Harness) -> None:
    press_button(harness, ClickKind.SNOOZE)
    harness.clock.advance(MINUTE)
    press_button(harness, ClickKind.SNOOZE)
    [incident] = _incidents(harness)
    assert incident["snoozed_until"] == "2026-04-07T09:01:00Z"


def _incidents(harness: Harness) -> list[Document]:
    assert isinstance(harness.store, MemoryStore)
    return [read_incident(harness, key) for key in harness.store.documents("incidents")]


class _FailingChat(FakeChat):
    failure: Exception | None = None

    def remind(self, service: Service, reference: str, reminder: Reminder) -> None:
        if self.failure is not None:
            raise self.failure
        super().remind(service, reference, reminder)


@pytest.mark.parametrize("failure", [Retry("no answer"), Reject("slack", "channel is archived")])
def test_a_chat_that_fails_does_not_keep_the_pager_silent(failure: Exception) -> None:
    harness = Harness({"shore.tide": REMINDED}, chat=(chat := _FailingChat()))
    propose_deployment(harness)
    chat.failure = failure
    harness.clock.advance(DELAY)
    if isinstance(failure, Retry):
        with pytest.raises(Retry):
            play_tick(harness.start_process())
    else:
        play_tick(harness.start_process())
    assert len(harness.pager.alerts) == 1
    told = [(each["source"], each["reason"]) for each in read_documents(harness, "rejections").values()]
    assert told == ([] if isinstance(failure, Retry) else [(f"remind.{next(iter(harness.pager.alerts))}", "slack")])
    chat.failure = None
    run_tick(harness, timedelta(minutes=20))
    assert _reminders(harness) == 1


@pytest.mark.parametrize("answer", [ClickKind.APPROVE, ClickKind.SNOOZE])
def test_an_answer_right_before_the_reminder_is_seen(answer: ClickKind) -> None:
    """The pager is reached first; what an approver clicks until the channel is reached still counts."""

    class _ClickingPager(FakePager):
        click: Callable[[], object] = staticmethod(lambda: None)

        def alert(self, service: Service, reminder: Reminder) -> None:
            super().alert(service, reminder)
            self.click()

    harness = Harness({"shore.tide": REMINDED}, pager=(pager := _ClickingPager()))
    propose_deployment(harness)
    pager.click = lambda: press_button(harness, answer)
    run_tick(harness, DELAY)
    assert harness.chat.posted[0].reminders == []
    [marker] = pager.alerts
    assert read_documents(harness, "effects")[f"remind.{marker}"]["result"] == {"skipped": True}


def test_the_button_is_there_only_where_a_reminder_follows(harness: Harness) -> None:
    message = harness.chat.posted[0].message
    shown = [_button_ids(build_message_body(service, message)) for service in (REMINDED, watched_service())]
    assert ["provenfix_snooze" in ids for ids in shown] == [True, False]


def _button_ids(body: Document) -> list[str]:
    blocks = body["blocks"]
    assert isinstance(blocks, list)
    return [str(item["action_id"]) for block in blocks if block["type"] == "actions" for item in block["elements"]]


@pytest.mark.parametrize(
    ("target", "element"),
    [
        ("U024BE7LH", {"type": "user", "user_id": "U024BE7LH"}),
        ("S0614TZR7", {"type": "usergroup", "usergroup_id": "S0614TZR7"}),
        (PAGER, None),
    ],
)
def test_a_reminder_mentions_the_user_or_the_group(
    harness: Harness, target: str, element: dict[str, str] | None
) -> None:
    run_tick(harness, DELAY)
    [reminder] = harness.chat.posted[0].reminders
    body = build_reminder_body(watched_service(remind_after=DELAY, escalate_to=target), reminder)
    blocks = body["blocks"]
    assert isinstance(blocks, list)
    elements = blocks[0]["elements"][0]["elements"]
    mentions = [shown for shown in elements if shown["type"] in {"user", "usergroup"}]
    assert mentions == ([element] if element else [])
