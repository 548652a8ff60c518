"""What followed for others, as far as platform and log tell: what was measured and symptoms in, one paragraph out."""

from collections import Counter
from collections.abc import Iterator

from shared.detection.incident import Incident
from shared.report.impact import Impact, describe_impact
from shared.text.escaping import escape_markdown
from shared.text.phrases import pluralize, join_words, quote_untrusted
from shared.text.timestamps import format_timestamp as moment

_MAX_CONSEQUENCES = 4
_NO_CONSEQUENCES = "the log shows nothing that followed from it."


def summarise_impact(incident: Incident, measured_impact: Impact | None = None) -> str:
    """Counts are of log entries; two entries may tell of one event, so they are never added up."""
    shown = list_consequences(incident)
    shown = [*shown[:_MAX_CONSEQUENCES], "others"] if len(shown) > _MAX_CONSEQUENCES else shown
    unknown = "How many people or requests were affected, the log does not tell."
    if measured_impact is not None and measured_impact.failed is not None:
        unknown = ""
    after = f"{escape_markdown(join_words(shown))}{''.join(_where_seen_phrases(incident))}." if shown else _NO_CONSEQUENCES
    return f"{_measured_impact_phrase(measured_impact)}{after} {unknown}".strip()


def _measured_impact_phrase(impact: Impact | None) -> str:
    """What the platform tells comes first: it is what decides how urgent it is."""
    if impact is None:
        return ""
    return f"{escape_markdown(describe_impact(impact))} ({', '.join(impact.evidence)}) What the log shows: "


def list_consequences(incident: Incident) -> list[str]:
    """`“WebSocket /ws closed: code=1011” (6 times)` for each symptom: once, however many revisions showed it."""
    times: Counter[str] = Counter()
    for symptom in incident.symptoms:
        times[quote_untrusted(symptom.text, 120)] += symptom.occurrences
    return [f"“{text}” ({pluralize(often, 'time')})" for text, often in times.items()]


def _where_seen_phrases(incident: Incident) -> Iterator[str]:
    revisions = {each.revision for each in incident.symptoms if each.revision}
    if revisions:
        yield f", from {pluralize(len(revisions), 'revision')}"
    seen = [each.last_seen for each in incident.symptoms if each.last_seen is not None]
    if seen and incident.dated:
        yield f", last at {moment(max(seen), dated=True)}"
