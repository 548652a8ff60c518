"""Forged log lines by the hundred: they keep no real incident out, and fill no issue tracker."""

from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.proof.model.recommendation import ActionKind, Reason
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.collecting_issue import add_to_collecting_issue
from shared.workflow.record import (
    MAX_CORROBORATED,
    MAX_PENDING,
    PENDING_PERIOD,
    TOO_MANY_INCIDENTS,
    record_log_entry,
)
from shared.workflow.records import incident_record
from shared.workflow.reopen import REOPEN_INTERVAL
from tests.support.commit_graph import ScriptedProver
from tests.support.drivers import read_documents, read_state, run_tick
from tests.support.harness import OLD_REVISION, Harness, syntax_error, watched_service


def _forge(harness: Harness, count: int, *, first: int = 0) -> list[str]:
    entries = [harness.log_entry(syntax_error(f"/app/x{n}.py")) for n in range(first, first + count)]
    return [record_log_entry(harness.start_process(), entry).incident for entry in entries]


def _investigate_forged(harness: Harness, incidents: list[str]) -> None:
    harness.prover = ScriptedProver(kind=ActionKind.NONE, reason=Reason.NOT_CORROBORATED)
    for incident in incidents:
        investigate_incident(harness.start_process(), incident)
    harness.prover = ScriptedProver()


def test_fifty_forged_incidents_keep_no_real_one_out(harness: Harness) -> None:
    _investigate_forged(harness, _forge(harness, MAX_CORROBORATED + 10))
    real = record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py")))
    assert real.name == "opened"
    investigate_incident(harness.start_process(), real.incident)
    assert read_state(harness, real.incident) == "proposed"


def test_uninvestigated_forged_incidents_keep_no_real_one_out(harness: Harness) -> None:
    _forge(harness, MAX_CORROBORATED + 10)
    assert record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py"))).name == "opened"


def test_entry_without_room_is_redelivered_until_it_fits(harness: Harness) -> None:
    forged = _forge(harness, MAX_PENDING)
    entry = harness.log_entry(syntax_error("/app/buoy.py"))
    with pytest.raises(Retry) as full:
        record_log_entry(harness.start_process(), entry)
    assert full.value.reason == TOO_MANY_INCIDENTS
    _investigate_forged(harness, forged[:1])
    assert record_log_entry(harness.start_process(), entry).name == "opened"


def test_incidents_that_hang_keep_nobody_out_for_long(harness: Harness) -> None:
    _forge(harness, MAX_PENDING)
    harness.clock.advance(PENDING_PERIOD)
    assert record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py"))).name == "opened"


def test_corroborated_incidents_have_a_bound_too_and_nothing_is_lost_by_it(harness: Harness) -> None:
    for incident in _forge(harness, MAX_CORROBORATED):
        investigate_incident(harness.start_process(), incident)
    entry = harness.log_entry(syntax_error("/app/buoy.py"))
    with pytest.raises(Retry) as full:
        record_log_entry(harness.start_process(), entry)
    assert full.value.reason == TOO_MANY_INCIDENTS


def test_forged_files_without_end_make_a_handful_of_issues() -> None:
    setting = Harness({"shore.tide": watched_service(uncorroborated_issues=3)})
    for first in range(0, 120, 40):
        _investigate_forged(setting, _forge(setting, 40, first=first))
    assert len(setting.issues.issues) == 4
    collecting = setting.issues.issues[-1]
    assert "x3.py" in collecting.body
    assert len(collecting.body) < 20_000
    (tally,) = [value for key, value in read_documents(setting, "caps").items() if key.endswith("uncorroborated")]
    assert tally["more"] == 120 - 3 - 100


def test_repeated_investigation_uses_the_same_collecting_issue() -> None:
    setting = Harness({"shore.tide": watched_service(uncorroborated_issues=0)})
    (first, second) = _forge(setting, 2)
    _investigate_forged(setting, [first, first, second])
    assert len(setting.issues.issues) == 1
    assert setting.issues.issues[0].body.count("(incident ") == 2


def test_incident_beyond_the_list_is_counted_once() -> None:
    setting = Harness({"shore.tide": watched_service(uncorroborated_issues=0)})
    forged = _forge(setting, 102)
    _investigate_forged(setting, forged)
    context, tide = setting.start_process(), setting.services["shore.tide"]
    add_to_collecting_issue(context, tide, incident_record.require_incident(context, forged[-1]))
    (tally,) = [value for key, value in read_documents(setting, "caps").items() if key.endswith("uncorroborated")]
    assert tally["more"] == 2


