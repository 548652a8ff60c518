"""The issue: complete for a person, inert for GitHub, short enough to be accepted. Judged by a CommonMark parser."""

import re
from dataclasses import replace

import pytest

from shared.proof.model.recommendation import ActionKind
from shared.report.incident_status import MAX_BODY_LENGTH
from shared.report.issue.body import RECOMMENDATION_LABELS, format_issue_title, render_issue_body
from shared.report.issue.incident_details import CommitRole
from shared.report.issue.proposal import NOT_COUNTED
from shared.report.issue.section import Heading
from shared.report.report import build_report
from shared.report.timeline import EventKind, build_timeline
from shared.report.whys.why import select_five_whys
from tests.support.evidence_checker import extract_figures
from tests.support.issue_diagram import assert_diagram, extract_diagram
from tests.support.proof_samples import (
    BROKEN,
    FIRST_ATTEMPT,
    FIXING,
    HEAD,
    INTRODUCING,
    PATH,
    SECOND_ATTEMPT,
    SHAPES,
    build_sample_report,
)


def body(shape: str) -> str:
    return render_issue_body(build_sample_report(shape))


BLAME = re.compile(r"(?i)\b(?:blame|fault of|mistake|careless|should have|failed to)\b")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_every_part_of_a_post_mortem(shape: str) -> None:
    text = body(shape)
    headings = re.findall("(?m)^## (.*)$", text)
    shown = [Heading.SUMMARY, Heading.SUSPECTED, Heading.CODE, Heading.COMMITS, Heading.WHYS, Heading.PREVENTION]
    assert headings == [heading for heading in shown if heading in headings]
    assert {Heading.SUMMARY, Heading.WHYS, Heading.PREVENTION} <= set(headings)
    folded = re.findall("(?m)^<summary>([^:<]*)", text)
    assert {Heading.SYMPTOM, Heading.TIMELINE, Heading.RESOURCES, Heading.VERIFICATION, Heading.EVIDENCE} <= set(folded)
    assert folded[-1] in {Heading.EVIDENCE, Heading.UNSEEN}
    assert "provenfix:fingerprint=0123456789abcdef" in text.splitlines()[0]
    assert "None" not in text
    assert len(text) < MAX_BODY_LENGTH
    assert_diagram(extract_diagram(text))


def test_the_incident_of_the_design_is_told_from_break_to_target() -> None:
    text = body("design")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    verdicts = {
        commit.id: next(row for row in rows if row.startswith(f"| `{commit.id[:12]}`"))
        for commit in (INTRODUCING, FIRST_ATTEMPT, SECOND_ATTEMPT, FIXING)
    }
    last = {name: row.rstrip(" |").rpartition(" | ")[2] for name, row in verdicts.items()}
    assert {name: {each for each in CommitRole if each in said} for name, said in last.items()} == {
        INTRODUCING.id: {CommitRole.INTRODUCED},
        FIRST_ATTEMPT.id: {CommitRole.CLAIMS_FIX},
        SECOND_ATTEMPT.id: {CommitRole.DEPLOYED},
        FIXING.id: {CommitRole.FIX},
    }
    assert set(extract_figures(last[INTRODUCING.id])) >= {("number", "7"), ("line", "611")}
    assert set(extract_figures(last[FIRST_ATTEMPT.id])) >= {("number", "6"), ("line", "624")}
    assert set(extract_figures(last[SECOND_ATTEMPT.id])) >= {("number", "2"), ("line", "676")}
    assert f"**{RECOMMENDATION_LABELS[ActionKind.REDEPLOY]} `{HEAD.id[:12]}`" in text
    ships = next(line for line in _part(text, Heading.PROPOSAL).splitlines() if f"`{SECOND_ATTEMPT.id[:12]}`" in line)
    assert ("number", "4") in set(extract_figures(ships))
    assert f"| `{PATH}` | 19 | 12 |" in text
    assert f"| `docs/flow.png` | {NOT_COUNTED} | {NOT_COUNTED} |" in text
    assert f"> 676 |         {BROKEN.fault.text}" in text
    assert "provenfix check --python 3.11" in text


