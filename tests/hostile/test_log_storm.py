"""A storm of equal errors is one sighting with a count."""

from shared.detection.collect import collect_incidents
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from tests.support.line_logs import FAILED_SOCKET, collect_lines, split_lines
from tests.support.log_samples import (
    LINE_624,
    make_log,
    time_at,
)

CLOSED = "connection closed: received 1011 (internal error) Internal error"


def lines(incident: Incident) -> list[tuple[int | None, int]]:
    return [(sighting.line, sighting.occurrences) for sighting in incident.sightings]


def symptoms(incident: Incident) -> list[tuple[SignalKind, str, int]]:
    return [(symptom.kind, symptom.text, symptom.occurrences) for symptom in incident.symptoms]


def one(text: str, at: float | None = 0, **fields: str) -> LogEntry:
    values = {"service": "ferry", "project": "harbour-dev", "revision": "ferry-1"} | fields
    return LogEntry(position=0, text=text, timestamp=None if at is None else time_at(at), **values)  # type: ignore[arg-type]


def test_a_storm_is_one_sighting_with_a_count() -> None:
    (incident,) = collect_incidents(
        make_log([one(LINE_624), one(CLOSED)] * 20_000), service="", environment=""
    ).incidents
    assert (lines(incident), symptoms(incident)) == ([(624, 20_000)], [(SignalKind.CLOSE_1011, CLOSED, 20_000)])


def test_a_storm_of_lines_is_counted_whole() -> None:
    logged = split_lines("a", FAILED_SOCKET.format(last_line="KeyError: 'berth'")) * 400
    for backwards in (False, True):
        (incident,) = collect_lines(logged, backwards=backwards)
        assert (incident.kind, incident.occurrences) == (SignalKind.CLOSE_1011, 400)
        assert incident.raised is not None
        assert incident.raised.exception.error_class == "KeyError"
