"""The terminal: what a person reads, on 80 columns, with colours only where there are any, and nothing injected."""

import io
import re

import pytest
from rich.console import Console

from functions.cli.terminal import NO_INCIDENT, render_reports
from tests.support.hostile_report import hostile_report
from tests.support.proof_samples import (
    FIRST_ATTEMPT,
    FIXING,
    HEAD,
    INTRODUCING,
    SECOND_ATTEMPT,
    build_sample_report,
)
from tests.support.terminal_output import print_reports


def flowing(text: str) -> str:
    """The text without line ends: sentences are wrapped."""
    return " ".join(text.split())


def test_the_decision_stands_before_the_whys_with_commit_and_reason() -> None:
    text = print_reports(build_sample_report("design"))
    decision = text.index(f"REDEPLOY {HEAD.id}")
    assert decision < text.index("Whys")
    assert "[fix_merged_not_deployed]" in text
    lines = "2 files changed, 19 lines added, 12 deleted, not counted in 1 of them"
    assert f"Ships 4 commits: {lines}. Checks: green." in flowing(text)


def test_the_commits_stand_in_order_with_their_verdicts() -> None:
    text = flowing(print_reports(build_sample_report("design")))
    told = [
        f"{INTRODUCING.id[:12]} ✗ 7 errors: introduced",
        f"{FIRST_ATTEMPT.id[:12]} ✗ 6 errors left, says fix",
        f"{SECOND_ATTEMPT.id[:12]} ✗ 2 errors left, deployed",
        f"{FIXING.id[:12]} ✓ the fix, merged into main",
        f"{HEAD.id[:12]} ✓ target, checks green",
    ]
    places = [text.index(words) for words in told]
    assert places == sorted(places)


def test_the_broken_line_is_marked_with_a_caret_and_explained() -> None:
    lines = print_reports(build_sample_report("design")).splitlines()
    failing = next(n for n, line in enumerate(lines) if line.startswith("  > 676 |"))
    assert lines[failing + 1].index("^") == lines[failing].index('f"data')
    text = flowing("\n".join(lines))
    assert "Cannot use line breaks in non-triple-quoted f-string replacement fields on Python 3.11" in text
    assert re.search(r"\b2 errors\b[^;]*\b3\.11\b[^.]*; [^;]* 3\.12, 3\.13\.", text)


def test_whys_stand_with_their_confidence_and_their_evidence() -> None:
    report = build_sample_report("design")
    text = flowing(print_reports(report))
    for why in report.whys:
        assert f"{why.n}. {why.question} {why.answer} {why.confidence} {' '.join(why.evidence)}" in text
    for each in report.evidence:
        assert f" {each.id} " in text


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("rollback", "ROLL BACK TO"),
        ("no fix", "NOTHING TO DEPLOY"),
        ("close 1011 alone", "NOTHING TO DEPLOY"),
        ("refused", f"Not {HEAD.id[:12]}: its checks are red."),
        ("also broken", "Also broken: chat/tools.py, line 9: IndentationError: unexpected indent"),
        ("given commit contradicts the log", "conflict The log says line 676"),
        ("history cut", "What could not be seen The copy is shallow"),
        ("service not named", "service not named in the log"),
        ("undated log", "(day inferred)"),
    ],
)
def test_each_shape_says_what_matters_in_it(shape: str, words: str) -> None:
    assert words in flowing(print_reports(build_sample_report(shape)))


def test_without_an_incident_one_sentence_says_so() -> None:
    assert flowing(print_reports()) == NO_INCIDENT


def test_several_reports_follow_each_other() -> None:
    text = print_reports(build_sample_report("design"), build_sample_report("close 1011 alone"))
    assert text.index("REDEPLOY") < text.index("NOTHING TO DEPLOY")


def test_there_are_no_colours_where_there_is_no_terminal() -> None:
    assert "\x1b" not in print_reports(build_sample_report("design"))


def test_there_are_colours_where_there_is_one() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    render_reports([build_sample_report("design")], console)
    assert isinstance(console.file, io.StringIO)
    assert "\x1b[1;32m" in console.file.getvalue()


def test_a_tab_in_a_source_line_is_shown_as_spaces() -> None:
    assert "\t" not in print_reports(hostile_report("\tif x:\n\t\ty"))
