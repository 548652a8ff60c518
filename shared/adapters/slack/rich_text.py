"""Builds elements of Slack's rich text from plain words; `text` elements are shown as they are, unparsed.

Untrusted text never becomes another element than `text`: no mention, no link, no emoji, no channel.
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from shared.text.escaping import break_mentions_and_links, split_code_spans, to_one_line, truncate
from shared.text.timestamps import format_rfc3339

Element = dict[str, object]
Block = dict[str, object]

_MAX_PIECES = 40
_USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")
_GROUP_ID = re.compile(r"S[A-Z0-9]{2,20}")
_HTTPS_URL = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,2000}")


def untrusted_line(text: str, longest: int) -> list[Element]:
    """One line of at most that many characters; what is between backticks, or could be a commit, is code."""
    elements: list[Element] = []
    for words, is_code in islice(split_code_spans(truncate(text, longest)), _MAX_PIECES):
        shown = truncate(break_mentions_and_links(words), longest)
        longest -= len(shown)
        elements.append(_build_text_element(shown, code=is_code))
        if longest < 1:
            break
    return elements


def shorten_untrusted(text: str, longest: int) -> str:
    """Untrusted words on one line, cut, without mentions and links."""
    return truncate(break_mentions_and_links(to_one_line(text)), longest)


def plain_text(words: str) -> Element:
    """Text of a header, a button or a dialog, without markup and emoji."""
    return {"type": "plain_text", "text": words, "emoji": False}


def literal_text(text: str) -> Element:
    """A few words of our own, with the spaces around them."""
    return _build_text_element(text, code=False)


def inline_code(text: str) -> Element:
    """A command of one line, built from the configuration, as code: a user who copies it gets exactly these
    characters.
    """
    return _build_text_element(to_one_line(text), code=True)


def bold_text(text: str) -> Element:
    """A few words of our own, in bold."""
    return {"type": "text", "text": text, "style": {"bold": True}}


def user_mention(user: str) -> Element:
    """The name of a user, by id; what is no id is shown as text."""
    return (
        {"type": "user", "user_id": user}
        if _USER_ID.fullmatch(user)
        else literal_text(truncate(break_mentions_and_links(to_one_line(user)), 40) or "somebody")
    )


def addressee_mention(target: str) -> Element:
    """A user or a user group, by id: both are notified."""
    return {"type": "usergroup", "usergroup_id": target} if _GROUP_ID.fullmatch(target) else user_mention(target)


def date(moment: datetime) -> Element:
    """A moment, which Slack shows in the reader's own time zone; a client that cannot shows it in UTC."""
    moment = moment.replace(microsecond=0)
    return {
        "type": "date",
        "timestamp": int(moment.timestamp()),
        "format": "{date_short_pretty} at {time}",
        "fallback": format_rfc3339(moment),
    }


def link(url: str, words: str) -> Element:
    """A link to an address that a trusted system gave us; what is no `https` address is shown as text."""
    if _HTTPS_URL.fullmatch(url):
        return {"type": "link", "url": url, "text": words}
    return _build_text_element(truncate(break_mentions_and_links(to_one_line(f"{words}: {url}")), 300), code=False)


def paragraph(elements: Sequence[Element]) -> Element:
    """Elements that follow one another."""
    return {"type": "rich_text_section", "elements": list(elements)}


def bullet_list(items: Sequence[Sequence[Element]]) -> Element:
    """A list, an item for each row of elements."""
    return {"type": "rich_text_list", "style": "bullet", "elements": [paragraph(item) for item in items]}


def block(block_id: str, parts: Sequence[Element]) -> Block:
    """Paragraphs and lists as one block."""
    return {"type": "rich_text", "block_id": block_id, "elements": list(parts)}


def _build_text_element(words: str, *, code: bool) -> Element:
    element: Element = {"type": "text", "text": words}
    return {**element, "style": {"code": True}} if code else element
