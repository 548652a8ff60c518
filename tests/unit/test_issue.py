"""The issue: complete for a person, inert for GitHub, short enough to be accepted. Judged by a CommonMark parser."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from shared.proof.model.finding import ActionKind
from shared.proof.model.history import FileChange
from shared.report.issue import MAX_BODY_LENGTH, format_issue_title, render_issue_body
from shared.report.issue.incident_details import CommitRole
from shared.report.issue.proposal import NOT_COUNTED
from shared.report.issue.section import TRUNCATION_NOTE, Heading
from shared.report.issue.summary import RECOMMENDATION_LABELS
from shared.report.report import build_report
from shared.report.timeline import EventKind, build_timeline
from shared.report.whys import select_five_whys
from shared.text.escaping import ZERO_WIDTH_SPACE
from shared.text.escaping import strip_invisible as visible
from tests.support.evidence_checker import extract_figures
from tests.support.hostile_report import GITHUB_MARKDOWN, assert_text_is_inert, hostile_report, markdown_tokens
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.links import build_links
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
LINKS = build_links({INTRODUCING.id: 12, FIXING.id: 17, HEAD.id: 19})
OURS = re.compile(
    r"https://github\.com/(?:nora-k|acme/chat/(?:commit/\w+|compare/\w+\.\.\.\w+|blob/\w+/[\w.~/%-]+(?:#L\d+(?:-L\d+)?)?))"
    r"|https://redirect\.github\.com/acme/chat/pull/\d+"
    r"|https://console\.cloud\.google\.com/logs/query;query=[\w.~%-]+\?project=acme-prod"
)
"""The only addresses that a body may lead to."""
TAGS = re.compile(
    r"</?sub>|<details>\n<summary>(?:\d+ items, cited by their numbers above|Further questions)</summary>|</details>"
)


@pytest.mark.parametrize("payload", HOSTILE_TEXTS)
def test_text_of_others_is_inert(payload: str) -> None:
    assert_inert(render_issue_body(hostile_report(payload)), leads=False)
    assert_inert(render_issue_body(hostile_report(payload), LINKS), leads=True)


def assert_inert(text: str, *, leads: bool) -> None:
    found = list(markdown_tokens(text))
    assert not [token for token in found if token.type == "image"]
    addresses = [str(token.attrs["href"]) for token in found if token.type == "link_open"]
    assert [address for address in addresses if not OURS.fullmatch(address)] == []
    assert bool(addresses) is leads
    html = [token.content.strip() for token in found if token.type in {"html_block", "html_inline"}]
    assert [tag for tag in html[1:] if not TAGS.fullmatch(tag)] == []
    assert re.fullmatch(r"<!-- provenfix:fingerprint=\w+ -->", html[0])
    assert_text_is_inert(text, found)


@pytest.mark.parametrize("payload", HOSTILE_TEXTS)
def test_text_of_others_does_not_change_the_structure(payload: str) -> None:
    harmless = "harmless" if visible(payload).strip() else "\u2060"
    plain, attacked = (_outline(render_issue_body(hostile_report(each), LINKS)) for each in (harmless, payload))
    assert attacked == plain


@pytest.mark.parametrize("payload", HOSTILE_TEXTS)
def test_the_diagram_keeps_its_syntax(payload: str) -> None:
    _assert_diagram(_diagram(render_issue_body(hostile_report(payload))))


@pytest.mark.parametrize("payload", HOSTILE_TEXTS)
def test_a_title_is_one_plain_line(payload: str) -> None:
    title = format_issue_title(hostile_report(payload))
    assert title.isprintable() or ZERO_WIDTH_SPACE in title
    assert "\n" not in title
    assert len(title) < 256
    assert not re.search(r"@(?!\u200b)|#(?!\u200b)|`", title)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_every_part_of_a_post_mortem(shape: str) -> None:
    text = body(shape)
    headings = re.findall("(?m)^## (.*)$", text)
    wanted = [
        Heading.SUMMARY, Heading.SYMPTOM, Heading.TIMELINE, Heading.LOG, Heading.RESOURCES, Heading.WHYS,
        Heading.PROPOSAL, Heading.PREVENTION,
    ]  # fmt: skip
    assert [heading for heading in headings if heading in wanted] == [
        heading for heading in wanted if heading != Heading.LOG or heading in headings
    ]
    assert headings[-1] in {Heading.EVIDENCE, Heading.UNSEEN}
    assert "provenfix:fingerprint=0123456789abcdef" in text.splitlines()[0]
    assert "None" not in text
    assert len(text) < MAX_BODY_LENGTH
    _assert_diagram(_diagram(text))


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
    diagram = _diagram(body("design"))
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


def test_a_body_that_would_be_too_long_loses_whole_blocks_and_says_so() -> None:
    whole, proof = SHAPES["design"]
    many = tuple(replace(each, text=f"{n} {'x' * 280}") for n in range(150) for each in whole.symptoms[:1])
    files = tuple(FileChange(f"{'d' * 150}/{n}.py", 1, 1) for n in range(500))
    assert proof.target is not None
    report = build_report(
        replace(whole, symptoms=many, sightings=whole.sightings * 20),
        replace(proof, target=replace(proof.target, shipped_changes=files), attempts=proof.attempts * 60),
    )
    for text in (render_issue_body(report), render_issue_body(report, LINKS)):
        _assert_cut_by_whole_blocks(text)


def _assert_cut_by_whole_blocks(text: str) -> None:
    assert 40_000 < len(text) < MAX_BODY_LENGTH - 5_000  # room for the part that is edited
    assert TRUNCATION_NOTE in text
    assert text.count("\n```") % 2 == 0
    assert all(token.markup for token in GITHUB_MARKDOWN.parse(text) if token.type == "fence")
    assert text.count("<details>") == text.count("</details>")
    assert "## Proposal" in text
    assert "## Five whys" in text


def test_a_secret_in_the_log_is_not_in_the_issue() -> None:
    whole, proof = SHAPES["design"]
    secret = "sk-ant-api03-" + "a1" * 40
    leaking = replace(whole.sightings[0], first=replace(whole.sightings[0].first, text=f"{'y' * 200} key {secret}"))
    text = render_issue_body(build_report(replace(whole, sightings=(leaking, whole.sightings[1])), proof))
    assert "a1a1a1" not in text
    assert "[redacted anthropic-key]" in text


def _part(text: str, heading: Heading) -> str:
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def _outline(text: str) -> list[tuple[str, str]]:
    """Blocks of the whole document, without their words."""
    return [(token.type, token.tag) for token in GITHUB_MARKDOWN.parse(text) if token.type != "inline"]


def _diagram(text: str) -> list[str]:
    return next(token.content for token in GITHUB_MARKDOWN.parse(text) if token.info == "mermaid").splitlines()


def _assert_diagram(lines: list[str]) -> None:
    """The part of Mermaid's grammar for sequence diagrams that is used, with nothing but words where words belong."""
    words = r"(?:[\w .,/()+'-]|@\u200b|#\d+;|<br/>)+"
    statement = rf"    (?:title {words}|participant [RSC] as {words}|Note over [RS]: {words}|S--xC: {words})"
    assert lines[0] == "sequenceDiagram"
    assert [line for line in lines[1:] if not re.fullmatch(statement, line)] == []
    declared = [line.split()[1] for line in lines if line.startswith("    participant")]
    assert all(a < b or (a, b) == ("R", "S") or b == "C" for a, b in pairwise(declared))
    assert "C" in declared or not any("--xC" in line for line in lines)
