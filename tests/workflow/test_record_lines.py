"""Entries whose meaning the log around them decides: tracebacks line by line, and equal closes with other causes."""

from datetime import timedelta

import pytest

from shared.detection.multiline_traceback import is_telling_frame
from shared.errors import Retry
from shared.workflow.context import StepResult
from shared.workflow.reassemble_signal import INGESTION_DELAY
from shared.workflow.record import record_log_entry
from tests.support.drivers import read_documents, read_incident, read_state
from tests.support.harness import FixedContext, Harness
from tests.support.line_logs import FAILED_IMPORT, FAILED_SOCKET, FAILED_START

CLOSED = "WebSocket /ws closed: code=1011"
RAISED = (
    "Traceback (most recent call last):\n  File \"/app/berth.py\", line 5, in moor\n    lamps[name]\nKeyError: 'red'"
)
OTHER = RAISED.replace("berth.py", "crane.py").replace("KeyError: 'red'", "ValueError: no tide")
SECOND = timedelta(seconds=1)
NEW = "tide-00008-new"


def record_lines(harness: Harness, context: FixedContext, text: str) -> list[StepResult]:
    """What becomes of those lines that the sink lets through, once all are in the log."""
    entries = [harness.log_entry(line, revision=NEW) for line in text.splitlines()]
    return [record_log_entry(context, entry) for entry in entries if is_telling_frame(entry.text)]


def record(harness: Harness, context: FixedContext, *texts: str) -> list[StepResult]:
    """One after the other, a second apart."""
    outcomes = []
    for text in texts:
        harness.clock.advance(SECOND)
        outcomes.append(record_log_entry(context, harness.log_entry(text)))
    return outcomes


@pytest.mark.parametrize(
    ("text", "kind", "error_class", "path"),
    [
        (
            FAILED_START.format(last_line="NameError: name 'x' is not defined"),
            "failed_start",
            "NameError",
            "settings.py",
        ),
        (FAILED_IMPORT, "failed_start", "ImportError", "main.py"),
        (FAILED_SOCKET.format(last_line="KeyError: 'berth'"), "close_1011", "", ""),
    ],
)
def test_a_frame_opens_the_incident_of_its_traceback(
    harness: Harness, text: str, kind: str, error_class: str, path: str
) -> None:
    first, *others = record_lines(harness, harness.start_process(), text)
    assert (first.name, read_state(harness, first.incident)) == ("opened", "waiting")
    stored = read_incident(harness, first.incident)
    assert (stored["kind"], stored["error_class"]) == (kind, error_class)
    assert str(stored["path"]).endswith(path)
    assert all(outcome.name == "throttled" for outcome in others)
    assert len(read_documents(harness, "incidents")) == 1


def test_a_young_frame_waits_for_the_rest_of_its_traceback(harness: Harness) -> None:
    *lines, last = FAILED_IMPORT.splitlines()
    entries = [harness.log_entry(line, revision=NEW) for line in lines]
    frame = next(entry for entry in entries if is_telling_frame(entry.text))
    with pytest.raises(Retry):
        record_log_entry(harness.start_process(), frame)
    harness.log_entry(last, revision=NEW)
    assert record_log_entry(harness.start_process(), frame).name == "opened"


def test_a_frame_whose_traceback_never_ends_is_refused(harness: Harness) -> None:
    frame = harness.log_entry(FAILED_IMPORT.splitlines()[1], revision=NEW)
    harness.clock.advance(INGESTION_DELAY)
    assert record_log_entry(harness.start_process(), frame).name == "refused:no_signal"


def test_many_clients_that_leave_ask_the_log_a_few_times(harness: Harness) -> None:
    context, left = harness.start_process(), FAILED_SOCKET.format(last_line="WebSocketDisconnect: 1001")
    names = [outcome.name for _ in range(40) for outcome in record_lines(harness, context, left)]
    assert names == ["refused:no_signal"] * 3 + ["throttled"] * 37


def test_equal_closes_with_different_causes_are_two_incidents(harness: Harness) -> None:
    _, first, _, second = record(harness, harness.start_process(), RAISED, CLOSED, OTHER, CLOSED)
    assert (first.name, second.name) == ("opened", "opened")
    assert first.incident != second.incident


def count_reads(harness: Harness) -> tuple[FixedContext, list[str]]:
    """A process, and the names of the calls by which it reads the log."""
    reads: list[str] = []

    class _Counted:
        def __getattr__(self, method: str) -> object:
            reads.append(method)
            return getattr(harness.logs, method)

    logs = _Counted()
    return harness.start_process(lambda name, port: logs if name == "logs" else port), reads


def test_a_storm_of_equal_closes_is_one_incident_and_reads_the_log_a_few_times(harness: Harness) -> None:
    context, reads = count_reads(harness)
    record_log_entry(context, harness.log_entry(RAISED))
    names = [record_log_entry(context, harness.log_entry(CLOSED)).name for _ in range(200)]
    assert names == ["opened", *["throttled"] * 199]
    assert reads == ["read_entries"] * 3
    assert len(read_documents(harness, "incidents")) == 1


def test_a_storm_of_last_lines_without_their_file_reads_the_log_a_few_times(harness: Harness) -> None:
    context, reads = count_reads(harness)
    entries = [harness.log_entry("SyntaxError: invalid syntax") for _ in range(200)]
    harness.clock.advance(2 * INGESTION_DELAY)
    names = [record_log_entry(context, entry).name for entry in entries]
    assert names == [*["refused:no_failing_file"] * 3, *["throttled"] * 197]
    assert reads == ["read_neighbours"] * 3
    harness.clock.advance(6 * SECOND)
    assert record_log_entry(context, entries[0]).name == "refused:no_failing_file"


@pytest.mark.parametrize("line", ["SyntaxError: invalid syntax", FAILED_IMPORT.splitlines()[1]])
def test_a_storm_of_young_lines_reads_the_log_a_few_times_and_loses_none(harness: Harness, line: str) -> None:
    context, reads = count_reads(harness)
    for _ in range(200):
        with pytest.raises(Retry):
            record_log_entry(context, harness.log_entry(line))
    assert reads == ["read_neighbours"] * 3


def test_another_cause_after_a_storm_is_seen_within_seconds(harness: Harness) -> None:
    context = harness.start_process()
    record(harness, context, RAISED)
    for _ in range(50):
        record_log_entry(context, harness.log_entry(CLOSED))
    harness.clock.advance(4 * SECOND)
    _, outcome = record(harness, context, OTHER, CLOSED)
    assert outcome.name == "opened"
    assert len(read_documents(harness, "incidents")) == 2
