"""Reads an entry as a signal, with the lines beside it where it is one line of a traceback.

Cloud Run often logs one entry per line: only the last line of a traceback says `SyntaxError`, and only an earlier one
names the file; of other exceptions only some frames pass the sink. Such a line is completed from its neighbours.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared.detection.entry import LogEntry
from shared.detection.line_tracebacks import AssembledTraceback, LineTracebacks
from shared.detection.multiline_traceback import TracebackAssembler, is_telling_frame
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import Signal, SkipReason, read_signal
from shared.detection.syntax_errors import is_last_traceback_line, is_traceback_line
from shared.errors import Retry
from shared.text.escaping import strip_markup
from shared.workflow.context import Context

INGESTION_DELAY = timedelta(seconds=60)
"""How long a log may take to show what was logged beside an entry."""
NOT_VISIBLE_YET = "the other lines of a traceback are not in the log yet"


def reassemble_signal(context: Context, entry: LogEntry) -> Signal | SkipReason:
    """Raises Retry where the neighbours of a young entry may not be visible yet."""
    read = read_signal(entry)
    if read is SkipReason.NO_FAILING_FILE and is_last_traceback_line(entry.text):
        signal = _find_syntax_error(context.logs.read_neighbours(entry), entry)
        if signal is not None:
            return signal
    elif is_of_traceback_around(entry, read):
        traceback = _find_traceback(context.logs.read_neighbours(entry), entry)
        if traceback is not None:
            return read_signal(traceback.entry)
    else:
        return read
    if is_young(context, entry):
        raise Retry(NOT_VISIBLE_YET)
    return read


def is_young(context: Context, entry: LogEntry) -> bool:
    """Whether what was logged beside an entry may not be visible yet."""
    at = entry.timestamp
    return at is not None and context.clock.now() - at < context.limit_wait(INGESTION_DELAY)


def is_of_traceback_around(entry: LogEntry, read: Signal | SkipReason) -> bool:
    """Whether an entry is a frame that says nothing alone, and whose traceback may be a signal."""
    return read is SkipReason.NO_SIGNAL and is_telling_frame(strip_markup(entry.text[:2_000]))


def _find_syntax_error(around: Sequence[LogEntry], entry: LogEntry) -> Signal | None:
    neighbours = TracebackAssembler()
    signals: list[Signal] = []
    for neighbour in around:
        neighbours.observe_time(neighbour)
        read = read_signal(neighbour)
        if read is SkipReason.NO_FAILING_FILE and is_last_traceback_line(neighbour.text):
            signals += neighbours.add_last_line(neighbour)
        elif isinstance(read, Signal):
            if read.kind not in EFFECT_KINDS:
                signals += neighbours.add_boundary(neighbour)
        elif is_traceback_line(neighbour.text):
            signals += neighbours.add_line(neighbour)
    signals += neighbours.flush()
    same = [signal for signal in signals if signal.entry.identity == entry.identity]
    return same[0] if same else None


def _find_traceback(around: Sequence[LogEntry], entry: LogEntry) -> AssembledTraceback | None:
    """The whole traceback of which an entry is one line; neighbours come in the order of their time."""
    lines = LineTracebacks()
    tracebacks: list[AssembledTraceback] = []
    for number, neighbour in enumerate(around):
        tracebacks += lines.add_entry(number, neighbour, 1)
    tracebacks += lines.flush(1)
    own = {number for number, neighbour in enumerate(around) if neighbour.identity == entry.identity}
    return next((traceback for traceback in tracebacks if traceback.numbers & own), None)
