"""`handle_click`: whose click counts, for what, until when; and what every other one is told."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.proposal.decision import ClickKind, ClickResult
from shared.proposal.proposal import Message
from shared.workflow.decide import handle_click
from tests.support.drivers import approved, documents, pressed, proposed, redeployed, state, tick
from tests.support.harness import Setting, click, service


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_an_approval_is_stored_and_published(setting: Setting) -> None:
    incident = proposed(setting)
    assert pressed(setting).result is ClickResult.APPROVED
    assert setting.bus.waiting == [("redeploy-approved", {"proposal": f"{incident}-1"})]
    assert documents(setting, "decisions")[f"{incident}-1"]["by"] == "U-NORA"
    assert state(setting, incident) == "approved"


def test_a_denial_is_stored_and_nothing_is_published(setting: Setting) -> None:
    incident = proposed(setting)
    assert pressed(setting, ClickKind.DENY).result is ClickResult.DENIED
    assert setting.bus.waiting == []
    tick(setting)
    assert state(setting, incident) == "denied"
    assert setting.chat.all[0].message.standing == "denied"


def test_a_denial_is_a_denial_whatever_the_user_is_called(setting: Setting) -> None:
    incident = proposed(setting)
    pressed(setting, ClickKind.DENY, user_name="muted")
    tick(setting)
    assert state(setting, incident) == "denied"


def test_a_second_approval_changes_nothing(setting: Setting) -> None:
    proposed(setting)
    pressed(setting)
    assert pressed(setting).result is ClickResult.ALREADY_APPROVED
    assert len(setting.bus.waiting) == 1


def test_a_denial_after_an_approval_that_nobody_acted_on_voids_it(setting: Setting) -> None:
    incident = approved(setting)
    assert pressed(setting, ClickKind.DENY).result is ClickResult.DENIED
    assert redeployed(setting).name == "refused:denied"
    tick(setting)
    assert state(setting, incident) == "denied"
    assert setting.cloud.operations == []


def test_who_approved_and_who_denied_both_stay_on_record(setting: Setting) -> None:
    incident = approved(setting)
    pressed(setting, ClickKind.DENY)
    steps = documents(setting, "decisions")[f"{incident}-1"]["steps"]
    assert isinstance(steps, list)
    assert [step["state"] for step in steps] == ["approved", "denied"]


def test_an_approval_after_a_denial_is_none(setting: Setting) -> None:
    proposed(setting)
    pressed(setting, ClickKind.DENY)
    assert pressed(setting).result is ClickResult.ALREADY_DENIED
    assert setting.bus.waiting == []


def test_a_denial_after_the_deployment_began_comes_too_late(setting: Setting) -> None:
    approved(setting)
    redeployed(setting)
    assert pressed(setting, ClickKind.DENY).result is ClickResult.TOO_LATE


@pytest.mark.parametrize("kind", ClickKind)
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
    setting: Setting, kind: ClickKind, change: dict[str, str], reply: ClickResult
) -> None:
    proposed(setting)
    assert pressed(setting, kind, **change).result is reply
    assert documents(setting, "decisions") == {}
    assert [each["reason"] for each in documents(setting, "rejections").values()] == [reply.value]


def test_another_workspace_is_foreign_where_one_is_configured() -> None:
    setting = Setting({"shore.tide": service(team="T-SHORE")})
    proposed(setting)
    assert pressed(setting, team="T-ELSEWHERE").result is ClickResult.FOREIGN_TEAM
    assert pressed(setting, team="T-SHORE").result is ClickResult.APPROVED


def test_another_apps_button_decides_nothing() -> None:
    setting = Setting({"shore.tide": service(chat_app="A0TIDE")})
    proposed(setting)
    for app in ("A0OTHER", ""):
        assert pressed(setting, app=app).result is ClickResult.FOREIGN_APP
    assert pressed(setting, app="A0TIDE").result is ClickResult.APPROVED


def test_an_empty_list_of_approvers_approves_nobody() -> None:
    setting = Setting({"shore.tide": service(approvers=())})
    proposed(setting)
    assert pressed(setting).result is ClickResult.FOREIGN_USER
    assert pressed(setting, user="").result is ClickResult.FOREIGN_USER


def test_the_members_of_the_approver_group_approve() -> None:
    setting = Setting({"shore.tide": service(approvers=(), approver_group="S-CREW")})
    setting.chat.groups = {"S-CREW": ("U-OLE",)}
    proposed(setting)
    assert pressed(setting, user="U-NORA").result is ClickResult.FOREIGN_USER
    assert pressed(setting, user="U-OLE").result is ClickResult.APPROVED


def test_after_its_time_a_proposal_can_be_neither_approved_nor_denied(setting: Setting) -> None:
    proposed(setting)
    setting.clock.turn(timedelta(hours=6))
    assert pressed(setting).result is ClickResult.EXPIRED
    assert pressed(setting, ClickKind.DENY).result is ClickResult.EXPIRED


def test_one_second_before_its_end_it_can(setting: Setting) -> None:
    proposed(setting)
    setting.clock.turn(timedelta(hours=6, seconds=-1))
    assert pressed(setting).result is ClickResult.APPROVED


def test_an_expired_proposal_is_settled_by_the_tick(setting: Setting) -> None:
    incident = proposed(setting)
    tick(setting, timedelta(hours=6))
    assert state(setting, incident) == "expired"
    assert pressed(setting).result is ClickResult.EXPIRED


def test_a_newer_revision_makes_a_proposal_stale(setting: Setting) -> None:
    proposed(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-hand", None)
    assert pressed(setting).result is ClickResult.STALE
    assert documents(setting, "decisions") == {}


def test_an_incident_that_a_person_has_muted_is_not_approved(setting: Setting) -> None:
    proposed(setting)
    setting.issues.all[0].labels.add("provenfix:wrong")
    tick(setting)
    assert pressed(setting).result is ClickResult.MUTED


def test_a_storm_of_refused_clicks_is_one_record(setting: Setting) -> None:
    proposed(setting)
    for _ in range(20):
        pressed(setting, user="U-STRANGER")
    assert len(documents(setting, "rejections")) == 1


def test_an_approval_that_was_stored_and_not_published_is_published_by_the_tick(setting: Setting) -> None:
    incident = proposed(setting)
    demand = setting.bus.demand
    setting.bus.demand = _refusing  # type: ignore[assignment]
    assert handle_click(setting.process(), click(setting.chat.all[0].message)).result is ClickResult.APPROVED
    assert documents(setting, "decisions")[f"{incident}-1"]["state"] == "approved"
    assert (setting.bus.waiting, state(setting, incident)) == ([], "proposed")
    setting.bus.demand = demand
    tick(setting, timedelta(minutes=4))
    assert [topic for topic, _ in setting.bus.waiting] == ["redeploy-approved"]
    assert state(setting, incident) == "deploying"


def _refusing(what: str) -> None:
    raise Retry(f"{what}: no connection")


def test_a_click_that_meets_another_one_half_way_is_told_how_the_decision_stands(setting: Setting) -> None:
    """The first one has stored the approval and is about to publish it when the second one comes."""
    incident = proposed(setting)
    second: list[ClickResult] = []

    class Slow:
        def publish(self, topic: str, message: Mapping[str, str]) -> None:
            second.append(handle_click(setting.process(), click(_asked(setting))).result)
            setting.bus.publish(topic, message)

    first = handle_click(setting.process(lambda name, port: Slow() if name == "bus" else port), click(_asked(setting)))
    assert (first.result, second) == (ClickResult.APPROVED, [ClickResult.ALREADY_APPROVED])
    assert setting.bus.waiting == [("redeploy-approved", {"proposal": f"{incident}-1"})]


def _asked(setting: Setting) -> Message:
    return setting.chat.all[0].message
