"""Reads the signal of a log entry, and completes the last line of a traceback from its neighbours first.

Cloud Run often logs one entry per line: only the last one says `SyntaxError`, and only an earlier one names the file.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared.detection.entry import LogEntry
from shared.detection.multiline_traceback import TracebackAssembler
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from shared.detection.syntax_errors import is_last_traceback_line, is_traceback_line
from shared.errors import Retry
from shared.workflow.context import Context

INGESTION_DELAY = timedelta(seconds=60)
"""How long a log may take to show what was logged beside an entry."""


def reassemble_signal(context: Context, entry: LogEntry) -> Signal | SkipReason:
    """Raises Retry where the neighbours of a young entry may not be visible yet."""
    read = read_signal(entry)
    if read is not SkipReason.NO_FAILING_FILE or not is_last_traceback_line(entry.text):
        return read
    signal = _find_in_neighbours(context.logs.read_neighbours(entry), entry)
    if signal is not None:
        return signal
    if entry.timestamp is not None and context.clock.now() - entry.timestamp < context.limit_wait(INGESTION_DELAY):
        raise Retry("the lines before the end of a traceback are not in the log yet")
    return read


def _find_in_neighbours(around: Sequence[LogEntry], entry: LogEntry) -> Signal | None:
    neighbours = TracebackAssembler()
    signals: list[Signal] = []
    for neighbour in around:
        neighbours.observe_time(neighbour)
        read = read_signal(neighbour)
        if read is SkipReason.NO_FAILING_FILE and is_last_traceback_line(neighbour.text):
            signals += neighbours.add_last_line(neighbour)
        elif isinstance(read, Signal):
            if read.kind not in {SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT}:
                signals += neighbours.add_boundary(neighbour)
        elif is_traceback_line(neighbour.text):
            signals += neighbours.add_line(neighbour)
    signals += neighbours.flush()
    same = [signal for signal in signals if _entry_identity(signal.entry) == _entry_identity(entry)]
    return same[0] if same else None


def _entry_identity(entry: LogEntry) -> tuple[object, ...]:
    """A log entry's own identity, which copies of its message share."""
    return entry.log_name, entry.timestamp, entry.insert_id
