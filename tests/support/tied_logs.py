"""What test_ties and other tests share."""

from shared.detection.collect import collect_incidents
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from tests.support.log_samples import make_log, time_at

TRACEBACK_HEADER = "Traceback (most recent call last):\n"


BROKEN = "Uncaught exception: SyntaxError: '(' was never closed (quay.py, line 7)"


RAISED = TRACEBACK_HEADER + '  File "/app/berth.py", line 5, in moor\n    os.enviorn\nAttributeError: no enviorn'


CLOSED = "WebSocket /ws closed: code=1011"


LogStep = tuple[str, str] | tuple[str, str, str]


def make_log_entries(*lines: LogStep, step: float = 1.0) -> list[LogEntry]:
    """`(instance, text)` or `(instance, text, trace)`, a second apart."""
    return [
        LogEntry(
            number, text, time_at(number * step), log_name="stderr", insert_id=f"i{number}", project="harbour",
            service="ferry", revision="ferry-1", instance=instance, trace=trace[0] if trace else "",
        )
        for number, (instance, text, *trace) in enumerate(lines)
    ]  # fmt: skip


def incidents_of(logged: list[LogEntry]) -> tuple[Incident, ...]:
    return collect_incidents(make_log(logged), service="", environment="").incidents


def only_syntax_error(logged: list[LogEntry]) -> Incident:
    return next(incident for incident in incidents_of(logged) if incident.kind is SignalKind.SYNTAX_ERROR)
