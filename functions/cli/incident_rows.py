"""Rows of a terminal report about an incident: its cause and owner, what followed, and what was logged beside it."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from shared.detection.causes.cause import CauseClass
from shared.detection.incident import Symptom, describe_raised
from shared.report.cause import describe_cause
from shared.report.facts.log_entries import describe_gap
from shared.report.report import Report
from shared.text.escaping import strip_invisible
from shared.text.phrases import pluralize, quote_untrusted

MAX_SYMPTOMS = 8


def build_plain_text(words: str, style: str = "") -> Text:
    """Words from anywhere, without what a terminal would obey."""
    return Text(strip_invisible(words), style=style)


def build_cause_rows(report: Report) -> list[tuple[Text, Text]]:
    """The class of the cause, what was logged of it, and who can act."""
    cause, incident = report.cause, report.incident
    told = [f"{describe_cause(report)} [{cause.cause_class.value}]", quote_untrusted(cause.proven_by, 300)]
    rows = [(build_plain_text("cause", "dim"), build_plain_text(" ".join(filter(None, told)), "bold"))]
    rows += [
        (build_plain_text("maybe", "dim"), build_plain_text(describe_raised(candidate)))
        for candidate in incident.candidates
    ]
    if incident.longest_gap is not None:
        rows.append((build_plain_text("silence", "dim"), build_plain_text(describe_gap(incident.longest_gap))))
    if cause.cause_class is not CauseClass.UNKNOWN:
        rows.append((build_plain_text("owner", "dim"), build_plain_text(quote_untrusted(cause.owner, 120))))
        rows.append((build_plain_text("remedy", "dim"), build_plain_text(cause.profile.mends)))
    return rows


def build_symptom_rows(heading: str, symptoms: Sequence[Symptom]) -> list[tuple[Text, Text]]:
    """`then` for what followed, `nearby` for what was logged in the same minutes: each text once, with its count."""
    times: Counter[str] = Counter()
    for symptom in symptoms:
        times[quote_untrusted(symptom.text, 160)] += symptom.occurrences
    return [
        (build_plain_text(heading, "dim"), build_plain_text(f"{text} ({pluralize(often, 'time')})"))
        for text, often in list(times.items())[:MAX_SYMPTOMS]
    ]
