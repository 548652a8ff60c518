"""The last gate: the newest commit that has an image is proposed, and what has none or is not known is said."""

from collections.abc import Mapping

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck, ImageStatus
from shared.proof.proof_context import ProofRequest
from shared.proposal.paragraphs import build_brief, build_paragraphs
from shared.proposal.proposal import Label, split_label
from shared.proposal.question import build_rollback_report
from shared.report.issue.body import render_issue_body
from shared.report.links import NO_LINKS
from shared.report.report import build_report
from shared.report.report_json import report_to_json
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

PATH = "app/relay.py"
BUILT = ImageCheck(ImageStatus.BUILT)
MISSING = ImageCheck(ImageStatus.MISSING, "no image of quay/relay was built from it")
UNKNOWN = ImageCheck(ImageStatus.UNKNOWN, "denied: Artifact Registry, tag f1")


def tell_history(story: HistoryBuilder) -> None:
    story.commit("old", {PATH: valid_source()})
    story.commit("good", {"notes.md": "1\n"})
    story.commit("break", {PATH: broken_source(5)})
    story.commit("fix", {PATH: valid_source(1)})
    story.commit("later", {"notes.md": "2\n"})
    story.commit("last", {"notes.md": "3\n"})
    story.commit("breaks again", {PATH: broken_source(7)})


def prove(
    story: HistoryBuilder, compilers: LocalCompilers, images: Mapping[str, ImageCheck], head: str = "last"
) -> tuple[Incident, Finding, list[str]]:
    """The incident, its finding, and the commits of which an image was asked for. Those not in `images` have one."""
    tell_history(story)
    story.write_repository(head)
    asked: list[str] = []

    def check_image(commit: str) -> ImageCheck:
        asked.append(story.name_of(commit) or commit)
        return images.get(asked[-1], BUILT)

    failing = make_incident(f"/srv/{PATH}", make_sighting(5, seen_at=story.committed_at("break")))
    request = ProofRequest(
        deployed=story.ids["break"], fallback_python=running_python(), check_image=check_image, wants_alternative=True
    )
    return failing, prove_incident(story.path, failing, compilers, request), asked


def test_the_newest_fixed_commit_with_an_image_is_proposed_and_the_newer_ones_are_named(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    incident, finding, _ = prove(story, compilers, {"last": MISSING, "later": MISSING})
    assert finding.target is not None
    assert (story.name_of(finding.target.commit.id), finding.target.image) == ("fix", BUILT)
    refused = [(story.name_of(entry.commit.id), entry.gate) for entry in finding.refused_commits]
    assert refused == [("last", "image"), ("later", "image")]
    report = build_report(incident, finding)
    image = dict(split_label(line) for line in build_paragraphs(report))[Label.IMAGE]
    assert story.ids["last"][:12] in image
    assert story.ids["last"][:12] in render_issue_body(report, NO_LINKS)
    target = report_to_json(report)["target"]
    assert isinstance(target, dict)
    assert [entry["gate"] for entry in target["refused"]] == ["image", "image"]
    assert target["image"] == {"status": "built", "detail": None}


def test_the_image_is_asked_for_only_where_every_other_gate_is_passed(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    """A commit that fails another gate is refused for that: the approver need not wait for its image."""
    _, finding, asked = prove(story, compilers, {}, head="breaks again")
    assert [entry.gate for entry in finding.refused_commits] == ["incident_file"]
    assert "breaks again" not in asked


def test_without_any_image_nothing_is_proposed_for_that_reason(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    _, finding, _ = prove(story, compilers, dict.fromkeys(("last", "later", "fix"), MISSING))
    assert (finding.recommendation.kind, finding.recommendation.reason) == (ActionKind.NONE, Reason.NO_IMAGE)
    assert MISSING.detail in finding.recommendation.detail


def test_what_nobody_may_look_at_refuses_nothing_and_is_said(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    incident, finding, _ = prove(story, compilers, {"last": UNKNOWN})
    assert finding.target is not None
    assert (story.name_of(finding.target.commit.id), finding.target.image) == ("last", UNKNOWN)
    report = build_report(incident, finding)
    assert UNKNOWN.detail in dict(split_label(line) for line in build_paragraphs(report))[Label.IMAGE]
    assert build_brief(report).checks.endswith("image unknown")
    assert UNKNOWN.detail.split(":")[0] in render_issue_body(report, NO_LINKS)


@pytest.mark.parametrize("check", [BUILT, NO_IMAGE_NEEDED])
def test_an_image_that_is_there_or_not_needed_is_no_paragraph(
    story: HistoryBuilder, compilers: LocalCompilers, check: ImageCheck
) -> None:
    incident, finding, _ = prove(story, compilers, {"last": check})
    assert Label.IMAGE not in dict(split_label(line) for line in build_paragraphs(build_report(incident, finding)))


def test_a_rollback_goes_to_the_newest_good_commit_with_an_image(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    _, finding, _ = prove(story, compilers, {"good": MISSING}, head="break")
    assert finding.recommendation.kind is ActionKind.ROLLBACK
    assert finding.rollback is not None
    assert story.name_of(finding.rollback.commit.id) == "old"
    assert [story.name_of(commit.id) for commit in finding.rollback.newer_without_image] == ["good"]


def test_the_other_button_leads_to_a_commit_with_an_image(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    incident, finding, _ = prove(story, compilers, {"good": MISSING})
    back = build_rollback_report(build_report(incident, finding))
    assert back is not None
    assert back.proof.rollback is not None
    assert story.name_of(back.proof.rollback.commit.id) == "old"
    image = dict(split_label(line) for line in build_paragraphs(back))[Label.IMAGE]
    assert story.ids["good"][:12] in image