def test_corroborated_incident_gets_its_own_issue_despite_floods() -> None:
    setting = Harness({"shore.tide": watched_service(uncorroborated_issues=0)})
    _investigate_forged(setting, _forge(setting, 2))
    real = record_log_entry(setting.start_process(), setting.log_entry(syntax_error("/app/buoy.py")))
    investigate_incident(setting.start_process(), real.incident)
    assert len(setting.issues.issues) == 2
    assert read_state(setting, real.incident) == "proposed"


def test_the_next_day_has_issues_of_its_own() -> None:
    setting = Harness({"shore.tide": watched_service(uncorroborated_issues=1)})
    _investigate_forged(setting, _forge(setting, 1))
    run_tick(setting, PENDING_PERIOD * 24)
    _investigate_forged(setting, _forge(setting, 1, first=1))
    assert len(setting.issues.issues) == 2
    assert not any("(incident " in issue.body for issue in setting.issues.issues)


@pytest.mark.parametrize(
    ("forged", "real"),
    [("/app/buoy.py", "/app/buoy.py"), ("/zzz/buoy.py", "buoy.py"), ("buoy.py", "/app/buoy.py")],
)
def test_a_file_that_was_named_first_in_a_forged_line_is_looked_at_again(
    harness: Harness, forged: str, real: str
) -> None:
    first = record_log_entry(harness.start_process(), harness.log_entry(syntax_error(forged, 99))).incident
    _investigate_forged(harness, [first])
    harness.clock.advance(REOPEN_INTERVAL)
    again = record_log_entry(harness.start_process(), harness.log_entry(syntax_error(real)))
    assert (again.name, again.incident) == ("opened", first)
    stored = incident_record.require_incident(harness.start_process(), first)
    assert [entry.text for entry in stored.entries] == [syntax_error(forged, 99), syntax_error(real)]
    assert OLD_REVISION in stored.history[-1].why
    investigate_incident(harness.start_process(), first)
    assert read_state(harness, first) == "proposed"


def test_such_a_file_is_looked_at_ever_more_seldom(harness: Harness) -> None:
    looks = []
    for minute in range(0, 120, 5):
        outcome = record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py", minute + 1)))
        if outcome.name == "opened":
            _investigate_forged(harness, [outcome.incident])
            looks.append(minute)
        harness.clock.advance(timedelta(minutes=5))
    assert looks == [0, 10, 30, 60, 100]
    assert len(incident_record.require_incident(harness.start_process(), outcome.incident).entries) == 5


def test_what_was_seen_already_or_ended_by_a_person_is_not_looked_at_again(harness: Harness) -> None:
    first = record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py", 99))).incident
    _investigate_forged(harness, [first])
    harness.clock.advance(REOPEN_INTERVAL)
    assert (
        record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py", 99))).name
        == "duplicate"
    )
    harness.issues.issues[0].is_open = False
    assert (
        record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py", 7))).name
        == "duplicate"
    )


def test_what_a_commit_bore_out_is_not_looked_at_again(harness: Harness) -> None:
    first = record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py"))).incident
    harness.prover = ScriptedProver(kind=ActionKind.NONE, reason=Reason.ALREADY_DEPLOYED)
    investigate_incident(harness.start_process(), first)
    assert read_state(harness, first) == "reported"
    harness.clock.advance(REOPEN_INTERVAL)
    assert (
        record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py", 99))).name
        == "duplicate"
    )


def test_forged_namesakes_do_not_displace_the_real_file(harness: Harness) -> None:
    for number in range(250):
        outcome = record_log_entry(harness.start_process(), harness.log_entry(syntax_error(f"/x{number}/buoy.py")))
        _investigate_forged(harness, [outcome.incident])
    real = record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py")))
    assert real.name == "opened"
    investigate_incident(harness.start_process(), real.incident)
    assert read_state(harness, real.incident) == "proposed"


def test_incident_that_is_looked_at_again_and_again_keeps_twelve_entries(harness: Harness) -> None:
    for line in range(1, 16):
        outcome = record_log_entry(harness.start_process(), harness.log_entry(syntax_error("/app/buoy.py", line)))
        assert outcome.name == "opened"
        _investigate_forged(harness, [outcome.incident])
        harness.clock.advance(REOPEN_INTERVAL * line)
    kept = incident_record.require_incident(harness.start_process(), outcome.incident).entries
    assert [entry.text for entry in kept] == [syntax_error("/app/buoy.py", line) for line in (*range(1, 12), 15)]
