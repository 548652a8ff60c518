"""What a rollout keeps, whatever is delivered twice or stands still: a setting in, the stored rollout out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.workflow.flow import IncidentState
from shared.workflow.records import incident_record
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.recurrence import has_recurred
from tests.support.commit_graph import commit_id, make_commit
from tests.support.drivers import (
    MINUTE,
    approve_proposal,
    read_incident,
    read_state,
    redeploy_approved,
    run_tick,
    start_watching,
)
from tests.support.harness import Harness, watched_service

OWN_ADDRESS = "wss://pf-1---tide.invalid/ws"
ADDRESS = "wss://tide.invalid/ws"


def test_a_late_copy_of_the_approval_leaves_a_rollout_where_it_is(harness: Harness) -> None:
    incident = start_watching(harness)
    before = read_incident(harness, incident)
    assert redeploy(harness.start_process(), f"{incident}-1").name == "watching"
    assert read_incident(harness, incident) == before


def test_stopping_a_rollout_reports_the_remaining_traffic_split() -> None:
    setting = Harness({"shore.tide": watched_service(traffic_steps=(10, 100))})
    incident = start_watching(setting)
    setting.issues.issues[0].labels.add("provenfix:wrong")
    run_tick(setting)
    assert read_state(setting, incident) == "muted"
    why = str(read_incident(setting, incident)["ending_why"])
    assert f"10 % for {setting.cloud.operations[0].revision}" in why


def test_before_it_has_traffic_a_revision_without_an_address_is_not_probed(harness: Harness) -> None:
    approve_proposal(harness)
    redeploy_approved(harness)
    assert harness.probe.probed_services == []
    run_tick(harness, 2 * MINUTE)
    assert harness.cloud.shifts
    assert harness.probe.probed_services == [ADDRESS]


def test_service_without_a_probe_is_not_probed_at_revision_address() -> None:
    setting = Harness({"shore.tide": watched_service(probe_url="")})
    setting.cloud.address = "https://pf-1---tide.invalid"
    start_watching(setting)
    run_tick(setting)
    assert setting.probe.probed_services == []


def test_it_is_probed_alone_until_it_has_all_of_the_traffic() -> None:
    setting = Harness({"shore.tide": watched_service(traffic_steps=(10, 100))})
    setting.cloud.address = "https://pf-1---tide.invalid"
    start_watching(setting)
    run_tick(setting)
    assert setting.probe.probed_services == [OWN_ADDRESS, OWN_ADDRESS, ADDRESS]


def test_a_revision_without_traffic_loses_nothing_to_an_older_commit(harness: Harness) -> None:
    harness.histories.graph[commit_id("newer")] = make_commit("newer", "later")
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-new", commit_id("newer"))
    harness.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100, "tide-00008-new": 0}
    approve_proposal(harness)
    assert redeploy_approved(harness).name == "deploying"


@pytest.mark.parametrize("is_known", [True, False])
def test_rollout_without_a_start_starts_at_the_incident_opening(harness: Harness, *, is_known: bool) -> None:
    incident = start_watching(harness)
    record = incident_record.require_incident(harness.start_process(), incident)
    assert record.rollout is not None
    rollout = record.rollout if is_known else replace(record.rollout, begun=None)
    known = harness.services["shore.tide"]
    assert not has_recurred(harness.start_process(), known, record, rollout)
    harness.log_entry(revision=rollout.revision, at=harness.clock.now() - timedelta(seconds=1))
    assert has_recurred(harness.start_process(), known, record, rollout)


def test_what_was_logged_before_the_rollout_began_is_no_recurrence(harness: Harness) -> None:
    incident = start_watching(harness)
    record = incident_record.require_incident(harness.start_process(), incident)
    assert record.rollout is not None
    harness.log_entry(revision=record.rollout.revision, at=record.opened_at - timedelta(seconds=1))
    assert not has_recurred(harness.start_process(), harness.services["shore.tide"], record, record.rollout)


def test_the_first_end_stays_and_what_is_at_rest_gets_no_other(harness: Harness) -> None:
    incident = start_watching(harness)
    context = harness.start_process()
    assert (
        incident_record.end_incident(context, incident, IncidentState.REPORTED, "first").ending
        is IncidentState.REPORTED
    )
    assert incident_record.end_incident(context, incident, IncidentState.MUTED, "second").ending_why == "first"
    run_tick(harness)
    assert read_state(harness, incident) == "reported"
    assert incident_record.end_incident(
        context, incident, IncidentState.MUTED, "third"
    ) == incident_record.require_incident(context, incident)
    assert read_incident(harness, incident)["ending_why"] == "first"
