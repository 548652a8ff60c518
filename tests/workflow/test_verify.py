"""`verify`: what each tick does with an incident, and what it takes to call a service fixed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.ports import StoredDocument
from shared.proposal.rollout import MAX_WATCH_DURATION, WATCH_DURATION, ProbeResult
from shared.report.incident_status import format_state_marker
from shared.workflow import flow
from shared.workflow.record import record_log_entry
from shared.workflow.records.incident_record import EndCause
from shared.workflow.rollout.new_revision import MAX_DEPLOYMENT_TIME
from shared.workflow.schedule import schedule_looks
from shared.workflow.verify import MAX_REPUBLISHES, REPUBLISH_INTERVAL, verify
from tests.support.commit_graph import commit_id
from tests.support.drivers import (
    MINUTE,
    approve_proposal,
    open_incident,
    propose_deployment,
    read_documents,
    read_incident,
    read_state,
    redeploy_approved,
    run_tick,
    start_watching,
)
from tests.support.harness import Harness, watched_service
from tests.support.logs import MOST_REQUESTS
from tests.support.memory import MemoryStore
from tests.support.ticks import play_tick


def cause(harness: Harness, incident: str) -> str:
    """Why it ended, by name."""
    return str(read_incident(harness, incident)["ending_cause"])


def _revision(harness: Harness) -> str:
    return harness.cloud.operations[0].revision


def test_a_deployment_that_is_under_way_is_waited_for(harness: Harness) -> None:
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    run_tick(harness, timedelta(seconds=30))
    assert read_state(harness, incident) == "deploying"
    run_tick(harness)
    assert read_state(harness, incident) == "watching"
    assert harness.cloud.get_service_state(harness.services["shore.tide"]).traffic == {_revision(harness): 100}


def test_look_says_whether_it_has_moved_the_incident(harness: Harness) -> None:
    incident = propose_deployment(harness)
    told = [verify(harness.start_process(), incident)]
    harness.clock.advance(timedelta(hours=6))
    told += [verify(harness.start_process(), incident) for _ in range(2)]
    assert [(result.name, result.incident) for result in told] == [
        ("looked", incident), ("moved", incident), ("at_rest", incident),
    ]  # fmt: skip


def test_traffic_moves_one_step_a_tick() -> None:
    setting = Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))})
    start_watching(setting)
    shares = [setting.cloud.shifts[-1][2]]
    for _ in range(2):
        run_tick(setting)
        shares.append(setting.cloud.shifts[-1][2])
    assert shares == [10, 50, 100]


def test_a_failing_probe_stops_the_traffic_and_two_take_it_back() -> None:
    setting = Harness({"shore.tide": watched_service(traffic_steps=(10, 100))})
    incident = start_watching(setting)
    setting.probe.result = ProbeResult(ok=False)
    run_tick(setting)
    assert setting.cloud.shifts[-1][2] == 10
    run_tick(setting)
    assert read_state(setting, incident) == "rolled_back"
    assert setting.cloud.get_service_state(setting.services["shore.tide"]).traffic == {"tide-00007-old": 100}


def test_rollback_question_starts_without_the_first_ones_outcome(harness: Harness) -> None:
    harness.prover.offers_rollback = True
    incident = start_watching(harness)
    harness.probe.result = ProbeResult(ok=False)
    run_tick(harness)
    run_tick(harness)
    stored = read_incident(harness, incident)
    assert (stored["state"], stored["look"]) == ("opened", 2)
    assert (stored["ending"], stored["ending_why"], stored["ending_cause"]) == ("", "", "")


def test_a_deployment_that_failed_is_said_to_have_failed(harness: Harness) -> None:
    harness.cloud.failure_reason = "the build failed"
    incident = start_watching(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("failed", EndCause.DEPLOYMENT_FAILED)
    assert "the build failed" in harness.issues.issues[0].comments[-1]
    assert harness.cloud.shifts == [("shore.tide", "tide-00007-old", 100)], "what it pinned is as it was before"


def test_a_new_revision_that_fails_at_its_own_address_gets_no_traffic(harness: Harness) -> None:
    harness.cloud.address = "https://pf-1---tide.invalid"
    harness.probe.result = ProbeResult(ok=False)
    incident = start_watching(harness)
    run_tick(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("failed", EndCause.FAILED_PROBE_BEFORE_TRAFFIC)
    assert " 2 probes " in harness.issues.issues[0].comments[-1]
    assert harness.probe.probed_services == ["wss://pf-1---tide.invalid/ws"] * 2
    assert harness.cloud.shifts == [("shore.tide", "tide-00007-old", 100)]


def test_what_a_person_changes_during_a_rollout_is_respected_and_ends_it(harness: Harness) -> None:
    harness.cloud.manual_change = "tide-00009-kim was deployed"
    incident = start_watching(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("reported", EndCause.SHIFT_REFUSED)
    assert harness.cloud.manual_change in harness.issues.issues[0].comments[-1]
    assert harness.cloud.shifts == []


def test_after_a_day_with_traffic_the_issue_is_closed_with_the_figures(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.logs.request_counts[_revision(harness)] = 4810
    run_tick(harness, WATCH_DURATION - MINUTE)
    assert harness.issues.issues[0].is_open
    run_tick(harness, MINUTE)
    assert (read_state(harness, incident), cause(harness, incident)) == ("resolved", EndCause.PROVEN)
    assert not harness.issues.issues[0].is_open
    assert "4810 requests in 24 hours" in harness.issues.issues[0].comments[-1]
    assert "24-hour" in harness.issues.issues[0].comments[-1]
    assert harness.chat.posted[0].message.standing == "resolved"


def test_silence_without_requests_proves_nothing() -> None:
    setting = Harness({"shore.tide": watched_service(probe_url="")})
    incident = start_watching(setting)
    run_tick(setting, WATCH_DURATION)
    assert read_state(setting, incident) == "watching"
    run_tick(setting, MAX_WATCH_DURATION)
    assert (read_state(setting, incident), cause(setting, incident)) == ("reported", EndCause.INCONCLUSIVE)
    assert setting.issues.issues[0].is_open
    assert " 192 hours" in setting.issues.issues[0].comments[-1]
    assert setting.chat.posted[0].message.standing == "inconclusive"


def test_the_probes_are_traffic_as_well_and_their_number_is_told(harness: Harness) -> None:
    incident = start_watching(harness)
    run_tick(harness)
    run_tick(harness, WATCH_DURATION)
    assert (read_state(harness, incident), cause(harness, incident)) == ("resolved", EndCause.PROVEN)
    said = harness.issues.issues[0].comments[-1]
    assert [figure for figure in ("\n0 requests", "24 hours", " 3 probes") if figure not in said] == []


def test_entries_lost_by_the_sink_are_found_before_resolving(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.logs.request_counts[_revision(harness)] = 10
    harness.log_entry(revision=_revision(harness))  # logged, and no message about it ever arrives
    run_tick(harness, WATCH_DURATION)
    assert read_state(harness, incident) == "rolled_back"


def test_between_two_steps_the_log_itself_is_asked() -> None:
    setting = Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))})
    incident = start_watching(setting)
    setting.log_entry("SyntaxError: invalid syntax (another.py, line 3)", revision=_revision(setting))
    setting.bus.published.clear()
    run_tick(setting)
    assert read_state(setting, incident) == "rolled_back"
    assert [share for _, _, share in setting.cloud.shifts] == [10, 100]
    orders = [message["percent"] for topic, message in setting.bus.published if topic == flow.REDEPLOY_APPROVED]
    assert orders == []


def test_a_revision_that_runs_another_commit_gets_no_traffic(harness: Harness) -> None:
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    known = harness.cloud.services["shore.tide"].revisions
    known[_revision(harness)] = replace(known[_revision(harness)], commit=commit_id("fixed"))
    run_tick(harness, 2 * MINUTE)
    assert (read_state(harness, incident), cause(harness, incident)) == ("failed", EndCause.OTHER_COMMIT)
    said = harness.issues.issues[0].comments[-1]
    assert said.index(f"`{commit_id('fixed')}`") < said.index(f"`{commit_id('later')}`")
    assert [share for _, name, share in harness.cloud.shifts if name == _revision(harness)] == []


def test_a_revision_of_which_nobody_knows_the_commit_gets_no_traffic(harness: Harness) -> None:
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    known = harness.cloud.services["shore.tide"].revisions
    known[_revision(harness)] = replace(known[_revision(harness)], commit=None)
    run_tick(harness, 2 * MINUTE)
    assert (read_state(harness, incident), cause(harness, incident)) == ("failed", EndCause.UNKNOWN_COMMIT)
    assert _revision(harness) in harness.issues.issues[0].comments[-1]


def test_a_deployment_that_never_ends_is_given_up_after_an_hour(harness: Harness) -> None:
    harness.cloud.deployment_time = timedelta(days=1)
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    run_tick(harness, MAX_DEPLOYMENT_TIME - MINUTE)
    assert read_state(harness, incident) == "deploying"
    run_tick(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("failed", EndCause.DEPLOYMENT_LATE)
    assert " 60 minutes" in harness.issues.issues[0].comments[-1]
    assert len(harness.cloud.operations) == 1


def test_a_revision_that_is_ready_no_longer_is_taken_back(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.cloud.failure_reason = "The instance was killed: out of memory."
    run_tick(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("rolled_back", EndCause.FAILED_REVISION)
    assert harness.cloud.failure_reason in harness.issues.issues[0].comments[-1]


def test_what_could_not_be_put_back_is_not_called_rolled_back(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.cloud.manual_change = "tide-00007-old was deleted"
    harness.probe.result = ProbeResult(ok=False)
    run_tick(harness)
    run_tick(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("reported", EndCause.NOT_PUT_BACK)
    assert harness.cloud.manual_change in harness.issues.issues[0].comments[-1]
    assert harness.chat.posted[0].message.standing == "inconclusive"


def test_a_commit_that_does_not_serve_is_not_called_mended(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
    run_tick(harness)
    assert read_state(harness, incident) == "watching", "a split takes its time"
    run_tick(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("reported", EndCause.CHANGED)
    said = harness.issues.issues[0].comments[-1]
    assert [fact for fact in ("tide-00009-hand", "100 %") if fact not in said] == []
    assert harness.cloud.shifts[1:] == []


def test_a_share_that_stayed_at_nothing_is_not_called_mended(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100, _revision(harness): 0}
    run_tick(harness)
    run_tick(harness)
    assert read_state(harness, incident) == "reported"


def test_a_later_deployment_that_contains_the_fix_is_as_good(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("later"))
    harness.logs.request_counts["tide-00009-hand"] = 10
    run_tick(harness, WATCH_DURATION)
    assert read_state(harness, incident) == "resolved"


def test_a_revision_that_nobody_reaches_at_its_own_address_is_judged_by_the_log_until_it_has_all() -> None:
    """At the service's address answers, for the time being, mostly the revision that fails."""
    probed = watched_service(traffic_steps=(10, 50, 100), probe_url="wss://tide.example/ws")
    setting = Harness({"shore.tide": probed})
    setting.cloud.unprobeable_reason = "the service takes no requests from outside"
    setting.probe.result = ProbeResult(ok=False)
    incident = start_watching(setting)
    for share in (10, 50):
        assert f"'share': {share}," in str(read_incident(setting, incident)["rollout"])
        assert setting.probe.probed_services == []
        run_tick(setting, MINUTE)
    assert read_state(setting, incident) == "watching"
    run_tick(setting, MINUTE)
    assert setting.probe.probed_services == ["wss://tide.example/ws"] * 2  # once the watch began, and at this tick


