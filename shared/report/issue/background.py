"""What the report stands on: the evidence table, and what could not be seen."""

from collections.abc import Iterator

from shared.report.issue.section import Heading, Section, format_bullets, format_table
from shared.report.links import Links
from shared.report.report import Report
from shared.text.escaping import format_code_span, escape_markdown
from shared.text.phrases import pluralize, quote_untrusted

_ROWS_PER_TABLE = 25
_EVIDENCE_COLUMNS = ("", "Kind", "Where", "What is there")


def render_evidence(report: Report, _: Links) -> Iterator[Section]:
    rows = [
        (each.id, each.kind.value, format_code_span(quote_untrusted(each.ref, 200)), escape_markdown(quote_untrusted(each.text, 700)))
        for each in report.evidence
    ]
    tables = [format_table(_EVIDENCE_COLUMNS, rows[start : start + _ROWS_PER_TABLE]) for start in range(0, len(rows), _ROWS_PER_TABLE)]
    folded = f"{pluralize(len(rows), 'item')}, cited by their numbers above"
    yield Section(Heading.EVIDENCE, tuple(tables), priority=1, fold_label=folded)
    if report.proof.gaps:
        yield Section(Heading.UNSEEN, (format_bullets(escape_markdown(quote_untrusted(each)) for each in report.proof.gaps),), priority=5)
