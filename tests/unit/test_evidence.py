"""Evidence: numbered, of known kinds, followable; and every figure of every answer stands in what the answer cites."""

import json
import re
from dataclasses import replace

import pytest

from shared.proof.model.deployed_version import DeployedSource
from shared.report.evidence import Evidence, EvidenceKind
from shared.report.facts.fix_history import describe_errors_left
from shared.report.issue.body import render_issue_body
from shared.report.issue.causes import CauseSource, list_examined_sources
from shared.report.report import Report, build_report
from shared.report.report_json import report_to_json
from shared.text.phrases import join_words
from tests.support.evidence_checker import Fault, UnsupportedClaim, extract_figures, find_unsupported_claims
from tests.support.proof_samples import (
    FIRST_ATTEMPT,
    FIXING,
    INTRODUCING,
    PATH,
    SECOND_ATTEMPT,
    SHAPES,
    build_sample_report,
)

EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES)


@EVERY_SHAPE
def test_every_figure_of_every_answer_stands_in_the_evidence_that_it_cites(shape: str) -> None:
    assert find_unsupported_claims(build_sample_report(shape)) == []


@EVERY_SHAPE
def test_evidence_is_numbered_in_report_order(shape: str) -> None:
    evidence = build_sample_report(shape).evidence
    assert [each.id for each in evidence] == [f"e{n}" for n in range(1, len(evidence) + 1)]
    assert all(each.ref.strip() and each.text.strip() for each in evidence)


@EVERY_SHAPE
def test_only_an_unknown_answer_may_stand_without_evidence(shape: str) -> None:
    whys = build_sample_report(shape).whys
    assert all(why.evidence or why.confidence == "unknown" for why in whys)
    assert all(why.question.endswith("?") and why.answer.endswith(".") for why in whys)


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        ("It left seven errors.", Fault.NUMBER),
        ("It left 9 errors.", Fault.NUMBER),
        ("It failed three times.", Fault.NUMBER),
        ("The service runs 3.10 in production.", Fault.NUMBER),
        ("It fails on line 625.", Fault.LINE),
        ("Commit deadbeef1 did it.", Fault.COMMIT),
        ("Commit 0123456789abcdef0123456789abcdef01234567 did it.", Fault.COMMIT),
        ("The file chat/other.py did it.", Fault.PATH),
        ("The file settings.py did it.", Fault.PATH),
        ("It was logged at 2026-03-01T03:43:44Z.", Fault.TIME),
        ("It was logged at 04:43:43.", Fault.TIME),
    ],
)
def test_a_planted_claim_without_support_is_found(claim: str, fault: Fault) -> None:
    sound = build_sample_report("design")
    planted = replace(sound.whys[3], answer=f"{sound.whys[3].answer} {claim}")
    found = find_unsupported_claims(replace(sound, whys=(*sound.whys[:3], planted, *sound.whys[4:])))
    assert [(each.why, each.fault) for each in found] == [(4, fault)]


def test_a_figure_that_stands_only_in_evidence_that_is_not_cited_is_found() -> None:
    sound = build_sample_report("design")
    uncited = replace(sound.whys[2], evidence=sound.whys[5].evidence)
    problems = find_unsupported_claims(replace(sound, whys=(*sound.whys[:2], uncited, *sound.whys[3:])))
    assert "611" in [problem.about for problem in problems]


def test_a_citation_that_leads_nowhere_is_found() -> None:
    sound = build_sample_report("design")
    lost = replace(sound.whys[0], evidence=(*sound.whys[0].evidence, "e99"))
    assert find_unsupported_claims(replace(sound, whys=(lost, *sound.whys[1:]))) == [
        UnsupportedClaim(1, Fault.NO_SUCH_EVIDENCE, "e99")
    ]


def test_a_sure_answer_without_evidence_is_found() -> None:
    sound = build_sample_report("design")
    bare = replace(sound.whys[0], evidence=(), answer="It failed.")
    assert find_unsupported_claims(replace(sound, whys=(bare, *sound.whys[1:]))) == [
        UnsupportedClaim(1, Fault.NO_EVIDENCE, "observed")
    ]


def test_number_words_count_as_numbers() -> None:
    answer = "It left six errors, twice."
    assert set(extract_figures(answer)) == {("number", "6"), ("number", "2")}


def test_references_say_where_to_look() -> None:
    report = build_sample_report("design")
    refs = {kind: [each.ref for each in report.evidence if each.kind is kind] for kind in EvidenceKind}
    assert refs[EvidenceKind.LOG_ENTRY][0] == "log:0 (insertId id0)"
    assert f"{FIRST_ATTEMPT.id}:{PATH}" in refs[EvidenceKind.COMPILE]
    assert f"{INTRODUCING.id}:.github/workflows/ci.yml" in refs[EvidenceKind.FILE]
    assert refs[EvidenceKind.COMMIT] == [INTRODUCING.id, FIXING.id]
    assert f"{SECOND_ATTEMPT.id}..{FIXING.id}" in refs[EvidenceKind.QUERY]
    commits = [ref for kind in (EvidenceKind.COMMIT, EvidenceKind.CHECK) for ref in refs[kind]]
    assert all(re.fullmatch("[0-9a-f]{40}", ref) for ref in commits)


def test_each_attempt_is_evidence_with_its_errors_and_its_first_line() -> None:
    report = build_sample_report("design")
    for attempt in report.proof.attempts:
        text = _about(report, f"{attempt.commit.id}:", describe_errors_left(attempt)).text
        assert attempt.commit.id in text
        figures_told = [
            (kind, figure) for kind, figure in extract_figures(describe_errors_left(attempt)) if kind != "commit"
        ]
        assert figures_told == [("line", str(attempt.first_line)), ("number", str(attempt.errors_left))]
    assert [(each.commit, each.errors_left, each.first_line) for each in report.proof.attempts] == [
        (FIRST_ATTEMPT, 6, 624), (SECOND_ATTEMPT, 2, 676),
    ]  # fmt: skip


def test_secrets_of_a_log_do_not_become_evidence() -> None:
    whole, proof = SHAPES["design"]
    leaking = replace(whole.symptoms[0], text="refused: postgres://chat:hunter2swordfish@db/chat")
    from shared.report.report import build_report  # noqa: PLC0415

    report = build_report(replace(whole, symptoms=(leaking,)), proof)
    assert "swordfish" not in repr(report.evidence) + repr(report.whys)
    assert "[redacted url-password]" in repr(report.evidence)


def _about(report: Report, ref: str, words: str = "") -> Evidence:
    return next(
        each
        for each in report.evidence
        if each.ref.startswith(ref) and words in each.text and each.kind is EvidenceKind.COMPILE
    )


def test_platform_statements_are_evidence_shown_in_the_issue() -> None:
    report = build_sample_report(next(iter(SHAPES)))
    share = "Revision tide-1 has 30 % of the traffic."
    stated = ("build b-1 (provenance) names commit abc.", share)
    deployed = replace(report.proof.deployed, source=DeployedSource.PROVENANCE, platform_statements=stated)
    told = build_report(report.incident, replace(report.proof, deployed=deployed))
    assert [each.text for each in told.evidence if each.text in stated] == list(stated)
    assert find_unsupported_claims(told) == []
    assert '"source": "provenance"' in json.dumps(report_to_json(told))
    body = render_issue_body(told)
    assert share in body.replace("\\", "")
    assert CauseSource.SETTINGS in list_examined_sources(told)
    assert join_words(list_examined_sources(told)) in body
    assert CauseSource.SETTINGS not in list_examined_sources(report)
