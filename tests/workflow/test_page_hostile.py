"""Whatever stands in a stored text, its page has the same elements and attributes as for harmless words."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from functions.local.page import views
from functions.local.page.incident_view import IncidentList, IncidentReader, IncidentView
from functions.local.page.slack_clicks import ClickResponse
from shared.adapters.slack.interaction import build_denial_dialog
from shared.workflow.stats import compute_stats
from tests.support.harness import Harness, button_click
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.page_client import propose_on_one_machine

_OURS = frozenset(
    (
        "action_id", "at", "block_id", "callback_id", "checks", "commit", "committed_at", "confidence", "counted_at",
        "deployed_at", "evidence", "first_seen", "id", "kind", "last_seen", "schema", "seen_at", "state", "style",
        "type", "where",
    )
)  # fmt: skip
"""Keys of values that no one but us writes."""
_SHOWS = frozenset(("value", "placeholder", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "d", "viewbox"))
"""Attributes whose values are words, or the places of words in the drawing."""


class _Elements(HTMLParser):
    """Every element with its attributes; only those that show words are without their values."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple((name, None if name in _SHOWS else value) for name, value in attrs)))
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]


def elements(html: str) -> _Elements:
    read = _Elements()
    read.feed(html)
    return read


def told(value: Any, text: str) -> Any:
    """The same document, with this text wherever others could have written."""
    if isinstance(value, Mapping):
        return {key: each if key in _OURS else told(each, text) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [told(each, text) for each in value]
    return text if isinstance(value, str) else value


@pytest.fixture(scope="module")
def dossier() -> IncidentView:
    harness = Harness()
    found = IncidentReader(harness.store, harness.services).read_incident(propose_on_one_machine(harness))
    assert found is not None
    whys = [{"n": 1, "question": "x", "answer": "x", "confidence": "proven", "evidence": ["e1"]}]
    excerpt = [{"line": 6, "text": "x"}, {"line": 7, "text": "x"}]
    report = {**found.report, "whys": whys, "evidence": [{"id": "e1", "kind": "file", "ref": "x", "text": "x"}]}
    broken: Any = report["broken"]
    report["broken"] = {
        **broken,
        "excerpt": excerpt,
        "column": 1,
        "also_broken": [{"path": "x", "line": 1, "message": "x"}],
    }
    target: Any = report["target"]
    report["target"] = {**target, "ships": [{"path": "x", "added": 1, "deleted": 0}]}
    return replace(found, findings={**found.findings, "report": report})


def pages(dossier: IncidentView, text: str) -> Iterator[str]:
    record = replace(dossier.record, path=text, error_class=text, ending_why=text, service=text)
    history = [replace(step, why=text) for step in record.history]
    record = replace(record, history=tuple(history))
    findings = told(dossier.findings, text)
    issue = {**told(dossier.issue, text), "labels": [text], "body": "x", "comments": []}
    shown = views.PageState(
        token="token", people=["U1"], writable=True, acting=text, told=ClickResponse(200, text, {"reason": text}),
        dialog={"view": told(build_denial_dialog(button_click(_message(dossier))), text)}, dialog_token="t",
    )  # fmt: skip
    here = replace(dossier, record=record, findings=findings, message=told(dossier.message, text), issue=issue)
    yield views.render_incident(here, shown)
    yield views.render_incident_list(IncidentList((record,), cut=True, etag="s"), "s")
    yield views.render_times(compute_stats([record], cut=True), "s")
    yield views.render_error(404, text)


def _message(dossier: IncidentView) -> Any:
    class Bound:
        proposal = incident = commit = evidence_hash = "x"

    del dossier
    return Bound()


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_words_add_no_element_and_no_attribute(dossier: IncidentView, text: str) -> None:
    for harmless, hostile in zip(pages(dossier, "word"), pages(dossier, text), strict=True):
        expected, found = elements(harmless), elements(hostile)
        assert _without_code(found.found) == _without_code(expected.found)
        assert all(link.startswith(("/", "#", "https://")) for link in found.links)


def _without_code(found: list[Any]) -> list[Any]:
    """What stands between backticks, and what could be a commit, is shown as code; every line break is a paragraph."""
    return [each for each in found if each not in {("code", ()), ("p", ())}]
