"""The kill switch under way and its commands; approvals that expire; approvers who are none any more."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from functions.cli.stop import run_kill_switch
from shared.errors import UsageError
from shared.proposal.rollout import ProbeResult
from shared.service import Service
from shared.workflow.records.kill_switch import ALL_SERVICES, is_kill_switch_on, read_switch, set_switch
from shared.workflow.redeploy import redeploy
from shared.workflow.verify import verify
from tests.support.clock import FakeClock
from tests.support.drivers import (
    MINUTE,
    approve_proposal,
    press_button,
    propose_deployment,
    read_documents,
    read_state,
    redeploy_approved,
    run_tick,
)
from tests.support.harness import APPROVER, OLD_REVISION, SECOND_APPROVER, Harness, watched_service
from tests.support.memory import MemoryStore

STEPS = (10, 50, 100)


def _at_ten_percent() -> tuple[Harness, str]:
    harness = Harness({"shore.tide": watched_service(traffic_steps=STEPS)})
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    while not harness.cloud.shifts:
        run_tick(harness)
    return harness, incident


def test_a_rollout_under_way_stops_and_its_share_is_put_back() -> None:
    harness, incident = _at_ten_percent()
    (first,) = harness.cloud.shifts
    harness.kill_switch = True
    for _ in range(4):
        run_tick(harness)
    assert read_state(harness, incident) == "rolled_back"
    assert first not in harness.cloud.shifts[1:]
    serving = harness.start_process().revisions.get_service_state(harness.services["shore.tide"])
    assert {name: share for name, share in serving.traffic.items() if share} == {OLD_REVISION: 100}


def test_a_deployment_that_waits_for_its_revision_gets_no_first_share() -> None:
    harness = Harness({"shore.tide": watched_service(traffic_steps=STEPS)})
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    harness.kill_switch = True
    for _ in range(3):
        run_tick(harness)
    assert read_state(harness, incident) == "rolled_back"
    serving = harness.start_process().revisions.get_service_state(harness.services["shore.tide"])
    assert {name: share for name, share in serving.traffic.items() if share} == {OLD_REVISION: 100}


def test_kill_switch_set_during_a_probe_stops_the_next_share() -> None:
    harness, incident = _at_ten_percent()
    context, shifts = harness.start_process(), list(harness.cloud.shifts)

    class Probing:
        def check(self, service: Service) -> ProbeResult:
            harness.kill_switch = True
            return context.probe.check(service)

    harness.clock.advance(MINUTE)
    verify(replace(context, probe=Probing()))
    given = [share for _, revision, share in harness.cloud.shifts[len(shifts) :] if revision != OLD_REVISION]
    assert given == []
    run_tick(harness)
    assert read_state(harness, incident) == "rolled_back"


def test_without_the_switch_the_same_rollout_goes_on() -> None:
    harness, incident = _at_ten_percent()
    for _ in range(4):
        run_tick(harness)
    assert read_state(harness, incident) == "watching"


def test_an_approval_is_void_once_its_question_has_expired() -> None:
    harness = Harness()
    incident = approve_proposal(harness)
    harness.clock.advance(timedelta(days=25))
    assert redeploy_approved(harness).name == "refused:approval_expired"
    assert harness.cloud.operations == []
    assert read_documents(harness, "decisions")[f"{incident}-1"]["state"] == "refused"


def test_a_rollout_that_has_begun_does_not_expire() -> None:
    harness = Harness()
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    harness.clock.advance(timedelta(days=1))
    assert redeploy(harness.start_process(), f"{incident}-1").name == "deploying"


def test_a_vote_of_somebody_who_is_no_approver_any_more_does_not_count() -> None:
    harness = Harness({"shore.tide": watched_service(approvers=(APPROVER, SECOND_APPROVER, "U-PIA"), quorum=2)})
    incident = propose_deployment(harness)
    assert press_button(harness, user=SECOND_APPROVER).result.value == "counted"
    harness.services = {"shore.tide": watched_service(approvers=(APPROVER, "U-PIA"), quorum=2)}
    assert press_button(harness, user=APPROVER).result.value == "counted"
    assert press_button(harness, user="U-PIA").result.value == "approved"
    votes = read_documents(harness, "decisions")[f"{incident}-1"]["votes"]
    assert isinstance(votes, list)
    assert [vote["by"] for vote in votes] == [APPROVER, "U-PIA"]


def test_an_approver_who_is_removed_before_the_deployment_stops_it() -> None:
    harness = Harness({"shore.tide": watched_service(approvers=(APPROVER, SECOND_APPROVER), quorum=2)})
    propose_deployment(harness)
    press_button(harness, user=SECOND_APPROVER)
    press_button(harness, user=APPROVER)
    harness.services = {"shore.tide": watched_service(approvers=(APPROVER,), quorum=2)}
    assert redeploy_approved(harness).name == "refused:approver_removed"
    assert harness.cloud.operations == []


def test_a_member_who_left_the_approver_group_stops_it_too() -> None:
    harness = Harness({"shore.tide": watched_service(approvers=(), approver_group="S-CREW")})
    harness.chat.groups = {"S-CREW": {APPROVER}}
    propose_deployment(harness)
    assert press_button(harness).result.value == "approved"
    harness.chat.groups = {"S-CREW": ()}
    assert redeploy_approved(harness).name == "refused:approver_removed"


def test_kill_switch_stops_its_service_and_the_global_one_stops_all() -> None:
    store, clock = MemoryStore(), FakeClock()
    assert set_switch(store, clock, "shore.tide", "mira", stopped=True)
    assert (is_kill_switch_on(store, "shore.tide"), is_kill_switch_on(store, "shore.buoy")) == (True, False)
    assert not set_switch(store, clock, "shore.tide", "nora", stopped=True)
    assert read_switch(store, "shore.tide").by == "mira"
    assert set_switch(store, clock, ALL_SERVICES, "mira", stopped=True)
    assert set_switch(store, clock, "shore.tide", "nora", stopped=False)
    assert is_kill_switch_on(store, "shore.tide")
    assert set_switch(store, clock, ALL_SERVICES, "nora", stopped=False)
    assert not is_kill_switch_on(store, "shore.tide")


def test_a_switch_that_was_written_by_hand_stops_whatever_it_holds() -> None:
    store = MemoryStore()
    store.create("switches", "kill", {})
    assert is_kill_switch_on(store, "shore.tide")
    assert set_switch(store, FakeClock(), ALL_SERVICES, "mira", stopped=False)
    assert not is_kill_switch_on(store, "shore.tide")


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "provenfix.yaml"
    fields = {"name": "tide", "project": "shore", "region": "europe-west6", "repository": str(tmp_path)}
    config.write_text(json.dumps({"services": [fields | {"channel": "C0TIDE", "approvers": ["U0MIRA"]}]}))
    monkeypatch.setenv("PROVENFIX_CONFIG", str(config))
    monkeypatch.setenv("PROVENFIX_EMBEDDED", str(tmp_path / "state"))


@pytest.mark.usefixtures("embedded")
def test_the_commands_turn_what_the_functions_read(capsys: pytest.CaptureFixture[str]) -> None:
    from shared.config.settings import read_settings  # noqa: PLC0415
    from shared.state_stores import create_store  # noqa: PLC0415

    assert run_kill_switch("tide", Path(".provenfix"), stopped=True) == 0
    kept = create_store(read_settings())
    assert is_kill_switch_on(kept, "shore.tide")
    assert read_switch(kept, "shore.tide").by is not None
    assert run_kill_switch("", Path(".provenfix"), stopped=True) == 0
    assert run_kill_switch("shore.tide", Path(".provenfix"), stopped=False) == 0
    assert "`provenfix resume` without a service" in capsys.readouterr().out
    assert is_kill_switch_on(kept, "shore.tide")
    assert run_kill_switch("", Path(".provenfix"), stopped=False) == 0
    assert not is_kill_switch_on(kept, "shore.tide")


@pytest.mark.usefixtures("embedded")
def test_a_user_without_a_name_can_stop_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.config.settings import read_settings  # noqa: PLC0415
    from shared.state_stores import create_store  # noqa: PLC0415

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 54_321)
    assert run_kill_switch("", Path(".provenfix"), stopped=True) == 0
    assert str(read_switch(create_store(read_settings()), ALL_SERVICES).by).startswith("uid 54321@")


@pytest.mark.usefixtures("embedded")
def test_a_service_that_is_not_configured_is_refused() -> None:
    with pytest.raises(UsageError, match=r"shore\.tide"):
        run_kill_switch("buoy", Path(".provenfix"), stopped=True)
