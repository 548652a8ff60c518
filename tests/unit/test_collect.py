"""From log files to incidents: one defect, one incident, with what followed from it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.logs.log_file import LogFile
from shared.detection.collect import CollectedIncidents, collect_incidents
from shared.detection.entry import LogEntry
from shared.detection.grouping import MAX_INCIDENTS, MAX_SIGHTINGS
from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.detection.symptoms import MAX_SYMPTOMS
from shared.errors import InputError
from tests.support.log_samples import (
    LINE_624,
    LINE_676,
    NOT_AUTHENTICATED,
    START,
    TRACEBACK,
    MemoryLog,
    export_entry,
    make_log,
    time_at,
    write_log_file,
)

SOURCE_LINE = 'yield f"data: {json.dumps({'
"""What `TRACEBACK` quotes of the failing line."""
CLOSED = "connection closed: received 1011 (internal error) Internal error"
KEEPALIVE = "sent 1011 (internal error) keepalive ping timeout; no close frame received"


def collected(path: str, service: str = "", environment: str = "") -> CollectedIncidents:
    return collect_incidents(LogFile(path), service=service, environment=environment)


def only(found: CollectedIncidents) -> Incident:
    (incident,) = found.incidents
    return incident


def lines(incident: Incident) -> list[tuple[int | None, int]]:
    return [(sighting.line, sighting.occurrences) for sighting in incident.sightings]


def symptoms(incident: Incident) -> list[tuple[SignalKind, str, int]]:
    return [(symptom.kind, symptom.text, symptom.occurrences) for symptom in incident.symptoms]


def nearby(incident: Incident) -> list[tuple[SignalKind, str, int]]:
    return [(symptom.kind, symptom.text, symptom.occurrences) for symptom in incident.nearby]


def per_line(text: str, at: float, **changes: object) -> list[dict[str, object]]:
    """One entry for each line, a microsecond apart, without severity; newest first as exports are."""
    logged = [
        export_entry(line, at=at + number / 1e6, severity=..., **changes)
        for number, line in enumerate(text.splitlines())
    ]
    return logged[::-1]


# --- the incident that the product is built from ---


@pytest.mark.parametrize("form", ["console", "console with dates, newest first", "export", "json lines"])
def test_rehearsed_incident_is_one_with_its_symptoms(tmp_path: Path, form: str) -> None:
    told = [(0.0, LINE_624), (2.0, CLOSED), (15.0, LINE_676), (16.0, NOT_AUTHENTICATED), (17.0, CLOSED)]
    logged = [export_entry(text, at=at) for at, text in told]
    content: dict[str, str | list[dict[str, object]]] = {
        "console": "".join(f"{time_at(at):%H:%M:%S}  {text}\n" for at, text in told),
        "console with dates, newest first": "".join(f"{time_at(at):%FT%TZ}    {text}\n" for at, text in told[::-1]),
        "export": logged[::-1],
        "json lines": "\n".join(map(json.dumps, logged)),
    }
    found = collected(write_log_file(tmp_path, content[form]), service="ferry", environment="harbour-dev")
    incident = only(found)
    assert (incident.kind, incident.path, lines(incident)) == (
        SignalKind.SYNTAX_ERROR,
        "agents_execute.py",
        [(624, 1), (676, 1)],
    )
    assert symptoms(incident) == [(SignalKind.CLOSE_1011, CLOSED, 2)]
    assert nearby(incident) == [(SignalKind.FOLLOW_ON_ERROR, NOT_AUTHENTICATED, 1)]
    assert (incident.occurrences, incident.dated, found.entry_count) == (2, form != "console", 5)
    assert (incident.service, incident.environment) == ("ferry", "harbour-dev")
    assert incident.last_seen is not None
    assert incident.first_seen is not None
    assert incident.last_seen - incident.first_seen == timedelta(seconds=15)


# --- tracebacks in pieces ---


def test_line_by_line_entries_newest_first_are_one_incident(tmp_path: Path) -> None:
    incident = only(collected(write_log_file(tmp_path, per_line(TRACEBACK, 20) + per_line(TRACEBACK, 0))))
    (sighting,) = incident.sightings
    assert (incident.path, sighting.line, sighting.occurrences) == ("/app/ferry/timetable.py", 88, 2)
    assert (sighting.source_text, sighting.python) == (SOURCE_LINE, "3.11")
    assert sighting.first.text.startswith("Traceback")
    assert incident.symptoms == ()


def test_line_by_line_entries_oldest_first_are_one_incident(tmp_path: Path) -> None:
    incident = only(collected(write_log_file(tmp_path, per_line(TRACEBACK, 0)[::-1] + per_line(TRACEBACK, 9)[::-1])))
    assert (incident.path, lines(incident)) == ("/app/ferry/timetable.py", [(88, 2)])


@pytest.mark.parametrize("step", [1, -1])
def test_line_by_line_entries_with_equal_times_are_one_incident(tmp_path: Path, step: int) -> None:
    other = TRACEBACK.replace("88", "99")
    log = [export_entry("starting", at=0)]
    log += [export_entry(line, at=1, severity=...) for text in (TRACEBACK, other) for line in text.splitlines()]
    log += [export_entry("stopping", at=2)]
    assert sorted(lines(only(collected(write_log_file(tmp_path, log[::step]))))) == [(88, 1), (99, 1)]


def test_line_by_line_entries_in_any_order_are_one_incident(tmp_path: Path) -> None:
    log = per_line(TRACEBACK, 0)
    assert lines(only(collected(write_log_file(tmp_path, log[5:] + log[:5])))) == [(88, 1)]


def test_interleaved_lines_of_two_instances_are_separated(tmp_path: Path) -> None:
    here = per_line(TRACEBACK, 0, instance="a1")
    there = per_line(TRACEBACK.replace("88", "99").replace("timetable", "berths"), 0, instance="b2")
    found = collected(write_log_file(tmp_path, [entry for pair in zip(here, there, strict=True) for entry in pair]))
    assert sorted((incident.path, lines(incident)) for incident in found.incidents) == [
        ("/app/ferry/berths.py", [(99, 1)]),
        ("/app/ferry/timetable.py", [(88, 1)]),
    ]


def test_whole_tracebacks_in_plain_text_are_read(tmp_path: Path) -> None:
    before = "Exception in worker process"
    text = f"2026-03-01 03:43:43 ERROR {before}\n{TRACEBACK}2026-03-01 03:43:44 INFO restarting\n"
    text += f"2026-03-01 03:43:45 ERROR {before}\n{TRACEBACK}"
    incident = only(collected(write_log_file(tmp_path, text)))
    assert (incident.path, lines(incident), incident.sightings[0].python) == (
        "/app/ferry/timetable.py",
        [(88, 2)],
        "3.11",
    )
    assert (incident.first_seen, incident.last_seen) == (START, START + timedelta(seconds=2))
    assert nearby(incident) == [(SignalKind.FOLLOW_ON_ERROR, before, 2)]


def test_traceback_without_a_header_is_read(tmp_path: Path) -> None:
    tail = "".join(TRACEBACK.splitlines(keepends=True)[-4:])
    incident = only(collected(write_log_file(tmp_path, tail + tail.replace("88", "99"))))
    assert lines(incident) == [(88, 1), (99, 1)]


def test_coloured_lines_are_read(tmp_path: Path) -> None:
    coloured = TRACEBACK.replace('"/app/ferry/timetable.py"', '\x1b[35m"/app/ferry/timetable.py"\x1b[0m')
    assert lines(only(collected(write_log_file(tmp_path, per_line(coloured, 0))))) == [(88, 1)]


def test_error_raised_by_the_program_stays_refused(tmp_path: Path) -> None:
    text = (
        'Traceback (most recent call last):\n  File "/app/quay.py", line 3, in parse\n    raise bad\nSyntaxError: bad\n'
    )
    found = collected(write_log_file(tmp_path, per_line(text, 0)))
    assert (found.incidents, found.skipped["no_failing_file"]) == ((), 1)


def test_mention_of_errors_takes_no_traceback_of_another_error(tmp_path: Path) -> None:
    found = collected(write_log_file(tmp_path, TRACEBACK + "a user said: SyntaxError: you know\n"))
    assert only(found).occurrences == 1
    assert found.skipped["no_failing_file"] == 1


def test_refusals_are_counted_by_name(tmp_path: Path) -> None:
    log = [
        export_entry("all aboard"),
        export_entry(None, httpRequest={}, logName="projects/p/logs/run.googleapis.com%2Frequests"),
        export_entry(None, protoPayload={}, logName="projects/p/logs/cloudaudit.googleapis.com%2Factivity"),
        export_entry("psycopg2.errors.SyntaxError: near SELEC"),
        export_entry("order 1011 shipped"),
    ]
    found = collected(write_log_file(tmp_path, log))
    assert found.skipped == {
        "no_signal": 1,
        "request_log": 1,
        "audit_log": 1,
        "database_error": 1,
        "not_a_close_code": 1,
    }


# --- one defect, one incident ---


def one(text: str, at: float | None = 0, **fields: str) -> LogEntry:
    values = {"service": "ferry", "project": "harbour-dev", "revision": "ferry-1"} | fields
    return LogEntry(position=0, text=text, timestamp=None if at is None else time_at(at), **values)  # type: ignore[arg-type]


def numbered(*logged: LogEntry) -> MemoryLog:
    return make_log(
        LogEntry(
            number,
            each.text,
            each.timestamp,
            each.dated,
            each.severity,
            "",
            "",
            each.project,
            each.service,
            each.revision,
        )
        for number, each in enumerate(logged)
    )


def grouped(*logged: LogEntry, service: str = "", environment: str = "") -> tuple[Incident, ...]:
    return collect_incidents(numbered(*logged), service=service, environment=environment).incidents


def test_one_liner_joins_the_incident_of_the_full_path() -> None:
    short = "SyntaxError: unterminated string literal (detected at line 88) (timetable.py, line 88)"
    (incident,) = grouped(one(short), one(TRACEBACK, 1), one(short, 2))
    assert (incident.path, lines(incident)) == ("/app/ferry/timetable.py", [(88, 3)])
    assert incident.fingerprint == grouped(one(TRACEBACK))[0].fingerprint


def test_bare_name_that_fits_two_paths_joins_the_one_on_its_line() -> None:
    other = TRACEBACK.replace("/app/ferry/", "/app/quay/").replace("88", "99")
    short = "SyntaxError: unterminated string literal (detected at line 99) (timetable.py, line 99)"
    assert [(each.path, each.occurrences) for each in grouped(one(TRACEBACK), one(other, 1), one(short, 2))] == [
        ("/app/ferry/timetable.py", 1),
        ("/app/quay/timetable.py", 2),
    ]


def test_bare_name_that_fits_two_paths_on_no_line_stays_alone() -> None:
    other = TRACEBACK.replace("/app/ferry/", "/app/quay/")
    short = "SyntaxError: bad (timetable.py, line 5)"
    assert len(grouped(one(TRACEBACK), one(other, 1), one(short, 2))) == 3


def test_a_file_in_the_root_is_not_taken_for_a_bare_name() -> None:
    root = TRACEBACK.replace("/app/ferry/", "/app/")
    assert len(grouped(one(TRACEBACK), one(root, 1))) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/app/ferry/timetable.py",
        "/workspace/ferry/timetable.py",
        "/usr/src/app/ferry/timetable.py",
        "/srv/ferry/timetable.py",
        "/code/ferry/timetable.py",
        "/home/sailor/ferry/timetable.py",
        "./ferry/timetable.py",
        "ferry/timetable.py",
        "/app//ferry/./timetable.py",
    ],
)
def test_container_roots_do_not_make_another_defect(path: str) -> None:
    (incident,) = grouped(one(f"SyntaxError: bad in {path} line 3"))
    (same,) = grouped(one("SyntaxError: bad in ferry/timetable.py line 7"))
    assert incident.fingerprint == same.fingerprint


def test_fingerprint_tells_service_environment_path_and_class_apart() -> None:
    text = "SyntaxError: bad (quay.py, line 3)"
    variants = [
        one(text),
        one(text, service="barge"),
        one(text, project="harbour-live"),
        one(text.replace("quay", "pier")),
        one(text.replace("SyntaxError", "TabError")),
        one(text.replace("(quay", "(<string>").replace("<string>.py", "<string>")),
    ]
    assert len({incident.fingerprint for incident in grouped(*variants)}) == len(variants)


def test_fingerprint_is_the_same_for_any_line_and_revision() -> None:
    (incident,) = grouped(
        one("SyntaxError: bad (quay.py, line 3)"),
        one("SyntaxError: worse (quay.py, line 9)", 5, revision="ferry-2"),
    )
    assert [(each.revision, each.line) for each in incident.sightings] == [("ferry-1", 3), ("ferry-2", 9)]


def test_given_names_override_the_labels() -> None:
    (incident,) = grouped(one(LINE_624), one(LINE_624, service="barge"), service="raft", environment="test")
    assert (incident.service, incident.environment, incident.occurrences) == ("raft", "test", 2)


def test_names_default_to_the_labels() -> None:
    (incident,) = collect_incidents(make_log([LogEntry(0, LINE_624)]), service="", environment="").incidents
    assert (incident.service, incident.environment, incident.first_seen) == ("unknown", "default", None)


def test_dependency_and_dynamic_code_incidents_keep_kind_and_path() -> None:
    packages = "/usr/local/lib/python3.11/site-packages/"
    logged = [
        one(f"SyntaxError: bad in {packages}rigging/sail.py line 3"),
        one(f"SyntaxError: bad in {packages}rigging/mast.py line 3", 1),
        one("SyntaxError: bad (<string>, line 1)", 2),
        one("SyntaxError: Unexpected token '<'", 3),
        one("SyntaxError: Unexpected end of JSON input", 4),
    ]
    assert [(each.kind, each.path.rpartition("/")[2], each.occurrences) for each in grouped(*logged)] == [
        (SignalKind.DEPENDENCY, "sail.py", 1),
        (SignalKind.DEPENDENCY, "mast.py", 1),
        (SignalKind.DYNAMIC_CODE, "<string>", 1),
        (SignalKind.NOT_PYTHON, "", 2),
    ]


def test_earliest_entry_is_kept_as_evidence() -> None:
    (incident,) = grouped(one(LINE_624, 5), one(LINE_624, 1), one(LINE_624, 3))
    assert incident.sightings[0].first.position == 1
    assert (incident.first_seen, incident.last_seen) == (time_at(1), time_at(5))


# --- symptoms ---


def test_a_close_before_the_error_is_no_consequence_of_it() -> None:
    close, incident = grouped(one(CLOSED, 0), one(LINE_624, 500))
    assert (close.kind, symptoms(incident)) == (SignalKind.CLOSE_1011, [])
    assert nearby(incident) == [(SignalKind.CLOSE_1011, CLOSED, 1)]


@pytest.mark.parametrize(("at", "count"), [(-600, 1), (-601, 0), (600, 1), (601, 0)])
def test_symptoms_lie_within_ten_minutes_of_the_error(at: float, count: int) -> None:
    [incident] = [each for each in grouped(one(LINE_624, 0), one(CLOSED, at)) if each.path]
    assert len(incident.symptoms) + len(incident.nearby) == count


def test_another_revision_s_close_is_no_symptom() -> None:
    found = grouped(one(LINE_624), one(CLOSED, 1, revision="ferry-2"))
    assert [each.kind for each in found] == [SignalKind.SYNTAX_ERROR, SignalKind.CLOSE_1011]


@pytest.mark.parametrize(("ours", "theirs"), [("", "ferry-1"), ("ferry-1", "")])
def test_an_unknown_revision_may_be_any_and_ties_nothing(ours: str, theirs: str) -> None:
    incident, close = grouped(one(LINE_624, revision=ours), one(CLOSED, 1, revision=theirs))
    assert (close.kind, symptoms(incident)) == (SignalKind.CLOSE_1011, [])
    assert nearby(incident) == [(SignalKind.CLOSE_1011, CLOSED, 1)]


def test_another_service_s_close_is_no_symptom() -> None:
    assert len(grouped(one(LINE_624), one(CLOSED, 1, service="barge", revision=""))) == 2


def test_without_times_the_order_of_the_log_ties() -> None:
    (incident,) = grouped(one(LINE_624, None), one(CLOSED, None), one(NOT_AUTHENTICATED, None))
    assert [kind for kind, _, _ in symptoms(incident)] == [SignalKind.CLOSE_1011]
    assert [kind for kind, _, _ in nearby(incident)] == [SignalKind.FOLLOW_ON_ERROR]


def test_the_last_error_before_a_close_gets_the_symptom() -> None:
    far, near = one("SyntaxError: a (quay.py, line 1)", 0), one("SyntaxError: b (pier.py, line 1)", 300)
    found = grouped(far, near, one(CLOSED, 400))
    assert {each.path: (len(each.symptoms), len(each.nearby)) for each in found} == {
        "quay.py": (0, 1),
        "pier.py": (1, 0),
    }


def test_keepalive_timeout_is_an_incident_of_its_own() -> None:
    incident, timeout = grouped(one(LINE_624), one(KEEPALIVE, 1))
    assert (timeout.kind, symptoms(incident)) == (SignalKind.KEEPALIVE_TIMEOUT, [])
    assert nearby(incident) == [(SignalKind.KEEPALIVE_TIMEOUT, KEEPALIVE, 1)]


def test_followers_are_errors_only() -> None:
    logged = [
        one(LINE_624),
        LogEntry(0, "no berth free", time_at(1), severity="ERROR", project="harbour-dev", service="ferry"),
        LogEntry(0, "boarding failed", time_at(2), severity="INFO", project="harbour-dev", service="ferry"),
        LogEntry(0, "gangway failed", time_at(3), severity="DEFAULT", project="harbour-dev", service="ferry"),
        LogEntry(0, "boarding", time_at(4), project="harbour-dev", service="ferry"),
        LogEntry(0, "    raise failed", time_at(5), project="harbour-dev", service="ferry"),
        LogEntry(0, "", time_at(6), severity="ERROR", project="harbour-dev", service="ferry"),
    ]
    (incident,) = grouped(*logged)
    assert [text for _, text, _ in nearby(incident)] == ["no berth free", "gangway failed"]


def test_followers_without_an_incident_are_nothing() -> None:
    assert grouped(one(NOT_AUTHENTICATED)) == ()


def test_symptoms_are_grouped_with_ids_and_numbers_masked() -> None:
    logged = [
        one("error 12 in session c2615310-a011-475c-9d1e-1b2c3d4e5f60 at 0x7f00aa", 1),
        one("error 345 in session 0b0e7f0e-2222-4d4d-8c8c-aaaaaaaaaaaa at 0x7f99bb", 2),
    ]
    (incident,) = grouped(one(LINE_624), *logged)
    assert nearby(incident) == [(SignalKind.FOLLOW_ON_ERROR, logged[0].text, 2)]


def test_close_code_alone_is_one_incident_per_service() -> None:
    found = grouped(
        one(CLOSED), one("code=1011", 5, revision="ferry-2"), one(CLOSED, 9, service="barge"), one(KEEPALIVE, 10)
    )
    assert [(each.kind, each.service, each.occurrences, each.path) for each in found] == [
        (SignalKind.CLOSE_1011, "ferry", 2, ""),
        (SignalKind.CLOSE_1011, "barge", 1, ""),
        (SignalKind.KEEPALIVE_TIMEOUT, "ferry", 1, ""),
    ]


def test_a_close_far_from_the_syntax_error_is_its_own_incident() -> None:
    found = grouped(one(CLOSED, -9000), one(LINE_624))
    assert [each.kind for each in found] == [SignalKind.CLOSE_1011, SignalKind.SYNTAX_ERROR]


# --- bounds ---


def test_sightings_are_capped_and_still_counted() -> None:
    (incident,) = grouped(*(one(f"SyntaxError: bad (quay.py, line {n})", n) for n in range(1, 301)))
    assert (len(incident.sightings), incident.occurrences, incident.last_seen) == (MAX_SIGHTINGS, 300, time_at(300))


def test_symptoms_are_capped_and_still_counted() -> None:
    words = [f"error {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(50)]
    (incident,) = grouped(one(LINE_624), *(one(text, 1) for text in words))
    assert len(incident.nearby) == MAX_SYMPTOMS
    assert sum(symptom.occurrences for symptom in incident.nearby) == 50


def test_incidents_are_capped() -> None:
    assert len(grouped(*(one(f"SyntaxError: bad (q{n}.py, line 1)") for n in range(500)))) == MAX_INCIDENTS


def test_a_long_text_is_cut_before_it_is_kept() -> None:
    (incident,) = grouped(one("x" * 300_000 + TRACEBACK))
    assert len(incident.sightings[0].first.text) < 40_000
    assert incident.sightings[0].first.text.endswith(TRACEBACK)


def test_incidents_come_in_the_order_of_first_sight() -> None:
    logged = [
        one(f"SyntaxError: bad ({name}.py, line 1)", at) for name, at in (("b", 2), ("a", 1), ("d", None), ("c", 3))
    ]
    assert [each.path for each in grouped(*logged)] == ["a.py", "b.py", "c.py", "d.py"]


def test_a_log_without_signals_is_read_once() -> None:
    class Counted(MemoryLog):
        read = 0

        def entries(self):  # type: ignore[no-untyped-def]
            type(self).read += 1
            return super().entries()

    collect_incidents(Counted((one("all aboard"), one(NOT_AUTHENTICATED))), service="", environment="")
    assert Counted.read == 1


def test_empty_log_has_no_incident(tmp_path: Path) -> None:
    assert collected(write_log_file(tmp_path, "")) == CollectedIncidents((), 0, {})


def test_broken_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        collected(write_log_file(tmp_path, "[{"))


def test_times_of_day_give_an_undated_incident() -> None:
    logged = LogEntry(0, LINE_624, datetime(1970, 1, 1, 3, 43, 43, tzinfo=UTC), dated=False)
    (incident,) = collect_incidents(make_log([logged]), service="", environment="").incidents
    assert not incident.dated
