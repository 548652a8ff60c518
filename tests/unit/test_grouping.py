"""Signals in any order in, incidents out: what joins what, what is counted, and what is left out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from shared.detection.close_code import CloseKind
from shared.detection.entry import LogEntry
from shared.detection.grouping import (
    MAX_INCIDENTS,
    MAX_SIGHTINGS,
    IncidentGrouper,
    Scope,
    compute_fingerprint,
    normalise_path,
    truncate_entry,
)
from shared.detection.incident import Incident
from shared.detection.signal import Signal, SignalKind

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCOPE = Scope("ferry", "harbour")


def _signal(
    path: str = "/app/chat/quay.py",
    line: int = 7,
    at: int | None = 0,
    *,
    kind: SignalKind = SignalKind.SYNTAX_ERROR,
    revision: str = "ferry-1",
    source: str = "",
    python: str = "",
    message: str = "invalid syntax",
    dated: bool = True,
    position: int = 0,
) -> Signal:
    moment = None if at is None else NOON + timedelta(minutes=at)
    entry = LogEntry(position=position, text=f"{path} {line}", timestamp=moment, revision=revision, dated=dated)
    return Signal(kind, entry, "SyntaxError", path, line, message, source, python)


def _grouped(*signals: Signal) -> tuple[Incident, ...]:
    grouping = IncidentGrouper(SCOPE)
    for each in signals:
        grouping.add(each)
    return grouping.incidents()


def _minutes(moment: datetime | None) -> int | None:
    return None if moment is None else round((moment - NOON).total_seconds() / 60)


@pytest.mark.parametrize("order", [*permutations((0, 4, 9))])
def test_first_and_last_seen_do_not_depend_on_order(order: tuple[int, ...]) -> None:
    [incident] = _grouped(*(_signal(at=at) for at in order))
    [sighting] = incident.sightings
    for each in (incident, sighting):
        assert (_minutes(each.first_seen), _minutes(each.last_seen), each.occurrences) == (0, 9, 3)
    assert _minutes(sighting.first.timestamp) == 0


@pytest.mark.parametrize("order", [*permutations((("quay.py", 5), ("/app/chat/quay.py", 2), ("quay.py", 8)))])
def test_a_bare_name_joins_the_full_path_with_all_that_it_counted(order: tuple[tuple[str, int], ...]) -> None:
    [incident] = _grouped(*(_signal(path, at=at) for path, at in order))
    assert incident.path == "/app/chat/quay.py"
    assert (_minutes(incident.first_seen), _minutes(incident.last_seen), incident.occurrences) == (2, 8, 3)
    [sighting] = incident.sightings
    assert (_minutes(sighting.first_seen), _minutes(sighting.last_seen), sighting.occurrences) == (2, 8, 3)
    assert incident.fingerprint == compute_fingerprint("ferry", "harbour", "chat/quay.py", "SyntaxError")


def test_a_bare_name_that_was_seen_first_and_last_widens_the_incident() -> None:
    [incident] = _grouped(_signal(at=5), _signal("quay.py", at=1), _signal("quay.py", at=9))
    assert (_minutes(incident.first_seen), _minutes(incident.last_seen)) == (1, 9)
    [incident] = _grouped(_signal(at=2), _signal(at=9), _signal("quay.py", at=5))
    assert (_minutes(incident.first_seen), _minutes(incident.last_seen)) == (2, 9)


def test_bare_name_joins_the_full_path_that_failed_on_its_line() -> None:
    chat, mail = _grouped(_signal("/app/chat/quay.py", 7), _signal("/app/mail/quay.py", 9, 1), _signal("quay.py", 9, 2))
    assert (chat.path, chat.occurrences) == ("/app/chat/quay.py", 1)
    assert (mail.path, mail.occurrences) == ("/app/mail/quay.py", 2)


@pytest.mark.parametrize("line", [7, 30])
def test_a_bare_name_that_fits_both_or_neither_stays_alone(line: int) -> None:
    found = _grouped(_signal("/app/chat/quay.py", 7), _signal("/app/mail/quay.py", 7, 1), _signal("quay.py", line, 2))
    assert [each.path for each in found] == ["/app/chat/quay.py", "/app/mail/quay.py", "quay.py"]


@pytest.mark.parametrize("path", ["/quay.py", "C:/quay.py", "\\quay.py"])
def test_a_whole_path_joins_no_longer_one(path: str) -> None:
    assert len(_grouped(_signal("/app/chat/quay.py"), _signal(path, at=1))) == 2


@pytest.mark.parametrize("path", ["ay.py", "chat.py"])
def test_a_part_of_a_name_is_no_name(path: str) -> None:
    assert len(_grouped(_signal("/app/chat/quay.py"), _signal(path, at=1))) == 2


@pytest.mark.parametrize("kind", [SignalKind.DEPENDENCY, SignalKind.DYNAMIC_CODE])
def test_only_syntax_errors_join_by_name(kind: SignalKind) -> None:
    assert len(_grouped(_signal(kind=kind), _signal("quay.py", at=1, kind=kind))) == 2
    assert len(_grouped(_signal(), _signal("quay.py", at=1, kind=kind))) == 2


def test_a_file_without_a_name_joins_nothing() -> None:
    assert len(_grouped(_signal(), _signal("", at=1))) == 2


def test_later_entry_adds_source_and_python_but_first_stays() -> None:
    [incident] = _grouped(
        _signal(), _signal(at=1, source="oops = = 1", python="3.11"), _signal(at=2, source="x", python="3.12")
    )
    [sighting] = incident.sightings
    assert (sighting.source_text, sighting.python) == ("oops = = 1", "3.11")


def test_a_bare_name_teaches_the_full_path() -> None:
    [incident] = _grouped(_signal(), _signal("quay.py", at=1, source="oops = = 1", python="3.11"))
    assert [(each.source_text, each.python) for each in incident.sightings] == [("oops = = 1", "3.11")]


@pytest.mark.parametrize("change", [{"revision": "ferry-2"}, {"line": 8}, {"message": "unexpected EOF"}])
def test_other_revision_line_or_message_is_another_sighting(change: dict[str, object]) -> None:
    [incident] = _grouped(_signal(at=1), _signal(at=0, **change))  # type: ignore[arg-type]
    assert [_minutes(each.first_seen) for each in incident.sightings] == [0, 1]


def test_a_moment_without_a_date_makes_the_incident_undated() -> None:
    assert _grouped(_signal(), _signal(at=1))[0].dated is True
    assert _grouped(_signal(), _signal(at=1, dated=False))[0].dated is False
    assert _grouped(_signal(dated=False), _signal(at=1))[0].dated is False
    assert _grouped(_signal(), _signal("quay.py", at=1, dated=False))[0].dated is False


def test_what_has_no_time_comes_last_in_the_order_of_the_log() -> None:
    found = _grouped(
        _signal("/app/c.py", at=None, position=2), _signal("/app/b.py", at=None, position=1), _signal("/app/a.py", at=3)
    )
    assert [each.path for each in found] == ["/app/a.py", "/app/b.py", "/app/c.py"]
    assert [_minutes(each.last_seen) for each in found] == [3, None, None]
    [incident] = _grouped(_signal(at=None, line=9), _signal(at=None, line=8), _signal(at=4))
    assert [each.line for each in incident.sightings] == [7, 9, 8]


def test_only_so_many_incidents_are_kept_and_the_others_are_counted() -> None:
    grouping = IncidentGrouper(SCOPE)
    for number in range(MAX_INCIDENTS + 3):
        grouping.add(_signal(f"/app/x{number}.py"))
    grouping.add(_signal("/app/x0.py"))
    assert (len(grouping.incidents()), grouping.dropped_signals) == (MAX_INCIDENTS, 3)
    assert max(each.occurrences for each in grouping.incidents()) == 2


def test_only_so_many_sightings_are_kept_and_all_are_counted() -> None:
    [incident] = _grouped(*(_signal(line=number) for number in range(MAX_SIGHTINGS + 3)))
    assert (len(incident.sightings), incident.occurrences) == (MAX_SIGHTINGS, MAX_SIGHTINGS + 3)


def test_what_no_one_gave_is_read_from_the_entry() -> None:
    entry = LogEntry(position=0, text="", service="tide", project="shore")
    assert Scope().resolve(entry) == ("tide", "shore")
    assert Scope("ferry").resolve(entry) == ("ferry", "shore")
    assert Scope("", "harbour").resolve(entry) == ("tide", "harbour")
    assert Scope().resolve(LogEntry(position=0, text="")) == ("unknown", "default")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/app/chat/quay.py", "chat/quay.py"),
        (" //app//chat/./quay.py ", "chat/quay.py"),
        ("./././quay.py", "quay.py"),
        ("D:\\app\\quay.py", "quay.py"),
        ("/home/nora/quay.py", "quay.py"),
        ("/app/app/quay.py", "app/quay.py"),
        ("/usr/local/lib/python3.11/site-packages/buoy/core.py", "buoy/core.py"),
        ("/usr/local/lib/python3.11/json/decoder.py", "python3.11/json/decoder.py"),
        ("chat/app/quay.py", "chat/app/quay.py"),
    ],
)
def test_a_path_is_told_without_the_containers_root(path: str, told: str) -> None:
    assert normalise_path(path) == told


def test_a_fingerprint_keeps_its_four_parts_apart() -> None:
    found = {
        compute_fingerprint(*parts) for parts in (("a", "b", "c", "d"), ("ab", "", "c", "d"), ("a", "bc", "", "d"))
    }
    assert len(found) == 3
    assert all(len(each) == 16 for each in found)


@pytest.mark.parametrize(("length", "same"), [(32 * 1024, True), (32 * 1024 + 1, False)])
def test_a_very_long_text_is_cut_where_it_is_kept(length: int, *, same: bool) -> None:
    entry = LogEntry(position=0, text="k" * length)
    assert (truncate_entry(entry) == entry) is same
    assert len(truncate_entry(entry).text) < 32 * 1024 + 10


def test_a_bare_name_without_a_time_joins_a_dated_path_and_leaves_its_times() -> None:
    for signals in permutations((_signal(at=3), _signal("quay.py", at=None), _signal(at=8))):
        [incident] = _grouped(*signals)
        assert (_minutes(incident.first_seen), _minutes(incident.last_seen), incident.occurrences) == (3, 8, 3)


def test_what_has_no_error_class_is_told_apart_by_its_kind() -> None:
    kinds = (SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT)
    incidents = _grouped(*(replace(_signal("", kind=kind), error_class="") for kind in kinds))
    assert {each.kind: each.fingerprint for each in incidents} == {
        kind: compute_fingerprint("ferry", "harbour", "", kind.value) for kind in kinds
    }


def test_failed_starts_of_one_file_are_told_apart_by_their_error() -> None:
    errors = ("ImportError", "AttributeError")
    incidents = _grouped(*(replace(_signal(kind=SignalKind.FAILED_START), error_class=error) for error in errors))
    assert {each.fingerprint for each in incidents} == {
        compute_fingerprint("ferry", "harbour", "chat/quay.py", f"{SignalKind.FAILED_START.value} {error}")
        for error in errors
    }


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ((CloseKind.LOCAL_END, CloseKind.LOCAL_END), CloseKind.LOCAL_END),
        ((CloseKind.LOCAL_END, CloseKind.INTERNAL_ERROR), None),
        ((CloseKind.LOCAL_END, CloseKind.INTERNAL_ERROR, CloseKind.LOCAL_END), None),
    ],
)
def test_closes_that_do_not_agree_say_not_which_end_closed(
    kinds: tuple[CloseKind, ...], told: CloseKind | None
) -> None:
    [incident] = _grouped(*(replace(_signal("", kind=SignalKind.CLOSE_1011), close_kind=each) for each in kinds))
    assert incident.close_kind is told


def test_of_two_spellings_of_one_length_the_first_stays() -> None:
    assert _grouped(_signal("/app/quay.py"), _signal("/srv/quay.py", at=1))[0].path == "/app/quay.py"
    assert _grouped(_signal("x/quay.py"), _signal("./quay.py", at=1))[0].path == "x/quay.py"