@pytest.mark.parametrize("shape", ["design", "also broken", "not corroborated", "close 1011 alone"])
def test_the_issue_shows_five_whys_and_folds_the_others(shape: str) -> None:
    selected = select_five_whys(build_sample_report(shape).whys)
    shown, fold, folded = _part(body(shape), Heading.WHYS).partition("<details>")
    assert re.findall(r"^\*\*(\d+)\. ", shown, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert shown.count("<sub>") == 6
    assert bool(fold) is bool(selected.others)
    assert folded.count("<sub>") == len(selected.others)


_MAX_SHOWN_WORDS = 1_000


def test_what_is_not_needed_to_decide_is_folded_and_nothing_is_said_twice() -> None:
    text = body("design")
    shown = re.sub(r"(?s)<details>.*?</details>", "", text)
    assert len(shown.split()) < _MAX_SHOWN_WORDS
    recommended = SHAPES["design"][1].recommendation.detail.partition(" on main")[2]
    assert text.count(recommended) == 1
    paragraphs = [line for line in shown.splitlines() if len(line) > 60]
    assert len(paragraphs) == len(set(paragraphs))


def test_the_title_names_what_fails_and_how_things_stand() -> None:
    fails = "chat-backend: SyntaxError in chat/agents_execute.py, line 676, on Python 3.11"
    titles = [
        format_issue_title(build_sample_report(shape)) for shape in ("design", "no fix", "rollback", "fix on a branch")
    ]
    assert [title for title in titles if not title.startswith(f"{fails}: ")] == []
    assert len(set(titles)) == len(titles)


def test_the_caret_stands_below_the_column() -> None:
    lines = body("design").splitlines()
    failing = next(n for n, line in enumerate(lines) if line.startswith("> 676 |"))
    assert lines[failing + 1].index("^") == lines[failing].index('f"data')


def test_the_diagram_shows_the_error_before_the_commit_that_it_comes_from() -> None:
    told = [each for each in build_timeline(build_sample_report("design")) if each.kind is not EventKind.SYMPTOM]
    order = [
        (EventKind.BREAK, INTRODUCING.id[:12], "7", False),
        (EventKind.ATTEMPT, FIRST_ATTEMPT.id[:12], "6", False),
        (EventKind.ERROR, "624", FIRST_ATTEMPT.id[:12], False),
        (EventKind.ERROR, "676", SECOND_ATTEMPT.id[:12], True),
        (EventKind.ATTEMPT, SECOND_ATTEMPT.id[:12], "2", False),
        (EventKind.FIX, FIXING.id[:12], "", False),
        (EventKind.TARGET, HEAD.id[:12], "", False),
    ]
    assert [(each.kind, each.uncommitted) for each in told] == [(kind, late) for kind, *_, late in order]
    assert all(one in each.text and two in each.text for each, (_, one, two, _) in zip(told, order, strict=True))
    diagram = extract_diagram(body("design"))
    drawn = [line.replace("<br/>", " ").replace("#58;", ":") for line in diagram]
    places = [next(n for n, line in enumerate(drawn) if each.when in line) for each in told]
    assert places == sorted(set(places))


def test_nothing_to_deploy_is_said_with_its_reason() -> None:
    text = body("close 1011 alone")
    detail = SHAPES["close 1011 alone"][1].recommendation.detail
    assert f"**{RECOMMENDATION_LABELS[ActionKind.NONE]}.** {detail} (`close_1011_without_cause`)" in text
    assert _part(text, Heading.VERIFICATION).count("\n- ") == 1
    assert _part(body("design"), Heading.VERIFICATION).count("\n- ") > 1


def test_people_are_not_the_subject() -> None:
    """Names stand in the table of commits and in the evidence, and in no sentence."""
    text = body("design")
    sentences = [line for line in text.splitlines() if "Mira Holm" in line and not line.startswith("|")]
    assert sentences == []
    assert not BLAME.search(text)


def test_a_secret_in_the_log_is_not_in_the_issue() -> None:
    whole, proof = SHAPES["design"]
    secret = "sk-ant-api03-" + "a1" * 40
    leaking = replace(whole.sightings[0], first=replace(whole.sightings[0].first, text=f"{'y' * 200} key {secret}"))
    text = render_issue_body(build_report(replace(whole, sightings=(leaking, whole.sightings[1])), proof))
    assert "a1a1a1" not in text
    assert "[redacted anthropic-key]" in text


def _part(text: str, heading: Heading) -> str:
    folded = text.partition(f"<summary>{heading}")[2].partition("\n<details>\n<summary>")[0]
    return folded or text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
