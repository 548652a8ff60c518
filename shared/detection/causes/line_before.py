"""Finds the error line that the same instance logged right before a close to which no exception is tied.

A handler that catches everything logs one sentence and closes: that sentence is all that the log says of the cause.
"""

from datetime import timedelta

from shared.detection.connections import are_different_connections, find_connection_ids
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Symptom
from shared.detection.signal import SignalKind

_MAX_AGE = timedelta(seconds=2)


def find_line_before(incident: Incident) -> Symptom | None:
    """The last such line of the instance, within two seconds; None where there is none, or the log has no times."""
    if incident.kind is not SignalKind.CLOSE_1011 or incident.candidates:
        return None
    errors = [symptom for symptom in incident.nearby if symptom.kind is SignalKind.FOLLOW_ON_ERROR]
    fitting = [
        symptom
        for symptom in errors
        if any(_is_just_before(symptom.first, sighting.first) for sighting in incident.sightings)
    ]
    return max(fitting, key=lambda symptom: (symptom.first.timestamp, symptom.first.position), default=None)


def _is_just_before(line: LogEntry, close: LogEntry) -> bool:
    if line.timestamp is None or close.timestamp is None or line.instance != close.instance:
        return False
    is_before = timedelta() <= close.timestamp - line.timestamp <= _MAX_AGE
    return is_before and not are_different_connections(find_connection_ids(line), find_connection_ids(close))
