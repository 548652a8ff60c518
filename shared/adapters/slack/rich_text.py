"""Plain words in, elements of Slack's rich text out: its `text` elements are shown as they are and parsed by nobody.

Nothing that somebody else wrote ever becomes another element than `text`: no mention, no link, no emoji, no channel.
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

import re
from collections.abc import Sequence

from shared.domain.escaping import cut, literal, pieces

Element = dict[str, object]
Block = dict[str, object]

_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_ADDRESS = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,2000}")


def prose(text: str, longest: int) -> list[Element]:
    """One line; what stands between backticks, and what could be a commit, is shown as code."""
    return [_text(words, code=is_code) for words, is_code in pieces(cut(text, longest))]


def strong(text: str) -> Element:
    """A few words of our own, in bold."""
    return {"type": "text", "text": literal(text), "style": {"bold": True}}


def person(user: str) -> Element:
    """The name of a user, by id; what is no id is shown as text."""
    return {"type": "user", "user_id": user} if _USER.fullmatch(user) else _text(cut(user, 40), code=False)


def link(url: str, words: str) -> Element:
    """A link to an address that a trusted system gave us; what is no `https` address is shown as text."""
    if _ADDRESS.fullmatch(url):
        return {"type": "link", "url": url, "text": words}
    return _text(cut(f"{words}: {url}", 300), code=False)


def paragraph(elements: Sequence[Element]) -> Element:
    """Elements that follow one another."""
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(items: Sequence[Sequence[Element]]) -> Element:
    """A list, an item for each row of elements."""
    return {"type": "rich_text_list", "style": "bullet", "elements": [paragraph(item) for item in items]}


def block(block_id: str, parts: Sequence[Element]) -> Block:
    """Paragraphs and lists as one block."""
    return {"type": "rich_text", "block_id": block_id, "elements": list(parts)}


def _text(words: str, *, code: bool) -> Element:
    element: Element = {"type": "text", "text": literal(words)}
    return {**element, "style": {"code": True}} if code else element
