"""What keeps a rollout from its next share or its first one, and from being proven: a setting in, state out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.proposal.rollout import (
    MAX_WATCH_DURATION,
    WATCH_DURATION,
    ProbeResult,
    RolloutVerdict,
    WatchObservations,
    judge_rollout,
)
from tests.support.commit_graph import commit_id
from tests.support.drivers import MINUTE, approve_proposal, read_state, redeploy_approved, run_tick, start_watching
from tests.support.harness import Harness, watched_service

BEGAN = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
CALM = WatchObservations(
    since=BEGAN,
    missed_traffic_checks=0,
    failed_probes=0,
    has_recurred=False,
    revision_failure="",
    request_count=12,
    successful_probes=3,
)


def _revision(harness: Harness) -> str:
    return harness.cloud.operations[0].revision


def _shares(harness: Harness) -> list[int]:
    return [share for _, name, share in harness.cloud.shifts if name == _revision(harness)]


def test_the_next_share_waits_until_the_split_is_seen_as_it_was_set() -> None:
    harness = Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))})
    incident = start_watching(harness)
    set_split = harness.cloud.services["shore.tide"].traffic
    harness.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100}
    run_tick(harness)
    assert (_shares(harness), read_state(harness, incident)) == ([10], "deploying")
    harness.cloud.services["shore.tide"].traffic = set_split
    run_tick(harness)
    assert _shares(harness) == [10, 50]


def test_a_split_that_is_missed_twice_is_somebody_elses() -> None:
    harness = Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))})
    incident = start_watching(harness)
    harness.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100}
    run_tick(harness)
    run_tick(harness)
    assert (_shares(harness), read_state(harness, incident)) == ([10], "reported")


@pytest.mark.parametrize("probes", [0, 3])
def test_nothing_is_proven_while_the_last_probe_failed(probes: int) -> None:
    over = BEGAN + WATCH_DURATION
    watched = replace(CALM, successful_probes=probes)
    assert judge_rollout(watched, over) is RolloutVerdict.PROVEN
    assert judge_rollout(replace(watched, failed_probes=1), over) is RolloutVerdict.HOLDS
    assert judge_rollout(replace(watched, missed_traffic_checks=1), over) is RolloutVerdict.HOLDS


def test_failed_probe_prevents_an_inconclusive_end() -> None:
    silent = replace(CALM, request_count=0, successful_probes=0)
    assert judge_rollout(silent, BEGAN + MAX_WATCH_DURATION) is RolloutVerdict.INCONCLUSIVE
    assert judge_rollout(replace(silent, failed_probes=1), BEGAN + MAX_WATCH_DURATION) is RolloutVerdict.HOLDS


def test_a_watch_that_ends_on_a_failed_probe_goes_on_until_one_succeeds() -> None:
    harness = Harness()
    incident = start_watching(harness)
    harness.logs.request_counts[_revision(harness)] = 4810
    harness.probe.result = ProbeResult(ok=False)
    run_tick(harness, WATCH_DURATION)
    assert (read_state(harness, incident), harness.issues.issues[0].is_open) == ("watching", True)
    harness.probe.result = ProbeResult(ok=True)
    run_tick(harness)
    assert read_state(harness, incident) == "resolved"


def test_pipeline_revision_without_a_commit_gets_no_traffic() -> None:
    harness = Harness()
    harness.cloud.deploys_by_pipeline = True
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    known = harness.cloud.services["shore.tide"].revisions
    known[_revision(harness)] = replace(known[_revision(harness)], commit=None)
    run_tick(harness, timedelta(minutes=2))
    run_tick(harness, MINUTE)
    assert (read_state(harness, incident), _shares(harness)) == ("failed", [])
    assert harness.cloud.get_service_state(harness.services["shore.tide"]).traffic == {"tide-00007-old": 100}


def test_share_that_a_pipeline_gave_is_where_the_steps_go_on() -> None:
    harness = Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))})
    harness.cloud.deploys_by_pipeline, harness.cloud.pipeline_share = True, 25
    approve_proposal(harness)
    redeploy_approved(harness)
    run_tick(harness, timedelta(minutes=2))
    harness.cloud.services["shore.tide"].traffic = {"tide-00007-old": 75, _revision(harness): 25}
    run_tick(harness)
    assert _shares(harness) == [0, 50]


def test_newer_revision_with_the_fix_does_not_stand_in_for_a_first_share() -> None:
    harness = Harness({"shore.tide": watched_service(traffic_steps=(10, 100))})
    incident = start_watching(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("later"))
    run_tick(harness)
    run_tick(harness)
    assert (read_state(harness, incident), _shares(harness)) == ("reported", [10])
