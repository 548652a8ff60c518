"""What followed for others, as far as the log tells: the symptoms of an incident in, one paragraph out."""

from collections import Counter
from collections.abc import Iterator

from shared.domain.escaping import for_markdown
from shared.domain.incident import Incident
from shared.domain.moment import told
from shared.domain.wording import counted, listed, said

_MOST = 4


def impact(incident: Incident) -> str:
    """Counts are of log entries; two entries may tell of one event, so they are never added up."""
    shown = followed(incident)
    shown = [*shown[:_MOST], "others"] if len(shown) > _MOST else shown
    unknown = "How many people or requests were affected, the log does not tell."
    if not shown:
        return f"the log shows nothing that followed from it. {unknown}"
    return f"{for_markdown(listed(shown))}{''.join(_where(incident))}. {unknown}"


def followed(incident: Incident) -> list[str]:
    """`“WebSocket /ws closed: code=1011” (6 times)` for each symptom: once, however many revisions showed it."""
    times: Counter[str] = Counter()
    for symptom in incident.symptoms:
        times[said(symptom.text, 120)] += symptom.occurrences
    return [f"“{text}” ({counted(often, 'time')})" for text, often in times.items()]


def _where(incident: Incident) -> Iterator[str]:
    revisions = {each.revision for each in incident.symptoms if each.revision}
    if revisions:
        yield f", from {counted(len(revisions), 'revision')}"
    seen = [each.last_seen for each in incident.symptoms if each.last_seen is not None]
    if seen and incident.dated:
        yield f", last at {told(max(seen), dated=True)}"