class _SlowBus:
    """Takes ten seconds for each message."""

    def __init__(self, setting: Harness) -> None:
        self._setting, self.asked = setting, list[str]()

    def request(self, topic: str, message: Mapping[str, str]) -> None:
        assert topic == flow.INCIDENT_DUE
        self._setting.clock.advance(timedelta(seconds=10))
        self.asked.append(message["incident"])


def _open_incidents(count: int) -> Harness:
    setting = Harness({f"shore.buoy-{number}": watched_service(f"buoy-{number}") for number in range(count)})
    for service in setting.services.values():
        record_log_entry(setting.start_process(), setting.log_entry(name=service.name))
    return setting


def test_a_tick_asks_for_one_look_an_incident_and_looks_at_none() -> None:
    """Fifty services whose probes take ten seconds each: no round is as long as the sum of them."""
    setting = _open_incidents(50)
    setting.bus.waiting.clear()
    assert schedule_looks(setting.start_process()).detail == "50 asked for"
    asked = [message["incident"] for topic, message in setting.bus.waiting if topic == flow.INCIDENT_DUE]
    assert sorted(asked) == sorted(read_documents(setting, "incidents"))
    assert setting.probe.probed_services == []


def test_a_round_ends_in_time_and_every_incident_is_reached_within_some_rounds() -> None:
    """Where publishing takes ten seconds, in a fixed order the last ones were never looked at."""
    setting = _open_incidents(8)
    reached: set[str] = set()
    for _ in range(20):
        begun, bus = setting.clock.now(), _SlowBus(setting)
        world = setting.start_process(lambda name, port, bus=bus: bus if name == "bus" else port)  # type: ignore[misc]
        assert schedule_looks(world).detail == "5 asked for, 3 not reached"
        assert setting.clock.now() - begun <= MINUTE
        reached |= set(bus.asked)
        setting.clock.advance(MINUTE)
    assert reached == set(read_documents(setting, "incidents"))


