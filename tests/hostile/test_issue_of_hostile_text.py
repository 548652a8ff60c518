"""Hostile text in an issue is inert, keeps its structure and its diagram, and fits its length."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import pytest
from markdown_it.token import Token

from shared.proof.model.history import FileChange
from shared.report.incident_status import MAX_BODY_LENGTH
from shared.report.issue.body import format_issue_title, render_issue_body
from shared.report.issue.section import TRUNCATION_NOTE, Heading
from shared.report.report import Report, build_report
from shared.text.escaping import ZERO_WIDTH_SPACE
from shared.text.escaping import strip_invisible as visible
from tests.support.hostile_report import GITHUB_MARKDOWN, assert_text_is_inert, hostile_report, list_all_tokens
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.issue_diagram import assert_diagram, extract_diagram
from tests.support.links import build_links
from tests.support.proof_samples import (
    FIXING,
    HEAD,
    INTRODUCING,
    SHAPES,
)

LINKS = build_links({INTRODUCING.id: 12, FIXING.id: 17, HEAD.id: 19})


OURS = re.compile(
    r"https://github\.com/(?:nora-k|acme/chat/(?:commit/\w+|compare/\w+\.\.\.\w+|blob/\w+/[\w.~/%-]+(?:#L\d+(?:-L\d+)?)?))"
    r"|https://redirect\.github\.com/acme/chat/pull/\d+"
    r"|https://console\.cloud\.google\.com/logs/query;query=[\w.~%-]+\?project=acme-prod"
)
"""The only addresses that a body may lead to."""


_FOLDED = "|".join((*Heading, "Further questions"))
TAGS = re.compile(
    rf"</?sub>|<details>\n<summary>(?:{_FOLDED})(?:: \d+ items, cited by their numbers above)?</summary>|</details>"
)


@dataclass(frozen=True)
class Written:
    """A body and what GitHub makes of it, read once for all tests."""

    text: str

    @cached_property
    def tokens(self) -> Sequence[Token]:
        return GITHUB_MARKDOWN.parse(self.text)

    def list_blocks(self) -> list[tuple[str, str]]:
        """Blocks of the whole document, without their words."""
        return [(token.type, token.tag) for token in self.tokens if token.type != "inline"]


@dataclass(frozen=True)
class HostileIssue:
    """An issue with one payload in all places."""

    payload: str
    report: Report
    plain: Written
    linked: Written


@pytest.fixture(scope="module", params=HOSTILE_TEXTS)
def issue(request: pytest.FixtureRequest) -> HostileIssue:
    """All tests of one payload follow each other, so that one issue is held at a time."""
    report = hostile_report(request.param)
    bodies = (render_issue_body(report), render_issue_body(report, LINKS))
    return HostileIssue(request.param, report, *map(Written, bodies))


def test_text_of_others_is_inert(issue: HostileIssue) -> None:
    assert_inert(issue.plain, leads=False)
    assert_inert(issue.linked, leads=True)


def assert_inert(body: Written, *, leads: bool) -> None:
    found = list(list_all_tokens(body.tokens))
    assert not [token for token in found if token.type == "image"]
    addresses = [str(token.attrs["href"]) for token in found if token.type == "link_open"]
    assert [address for address in addresses if not OURS.fullmatch(address)] == []
    assert bool(addresses) is leads
    html = [token.content.strip() for token in found if token.type in {"html_block", "html_inline"}]
    assert [tag for tag in html[1:] if not TAGS.fullmatch(tag)] == []
    assert re.fullmatch(r"<!-- provenfix:fingerprint=\w+ -->", html[0])
    assert_text_is_inert(body.text, found)


def test_text_of_others_does_not_change_the_structure(issue: HostileIssue) -> None:
    harmless = "harmless" if visible(issue.payload).strip() else "\u2060"
    assert issue.linked.list_blocks() == _list_blocks_of_harmless(harmless)


@cache
def _list_blocks_of_harmless(payload: str) -> list[tuple[str, str]]:
    return Written(render_issue_body(hostile_report(payload), LINKS)).list_blocks()


def test_the_diagram_keeps_its_syntax(issue: HostileIssue) -> None:
    assert_diagram(extract_diagram(issue.plain.text))


def test_a_title_is_one_plain_line(issue: HostileIssue) -> None:
    title = format_issue_title(issue.report)
    assert title.isprintable() or ZERO_WIDTH_SPACE in title
    assert "\n" not in title
    assert len(title) < 256
    assert not re.search(r"@(?!\u200b)|#(?!\u200b)|`", title)


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
    assert f"<summary>{Heading.PROPOSAL}</summary>" in text
    assert "## Five whys" in text
