"""Which paragraphs and details a question has, by what was recommended: a report in, labels and lines out."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.detection.entry import LogEntry
from shared.detection.grouping import IncidentGrouper, Scope
from shared.detection.signal import Signal, SignalKind
from shared.proof.model.finding import LoadedSummary
from shared.proof.model.history import FileChange
from shared.proof.model.missing_import import MissingImport
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.model.target import CheckStatus, OtherBrokenFile, RefusedCommit, Target
from shared.proposal.paragraphs import build_paragraphs
from shared.proposal.proposal import Label, Proposal, split_label
from shared.proposal.question import (
    build_question,
    build_rollback_report,
    build_thread_details,
    find_proposed_commit,
    find_rollback_commit,
)
from shared.report.report import Report
from tests.support.commit_graph import ScriptedProver, commit_id, make_commit

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
        recommended = replace(offered.proof.recommendation, kind=kind)
        other = replace(offered, proof=replace(offered.proof, recommendation=recommended))
        for report in (other, _report(kind, back=True), _report()):
            assert (find_rollback_commit(report), build_rollback_report(report)) == (None, None)
    assert find_proposed_commit(_report(ActionKind.ROLLBACK)) == commit_id("good")
    assert find_proposed_commit(_report(ActionKind.NONE)) is None


def test_report_of_the_way_back_recommends_the_earlier_commit_and_nothing_else() -> None:
    offered = _report(back=True)
    refused = RefusedCommit(make_commit("later"), "compiles", "it does not")
    back = build_rollback_report(replace(offered, proof=replace(offered.proof, refused_commits=(refused,))))
    assert back is not None
    proof = back.proof
    assert (proof.recommendation.kind, proof.recommendation.reason) == (
        ActionKind.ROLLBACK,
        Reason.EARLIER_COMMIT_CHOSEN,
    )
    assert proof.rollback == offered.proof.alternative_rollback
    assert (proof.alternative_rollback, proof.target, proof.refused_commits) == (None, None, ())
    assert proof.broken == offered.proof.broken


def test_a_question_has_the_other_commit_as_its_alternative() -> None:
    offered = _report(back=True)
    proposal = Proposal(
        id="p", incident="i", service="s", kind=ActionKind.REDEPLOY, commit=commit_id("later"),
        deployed=commit_id("attempt"), revision="r1", fix=commit_id("fixed"), python="3.11", broken=("a.py",),
        evidence_hash="h", expires_at=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip
    asked = build_question(offered, proposal, "https://issues.example/1")
    assert asked.alternative is not None
    assert (asked.alternative.proposal, asked.alternative.commit) == ("p-back", commit_id("good"))
    assert asked.alternative.subject == make_commit("good").subject
    assert (asked.commit, asked.kind, asked.evidence_hash) == (commit_id("later"), ActionKind.REDEPLOY, "h")
    assert build_question(_report(), proposal, "").alternative is None


def _with_target(report: Report, changes: int) -> Report:
    shipped = tuple(FileChange(f"chat/berth_{number}.py", 1, 0) for number in range(changes))
    target = Target(make_commit("later"), CheckStatus.GREEN, 2, (), shipped)
    return replace(report, proof=replace(report.proof, target=target))


@pytest.mark.parametrize(("kind", "ships"), [(ActionKind.REDEPLOY, 1), (ActionKind.ROLLBACK, 0), (ActionKind.NONE, 0)])
def test_files_are_said_to_ship_with_a_proposed_target_alone(kind: ActionKind, ships: int) -> None:
    details = build_thread_details(_with_target(_report(kind), 1))
    assert sum("chat/berth_0.py" in line for line in details) == ships
    assert len(details) - len(build_thread_details(_with_target(_report(kind), 0))) == ships


@pytest.mark.parametrize(("changes", "more"), [(12, []), (13, ["1"]), (40, ["28"])])
def test_files_beyond_the_first_twelve_are_counted(changes: int, more: list[str]) -> None:
    [line] = [line for line in build_thread_details(_with_target(_report(), changes)) if "berth_11.py" in line]
    assert re.findall(r"(\d+) more", line) == more
    assert "berth_12.py" not in line


def test_files_that_count_and_those_that_do_not_are_told() -> None:
    report = _report()
    summary = LoadedSummary("what quay.sh starts", "quay.sh", "Dockerfile", True, 3)
    unloaded = OtherBrokenFile("scripts/tide.py", 4, "invalid syntax")
    missing = MissingImport("chat/greeting.py", 2, "moorings", "moorings.py")
    told = [
        build_thread_details(replace(report, proof=replace(report.proof, loaded_summary=each)))
        for each in (None, summary, replace(summary, not_loaded=(unloaded,), missing_imports=(missing,)))
    ]
    for name, counts in (("quay.sh", [0, 1, 1]), ("scripts/tide.py", [0, 0, 1]), ("moorings", [0, 0, 1])):
        assert [sum(name in line for line in details) for details in told] == counts


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