def test_one_failed_probe_is_forgiven(harness: Harness) -> None:
    incident = start_watching(harness)
    for ok in (False, True, False, True):
        harness.probe.result = ProbeResult(ok=ok)
        run_tick(harness)
    assert read_state(harness, incident) == "watching"


def test_a_service_without_a_probe_is_not_probed() -> None:
    setting = Harness({"shore.tide": watched_service(probe_url="")})
    setting.probe.result = ProbeResult(ok=False)
    incident = start_watching(setting)
    run_tick(setting)
    run_tick(setting)
    assert read_state(setting, incident) == "watching"


def test_a_recurrence_in_the_new_revision_takes_it_back(harness: Harness) -> None:
    incident = start_watching(harness)
    assert record_log_entry(harness.start_process(), harness.log_entry(revision=_revision(harness))).name == "recurred"
    run_tick(harness)
    assert read_state(harness, incident) == "rolled_back"
    assert harness.cloud.shifts[-1] == ("shore.tide", "tide-00007-old", 100)
    assert _revision(harness) in harness.issues.issues[0].comments[-1]
    assert harness.issues.issues[0].is_open


def test_a_storm_of_the_old_revision_hides_no_recurrence_in_the_new_one() -> None:
    """A reader of a log reads so many entries of it, and the oldest first."""
    setting = Harness({"shore.tide": watched_service(traffic_steps=(10, 100))})
    incident = start_watching(setting)
    entry = replace(setting.log_entry(), timestamp=setting.clock.now())
    setting.logs.kept += [entry] * MOST_REQUESTS
    setting.logs.kept.append(replace(entry, revision=_revision(setting), insert_id="new"))
    run_tick(setting)
    assert read_state(setting, incident) == "rolled_back"
    assert setting.cloud.shifts[-1] == ("shore.tide", "tide-00007-old", 100)


