"""What a rollout keeps, whatever is delivered twice or stands still: a setting in, the stored rollout out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.workflow.flow import IncidentState
from shared.workflow.records import incident_records
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.recurrence import has_recurred
from tests.support.drivers import MINUTE, approved, incident_document, redeployed, state, tick, watching
from tests.support.harness import Setting, service
from tests.support.past import commit, commit_id

OWN_ADDRESS = "wss://pf-1---tide.invalid/ws"
ADDRESS = "wss://tide.invalid/ws"


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_late_copy_of_the_approval_leaves_a_rollout_where_it_is(setting: Setting) -> None:
    incident = watching(setting)
    before = incident_document(setting, incident)
    assert redeploy(setting.process(), f"{incident}-1").name == "watching"
    assert incident_document(setting, incident) == before


def test_a_person_who_stops_a_rollout_half_way_is_told_how_the_traffic_stays() -> None:
    setting = Setting({"shore.tide": service(traffic_steps=(10, 100))})
    incident = watching(setting)
    setting.issues.all[0].labels.add("provenfix:wrong")
    tick(setting)
    assert state(setting, incident) == "muted"
    why = str(incident_document(setting, incident)["ending_why"])
    assert f"10 % for {setting.cloud.operations[0].revision}" in why


def test_before_it_has_traffic_a_revision_without_an_address_is_not_probed(setting: Setting) -> None:
    approved(setting)
    redeployed(setting)
    tick(setting, 2 * MINUTE)
    assert setting.probe.asked == []
    tick(setting)
    assert setting.probe.asked == [ADDRESS]


def test_a_service_without_a_probe_is_not_probed_at_a_revisions_own_address_either() -> None:
    setting = Setting({"shore.tide": service(probe_url="")})
    setting.cloud.address = "https://pf-1---tide.invalid"
    watching(setting)
    tick(setting)
    assert setting.probe.asked == []


def test_it_is_probed_alone_until_it_has_all_of_the_traffic() -> None:
    setting = Setting({"shore.tide": service(traffic_steps=(10, 100))})
    setting.cloud.address = "https://pf-1---tide.invalid"
    watching(setting)
    tick(setting)
    tick(setting)
    assert setting.probe.asked == [OWN_ADDRESS, OWN_ADDRESS, ADDRESS]


def test_a_revision_without_traffic_loses_nothing_to_an_older_commit(setting: Setting) -> None:
    setting.pasts.graph[commit_id("newer")] = commit("newer", "later")
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-new", commit_id("newer"))
    setting.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100, "tide-00008-new": 0}
    approved(setting)
    assert redeployed(setting).name == "deploying"


@pytest.mark.parametrize("begun", ["as it is", ""])
def test_a_rollout_that_does_not_say_when_it_began_is_read_from_the_incidents_opening(
    setting: Setting, begun: str
) -> None:
    incident = watching(setting)
    case = incident_records.require_incident(setting.process(), incident)
    assert case.rollout is not None
    rollout = case.rollout if begun else replace(case.rollout, begun="")
    known = setting.services["shore.tide"]
    assert not has_recurred(setting.process(), known, case, rollout)
    setting.entry(revision=rollout.revision, at=setting.clock.now() - timedelta(seconds=1))
    assert has_recurred(setting.process(), known, case, rollout)


def test_what_was_logged_before_the_rollout_began_is_no_recurrence(setting: Setting) -> None:
    incident = watching(setting)
    case = incident_records.require_incident(setting.process(), incident)
    assert case.rollout is not None
    setting.entry(revision=case.rollout.revision, at=case.opened_at - timedelta(seconds=1))
    assert not has_recurred(setting.process(), setting.services["shore.tide"], case, case.rollout)


def test_the_first_end_stays_and_what_is_at_rest_gets_no_other(setting: Setting) -> None:
    incident = watching(setting)
    world = setting.process()
    assert incident_records.end_incident(world, incident, IncidentState.REPORTED, "first").ending is IncidentState.REPORTED
    assert incident_records.end_incident(world, incident, IncidentState.MUTED, "second").ending_why == "first"
    tick(setting)
    assert state(setting, incident) == "reported"
    assert incident_records.end_incident(world, incident, IncidentState.MUTED, "third") == incident_records.require_incident(world, incident)
    assert incident_document(setting, incident)["ending_why"] == "first"
