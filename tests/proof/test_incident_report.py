"""The incident of the night, through the whole command, in each shape of its log: every field of the report."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.cli.investigate import investigate_log
from functions.demo import ExampleRepository, Flavour, Role, Shape, build_incident, write_incident_log
from shared.proof.model.compilation import parse_ruff_explanation
from shared.proof.proof_context import ProofRequest
from shared.report.report import Report
from shared.report.report_json import report_to_json
from shared.report.whys.why import Statement, WhyKey
from tests.support.evidence_checker import extract_figures, find_unsupported_claims
from tests.support.history_builder import running_python


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> ExampleRepository:
    """The f-string break of the incident: judged by a real 3.11 where the machine has one, by ruff elsewhere."""
    return build_incident(tmp_path_factory.mktemp("night") / "repository.git", flavour=Flavour.FSTRING)


@pytest.fixture(params=list(Shape))
def shape(request: pytest.FixtureRequest) -> Shape:
    return Shape(request.param)


def reported(story: ExampleRepository, shape: Shape, folder: Path) -> list[Report]:
    log = write_incident_log(story, folder / "log", shape)
    request = ProofRequest(fallback_python=running_python())
    return investigate_log(str(story.path), str(log), request, ("", ""), lambda _: None)


def told(story: ExampleRepository, shape: Shape, folder: Path) -> dict[str, Any]:
    [report] = reported(story, shape, folder)
    answer: dict[str, Any] = json.loads(json.dumps(report_to_json(report)))
    return answer


def test_it_is_one_incident_with_its_symptoms(story: ExampleRepository, shape: Shape, tmp_path: Path) -> None:
    incident = told(story, shape, tmp_path)["incident"]
    assert incident["signal"] == "syntax_error"
    assert [
        symptom
        for symptom in incident["symptoms"]
        if symptom["signal"] == "close_1011" and "code=1011" in symptom["text"]
    ]
    assert {entry["suspected"] for entry in incident["nearby"] if " 403: " in entry["text"]} == {True}
    assert incident["first_seen"].startswith("2026-05-12T03:43:43")
    assert incident["last_seen"].startswith("2026-05-12T03:44:06")


def test_the_deployed_version_is_known_by_its_line(story: ExampleRepository, shape: Shape, tmp_path: Path) -> None:
    deployed = told(story, shape, tmp_path)["deployed"]
    assert deployed["commit"] == story.deployed
    assert deployed["source"] == "inferred"
    assert deployed["corroborated"] is True
    assert deployed["candidates"] == [story.deployed]
    assert deployed["uncommitted_tree"] is True
    assert deployed["python"] == "3.11"
    assert [
        (deployment["line"], deployment["commit"], deployment["uncommitted"]) for deployment in deployed["deployments"]
    ] == [
        (624, story.claimed_fix, False),
        (676, story.deployed, True),
    ]


def test_the_break_is_described(story: ExampleRepository, shape: Shape, tmp_path: Path) -> None:
    report = told(story, shape, tmp_path)
    broken = report["broken"]
    assert (broken["path"], broken["line"], broken["errors"]) == (story.module, 676, 2)
    assert "unterminated string literal" in broken["message"] or broken["checked_by"].startswith("ruff")
    form = parse_ruff_explanation(broken["explanation"])
    assert form is not None
    assert (form.pep, form.added_in) == ("PEP 701", "3.12")
    assert "3.12" in broken["compiles_on"]
    assert "3.11" not in broken["compiles_on"]
    assert broken["also_broken"] == []
    assert report["introduced"]["commit"] == story.introducing_commit
    assert report["introduced"]["committed_at"] == "2026-05-12T01:58:58Z"


def test_attempts_fix_and_target_are_the_proven_ones(story: ExampleRepository, shape: Shape, tmp_path: Path) -> None:
    report = told(story, shape, tmp_path)
    attempts = [(attempt["commit"], attempt["errors_left"], attempt["first_line"]) for attempt in report["attempts"]]
    assert attempts == [(story.claimed_fix, 6, 624), (story.deployed, 2, 676)]
    assert (report["fix"]["commit"], report["fix"]["where"]) == (story.fix, "merged")
    assert report["target"]["commit"] == story.head
    assert report["target"]["newly_broken"] == []
    assert report["target"]["commits_after_deployed"] == len(list(Role)) - list(Role).index(Role.REFACTORING) - 1
    assert report["decision"]["kind"] == "redeploy"


def test_the_whys_arrive_at_the_cause_and_the_error_behind_it(story: ExampleRepository, tmp_path: Path) -> None:
    [report] = reported(story, Shape.GCLOUD, tmp_path)
    assert len(report.whys) >= 6
    whys = {why.key: why for why in report.whys}
    assert report.proof.broken is not None
    form = parse_ruff_explanation(report.proof.broken.explanation)
    assert form is not None
    assert [
        words for words in (form.description, form.pep, form.added_in) if words not in whys[WhyKey.REJECTED].answer
    ] == []
    assert ("number", "7") in set(extract_figures(whys[WhyKey.INTRODUCED].answer))
    assert {("number", "6"), ("line", "624")} <= set(extract_figures(whys[WhyKey.NOT_ENDED].answer))
    assert Statement.CLAIMS_FIX in whys[WhyKey.NOT_ENDED].statements
    assert whys[WhyKey.NOT_CAUGHT].statements == (Statement.CI_ON_OTHERS, Statement.ADMITS_OTHER)
    assert ".python-version, line 1 (`3.12`)" in whys[WhyKey.NOT_CAUGHT].answer
    assert report.whys[-1].key is WhyKey.BEHIND
    assert Statement.UNCOMMITTED_TREE in report.whys[-1].statements


def test_every_figure_in_every_answer_stands_in_its_evidence(
    story: ExampleRepository, shape: Shape, tmp_path: Path
) -> None:
    [report] = reported(story, shape, tmp_path)
    assert find_unsupported_claims(report) == []


def test_a_commit_that_only_claims_to_be_the_fix_is_never_proposed(story: ExampleRepository, tmp_path: Path) -> None:
    log = write_incident_log(story, tmp_path / "log")
    for claimed in (story.claimed_fix, story.deployed):
        request = ProofRequest(branch=claimed, fallback_python=running_python())
        [report] = investigate_log(str(story.path), str(log), request, ("", ""), lambda _: None)
        assert report.proof.target is None
        assert report.proof.recommendation.kind == "none"
        assert report.proof.recommendation.reason == "fix_only_on_unmerged_branch"
