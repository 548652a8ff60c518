"""What the log showed: the defect by revision and line, what followed from it, and how often."""

from collections.abc import Iterator
from datetime import datetime

from shared.detection.entry import CHECK_LOG, LogEntry, LogGap
from shared.detection.incident import (
    Incident,
    Sighting,
    Symptom,
    describe_raised,
    describe_raised_exception,
)
from shared.detection.logged_exception import Frame
from shared.detection.signal import SignalKind
from shared.report.evidence import EvidenceKind, Fact, FactTopic
from shared.text.phrases import join_words, pluralize, quote_service_name, quote_untrusted
from shared.text.timestamps import format_timestamp, format_timestamp_phrase, has_date


def collect_log_facts(incident: Incident, frame: Frame | None = None) -> Iterator[Fact]:
    """`frame` is the deepest frame of the tied exception that is in the repository, where that was checked."""
    for sighting in incident.sightings:
        yield Fact(
            FactTopic.SIGHTING,
            EvidenceKind.QUERY if sighting.first.log_name == CHECK_LOG else EvidenceKind.LOG_ENTRY,
            format_log_ref(sighting.first),
            _describe_sighting(incident, sighting),
        )
    if incident.raised is not None:
        ref = format_log_ref(incident.raised.entry)
        yield Fact(
            FactTopic.RAISED,
            EvidenceKind.QUERY if incident.raised.entry.log_name == CHECK_LOG else EvidenceKind.LOG_ENTRY,
            ref,
            f"{_format_raised_at(incident)}: {describe_raised_exception(incident, frame)}.",
        )
    yield from _collect_cause_facts(incident)
    for symptom in incident.symptoms:
        yield Fact(
            FactTopic.SYMPTOM,
            EvidenceKind.LOG_ENTRY,
            format_log_ref(symptom.first),
            _describe_symptom(symptom, incident),
        )
    for symptom in incident.nearby:
        text = f"Within the same minutes: {_describe_symptom(symptom, incident)}"
        yield Fact(FactTopic.NEARBY, EvidenceKind.LOG_ENTRY, format_log_ref(symptom.first), text)
    entries = "1 entry" if incident.occurrences == 1 else f"{incident.occurrences} entries"
    service = f" of {quote_service_name(incident.service)}" if quote_service_name(incident.service) else ""
    span = _describe_time_span(incident.first_seen, incident.last_seen, incident)
    shows = f"shows the defect itself in {entries}{span}"
    if incident.kind is SignalKind.FOUND_BY_CHECK:
        shows = "was not searched for it: the check found it in the code"
    elif incident.is_found_early:
        shows = "did not show the defect when the check found it"
    yield Fact(FactTopic.COUNT, EvidenceKind.QUERY, "log", f"The log{service} {shows}.")


def _format_raised_at(incident: Incident) -> str:
    if incident.kind is SignalKind.FOUND_BY_CHECK:
        return "Raised by that line when it runs"
    if incident.kind is SignalKind.FAILED_START:
        return "Raised while the program started"
    return "Logged with the close" if incident.is_raised_in_own_entry else "Logged before the close"


def _collect_cause_facts(incident: Incident) -> Iterator[Fact]:
    """The facts about a cause beside the exception that is tied."""
    for raised in incident.candidates:
        text = f"One of several exceptions before the close: {describe_raised(raised)}."
        yield Fact(FactTopic.CANDIDATE, EvidenceKind.LOG_ENTRY, format_log_ref(raised.entry), text)
    if incident.longest_gap is not None:
        ref = f"lines of instance {quote_untrusted(incident.longest_gap.instance[-12:], 40)}"
        yield Fact(FactTopic.GAP, EvidenceKind.QUERY, ref, describe_gap(incident.longest_gap))


def describe_gap(gap: LogGap) -> str:
    """The silence of an instance before a timeout, as far as its lines were read."""
    return (
        f"In the two minutes before the timeout the instance logged nothing for {gap.seconds:.0f} s "
        f"(the longest gap between the {gap.line_count} lines that were read)."
    )


def describe_candidates(incident: Incident) -> str:
    """` Before it were logged: …`, for a close that is tied to none of several exceptions; "" for any other."""
    if not incident.candidates:
        return ""
    words = [describe_raised(raised) for raised in incident.candidates]
    return f" One of these was logged for it, and the log does not say which: {join_words(words, 'or')}."


def format_log_ref(entry: LogEntry) -> str:
    """`log:12`, counted from 0, with the platform's id of the entry where it has one."""
    if entry.log_name == CHECK_LOG:
        return f"check of {quote_untrusted(entry.revision, 80)}"
    return (
        f"log:{entry.position} (insertId {quote_untrusted(entry.insert_id, 80)})"
        if entry.insert_id
        else f"log:{entry.position}"
    )


def describe_occurrences(incident: Incident, counted: str = "") -> str:
    """`Logged 3 times, first at …`, without a full stop. `counted`: until when that was counted."""
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated)
    if incident.kind is SignalKind.FOUND_BY_CHECK:
        return f"Found by a check of the deployed commit {first}; whether it was logged is unknown"
    if incident.is_found_early:
        return f"Found by a check of the deployed commit {first}, and not logged yet"
    return f"Logged {pluralize(incident.occurrences, 'time')}{counted}, first {first}"


def describe_sighting_count(sighting: Sighting) -> str:
    """`logged 3 times`, or that a check has found it."""
    if sighting.first.log_name == CHECK_LOG:
        return "found by a check"
    return f"logged {pluralize(sighting.occurrences, 'time')}"


def format_error_line(incident: Incident, sighting: Sighting) -> str:
    """The last line of the traceback, as Python writes it."""
    message = quote_untrusted(sighting.message)
    line = f", line {sighting.line}" if sighting.line is not None else ""
    location = f" ({quote_untrusted(incident.path)}{line})" if incident.path else line
    words = ": ".join(filter(None, (quote_untrusted(incident.error_class, 80), message)))
    return f"{words or incident.kind.value}{location}"


def _describe_sighting(incident: Incident, sighting: Sighting) -> str:
    text = f"{format_error_line(incident, sighting)}, {describe_sighting_count(sighting)}"
    span = _describe_time_span(sighting.first_seen, sighting.last_seen, incident)
    revision = "" if sighting.first.log_name == CHECK_LOG else _describe_revision(sighting.revision)
    return f"{text}{span}{revision}."


def _describe_symptom(symptom: Symptom, incident: Incident) -> str:
    text = f"“{quote_untrusted(symptom.text)}”, logged {pluralize(symptom.occurrences, 'time')}"
    span = _describe_time_span(symptom.first_seen, symptom.last_seen, incident)
    return f"{text}{span}{_describe_revision(symptom.revision)}."


def _describe_revision(revision: str) -> str:
    return f" by revision {quote_untrusted(revision)}" if revision else ""


def _describe_time_span(first: datetime | None, last: datetime | None, incident: Incident) -> str:
    if first is None:
        return " at an unknown time"
    if last is None or last == first:
        return f" {format_timestamp_phrase(first, dated=incident.dated)}"
    same = incident.dated or has_date(first)
    return f" between {format_timestamp(first, dated=same)} and {format_timestamp(last, dated=incident.dated)}"