def test_a_late_entry_of_the_old_revision_is_no_recurrence(harness: Harness) -> None:
    incident = start_watching(harness)
    assert record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00007-old")).name == "duplicate"
    run_tick(harness)
    assert read_state(harness, incident) == "watching"


def test_what_somebody_else_deployed_is_not_taken_back(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("later"))
    assert record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00009-hand")).name == "recurred"
    run_tick(harness)
    assert read_state(harness, incident) == "reported"
    assert harness.cloud.get_service_state(harness.services["shore.tide"]).revision.name == "tide-00009-hand"


def test_after_a_rollback_the_entries_of_the_new_revision_open_nothing(harness: Harness) -> None:
    incident = start_watching(harness)
    record_log_entry(harness.start_process(), harness.log_entry(revision=_revision(harness)))
    run_tick(harness)
    harness.clock.advance(MINUTE)
    assert record_log_entry(harness.start_process(), harness.log_entry(revision=_revision(harness))).name == "duplicate"
    assert list(read_documents(harness, "incidents")) == [incident]


@pytest.mark.parametrize("by_label", [True, False])
@pytest.mark.parametrize("stage", [propose_deployment, approve_proposal, start_watching])
def test_a_person_ends_the_automation_at_any_stage(harness: Harness, stage: object, by_label: bool) -> None:  # noqa: FBT001
    assert callable(stage)
    incident = stage(harness)
    if by_label:
        harness.issues.issues[0].labels.add("provenfix:wrong")
    else:
        harness.issues.issues[0].is_open = False
    shifts, comments = list(harness.cloud.shifts), list(harness.issues.issues[0].comments)
    run_tick(harness)
    run_tick(harness, WATCH_DURATION)
    assert read_state(harness, incident) == "muted"
    assert (harness.cloud.shifts, harness.issues.issues[0].comments) == (shifts, comments)
    assert format_state_marker("muted") in harness.issues.issues[0].body


def test_uninvestigated_incident_is_republished_a_few_times(harness: Harness) -> None:
    open_incident(harness)
    for _ in range(int(2 * MAX_REPUBLISHES * REPUBLISH_INTERVAL / MINUTE)):
        run_tick(harness)
    assert len(harness.bus.published) == 1 + MAX_REPUBLISHES


