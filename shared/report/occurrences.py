"""Says when and how often an incident was logged, or that a check has found it before: an incident in, words out."""

from shared.detection.incident import Incident, Sighting
from shared.text.phrases import pluralize
from shared.text.timestamps import format_timestamp_phrase


def describe_occurrences(incident: Incident, counted: str = "") -> str:
    """`Logged 3 times, first at …`, without a full stop. `counted`: until when that was counted."""
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated)
    if incident.is_found_early:
        return f"Found by a check of the deployed commit {first}, and not logged yet"
    return f"Logged {pluralize(incident.occurrences, 'time')}{counted}, first {first}"


def describe_sighting_count(sighting: Sighting) -> str:
    """`logged 3 times`, or that a check has found it."""
    if sighting.first.is_predicted:
        return "found by a check and not logged"
    return f"logged {pluralize(sighting.occurrences, 'time')}"
