"""Lines that were not counted are never printed as none: terminal, issue, message and evidence say so."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from functions.cli.terminal import render_reports
from shared.proof.model.finding import Finding
from shared.proof.model.history import FileChange
from shared.proposal.question import build_thread_details, build_title_and_lines
from shared.report.facts.fix_history import describe_shipped_files
from shared.report.issue.body import render_issue_body
from shared.report.report import build_report
from tests.support.proof_samples import build_sample_report

UNCOUNTED = tuple(FileChange(f"area/part_{number}.py", None, None) for number in range(2_276))
NONE = re.compile(r"\b0 (?:lines )?(?:added|deleted)|\b0 lines|binary")


def texts(ships: tuple[FileChange, ...]) -> dict[str, str]:
    """What every target prints of these changes."""
    sample = build_sample_report("design")
    proof: Finding = sample.proof
    assert proof.target is not None
    report = build_report(sample.incident, replace(proof, target=replace(proof.target, shipped_changes=ships)))
    page = io.StringIO()
    render_reports([report], Console(file=page, width=1000))
    return {
        "terminal": page.getvalue(),
        "issue": render_issue_body(report),
        "message": "\n".join((*build_title_and_lines(report)[1], *build_thread_details(report))),
        "evidence": "\n".join(each.text for each in report.evidence),
    }


@pytest.mark.parametrize("kind", ["terminal", "issue", "message", "evidence"])
def test_no_target_prints_the_unknown_as_none(kind: str) -> None:
    text = texts(UNCOUNTED)[kind]
    assert "line counts unavailable" in text
    assert re.search(r"2,?276 files changed", text)
    assert not NONE.search(text)


@pytest.mark.parametrize(
    ("ships", "words"),
    [
        ((), "0 files changed, 0 lines added, 0 deleted"),
        ((FileChange("a.py", 0, 3),), "1 file changed, 0 lines added, 3 deleted"),
        ((FileChange("a.py", 2, 3), FileChange("b.bin", None, None)), "2 lines added, 3 deleted, not counted in 1 of"),
        ((FileChange("b.bin", None, None),), "1 file changed, line counts unavailable"),
    ],
)
def test_what_was_counted_is_told(ships: tuple[FileChange, ...], words: str) -> None:
    assert words in describe_shipped_files(ships)
