"""`handle_click`: whose click counts, for what, until when; and what the answer to every other one is."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.proposal.decision import ClickAnswer, ClickKind, ClickResult
from shared.proposal.proposal import Message
from shared.proposal.states import ProposalStatus
from shared.workflow.decide import handle_click
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import end_incident
from tests.support.drivers import (
    approve_proposal,
    press_button,
    propose_deployment,
    read_documents,
    read_state,
    redeploy_approved,
    run_tick,
)
from tests.support.harness import Harness, button_click, watched_service

QUESTION_KINDS = [kind for kind in ClickKind if kind is not ClickKind.PROPOSE]
"""The clicks on a question; the other one is in test_radar_watch."""


def test_an_approval_is_stored_and_published(harness: Harness) -> None:
    incident = propose_deployment(harness)
    assert press_button(harness).result is ClickResult.APPROVED
    assert harness.bus.waiting == [("redeploy-approved", {"proposal": f"{incident}-1"})]
    assert read_documents(harness, "decisions")[f"{incident}-1"]["by"] == "U-NORA"
    assert read_state(harness, incident) == "approved"


def test_a_denial_is_stored_and_nothing_is_published(harness: Harness) -> None:
    incident = propose_deployment(harness)
    assert press_button(harness, ClickKind.DENY).result is ClickResult.DENIED
    assert press_button(harness, ClickKind.DENY).result is ClickResult.ALREADY_DENIED
    assert harness.bus.waiting == []
    run_tick(harness)
    assert read_state(harness, incident) == "denied"
    assert harness.chat.posted[0].message.standing == "denied"


def test_a_denial_is_a_denial_whatever_the_user_is_called(harness: Harness) -> None:
    incident = propose_deployment(harness)
    press_button(harness, ClickKind.DENY, user_name="muted")
    run_tick(harness)
    assert read_state(harness, incident) == "denied"


def test_a_second_approval_changes_nothing(harness: Harness) -> None:
    propose_deployment(harness)
    press_button(harness)
    assert press_button(harness).result is ClickResult.ALREADY_APPROVED
    assert len(harness.bus.waiting) == 1


def test_a_denial_after_an_approval_that_nobody_acted_on_voids_it(harness: Harness) -> None:
    incident = approve_proposal(harness)
    assert press_button(harness, ClickKind.DENY).result is ClickResult.DENIED
    assert redeploy_approved(harness).name == "refused:denied"
    run_tick(harness)
    assert read_state(harness, incident) == "denied"
    assert harness.cloud.operations == []


def test_who_approved_and_who_denied_both_stay_on_record(harness: Harness) -> None:
    incident = approve_proposal(harness)
    press_button(harness, ClickKind.DENY)
    steps = read_documents(harness, "decisions")[f"{incident}-1"]["steps"]
    assert isinstance(steps, list)
    assert [step["state"] for step in steps] == ["approved", "denied"]


@pytest.mark.parametrize("kind", QUESTION_KINDS)
def test_a_stranger_is_one_after_the_decision_too(harness: Harness, kind: ClickKind) -> None:
    incident = approve_proposal(harness)
    assert press_button(harness, kind, user="U-STRANGER").result is ClickResult.FOREIGN_USER
    assert read_documents(harness, "decisions")[f"{incident}-1"]["state"] == "approved"


def test_an_approval_after_a_denial_is_none(harness: Harness) -> None:
    propose_deployment(harness)
    press_button(harness, ClickKind.DENY)
    assert press_button(harness).result is ClickResult.ALREADY_DENIED
    assert harness.bus.waiting == []


def test_a_denial_after_the_deployment_began_comes_too_late(harness: Harness) -> None:
    approve_proposal(harness)
    redeploy_approved(harness)
    assert press_button(harness, ClickKind.DENY).result is ClickResult.TOO_LATE


@pytest.mark.parametrize("kind", QUESTION_KINDS)
@pytest.mark.parametrize(
    ("change", "reply"),
    [
        ({"user": "U-STRANGER"}, ClickResult.FOREIGN_USER),
        ({"user": "u-nora"}, ClickResult.FOREIGN_USER),
        ({"user": "", "user_name": "U-NORA"}, ClickResult.FOREIGN_USER),
        ({"channel": "C-ELSEWHERE"}, ClickResult.FOREIGN_CHANNEL),
        ({"commit": "0" * 40}, ClickResult.TAMPERED),
        ({"evidence_hash": "0" * 16}, ClickResult.TAMPERED),
        ({"incident": "0a1b-1"}, ClickResult.TAMPERED),
        ({"proposal": "0a1b-1-1"}, ClickResult.UNKNOWN_PROPOSAL),
    ],
)
def test_a_foreign_click_is_refused_and_recorded(
    harness: Harness, kind: ClickKind, change: dict[str, str], reply: ClickResult
) -> None:
    propose_deployment(harness)
    assert press_button(harness, kind, **change).result is reply
    assert read_documents(harness, "decisions") == {}
    assert [each["reason"] for each in read_documents(harness, "rejections").values()] == [reply.value]


def test_another_workspace_is_foreign_where_one_is_configured() -> None:
    setting = Harness({"shore.tide": watched_service(team="T-SHORE")})
    propose_deployment(setting)
    assert press_button(setting, team="T-ELSEWHERE").result is ClickResult.FOREIGN_TEAM
    assert press_button(setting, team="T-SHORE").result is ClickResult.APPROVED


def test_another_apps_button_decides_nothing() -> None:
    setting = Harness({"shore.tide": watched_service(chat_app="A0TIDE")})
    propose_deployment(setting)
    for app in ("A0OTHER", ""):
        assert press_button(setting, app=app).result is ClickResult.FOREIGN_APP
    assert press_button(setting, app="A0TIDE").result is ClickResult.APPROVED


def test_where_no_workspace_and_no_app_is_configured_every_one_is_right(harness: Harness) -> None:
    propose_deployment(harness)
    assert press_button(harness, app="A0TIDE", team="T-SHORE").result is ClickResult.APPROVED


def test_an_empty_list_of_approvers_approves_nobody() -> None:
    setting = Harness({"shore.tide": watched_service(approvers=())})
    propose_deployment(setting)
    assert press_button(setting).result is ClickResult.FOREIGN_USER
    assert press_button(setting, user="").result is ClickResult.FOREIGN_USER


def test_the_members_of_the_approver_group_approve() -> None:
    setting = Harness({"shore.tide": watched_service(approvers=(), approver_group="S-CREW")})
    setting.chat.groups = {"S-CREW": ("U-OLE",)}
    propose_deployment(setting)
    assert press_button(setting, user="U-NORA").result is ClickResult.FOREIGN_USER
    assert press_button(setting, user="U-OLE").result is ClickResult.APPROVED


def test_after_its_time_a_proposal_can_be_neither_approved_nor_denied(harness: Harness) -> None:
    propose_deployment(harness)
    harness.clock.advance(timedelta(hours=6))
    assert press_button(harness).result is ClickResult.EXPIRED
    assert press_button(harness, ClickKind.DENY).result is ClickResult.EXPIRED


def test_one_second_before_its_end_it_can(harness: Harness) -> None:
    propose_deployment(harness)
    harness.clock.advance(timedelta(hours=6, seconds=-1))
    assert press_button(harness).result is ClickResult.APPROVED


def test_an_expired_proposal_is_settled_by_the_tick(harness: Harness) -> None:
    incident = propose_deployment(harness)
    run_tick(harness, timedelta(hours=6))
    assert read_state(harness, incident) == "expired"
    assert [press_button(harness, kind).result for kind in QUESTION_KINDS] == [ClickResult.EXPIRED] * len(
        QUESTION_KINDS
    )


def test_a_newer_revision_makes_an_approval_stale_and_the_message_says_so_at_once(harness: Harness) -> None:
    incident = propose_deployment(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", None)
    assert press_button(harness).result is ClickResult.APPROVED
    assert redeploy_approved(harness).name == "refused:stale"
    assert (harness.chat.posted[0].message.standing, harness.cloud.operations) == (ProposalStatus.REFUSED, [])
    run_tick(harness)
    assert read_state(harness, incident) == "refused"


@pytest.mark.parametrize("kind", QUESTION_KINDS)
def test_a_click_is_answered_without_asking_the_platform(harness: Harness, kind: ClickKind) -> None:
    """Cloud Run, its builds and its images take seconds, and the chat waits three."""
    propose_deployment(harness)
    asked: list[str] = []

    class Unasked:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            raise AssertionError(name)

    click = button_click(harness.chat.posted[0].message, kind)
    process = harness.start_process(lambda name, port: Unasked() if name in {"revisions", "deployer", "logs"} else port)
    accepted = {ClickResult.APPROVED, ClickResult.DENIED, ClickResult.SNOOZED}
    assert handle_click(process, click).result in accepted
    assert asked == []


def test_an_incident_that_a_person_has_muted_is_not_approved(harness: Harness) -> None:
    propose_deployment(harness)
    harness.issues.issues[0].labels.add("provenfix:wrong")
    run_tick(harness)
    assert press_button(harness).result is ClickResult.MUTED


class _Forgetful:
    """A store that no longer holds any incident."""

    def __init__(self, store: object) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def read(self, kind: str, key: str) -> object:
        return None if kind == "incidents" else self._store.read(kind, key)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", QUESTION_KINDS)
def test_a_question_whose_incident_is_gone_is_unknown(harness: Harness, kind: ClickKind) -> None:
    propose_deployment(harness)
    process = harness.start_process(lambda name, port: _Forgetful(port) if name == "store" else port)
    assert handle_click(process, button_click(_asked(harness), kind)).result is ClickResult.UNKNOWN_PROPOSAL
    assert read_documents(harness, "decisions") == {}


def test_a_question_about_a_service_that_is_watched_no_longer_is_unknown(harness: Harness) -> None:
    propose_deployment(harness)
    del harness.services["shore.tide"]  # type: ignore[attr-defined]
    assert press_button(harness).result is ClickResult.UNKNOWN_PROPOSAL


def test_a_storm_of_refused_clicks_is_one_record(harness: Harness) -> None:
    propose_deployment(harness)
    for _ in range(20):
        press_button(harness, user="U-STRANGER")
    assert len(read_documents(harness, "rejections")) == 1


def test_unpublished_approval_is_published_by_the_tick(harness: Harness) -> None:
    incident = propose_deployment(harness)
    demand = harness.bus.require_claim
    harness.bus.require_claim = _refusing  # type: ignore[assignment]
    assert (
        handle_click(harness.start_process(), button_click(harness.chat.posted[0].message)).result
        is ClickResult.APPROVED
    )
    assert read_documents(harness, "decisions")[f"{incident}-1"]["state"] == "approved"
    assert (harness.bus.waiting, read_state(harness, incident)) == ([], "proposed")
    harness.bus.require_claim = demand
    run_tick(harness, timedelta(minutes=4))
    assert [topic for topic, _ in harness.bus.waiting] == ["redeploy-approved"]
    assert read_state(harness, incident) == "deploying"


def _refusing(what: str) -> None:
    raise Retry(f"{what}: no connection")


def test_concurrent_click_is_told_the_current_decision(harness: Harness) -> None:
    """The first one has stored the approval and is about to publish it when the second one comes."""
    incident = propose_deployment(harness)
    second: list[ClickResult] = []

    class Slow:
        def publish(self, topic: str, message: Mapping[str, str]) -> None:
            second.append(handle_click(harness.start_process(), button_click(_asked(harness))).result)
            harness.bus.publish(topic, message)

    first = handle_click(
        harness.start_process(lambda name, port: Slow() if name == "bus" else port), button_click(_asked(harness))
    )
    assert (first.result, second) == (ClickResult.APPROVED, [ClickResult.ALREADY_APPROVED])
    assert harness.bus.waiting == [("redeploy-approved", {"proposal": f"{incident}-1"})]


def _asked(harness: Harness) -> Message:
    return harness.chat.posted[0].message


def test_every_answer_says_whether_it_counts_and_whether_the_message_will_show_it() -> None:
    counted = {result for result in ClickResult if ClickAnswer(result, "").is_accepted}
    shown = {result for result in ClickResult if ClickAnswer(result, "").is_final}
    assert {ClickResult.APPROVED, ClickResult.DENIED, ClickResult.COUNTED, ClickResult.SNOOZED} <= counted
    assert counted.isdisjoint({ClickResult.FOREIGN_USER, ClickResult.TAMPERED, ClickResult.OWN_FIX, ClickResult.VOID})
    assert set(ClickResult) - shown == {ClickResult.COUNTED, ClickResult.SNOOZED, ClickResult.QUESTION_FOLLOWS}


@pytest.mark.parametrize(
    ("state", "told"), [(IncidentState.MUTED, ClickResult.MUTED), (IncidentState.REPORTED, ClickResult.VOID)]
)
@pytest.mark.parametrize("is_snoozed", [False, True])
def test_what_is_about_to_end_is_neither_approved_nor_snoozed(
    harness: Harness, state: IncidentState, told: ClickResult, *, is_snoozed: bool
) -> None:
    incident = propose_deployment(harness)
    if is_snoozed:
        press_button(harness, ClickKind.SNOOZE)
    end_incident(harness.start_process(), incident, state, "ended")
    assert press_button(harness).result is told
    assert press_button(harness, ClickKind.SNOOZE).result is told
    assert (read_documents(harness, "decisions"), read_state(harness, incident)) == ({}, "proposed")


@pytest.mark.parametrize(
    ("kind", "told"),
    [(ClickKind.APPROVE, ClickResult.ALREADY_APPROVED), (ClickKind.DENY, ClickResult.ALREADY_DENIED)],
)
def test_whoever_snoozes_what_is_decided_learns_how(harness: Harness, kind: ClickKind, told: ClickResult) -> None:
    propose_deployment(harness)
    press_button(harness, kind)
    assert press_button(harness, ClickKind.SNOOZE).result is told
