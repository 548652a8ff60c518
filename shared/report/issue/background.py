"""What the report stands on: the evidence table, and what could not be seen."""

from collections.abc import Iterator

from shared.report.issue.section import Heading, Section, bullets, table
from shared.report.links import Links
from shared.report.report import Report
from shared.text.escaping import code_span, for_markdown
from shared.text.phrases import counted, said

_ROWS_A_TABLE = 25
_HEAD = ("", "Kind", "Where", "What is there")


def background(report: Report, _: Links) -> Iterator[Section]:
    rows = [
        (each.id, each.kind.value, code_span(said(each.ref, 200)), for_markdown(said(each.text, 700)))
        for each in report.evidence
    ]
    tables = [table(_HEAD, rows[start : start + _ROWS_A_TABLE]) for start in range(0, len(rows), _ROWS_A_TABLE)]
    folded = f"{counted(len(rows), 'item')}, cited by their numbers above"
    yield Section(Heading.EVIDENCE, tuple(tables), need=1, folded=folded)
    if report.proof.unseen:
        yield Section(Heading.UNSEEN, (bullets(for_markdown(said(each)) for each in report.proof.unseen),), need=5)
