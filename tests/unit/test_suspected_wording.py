"""What is said about suspected changes: that they are suspected. No word of a proof, of a fix that holds, of deploying.

Every sentence is looked at where it is written, and the finished texts as they are shown.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

import shared
from functions.cli.terminal import format_reports
from shared.detection.causes.cause import CauseClass
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.suspected_change import (
    NO_SUSPECTED_CHANGES,
    SuspectedChange,
    SuspectedChanges,
    SuspicionKind,
)
from shared.proof.proof_context import ProofContext
from shared.proof.suspected.find_suspected import find_suspected_for_incident
from shared.proposal.notice import list_cause_paragraphs
from shared.proposal.proposal import Label
from shared.report.facts.unproven import list_suspected_lines
from shared.report.issue.body import cite_likeliest_change, render_issue_body
from shared.report.issue.causes import render_suspected_changes
from shared.report.links import NO_LINKS
from shared.report.report import Report, build_report
from shared.report.report_json import report_to_json
from tests.support.cause_table import SAMPLES, make_sample_entries
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.proof_samples import SHAPES, make_commit
from tests.support.tied_logs import incidents_of

ROOT = Path(shared.__file__).parent
WRITTEN_IN = [
    *sorted((ROOT / "proof" / "suspected").glob("*.py")),
    ROOT / "report" / "facts" / "unproven.py",
    ROOT / "report" / "issue" / "causes.py",
    ROOT / "report" / "proof_json.py",
]
ABOUT_SUSPECTED_CHANGES = re.compile(r"(?i)suspected|compared|likeliest|_list_changes|unproven_note")
"""The definitions of a shared file that write about suspected changes."""
FORBIDDEN = re.compile(
    r"(?i)(?<!not )\bproven\b|\bproves\b|\bthe fix\b|\bfixed\b|\bfixes\b|\bredeploy|\broll(?:ed)? back\b"
)
DEPLOYED, FIRST, LATER = (
    make_commit("d", "02:00:00", "Name the berths"),
    make_commit("i", "01:00:00", "Read the berth"),
    make_commit("l", "04:00:00", "Read it as before"),
)


def sample(subject: str = "Read the berth", path: str = "app/main.py", function: str = "assign") -> Report:
    incident, proof = SHAPES["close 1011 alone"]
    introduced = SuspectedChange(
        replace(FIRST, subject=subject), path, function, SuspicionKind.INTRODUCED, "it last changed the failing line", 1
    )
    later = SuspectedChange(LATER, path, function, SuspicionKind.POSSIBLE_FIX, "it changed the failing line", 1)
    suspected = SuspectedChanges(DEPLOYED, False, (DEPLOYED.id,), 2, (introduced,), (later,))
    return build_report(incident, replace(proof, suspected=suspected))


def writes_about_them(node: ast.stmt) -> bool:
    named = [node.name] if isinstance(node, ast.FunctionDef) else []
    if isinstance(node, ast.Assign):
        named = [ast.unparse(target) for target in node.targets]
    return any(ABOUT_SUSPECTED_CHANGES.search(name) for name in named)


def sentences(path: Path) -> Iterator[str]:
    """The strings about suspected changes that are no docstrings and no keys."""
    body = ast.parse(path.read_text("utf-8")).body
    tree = ast.Module([node for node in body if path.parent.name == "suspected" or writes_about_them(node)], [])
    described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield node.value


def test_every_shared_file_writes_about_suspected_changes() -> None:
    assert [path.name for path in WRITTEN_IN[-3:] if not [*sentences(path)]] == []


@pytest.mark.parametrize("path", WRITTEN_IN, ids=lambda path: path.stem)
def test_no_sentence_says_more_than_that_it_is_suspected(path: Path) -> None:
    said = [text for text in sentences(path) if " " in text]
    assert [text for text in said if FORBIDDEN.search(text)] == []


@pytest.mark.parametrize("text", ["it is proven", "the fix is in", "fixed by it", "redeploy it"])
def test_such_a_sentence_would_be_seen(text: str) -> None:
    assert FORBIDDEN.search(text)
    assert not FORBIDDEN.search("suspected, not proven: it may end the failure")


def test_issue_terminal_and_report_tell_both_kinds_and_no_more() -> None:
    report = sample()
    [section] = render_suspected_changes(report, NO_LINKS)
    shown = format_reports([report])
    told = ["\n".join(list_suspected_lines(report.proof.suspected)), section.to_markdown()]
    for text in (*told, render_issue_body(report), shown):
        assert FIRST.id[:12] in text
        assert LATER.id[:12] in text
    assert [text for text in told if FORBIDDEN.search(text)] == []
    printed = report_to_json(report)["suspected"]
    assert isinstance(printed, dict)
    assert [change["proven"] for name in ("introduced", "possible_fixes") for change in printed[name]] == [False, False]
    assert (printed["deployed"], printed["frames_compared"]) == (DEPLOYED.id, 2)


def test_evidence_names_each_of_them() -> None:
    wanted = [DEPLOYED.id, FIRST.id, LATER.id]
    assert [evidence.ref for evidence in sample().evidence if evidence.ref in wanted] == wanted


def test_the_line_of_message_and_issue_names_the_likeliest_and_cites_its_evidence() -> None:
    report = sample()
    [in_message] = [words for label, words in list_cause_paragraphs(report) if label is Label.SUSPECTED]
    [in_issue] = [line for line in render_issue_body(report).splitlines() if "**Suspected, not proven:**" in line]
    for line in (in_message, in_issue.replace("Suspected, not proven", "")):
        assert FIRST.id[:12] in line
        assert LATER.id[:12] in line
        assert FORBIDDEN.search(line) is None
        assert "proven" not in line
    cited = cite_likeliest_change(report)
    assert in_issue.endswith(f"({', '.join(cited)})")
    assert [item.ref for item in report.evidence if item.id in cited] == [FIRST.id, LATER.id]


@pytest.mark.parametrize("cause_class", CauseClass)
def test_changes_are_suspected_only_where_the_code_may_be_at_fault(cause_class: CauseClass) -> None:
    """What the search asks first is the history: where it asks nothing, nothing is suspected."""

    def ask(_: str) -> None:
        raise _AskedError

    asked = set()
    for entry in (entry for entry in SAMPLES if entry.cause_class is cause_class):
        [incident] = incidents_of(make_sample_entries(entry))
        request = SimpleNamespace(environment=None)
        context = SimpleNamespace(incident=incident, request=request, report_progress=ask)
        try:
            found = find_suspected_for_incident(cast("ProofContext", context))
        except _AskedError:
            asked.add(True)
        else:
            asked.add(False)
            assert found == NO_SUSPECTED_CHANGES
    of_others = {
        CauseClass.UPSTREAM_CLOSED, CauseClass.BACKING_SERVICE, CauseClass.CREDENTIALS, CauseClass.KEEPALIVE,
        CauseClass.MEMORY, CauseClass.RESTART,
    }  # fmt: skip
    assert (True in asked) is (cause_class not in of_others)


class _AskedError(Exception):
    """The search has begun."""


def test_nothing_is_recommended_because_of_them() -> None:
    report = sample()
    decision = report_to_json(report)["decision"]
    assert isinstance(decision, dict)
    assert decision["kind"] == ActionKind.NONE.value
    assert report.proof.target is None


def test_without_a_suspect_nothing_is_said_of_any() -> None:
    incident, proof = SHAPES["close 1011 alone"]
    report = build_report(incident, replace(proof, suspected=SuspectedChanges(deployed=DEPLOYED, frames_compared=1)))
    assert list(render_suspected_changes(report, NO_LINKS)) == []
    assert report_to_json(report)["suspected"] is None
    assert "uspected" not in format_reports([report])


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS[:8])
def test_words_of_a_repository_stay_text(hostile: str) -> None:
    plain, report = sample(), sample(hostile, f"app/{hostile}.py", hostile)
    [before], [after] = render_suspected_changes(plain, NO_LINKS), render_suspected_changes(report, NO_LINKS)
    count = before.to_markdown().count("\n")
    assert after.to_markdown().count("\n") == count
    json.dumps(report_to_json(report)["suspected"])
