"""Which paragraphs and details a question has, by what was recommended: a report in, labels and lines out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.detection.entry import LogEntry
from shared.detection.grouping import IncidentGrouper, Scope
from shared.detection.signal import Signal, SignalKind
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.paragraphs import build_paragraphs
from shared.proposal.proposal import Label, split_label
from shared.proposal.question import build_thread_details, find_proposed_commit, find_rollback_commit
from shared.report.report import Report
from tests.support.commit_graph import ScriptedProver, commit_id

ALL = {Label.PROPOSAL, Label.FAILS, Label.SINCE, Label.BROKEN, Label.CONFIDENCE}


def _report(kind: ActionKind = ActionKind.REDEPLOY, environment: str = "harbour", *, back: bool = False) -> Report:
    entry = LogEntry(position=0, text="oops", timestamp=datetime(2026, 3, 1, tzinfo=UTC), service="tide")
    grouping = IncidentGrouper(Scope("tide", environment))
    grouping.add(Signal(SignalKind.SYNTAX_ERROR, entry, "SyntaxError", "chat/greeting.py", 7, "invalid syntax"))
    [incident] = grouping.incidents()
    reason = Reason.FIX_NOT_DEPLOYED if kind is ActionKind.REDEPLOY else Reason.NO_FIX
    return ScriptedProver(kind, reason, offers_rollback=back).prover().prove_and_report(incident, None, None, None)  # type: ignore[arg-type]


def _labels(report: Report) -> set[Label | None]:
    return {split_label(line)[0] for line in build_paragraphs(report)}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (ActionKind.REDEPLOY, {Label.FIXED, Label.NEWEST, Label.SHIPS}),
        (ActionKind.ROLLBACK, {Label.FIXED, Label.NEWEST, Label.SHIPS}),
        (ActionKind.NONE, {Label.FIXED}),
    ],
)
def test_each_recommendation_has_the_paragraphs_that_it_needs(kind: ActionKind, more: set[Label]) -> None:
    assert _labels(_report(kind)) == ALL | more


def test_the_way_back_is_offered_beside_a_redeployment_only() -> None:
    offered = _report(back=True)
    assert Label.INSTEAD in _labels(offered)
    assert (find_proposed_commit(offered), find_rollback_commit(offered)) == (commit_id("later"), commit_id("good"))
    for kind in (ActionKind.ROLLBACK, ActionKind.NONE):
        assert find_rollback_commit(_report(kind, back=True)) is None
    assert find_proposed_commit(_report(ActionKind.ROLLBACK)) == commit_id("good")
    assert find_proposed_commit(_report(ActionKind.NONE)) is None


@pytest.mark.parametrize(("kind", "passed"), [(ActionKind.REDEPLOY, 1), (ActionKind.ROLLBACK, 0), (ActionKind.NONE, 0)])
def test_gates_are_said_to_be_passed_where_a_target_is_proposed(kind: ActionKind, passed: int) -> None:
    assert (
        sum(commit_id("later")[:7] in line and "ates passed" in line for line in build_thread_details(_report(kind)))
        == passed
    )


@pytest.mark.parametrize(("environment", "named"), [("harbour", True), ("unknown", False), ("", False)])
def test_an_environment_that_nobody_knows_is_not_named(environment: str, *, named: bool) -> None:
    report = _report()
    report = replace(report, incident=replace(report.incident, environment=environment))
    [proposal] = [words for label, words in map(split_label, build_paragraphs(report)) if label is Label.PROPOSAL]
    assert ("tide in" in proposal) is named


def test_what_is_not_broken_at_a_known_commit_is_not_said_to_be_proven() -> None:
    report = _report()
    proof = report.proof
    for changed in (
        replace(proof, broken=None),
        replace(proof, deployed=replace(proof.deployed, commit=None)),
        replace(proof, deployed=replace(proof.deployed, corroborated=False)),
    ):
        [sure] = [
            words
            for label, words in map(split_label, build_paragraphs(replace(report, proof=changed)))
            if label is Label.CONFIDENCE
        ]
        assert not sure.startswith("proven")
    [sure] = [words for label, words in map(split_label, build_paragraphs(report)) if label is Label.CONFIDENCE]
    assert sure.startswith("proven")


def test_without_a_broken_file_there_is_no_word_of_a_break_or_a_fix() -> None:
    report = _report(ActionKind.NONE)
    report = replace(report, proof=replace(report.proof, broken=None))
    assert not _labels(report) & {Label.BROKEN, Label.FIXED}


@pytest.mark.parametrize("line", ["Proposalx: a", "a: b", "Proposal", "proposal: a", ""])
def test_a_line_without_a_label_stays_whole(line: str) -> None:
    assert split_label(line) == (None, line)
