"""What the log ties to what: instances and connections interleaved, closes with causes of their own, copies."""

from dataclasses import replace
from itertools import permutations

import pytest

from shared.detection.close_code import CloseKind
from shared.detection.entry import LogEntry
from shared.detection.incident import is_suspected_consequence
from tests.support.log_samples import NOT_AUTHENTICATED, time_at
from tests.support.tied_logs import (
    BROKEN,
    CLOSED,
    RAISED,
    TRACEBACK_HEADER,
    LogStep,
    incidents_of,
    make_log_entries,
    only_syntax_error,
)

BROKEN_LINES = TRACEBACK_HEADER + "  File \"/app/quay.py\", line 7\n    f(\n     ^\nSyntaxError: '(' was never closed"
OTHER = RAISED.replace("berth.py", "crane.py").replace("AttributeError: no enviorn", "KeyError: 'crane'")
OURS = "sent 1011 (internal error); then received 1011 (internal error)"
UPSTREAM = "received 1011 (internal error) unavailable; then sent 1011 (internal error) unavailable"
KEEPALIVE = "sent 1011 (internal error) keepalive ping timeout; no close frame received"


def followed(logged: list[LogEntry]) -> int:
    """How many entries are reported as symptoms of the syntax error."""
    return sum(each.occurrences for each in only_syntax_error(logged).symptoms)


def causes(logged: list[LogEntry]) -> set[tuple[str, int]]:
    """The exceptions that closes are tied to, with how many closes."""
    return {
        (each.raised.exception.error_class, each.occurrences)
        for each in incidents_of(logged)
        if each.raised is not None
    }


@pytest.mark.parametrize(
    "lines",
    [
        [("a", BROKEN), ("a", CLOSED)],
        [("a", BROKEN), ("a", "boarding"), ("a", OURS)],
        [("a", BROKEN_LINES), ("a", CLOSED)],
        [("a", BROKEN), ("b", RAISED), ("a", CLOSED)],
        [("a", BROKEN), ("b", BROKEN), ("b", "boarding"), ("a", CLOSED)],
        [("a", RAISED), ("a", BROKEN), ("a", CLOSED)],
        [("a", BROKEN, "t1"), ("a", RAISED, "t2"), ("a", CLOSED, "t1")],
        [("a", BROKEN, "t1"), ("b", CLOSED), ("a", CLOSED, "t1")],
        [("a", BROKEN, "t1"), ("a", CLOSED, "t1"), ("a", OTHER, "t2")],
    ],
)
def test_a_close_that_the_log_ties_is_a_symptom(lines: list[LogStep]) -> None:
    assert followed(make_log_entries(*lines)) == 1


@pytest.mark.parametrize(
    "lines",
    [
        [("a", BROKEN), ("b", CLOSED)],
        [("a", CLOSED), ("a", BROKEN)],
        [("a", BROKEN), ("a", RAISED), ("a", CLOSED)],
        [("a", BROKEN), ("a", "Uncaught exception: KeyError: 'crane'"), ("a", CLOSED)],
        [("a", BROKEN), ("a", KEEPALIVE)],
        [("a", BROKEN), ("a", UPSTREAM)],
        [("a", BROKEN), ("a", KEEPALIVE), ("a", CLOSED)],
        [("a", BROKEN), ("a", UPSTREAM), ("a", CLOSED)],
        [("a", BROKEN, "t1"), ("a", CLOSED, "t2")],
        [("a", BROKEN, "t1"), ("a", RAISED, "t2"), ("a", CLOSED, "t2")],
        [("a", BROKEN), ("b", RAISED), ("b", CLOSED)],
        [("a", BROKEN), ("a", NOT_AUTHENTICATED)],
        [("a", BROKEN), ("b", BROKEN), ("c", CLOSED)],
    ],
)
def test_a_close_that_nothing_ties_is_no_symptom(lines: list[LogStep]) -> None:
    assert followed(make_log_entries(*lines)) == 0
    assert len(only_syntax_error(make_log_entries(*lines)).nearby) >= 1


def test_of_two_closes_after_one_error_the_next_one_alone_is_tied() -> None:
    incident = only_syntax_error(make_log_entries(("a", BROKEN), ("a", CLOSED), ("a", OURS)))
    assert [each.text for each in incident.symptoms] == [CLOSED]
    assert [each.text for each in incident.nearby] == [OURS]


def test_a_close_long_after_is_not_tied() -> None:
    assert followed(make_log_entries(("a", BROKEN), ("a", CLOSED), step=601)) == 0
    assert followed(make_log_entries(("a", BROKEN), ("a", CLOSED), step=599)) == 1


@pytest.mark.parametrize("step", [1, -1])
def test_the_order_of_the_export_ties_nothing_else(step: int) -> None:
    logged = make_log_entries(("a", BROKEN), ("a", CLOSED), ("a", RAISED), ("a", CLOSED), ("b", CLOSED), ("b", BROKEN))[
        ::step
    ]
    assert (followed(logged), causes(logged)) == (1, {("AttributeError", 1)})


