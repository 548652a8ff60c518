"""The labels of a log's own entries name the deployed commit: held against the log like whatever names one."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.cli.investigate import investigate_log
from functions.demo import ExampleRepository, Role, build_incident, write_incident_log
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest, apply_log_labels
from shared.proof.prove import prove
from shared.report.report_json import report_to_json
from shared.report.whys.why import Statement
from shared.workflow.records.documents import Collection
from tests.support.evidence_checker import find_unsupported_claims_in_json
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    running_python,
    valid_source,
)
from tests.support.log_samples import export_entry


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> ExampleRepository:
    return build_incident(tmp_path_factory.mktemp("night") / "repository.git")


@pytest.fixture
def pushed(tmp_path: Path) -> HistoryBuilder:
    """A healthy branch beside two others, on which the file is broken."""
    story = HistoryBuilder(tmp_path / "pushed.git")
    story.commit("start", {"app.py": valid_source()})
    story.commit("attack", {"app.py": broken_source(5)})
    story.commit("healthy", {"other.py": valid_source(1)}, "start")
    story.write_repository(feature="attack", deadbeef0="start")
    return story


def failure(label: str) -> Incident:
    seen = make_sighting(5)
    return make_incident("/srv/app.py", replace(seen, first=replace(seen.first, commit=label)))


def labelled_as(story: HistoryBuilder, compilers: LocalCompilers, label: str) -> Finding:
    request = ProofRequest(fallback_python=running_python(), wants_alternative=True)
    with GitRepository(str(story.path)) as history:
        failing = failure(label)
        return prove(failing, history, compilers, apply_log_labels(failing, history, request), lambda _: None)


def told(
    story: ExampleRepository, folder: Path, labels: dict[str, str]
) -> tuple[dict[str, Any], tuple[Statement, ...]]:
    """The report as JSON, and what the error behind the error states."""
    log = write_incident_log(story, folder / "log.json")
    entries = json.loads(log.read_text("utf-8"))
    for entry in entries:
        entry["labels"] |= labels
    log.write_text(json.dumps(entries), "utf-8")
    [report] = investigate_log(
        str(story.path), str(log), ProofRequest(fallback_python=running_python()), ("", ""), lambda _: None
    )
    document = report_to_json(report)
    assert find_unsupported_claims_in_json(document) == []
    return document, report.whys[-1].statements


def stated(document: dict[str, Any]) -> str:
    return " ".join(evidence["text"] for evidence in document["evidence"])


def test_a_label_that_the_log_bears_out_is_the_source(story: ExampleRepository, tmp_path: Path) -> None:
    document, behind = told(
        story, tmp_path, {"commit-sha": story.deployed, "gcb-build-id": "b-71", "gcb-trigger-id": "t-9"}
    )
    deployed = document["deployed"]
    assert (deployed["commit"], deployed["source"], deployed["corroborated"]) == (story.deployed, "label", True)
    assert Statement.UNTIED not in behind
    assert re.search(r"gcb-build-id\W+b-71\b.*gcb-trigger-id\W+t-9\b", stated(document))


def test_a_label_that_contradicts_the_log_is_a_conflict(story: ExampleRepository, tmp_path: Path) -> None:
    document, behind = told(story, tmp_path, {"commit-sha": story.commits[Role.FIX]})
    deployed = document["deployed"]
    assert (deployed["commit"], deployed["source"]) == (story.deployed, "inferred")
    assert story.commits[Role.FIX] in deployed["conflict"]
    assert Statement.UNTIED not in behind


def test_a_label_that_the_repository_does_not_know_is_said(story: ExampleRepository, tmp_path: Path) -> None:
    document, behind = told(story, tmp_path, {"commit-sha": "f" * 40})
    assert document["deployed"]["source"] == "inferred"
    naming = [evidence["text"] for evidence in document["evidence"] if "f" * 40 in evidence["text"]]
    assert len([text for text in naming if "harbour-chat-" not in text]) == 1  # of the repository, not of a revision
    assert Statement.UNTIED not in behind


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_a_label_for_a_commit_that_is_no_part_of_the_branch_buys_nothing(
    pushed: HistoryBuilder, compilers: LocalCompilers, digits: int
) -> None:
    proof = labelled_as(pushed, compilers, pushed.ids["attack"][:digits])
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_ON_BRANCH)
    assert (proof.deployed.corroborated, proof.rollback, proof.alternative_rollback) == (False, None, None)


def test_a_branch_that_is_called_like_an_abbreviation_names_no_commit(pushed: HistoryBuilder) -> None:
    for name in ("deadbeef0", "d" * 40):
        with GitRepository(str(pushed.path)) as history:
            request = apply_log_labels(failure(name), history, ProofRequest(fallback_python=running_python()))
        assert request.deployed is None


def test_without_labels_nothing_ties_the_image(story: ExampleRepository, tmp_path: Path) -> None:
    assert Statement.UNTIED in told(story, tmp_path, {})[1]


@pytest.mark.parametrize("label", ["main", "", "--upload-pack=x", "g" * 40, "abc", "a" * 65])
def test_what_is_no_commit_is_no_label(label: str) -> None:
    assert parse_json_entry(export_entry("x", labels={"commit-sha": label}), 0).commit == ""


ENTRIES = Collection("entries", LogEntry)


def test_what_labels_and_envelope_say_is_kept_with_the_entry() -> None:
    logged = export_entry(
        "x", trace="projects/p/traces/1", spanId="2", labels={"commit-sha": "A" * 40, "request_id": "r"}
    )
    entry = parse_json_entry(logged, 0)
    assert (entry.trace, entry.span, entry.request, entry.commit) == ("projects/p/traces/1", "2", "r", "a" * 40)
    assert ENTRIES.decode(ENTRIES.encode("", entry)) == entry


def test_an_entry_that_an_earlier_version_stored_can_be_read() -> None:
    document = ENTRIES.encode("", parse_json_entry(export_entry("x"), 0))
    earlier = {
        name: value for name, value in document.items() if name not in {"trace", "span", "request", "commit", "build"}
    }
    assert ENTRIES.decode(earlier).text == "x"
