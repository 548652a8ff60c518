"""`verify`: what each tick does with an incident, and what it takes to call a service mended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.ports import StoredDocument
from shared.proposal.verdict import MAX_WATCH_DURATION, WATCH_DURATION, ProbeResult
from shared.report.incident_status import format_state_marker
from shared.workflow.record import record_log_entry
from shared.workflow.records.cause import EndCause
from shared.workflow.rollout.watching import MAX_DEPLOYMENT_TIME
from shared.workflow.verify import MAX_REPUBLISHES, REPUBLISH_INTERVAL, verify
from tests.support.drivers import (
    MINUTE,
    approved,
    documents,
    incident_document,
    opened,
    proposed,
    redeployed,
    state,
    tick,
    watching,
)
from tests.support.harness import Setting, service
from tests.support.logs import MOST
from tests.support.memory import MemoryStore
from tests.support.past import commit_id


@pytest.fixture
def setting() -> Setting:
    return Setting()


def cause(setting: Setting, incident: str) -> str:
    """Why it ended, by name."""
    return str(incident_document(setting, incident)["ending_cause"])


def _revision(setting: Setting) -> str:
    return setting.cloud.operations[0].revision


def test_a_deployment_that_is_under_way_is_waited_for(setting: Setting) -> None:
    incident = approved(setting)
    redeployed(setting)
    tick(setting, timedelta(seconds=30))
    assert state(setting, incident) == "deploying"
    tick(setting)
    assert state(setting, incident) == "watching"
    assert setting.cloud.get_service_state(setting.services["shore.tide"]).traffic == {_revision(setting): 100}


def test_traffic_moves_one_step_a_tick() -> None:
    setting = Setting({"shore.tide": service(traffic_steps=(10, 50, 100))})
    watching(setting)
    shares = [setting.cloud.shifts[-1][2]]
    for _ in range(2):
        tick(setting)
        shares.append(setting.cloud.shifts[-1][2])
    assert shares == [10, 50, 100]


def test_a_failing_probe_stops_the_traffic_and_two_take_it_back() -> None:
    setting = Setting({"shore.tide": service(traffic_steps=(10, 100))})
    incident = watching(setting)
    setting.probe.answer = ProbeResult(ok=False)
    tick(setting)
    assert setting.cloud.shifts[-1][2] == 10
    tick(setting)
    assert state(setting, incident) == "rolled_back"
    assert setting.cloud.get_service_state(setting.services["shore.tide"]).traffic == {"tide-00007-old": 100}


def test_the_question_whether_to_go_back_begins_without_the_end_of_the_first(setting: Setting) -> None:
    setting.answer.back = True
    incident = watching(setting)
    setting.probe.answer = ProbeResult(ok=False)
    tick(setting)
    tick(setting)
    stored = incident_document(setting, incident)
    assert (stored["state"], stored["look"]) == ("opened", 2)
    assert (stored["ending"], stored["ending_why"], stored["ending_cause"]) == ("", "", "")


def test_a_deployment_that_failed_is_said_to_have_failed(setting: Setting) -> None:
    setting.cloud.fails = "the build failed"
    incident = watching(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("failed", EndCause.DEPLOYMENT_FAILED)
    assert "the build failed" in setting.issues.all[0].comments[-1]
    assert setting.cloud.shifts == [("shore.tide", "tide-00007-old", 100)], "what it pinned is as it was before"


def test_a_new_revision_that_fails_at_its_own_address_gets_no_traffic(setting: Setting) -> None:
    setting.cloud.address = "https://pf-1---tide.invalid"
    setting.probe.answer = ProbeResult(ok=False)
    incident = watching(setting)
    tick(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("failed", EndCause.FAILED_PROBE_BEFORE_TRAFFIC)
    assert " 2 probes " in setting.issues.all[0].comments[-1]
    assert setting.probe.asked == ["wss://pf-1---tide.invalid/ws"] * 2
    assert setting.cloud.shifts == [("shore.tide", "tide-00007-old", 100)]


def test_what_a_person_changes_during_a_rollout_is_respected_and_ends_it(setting: Setting) -> None:
    setting.cloud.by_hand = "tide-00009-kim was deployed"
    incident = watching(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("reported", EndCause.SHIFT_REFUSED)
    assert setting.cloud.by_hand in setting.issues.all[0].comments[-1]
    assert setting.cloud.shifts == []


def test_after_a_day_with_traffic_the_issue_is_closed_with_the_figures(setting: Setting) -> None:
    incident = watching(setting)
    setting.logs.answered[_revision(setting)] = 4810
    tick(setting, WATCH_DURATION - MINUTE)
    assert setting.issues.all[0].is_open
    tick(setting, MINUTE)
    assert (state(setting, incident), cause(setting, incident)) == ("resolved", EndCause.PROVEN)
    assert not setting.issues.all[0].is_open
    assert "4810 requests in 24 hours" in setting.issues.all[0].comments[-1]
    assert setting.chat.all[0].message.standing == "resolved"


def test_silence_without_requests_proves_nothing() -> None:
    setting = Setting({"shore.tide": service(probe_url="")})
    incident = watching(setting)
    tick(setting, WATCH_DURATION)
    assert state(setting, incident) == "watching"
    tick(setting, MAX_WATCH_DURATION)
    assert (state(setting, incident), cause(setting, incident)) == ("reported", EndCause.INCONCLUSIVE)
    assert setting.issues.all[0].is_open
    assert " 192 hours" in setting.issues.all[0].comments[-1]
    assert setting.chat.all[0].message.standing == "inconclusive"


def test_the_probes_are_traffic_as_well_and_their_number_is_told(setting: Setting) -> None:
    incident = watching(setting)
    tick(setting)
    tick(setting, WATCH_DURATION)
    assert (state(setting, incident), cause(setting, incident)) == ("resolved", EndCause.PROVEN)
    said = setting.issues.all[0].comments[-1]
    assert [figure for figure in ("\n0 requests", "24 hours", " 2 probes") if figure not in said] == []


def test_what_the_sink_has_lost_is_found_in_the_log_before_anything_is_called_mended(setting: Setting) -> None:
    incident = watching(setting)
    setting.logs.answered[_revision(setting)] = 10
    setting.entry(revision=_revision(setting))  # logged, and no message about it ever arrives
    tick(setting, WATCH_DURATION)
    assert state(setting, incident) == "rolled_back"


def test_between_two_steps_the_log_itself_is_asked() -> None:
    setting = Setting({"shore.tide": service(traffic_steps=(10, 50, 100))})
    incident = watching(setting)
    setting.entry("SyntaxError: invalid syntax (another.py, line 3)", revision=_revision(setting))
    tick(setting)
    assert state(setting, incident) == "rolled_back"
    assert [share for _, _, share in setting.cloud.shifts] == [10, 100]


def test_a_revision_that_runs_another_commit_gets_no_traffic(setting: Setting) -> None:
    incident = approved(setting)
    redeployed(setting)
    known = setting.cloud.services["shore.tide"].revisions
    known[_revision(setting)] = replace(known[_revision(setting)], commit=commit_id("fixed"))
    tick(setting, 2 * MINUTE)
    assert (state(setting, incident), cause(setting, incident)) == ("failed", EndCause.OTHER_COMMIT)
    said = setting.issues.all[0].comments[-1]
    assert said.index(f"`{commit_id('fixed')}`") < said.index(f"`{commit_id('later')}`")
    assert [share for _, name, share in setting.cloud.shifts if name == _revision(setting)] == []


def test_a_revision_of_which_nobody_knows_the_commit_gets_no_traffic(setting: Setting) -> None:
    incident = approved(setting)
    redeployed(setting)
    known = setting.cloud.services["shore.tide"].revisions
    known[_revision(setting)] = replace(known[_revision(setting)], commit=None)
    tick(setting, 2 * MINUTE)
    assert (state(setting, incident), cause(setting, incident)) == ("failed", EndCause.UNKNOWN_COMMIT)
    assert _revision(setting) in setting.issues.all[0].comments[-1]


def test_a_deployment_that_never_ends_is_given_up_after_an_hour(setting: Setting) -> None:
    setting.cloud.takes = timedelta(days=1)
    incident = approved(setting)
    redeployed(setting)
    tick(setting, MAX_DEPLOYMENT_TIME - MINUTE)
    assert state(setting, incident) == "deploying"
    tick(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("failed", EndCause.DEPLOYMENT_LATE)
    assert " 60 minutes" in setting.issues.all[0].comments[-1]
    assert len(setting.cloud.operations) == 1


def test_a_revision_that_is_ready_no_longer_is_taken_back(setting: Setting) -> None:
    incident = watching(setting)
    setting.cloud.fails = "The instance was killed: out of memory."
    tick(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("rolled_back", EndCause.FAILED_REVISION)
    assert setting.cloud.fails in setting.issues.all[0].comments[-1]


def test_what_could_not_be_put_back_is_not_called_rolled_back(setting: Setting) -> None:
    incident = watching(setting)
    setting.cloud.by_hand = "tide-00007-old was deleted"
    setting.probe.answer = ProbeResult(ok=False)
    tick(setting)
    tick(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("reported", EndCause.NOT_PUT_BACK)
    assert setting.cloud.by_hand in setting.issues.all[0].comments[-1]
    assert setting.chat.all[0].message.standing == "inconclusive"


def test_a_commit_that_does_not_serve_is_not_called_mended(setting: Setting) -> None:
    incident = watching(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
    tick(setting)
    assert state(setting, incident) == "watching", "a split takes its time"
    tick(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("reported", EndCause.CHANGED)
    said = setting.issues.all[0].comments[-1]
    assert [fact for fact in ("tide-00009-hand", "100 %") if fact not in said] == []
    assert setting.cloud.shifts[1:] == []


def test_a_share_that_stayed_at_nothing_is_not_called_mended(setting: Setting) -> None:
    incident = watching(setting)
    setting.cloud.services["shore.tide"].traffic = {"tide-00007-old": 100, _revision(setting): 0}
    tick(setting)
    tick(setting)
    assert state(setting, incident) == "reported"


def test_a_later_deployment_that_contains_the_fix_is_as_good(setting: Setting) -> None:
    incident = watching(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", commit_id("later"))
    setting.logs.answered["tide-00009-hand"] = 10
    tick(setting, WATCH_DURATION)
    assert state(setting, incident) == "resolved"


def test_one_failed_probe_is_forgiven(setting: Setting) -> None:
    incident = watching(setting)
    for ok in (False, True, False, True):
        setting.probe.answer = ProbeResult(ok=ok)
        tick(setting)
    assert state(setting, incident) == "watching"


def test_a_service_without_a_probe_is_not_probed() -> None:
    setting = Setting({"shore.tide": service(probe_url="")})
    setting.probe.answer = ProbeResult(ok=False)
    incident = watching(setting)
    tick(setting)
    tick(setting)
    assert state(setting, incident) == "watching"


def test_a_recurrence_in_the_new_revision_takes_it_back(setting: Setting) -> None:
    incident = watching(setting)
    assert record_log_entry(setting.process(), setting.entry(revision=_revision(setting))).name == "recurred"
    tick(setting)
    assert state(setting, incident) == "rolled_back"
    assert setting.cloud.shifts[-1] == ("shore.tide", "tide-00007-old", 100)
    assert _revision(setting) in setting.issues.all[0].comments[-1]
    assert setting.issues.all[0].is_open


def test_a_storm_of_the_old_revision_hides_no_recurrence_in_the_new_one() -> None:
    """Whoever reads a log reads so many entries of it, and the oldest first."""
    setting = Setting({"shore.tide": service(traffic_steps=(10, 100))})
    incident = watching(setting)
    entry = replace(setting.entry(), timestamp=setting.clock.now())
    setting.logs.all += [entry] * MOST
    setting.logs.all.append(replace(entry, revision=_revision(setting), insert_id="new"))
    tick(setting)
    assert state(setting, incident) == "rolled_back"
    assert setting.cloud.shifts[-1] == ("shore.tide", "tide-00007-old", 100)


def test_a_late_entry_of_the_old_revision_is_no_recurrence(setting: Setting) -> None:
    incident = watching(setting)
    assert record_log_entry(setting.process(), setting.entry(revision="tide-00007-old")).name == "duplicate"
    tick(setting)
    assert state(setting, incident) == "watching"


def test_what_somebody_else_deployed_is_not_taken_back(setting: Setting) -> None:
    incident = watching(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", commit_id("later"))
    assert record_log_entry(setting.process(), setting.entry(revision="tide-00009-hand")).name == "recurred"
    tick(setting)
    assert state(setting, incident) == "reported"
    assert setting.cloud.get_service_state(setting.services["shore.tide"]).revision.name == "tide-00009-hand"


def test_after_a_rollback_the_entries_of_the_new_revision_open_nothing(setting: Setting) -> None:
    incident = watching(setting)
    record_log_entry(setting.process(), setting.entry(revision=_revision(setting)))
    tick(setting)
    setting.clock.turn(MINUTE)
    assert record_log_entry(setting.process(), setting.entry(revision=_revision(setting))).name == "duplicate"
    assert list(documents(setting, "incidents")) == [incident]


@pytest.mark.parametrize("by_label", [True, False])
@pytest.mark.parametrize("stage", [proposed, approved, watching])
def test_a_person_ends_the_automation_at_any_stage(setting: Setting, stage: object, by_label: bool) -> None:  # noqa: FBT001
    assert callable(stage)
    incident = stage(setting)
    if by_label:
        setting.issues.all[0].labels.add("provenfix:wrong")
    else:
        setting.issues.all[0].is_open = False
    shifts, comments = list(setting.cloud.shifts), list(setting.issues.all[0].comments)
    tick(setting)
    tick(setting, WATCH_DURATION)
    assert state(setting, incident) == "muted"
    assert (setting.cloud.shifts, setting.issues.all[0].comments) == (shifts, comments)
    assert format_state_marker("muted") in setting.issues.all[0].body


def test_an_incident_that_nobody_investigates_is_published_again_and_not_for_ever(setting: Setting) -> None:
    opened(setting)
    for _ in range(int(2 * MAX_REPUBLISHES * REPUBLISH_INTERVAL / MINUTE)):
        tick(setting)
    assert len(setting.bus.published) == 1 + MAX_REPUBLISHES


def test_one_incident_in_trouble_does_not_keep_the_others_waiting() -> None:
    setting = Setting({f"shore.{name}": service(name) for name in ("gull", "tide")})
    first = record_log_entry(setting.process(), setting.entry("received 1011 (internal error)", name="gull")).incident
    second = record_log_entry(setting.process(), setting.entry("received 1011 (internal error)", name="tide")).incident
    setting.clock.turn(3 * MINUTE)
    setting.store.create("effects", f"publish.incident-opened.{first}.0", _claimed(setting))
    with pytest.raises(Retry, match=first):
        verify(setting.process())
    assert [message["incident"] for _, message in setting.bus.waiting] == [second]


@pytest.mark.parametrize("value", ["adrift", 7, None])
def test_an_incident_that_cannot_be_read_is_recorded_and_does_not_stop_the_tick(
    setting: Setting, value: object
) -> None:
    second = record_log_entry(setting.process(), setting.entry("received 1011 (internal error)")).incident
    first = opened(setting)
    stored = setting.store.read("incidents", first)
    assert stored is not None
    setting.store.replace("incidents", first, {**stored.value, "state": value}, stored.version)
    tick(setting, 3 * MINUTE)
    assert [each["reason"] for each in documents(setting, "rejections").values()] == ["unreadable_document"] * 2
    assert state(setting, second) == "waiting"


def test_what_nobody_foresaw_is_raised_after_the_others_were_looked_at() -> None:
    setting = Setting({f"shore.{name}": service(name) for name in ("gull", "tide")})
    record_log_entry(setting.process(), setting.entry(name="gull"))
    second = record_log_entry(setting.process(), setting.entry("received 1011 (internal error)", name="tide")).incident
    setting.clock.turn(3 * MINUTE)
    world = setting.process(lambda name, port: _Surprising(port) if name == "store" else port)
    with pytest.raises(ZeroDivisionError):
        verify(world)
    assert state(setting, second) == "opened"


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


def test_a_document_that_cannot_be_read_is_recorded_and_does_not_stop_the_tick(setting: Setting) -> None:
    incident = proposed(setting)
    stored = setting.store.read("proposals", f"{incident}-1")
    assert stored is not None
    setting.store.replace("proposals", f"{incident}-1", {**stored.value, "expires_at": 7}, stored.version)
    assert tick(setting).name == "ticked"
    assert [each["reason"] for each in documents(setting, "rejections").values()] == ["unreadable_document"]


def test_a_tick_without_anything_to_do_writes_nothing(setting: Setting) -> None:
    incident = proposed(setting)
    before = incident_document(setting, incident)
    written = dict(setting.store.writes)  # type: ignore[attr-defined]
    tick(setting)
    assert incident_document(setting, incident) == before
    assert setting.store.writes == written  # type: ignore[attr-defined]


def _claimed(setting: Setting) -> dict[str, object]:
    until = (setting.clock.now() + timedelta(minutes=10)).isoformat()
    return {"state": "claimed", "owner": "somebody", "attempt": 1, "lease_until": until}


def test_a_question_about_a_service_that_was_changed_since_is_asked_anew(setting: Setting) -> None:
    incident = proposed(setting)
    setting.cloud.services["shore.tide"].etag += 1
    tick(setting)
    assert (state(setting, incident), incident_document(setting, incident)["look"]) == ("opened", 2)
    assert setting.chat.all[0].message.standing == "superseded"
    assert "was changed since" in setting.chat.all[0].message.reason


def test_a_revision_that_fails_again_at_its_own_address_gets_no_traffic(setting: Setting) -> None:
    setting.cloud.address = "https://pf-1---tide.invalid"
    incident = approved(setting)
    redeployed(setting)
    setting.clock.turn(MINUTE)
    setting.entry(revision=_revision(setting))
    tick(setting)
    assert (state(setting, incident), cause(setting, incident)) == ("failed", EndCause.RECURRED_BEFORE_TRAFFIC)
    assert _revision(setting) in setting.issues.all[0].comments[-1]
    assert [name for _, name, _ in setting.cloud.shifts] == ["tide-00007-old"]
