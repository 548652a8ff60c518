"""Forged log lines by the hundred: they keep no real incident out, and fill no issue tracker."""

from datetime import timedelta

import pytest

from shared.errors import Retry
from shared.proof.model.finding import ActionKind, Reason
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.collecting_issue import add_to_collecting_issue
from shared.workflow.open_incident_limits import MAX_CORROBORATED, MAX_PENDING, PENDING_PERIOD, TOO_MANY_INCIDENTS
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_records
from shared.workflow.reopening import REOPEN_INTERVAL
from tests.support.drivers import documents, state, tick
from tests.support.harness import Setting, service, syntax_error
from tests.support.past import KnownAnswer


@pytest.fixture
def setting() -> Setting:
    return Setting()


def _forge(setting: Setting, count: int, *, first: int = 0) -> list[str]:
    entries = [setting.entry(syntax_error(f"/app/x{n}.py")) for n in range(first, first + count)]
    return [record_log_entry(setting.process(), entry).incident for entry in entries]


def _investigate_forged(setting: Setting, incidents: list[str]) -> None:
    setting.answer = KnownAnswer(kind=ActionKind.NONE, reason=Reason.NOT_CORROBORATED)
    for incident in incidents:
        investigate_incident(setting.process(), incident)
    setting.answer = KnownAnswer()


def test_fifty_forged_incidents_keep_no_real_one_out(setting: Setting) -> None:
    _investigate_forged(setting, _forge(setting, MAX_CORROBORATED + 10))
    real = record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py")))
    assert real.name == "opened"
    investigate_incident(setting.process(), real.incident)
    assert state(setting, real.incident) == "proposed"


def test_forged_incidents_that_nobody_has_looked_into_keep_no_real_one_out_either(setting: Setting) -> None:
    _forge(setting, MAX_CORROBORATED + 10)
    assert record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py"))).name == "opened"


def test_what_has_no_room_is_delivered_again_and_opened_as_soon_as_there_is_some(setting: Setting) -> None:
    forged = _forge(setting, MAX_PENDING)
    entry = setting.entry(syntax_error("/app/buoy.py"))
    with pytest.raises(Retry) as full:
        record_log_entry(setting.process(), entry)
    assert full.value.reason == TOO_MANY_INCIDENTS
    _investigate_forged(setting, forged[:1])
    assert record_log_entry(setting.process(), entry).name == "opened"


def test_incidents_that_hang_keep_nobody_out_for_long(setting: Setting) -> None:
    _forge(setting, MAX_PENDING)
    setting.clock.turn(PENDING_PERIOD)
    assert record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py"))).name == "opened"


def test_corroborated_incidents_have_a_bound_too_and_nothing_is_lost_by_it(setting: Setting) -> None:
    for incident in _forge(setting, MAX_CORROBORATED):
        investigate_incident(setting.process(), incident)
    entry = setting.entry(syntax_error("/app/buoy.py"))
    with pytest.raises(Retry) as full:
        record_log_entry(setting.process(), entry)
    assert full.value.reason == TOO_MANY_INCIDENTS


def test_a_thousand_forged_files_make_a_handful_of_issues() -> None:
    setting = Setting({"shore.tide": service(uncorroborated_issues=3)})
    for first in range(0, 300, 100):
        _investigate_forged(setting, _forge(setting, 100, first=first))
    assert len(setting.issues.all) == 4
    collecting = setting.issues.all[-1]
    assert "x3.py" in collecting.body
    assert len(collecting.body) < 20_000
    (tally,) = [value for key, value in documents(setting, "caps").items() if key.endswith("uncorroborated")]
    assert tally["more"] == 300 - 3 - 100


def test_the_collecting_issue_is_the_same_for_an_investigation_that_is_repeated() -> None:
    setting = Setting({"shore.tide": service(uncorroborated_issues=0)})
    (first, second) = _forge(setting, 2)
    _investigate_forged(setting, [first, first, second])
    assert len(setting.issues.all) == 1
    assert setting.issues.all[0].body.count("(incident ") == 2


