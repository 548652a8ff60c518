"""How long it takes: read from an incident's history, by service and overall, as text and as JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.cli.stats import StatsFormat
from functions.cli.stats import stats as command
from functions.local.stack_folder import DEFAULT_FOLDER
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.detection.entry import CHECK_LOG, LogEntry
from shared.detection.signal import SignalKind
from shared.report.incident_status import FOUND
from shared.state_stores import STORE_FILE
from shared.workflow.flow import IncidentState
from shared.workflow.records import incident_record
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.milestones import MILESTONE_NAMES, compute_milestones
from shared.workflow.stats import MEASURED_STEPS, compute_stats
from shared.workflow.stats import stats_to_json as told

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
_STATES = (
    IncidentState.OPENED,
    IncidentState.PROPOSED,
    IncidentState.APPROVED,
    IncidentState.WATCHING,
    IncidentState.RESOLVED,
)


def case(name: str, *seconds: float, service: str = "shore.tide") -> IncidentRecord:
    """An incident that reached each state so many seconds after it was detected; the first is "opened"."""
    made = IncidentRecord(
        id=name, fingerprint=name, generation=1, state=IncidentState.OPENED, service=service,
        kind=SignalKind.SYNTAX_ERROR,
        error_class="SyntaxError", path="a.py", revisions=(), entries=(), opened_by="record", opened_at=NOON,
        last_seen=NOON,
    )  # fmt: skip
    for state, after in zip(_STATES, seconds, strict=False):
        made = made.moved_to(state, NOON + timedelta(seconds=after), "")
    return made


def test_first_milestone_of_each_kind_counts() -> None:
    twice = case("a", 0, 5, 60).moved_to(IncidentState.PROPOSED, NOON + timedelta(hours=1), "")
    found = compute_milestones(twice)
    assert found.proposed == NOON + timedelta(seconds=5)
    assert found.duration_between("detected", "approved") == timedelta(seconds=60)
    assert (found.deployed, found.duration_between("approved", "verified")) == (None, None)
    assert list(found.to_json()) == list(MILESTONE_NAMES)


def test_what_a_check_has_found_has_no_time_from_its_log_entry() -> None:
    entry = LogEntry(position=0, text="x", timestamp=NOON - timedelta(seconds=4), log_name=CHECK_LOG)
    found = compute_milestones(replace(case("a", 0, 5), entries=(entry,)))
    assert (found.is_found_early, found.list_reached()[0]) == (True, (FOUND, NOON - timedelta(seconds=4)))
    assert found.duration_between("logged", "detected") is None
    assert found.duration_between("detected", "proposed") == timedelta(seconds=5)
    logged = compute_milestones(replace(case("a", 0, 5), entries=(replace(entry, log_name="stderr"),)))
    assert (logged.is_found_early, logged.duration_between("logged", "detected")) == (False, timedelta(seconds=4))


def test_median_and_p90_are_over_those_that_took_the_step() -> None:
    several = [case(f"i{number}", 0, number) for number in range(1, 11)] + [case("open", 0)]
    [logged, first, *rest] = compute_stats(several).overall.steps
    assert (logged.since, logged.until, logged.median) == ("logged", "detected", timedelta())
    assert (first.since, first.until, first.incidents) == ("detected", "proposed", 10)
    assert first.median == timedelta(seconds=5.5)
    assert first.p90 == timedelta(seconds=9)
    assert all(took.median is None and took.incidents == 0 for took in rest)
    assert [(took.since, took.until) for took in (logged, first, *rest)] == list(MEASURED_STEPS)


def test_one_incident_is_its_own_median_and_p90() -> None:
    steps = told(compute_stats([case("a", 0, 2, 32, 42, 86_442)]))["overall"]["steps"]  # type: ignore[index]
    assert steps["approved_to_verified"] == {"incidents": 1, "median_seconds": 86_410.0, "p90_seconds": 86_410.0}


def test_services_are_told_apart_and_together() -> None:
    found = compute_stats([case("a", 0, 2), case("b", 0, 8, service="shore.ebb"), case("c", 0, 4, service="shore.ebb")])
    assert [(group.service, group.incidents) for group in found.services] == [("shore.ebb", 2), ("shore.tide", 1)]
    assert [group.steps[1].median for group in found.services] == [timedelta(seconds=6), timedelta(seconds=2)]
    assert found.overall.steps[1].median == timedelta(seconds=4)


def test_what_another_incident_explains_does_not_count() -> None:
    explained = case("b", 0).moved_to(IncidentState.ABSORBED, NOON, "explained by a")
    assert [each.case.id for each in compute_stats([case("a", 0), explained]).incidents] == ["a"]


def test_no_incidents_are_no_error() -> None:
    assert told(compute_stats([]))["incidents"] == []


HERE = Path(DEFAULT_FOLDER)
"""What the command takes where nobody names a folder."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROVENFIX_EMBEDDED", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    store = SqliteStore(tmp_path / STORE_FILE)
    for each in (case("a", 0, 2.25, 32, 42, 86_442), case("b", 0, 8, service="shore.\x1b[31mebb")):
        incident_record.INCIDENTS.create(store, each.id, each)
    store.close()
    return HERE


def test_the_command_tells_it_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(StatsFormat.TEXT, folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "shore.ebb: 1 incident"
    assert "shore.tide: 1 incident" in lines
    assert lines[lines.index("shore.tide: 1 incident") + 2].split() == [
        "detected", "→", "proposed", "median", "2.2", "s", "p90", "2.2", "s", "of", "1",
    ]  # fmt: skip
    assert lines[lines.index("All services: 2 incidents") + 2].endswith("of 2")
    assert not any("\x1b" in line for line in lines)


def test_the_command_tells_it_as_json_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(StatsFormat.JSON, folder) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "provenfix.stats/1"
    assert found["services"]["shore.tide"]["steps"]["logged_to_verified"]["median_seconds"] == 86_442.0
    assert [each["id"] for each in found["incidents"]] == ["b", "a"]
    assert found["incidents"][0]["approved"] is None


def test_an_empty_store_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROVENFIX_EMBEDDED", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert command(StatsFormat.TEXT, HERE) == 0
    assert capsys.readouterr().out == "No incidents.\n"