def test_one_incident_in_trouble_does_not_keep_the_others_waiting() -> None:
    setting = Harness({f"shore.{name}": watched_service(name) for name in ("gull", "tide")})
    first = record_log_entry(
        setting.start_process(), setting.log_entry("received 1011 (internal error)", name="gull")
    ).incident
    second = record_log_entry(
        setting.start_process(), setting.log_entry("received 1011 (internal error)", name="tide")
    ).incident
    setting.clock.advance(3 * MINUTE)
    setting.store.create("effects", f"publish.incident-opened.{first}.0", _claimed(setting))
    with pytest.raises(Retry, match=first):
        play_tick(setting.start_process())
    assert [message["incident"] for _, message in setting.bus.waiting] == [second]


@pytest.mark.parametrize("value", ["adrift", 7, None])
def test_unreadable_incident_is_recorded_without_stopping_the_tick(harness: Harness, value: object) -> None:
    second = record_log_entry(harness.start_process(), harness.log_entry("received 1011 (internal error)")).incident
    first = open_incident(harness)
    stored = harness.store.read("incidents", first)
    assert stored is not None
    harness.store.replace("incidents", first, {**stored.value, "state": value}, stored.version)
    run_tick(harness, 3 * MINUTE)
    (rejected,) = read_documents(harness, "rejections").values()
    assert (rejected["reason"], rejected["source"], first in str(rejected["detail"])) == (
        "unreadable_document", "verify", True,
    )  # fmt: skip
    assert read_state(harness, second) == "waiting"


def test_what_nobody_foresaw_is_raised_after_the_others_were_looked_at() -> None:
    setting = Harness({f"shore.{name}": watched_service(name) for name in ("gull", "tide")})
    record_log_entry(setting.start_process(), setting.log_entry(name="gull"))
    second = record_log_entry(
        setting.start_process(), setting.log_entry("received 1011 (internal error)", name="tide")
    ).incident
    setting.clock.advance(3 * MINUTE)
    context = setting.start_process(lambda name, port: _Surprising(port) if name == "store" else port)
    with pytest.raises(ZeroDivisionError):
        play_tick(context)
    assert read_state(setting, second) == "opened"


class _Surprising:
    """A store that fails once, in a way that nobody has foreseen."""

    def __init__(self, store: object) -> None:
        self._store, self._failed = store, False

    def __getattr__(self, method: str) -> object:
        return self._read if method == "read" else getattr(self._store, method)

    def _read(self, kind: str, key: str) -> StoredDocument | None:
        if kind == "effects" and not self._failed:
            self._failed = True
            raise ZeroDivisionError
        assert isinstance(self._store, MemoryStore)
        return self._store.read(kind, key)


def test_unreadable_document_is_recorded_without_stopping_the_tick(harness: Harness) -> None:
    incident = propose_deployment(harness)
    stored = harness.store.read("proposals", f"{incident}-1")
    assert stored is not None
    harness.store.replace("proposals", f"{incident}-1", {**stored.value, "expires_at": 7}, stored.version)
    assert run_tick(harness).name == "ticked"
    assert [each["reason"] for each in read_documents(harness, "rejections").values()] == ["unreadable_document"]


def test_a_tick_without_anything_to_do_writes_nothing(harness: Harness) -> None:
    incident = propose_deployment(harness)
    before = read_incident(harness, incident)
    written = dict(harness.store.writes)  # type: ignore[attr-defined]
    run_tick(harness)
    assert read_incident(harness, incident) == before
    assert harness.store.writes == written  # type: ignore[attr-defined]


def _claimed(harness: Harness) -> dict[str, object]:
    until = (harness.clock.now() + timedelta(minutes=10)).isoformat()
    return {"state": "claimed", "owner": "somebody", "attempt": 1, "lease_until": until}


def test_a_question_about_a_service_that_was_changed_since_is_asked_anew(harness: Harness) -> None:
    incident = propose_deployment(harness)
    harness.cloud.services["shore.tide"].etag += 1
    run_tick(harness)
    assert (read_state(harness, incident), read_incident(harness, incident)["look"]) == ("opened", 2)
    assert harness.chat.posted[0].message.standing == "superseded"
    assert "was changed since" in harness.chat.posted[0].message.reason


def test_a_revision_that_fails_again_at_its_own_address_gets_no_traffic(harness: Harness) -> None:
    harness.cloud.address = "https://pf-1---tide.invalid"
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    harness.clock.advance(MINUTE)
    harness.log_entry(revision=_revision(harness))
    run_tick(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("failed", EndCause.RECURRED_BEFORE_TRAFFIC)
    assert _revision(harness) in harness.issues.issues[0].comments[-1]
    assert [name for _, name, _ in harness.cloud.shifts] == ["tide-00007-old"]
