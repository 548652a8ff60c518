"""Text of others in log, path, subject, author and branch: inert in the issue and in Slack, judged by parsers."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.proposal.question import build_question, build_thread_details
from shared.proposal.states import ProposalStatus
from tests.support.hostile_report import hostile_report
from tests.support.hostile_texts import HOSTILE_TEXTS
from tests.support.slack.questions import ISSUE, PROPOSAL, SERVICE
from tests.support.slack.rendering import render_details, render_message

_SHOWN_AS_TEXT = {"text", "plain_text"}
_ALIVE = re.compile(
    r"@(?!\u200b|$)"  # a mention that a client might read out of plain text
    r"|<[!@#A-Za-z]"  # one of Slack's control sequences
    r"|\w://|(?i:\bwww\.)"  # an address
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_OF_OURS = {"header", "rich_text", "rich_text_section", "rich_text_list", "actions", "button", "date"}


def test_there_are_two_hundred_different_ones() -> None:
    assert len(set(HOSTILE_TEXTS)) == len(HOSTILE_TEXTS) >= 200


def nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from nodes(each)


@pytest.mark.parametrize("payload", HOSTILE_TEXTS)
def test_hostile_text_below_the_message_stays_text(payload: str) -> None:
    blocks = render_details((*build_thread_details(hostile_report(payload)), payload))
    types = [node["type"] for node in nodes(blocks) if "type" in node]
    assert set(types) <= {"rich_text", "rich_text_section", "text"}
    assert not [node["text"] for node in nodes(blocks) if "text" in node and _ALIVE.search(node["text"])]


@pytest.mark.parametrize("payload", HOSTILE_TEXTS)
def test_hostile_text_in_slack_stays_text(payload: str) -> None:
    report = hostile_report(payload)
    message = replace(build_question(report, PROPOSAL, ISSUE), reason=payload, by=payload)
    message = replace(message, lines=(*message.lines, *build_thread_details(report)[:3], payload))
    service = replace(SERVICE, name=payload, environment=payload)
    for each in (message, replace(message, standing=ProposalStatus.DENIED)):
        sent = render_message(service, each)
        types = [node["type"] for node in nodes(sent["blocks"]) if "type" in node]
        assert set(types) <= _SHOWN_AS_TEXT | _OF_OURS | {"link"}
        assert types.count("link") == 1  # our own, to the issue
        # Slack's markup is read in the notification alone: there, `<` begins whatever is more than text.
        assert not re.search(r"[<>]", sent["text"])
        assert not re.search(r"&(?!amp;|lt;|gt;)", sent["text"])
        everything = [node["text"] for node in nodes(sent["blocks"]) if isinstance(node.get("text"), str)]
        everything = [words for words in everything if words != "Issue with the full proof"]
        assert not [words for words in [*everything, sent["text"]] if _ALIVE.search(words)]