def test_an_incident_beyond_the_list_is_counted_once_however_often_it_is_investigated() -> None:
    setting = Setting({"shore.tide": service(uncorroborated_issues=0)})
    forged = _forge(setting, 102)
    _investigate_forged(setting, forged)
    world, tide = setting.process(), setting.services["shore.tide"]
    add_to_collecting_issue(world, tide, incident_records.require_incident(world, forged[-1]))
    (tally,) = [value for key, value in documents(setting, "caps").items() if key.endswith("uncorroborated")]
    assert tally["more"] == 2


def test_a_corroborated_incident_has_its_own_issue_whatever_was_forged_that_day() -> None:
    setting = Setting({"shore.tide": service(uncorroborated_issues=0)})
    _investigate_forged(setting, _forge(setting, 2))
    real = record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py")))
    investigate_incident(setting.process(), real.incident)
    assert len(setting.issues.all) == 2
    assert state(setting, real.incident) == "proposed"


def test_the_next_day_has_issues_of_its_own() -> None:
    setting = Setting({"shore.tide": service(uncorroborated_issues=1)})
    _investigate_forged(setting, _forge(setting, 1))
    tick(setting, PENDING_PERIOD * 24)
    _investigate_forged(setting, _forge(setting, 1, first=1))
    assert len(setting.issues.all) == 2
    assert not any("(incident " in issue.body for issue in setting.issues.all)


@pytest.mark.parametrize(
    ("forged", "real"),
    [("/app/buoy.py", "/app/buoy.py"), ("/zzz/buoy.py", "buoy.py"), ("buoy.py", "/app/buoy.py")],
)
def test_a_file_that_was_named_first_in_a_forged_line_is_looked_at_again(
    setting: Setting, forged: str, real: str
) -> None:
    first = record_log_entry(setting.process(), setting.entry(syntax_error(forged, 99))).incident
    _investigate_forged(setting, [first])
    setting.clock.turn(REOPEN_INTERVAL)
    again = record_log_entry(setting.process(), setting.entry(syntax_error(real)))
    assert (again.name, again.incident) == ("opened", first)
    investigate_incident(setting.process(), first)
    assert state(setting, first) == "proposed"


def test_such_a_file_is_looked_at_ever_more_seldom(setting: Setting) -> None:
    looks = []
    for minute in range(0, 120, 5):
        outcome = record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py", minute + 1)))
        if outcome.name == "opened":
            _investigate_forged(setting, [outcome.incident])
            looks.append(minute)
        setting.clock.turn(timedelta(minutes=5))
    assert looks == [0, 10, 30, 60, 100]
    assert len(incident_records.require_incident(setting.process(), outcome.incident).entries) <= 12


def test_what_was_seen_already_or_ended_by_a_person_is_not_looked_at_again(setting: Setting) -> None:
    first = record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py", 99))).incident
    _investigate_forged(setting, [first])
    setting.clock.turn(REOPEN_INTERVAL)
    assert record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py", 99))).name == "duplicate"
    setting.issues.all[0].is_open = False
    assert record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py", 7))).name == "duplicate"


def test_what_a_commit_bore_out_is_not_looked_at_again(setting: Setting) -> None:
    first = record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py"))).incident
    setting.answer = KnownAnswer(kind=ActionKind.NONE, reason=Reason.ALREADY_DEPLOYED)
    investigate_incident(setting.process(), first)
    assert state(setting, first) == "reported"
    setting.clock.turn(REOPEN_INTERVAL)
    assert record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py", 99))).name == "duplicate"


def test_two_hundred_forged_files_of_one_name_keep_the_real_one_of_that_name_in(setting: Setting) -> None:
    for number in range(250):
        outcome = record_log_entry(setting.process(), setting.entry(syntax_error(f"/x{number}/buoy.py")))
        _investigate_forged(setting, [outcome.incident])
    real = record_log_entry(setting.process(), setting.entry(syntax_error("/app/buoy.py")))
    assert real.name == "opened"
    investigate_incident(setting.process(), real.incident)
    assert state(setting, real.incident) == "proposed"