def test_every_interleaving_of_two_instances_gives_the_same_ties() -> None:
    here, there = make_log_entries(("a", BROKEN), ("a", CLOSED)), make_log_entries(("b", RAISED), ("b", CLOSED))
    for order in set(permutations("aabb")):
        queues = {"a": list(here), "b": list(there)}
        logged = [
            replace(queues[name].pop(0), timestamp=time_at(place), insert_id=f"{place}")
            for place, name in enumerate(order)
        ]
        assert (followed(logged), causes(logged)) == (1, {("AttributeError", 1)}), order


def test_interleaved_tracebacks_of_two_instances_are_separated() -> None:
    lines = [(name, line) for pair in zip(RAISED.split("\n"), OTHER.split("\n"), strict=True)
             for name, line in zip("ab", pair, strict=True)]  # fmt: skip
    logged = make_log_entries(*lines, ("b", CLOSED), ("a", CLOSED))
    assert causes(logged) == {("AttributeError", 1), ("KeyError", 1)}
    places = {each.raised.exception.location for each in incidents_of(logged) if each.raised}
    assert {(place.path, place.line) for place in places if place} == {("/app/berth.py", 5), ("/app/crane.py", 5)}


def test_each_exception_with_closes_is_an_incident_of_its_own() -> None:
    logged = make_log_entries(("a", RAISED), ("a", CLOSED), ("a", OTHER), ("a", CLOSED), ("a", RAISED), ("a", CLOSED))
    incidents = incidents_of(logged)
    assert causes(logged) == {("AttributeError", 2), ("KeyError", 1)}
    assert len({each.fingerprint for each in incidents}) == len(incidents) == 2


def test_the_fingerprint_of_a_close_does_not_know_the_line() -> None:
    [one] = incidents_of(make_log_entries(("a", RAISED), ("a", CLOSED)))
    [same] = incidents_of(make_log_entries(("a", RAISED.replace("line 5", "line 9")), ("a", CLOSED)))
    assert one.fingerprint == same.fingerprint


def test_the_close_in_the_exception_s_own_text_is_tied_to_it() -> None:
    own = RAISED.replace("AttributeError: no enviorn", f"websockets.exceptions.ConnectionClosedError: {UPSTREAM}")
    [incident] = incidents_of(make_log_entries(("a", own)))
    assert (incident.close_kind, incident.raised is not None) == (CloseKind.REMOTE_END, True)


@pytest.mark.parametrize(
    ("text", "closed"),
    [(UPSTREAM, CloseKind.REMOTE_END), (OURS, CloseKind.LOCAL_END), (CLOSED, CloseKind.INTERNAL_ERROR),
     ("received 1011 (internal error); no close frame sent", CloseKind.REMOTE_END),
     ("connection closed: received 1011 (internal error)", CloseKind.INTERNAL_ERROR)],
)  # fmt: skip
def test_side_that_closed_first_is_read(text: str, closed: CloseKind) -> None:
    [incident] = incidents_of(make_log_entries(("a", text)))
    assert incident.close_kind is closed


def test_an_upstream_s_close_is_tied_to_no_exception_before_it() -> None:
    [incident] = incidents_of(make_log_entries(("a", RAISED), ("a", UPSTREAM)))
    assert (incident.close_kind, incident.raised) == (CloseKind.REMOTE_END, None)


def test_a_refusal_of_access_is_suspected_and_not_known() -> None:
    incident = only_syntax_error(
        make_log_entries(("a", BROKEN), ("a", NOT_AUTHENTICATED), ("a", "ERROR no berth free"))
    )
    assert {each.text: is_suspected_consequence(each, incident) for each in incident.nearby} == {
        NOT_AUTHENTICATED: True, "ERROR no berth free": False
    }  # fmt: skip


def test_what_was_logged_before_it_is_not_suspected_to_follow() -> None:
    incident = only_syntax_error(make_log_entries(("a", NOT_AUTHENTICATED), ("a", BROKEN)))
    assert [is_suspected_consequence(each, incident) for each in incident.nearby] == [False]


def test_an_error_of_the_same_request_that_came_before_is_no_symptom() -> None:
    incident = only_syntax_error(make_log_entries(("a", "ERROR no berth free", "t1"), ("a", BROKEN, "t1")))
    assert (incident.symptoms, len(incident.nearby)) == ((), 1)


def test_a_close_s_own_text_was_not_logged_before_it() -> None:
    [itself] = incidents_of(make_log_entries(("a", f"ConnectionClosedError: {KEEPALIVE}")))
    [after] = incidents_of(make_log_entries(("a", RAISED), ("a", CLOSED)))
    assert (itself.raised is None, after.raised is None) == (False, False)
    assert (itself.is_close_own_exception, after.is_close_own_exception) == (True, False)


def test_an_error_of_the_same_request_is_a_symptom() -> None:
    incident = only_syntax_error(
        make_log_entries(("a", BROKEN, "t1"), ("b", NOT_AUTHENTICATED, "t1"), ("a", "ERROR no berth free", "t2"))
    )
    assert ([each.text for each in incident.symptoms], len(incident.nearby)) == ([NOT_AUTHENTICATED], 1)


def test_an_entry_that_an_export_holds_twice_is_counted_once() -> None:
    logged = make_log_entries(("a", BROKEN), ("a", CLOSED), ("a", RAISED), ("a", CLOSED))
    twice = [*logged, *logged]
    assert (
        [each.occurrences for each in incidents_of(twice)]
        == [each.occurrences for each in incidents_of(logged)]
        == [1, 1]
    )
    assert followed(twice) == 1
