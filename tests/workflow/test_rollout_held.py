"""What keeps a rollout from its next share or its first one, and from being proven: a setting in, state out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.proposal.verdict import MAX_WATCH_DURATION, WATCH_DURATION, ProbeResult, RolloutVerdict, WatchObservations, judge_rollout
from tests.support.drivers import MINUTE, approved, redeployed, state, tick, watching
from tests.support.harness import Setting, service

BEGAN = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
CALM = WatchObservations(since=BEGAN, missed_traffic_checks=0, failed_probes=0, has_recurred=False, revision_failure="", request_count=12, successful_probes=3)


def _revision(setting: Setting) -> str:
    return setting.cloud.operations[0].revision


def _shares(setting: Setting) -> list[int]:
    return [share for _, name, share in setting.cloud.shifts if name == _revision(setting)]


def test_the_next_share_waits_until_the_split_is_seen_as_it_was_set() -> None:
    setting = Setting({"shore.tide": service(traffic_steps=(10, 50, 100))})
    incident = watching(setting)
    set_split = setting.cloud.services["shore.tide"].traffic
    setting.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100}
    tick(setting)
    assert (_shares(setting), state(setting, incident)) == ([10], "deploying")
    setting.cloud.services["shore.tide"].traffic = set_split
    tick(setting)
    assert _shares(setting) == [10, 50]


def test_a_split_that_is_missed_twice_is_somebody_elses() -> None:
    setting = Setting({"shore.tide": service(traffic_steps=(10, 50, 100))})
    incident = watching(setting)
    setting.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100}
    tick(setting)
    tick(setting)
    assert (_shares(setting), state(setting, incident)) == ([10], "reported")


@pytest.mark.parametrize("probes", [0, 3])
def test_nothing_is_proven_while_the_last_probe_failed(probes: int) -> None:
    over = BEGAN + WATCH_DURATION
    watched = replace(CALM, successful_probes=probes)
    assert judge_rollout(watched, over) is RolloutVerdict.PROVEN
    assert judge_rollout(replace(watched, failed_probes=1), over) is RolloutVerdict.HOLDS
    assert judge_rollout(replace(watched, missed_traffic_checks=1), over) is RolloutVerdict.HOLDS


def test_nor_is_anything_called_inconclusive_then() -> None:
    silent = replace(CALM, request_count=0, successful_probes=0)
    assert judge_rollout(silent, BEGAN + MAX_WATCH_DURATION) is RolloutVerdict.INCONCLUSIVE
    assert judge_rollout(replace(silent, failed_probes=1), BEGAN + MAX_WATCH_DURATION) is RolloutVerdict.HOLDS


def test_a_watch_that_ends_on_a_failed_probe_goes_on_until_one_succeeds() -> None:
    setting = Setting()
    incident = watching(setting)
    setting.logs.answered[_revision(setting)] = 4810
    setting.probe.answer = ProbeResult(ok=False)
    tick(setting, WATCH_DURATION)
    assert (state(setting, incident), setting.issues.all[0].is_open) == ("watching", True)
    setting.probe.answer = ProbeResult(ok=True)
    tick(setting)
    assert state(setting, incident) == "resolved"


def test_a_pipelines_revision_without_a_commit_gets_no_traffic_and_no_address() -> None:
    setting = Setting()
    setting.cloud.piped = True
    incident = approved(setting)
    redeployed(setting)
    known = setting.cloud.services["shore.tide"].revisions
    known[_revision(setting)] = replace(known[_revision(setting)], commit=None)
    tick(setting, timedelta(minutes=2))
    tick(setting, MINUTE)
    assert (state(setting, incident), _shares(setting)) == ("failed", [])
    assert setting.cloud.get_service_state(setting.services["shore.tide"]).traffic == {"tide-00007-old": 100}
