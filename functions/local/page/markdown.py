"""Renders an issue's body as HTML that may be in the page.

markdown-it parses, nh3 sanitises: what reaches the page is text, tables, folded sections and https links, each element
closed inside the issue. Raw HTML is shown as text, except what our own issues use of it: `<sub>` and a folded section.
Comments, which carry our markers, are not shown, and images are not loaded.
"""

import re
from collections.abc import MutableMapping, Sequence
from functools import cache, lru_cache
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from shared.text.escaping import strip_invisible

_COMMENTS = re.compile(r"<!--(?:[^-]|-(?!->))*+(?:-->\s*|\Z)")
_SHOWN_TAG = re.compile(r"<(?!/?(?:details|summary|sub)>)")
"""Where a tag begins that is shown as text."""
_TASK_BOXES = {"[ ] ": "\N{BALLOT BOX} ", "[x] ": "\N{BALLOT BOX WITH CHECK} "}
_HEADING_OFFSET = 2
"""The page has headings of its own above an issue's."""
_MAX_HEADING = 6
_TAGS = frozenset(
    (
        "a", "blockquote", "br", "code", "details", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
        "s", "strong", "sub", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
    )
)  # fmt: skip
_SCROLLABLE = {"tabindex": "0"}
"""What is wider than the page can be scrolled by keyboard."""


class _Renderer(RendererHTML):
    """What differs from the renderer of CommonMark."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """The same as a paragraph, where nothing but text is left."""
        html = self.html_inline(tokens, idx, options, env).strip()
        return f"<p>{html}</p>\n" if html and "<" not in html else f"{html}\n"

    def html_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Leaves comments out, and turns all but a few tags into text."""
        del options, env
        return _SHOWN_TAG.sub("&lt;", _COMMENTS.sub("", tokens[idx].content))

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """A diagram is folded and labelled: the page draws the same events itself."""
        del options, env
        token = tokens[idx]
        code = f"<pre><code>{escape(token.content)}</code></pre>\n"
        if token.info.strip() != "mermaid":
            return code
        return f"<details><summary>Diagram, as its Mermaid source</summary>{code}</details>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Inside a box that scrolls."""
        del tokens, idx, options, env
        return '<div class="wide"><table>\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """The end of both."""
        del tokens, idx, options, env
        return "</table></div>\n"


@lru_cache(maxsize=64)
def render_markdown(text: str) -> Markup:
    """Cached: nothing else of a page takes as long, and nothing changes as seldom. A body has at most 64 KB."""
    parser, cleaner = _create_parser(), _create_cleaner()
    tokens = parser.parse(strip_invisible(text))
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(_MAX_HEADING, int(token.tag[1:]) + _HEADING_OFFSET)}"
    for opening, inside, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "list_item_open" and closing.type == "inline":
            _draw_task_box(closing)
        if opening.type == "th_open" and not inside.content:  # a header without text is an ordinary cell
            opening.tag = closing.tag = "td"
    html: str = parser.renderer.render(tokens, parser.options, {})
    return Markup(cleaner.clean(html))  # noqa: S704  # sanitised


def _draw_task_box(item: Token) -> None:
    """As GitHub draws it; nobody can tick it here."""
    first = item.children[0] if item.children else None
    if first is not None and first.content[:4].lower() in _TASK_BOXES:
        first.content = _TASK_BOXES[first.content[:4].lower()] + first.content[4:]


def _is_https(url: str) -> bool:
    return url.lower().startswith("https://")


@cache
def _create_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.validateLink = _is_https  # type: ignore[method-assign]  # what is no link stays as it was written
    return parser


@cache
def _create_cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        allowed_classes={"div": {"wide"}},
        set_tag_attribute_values={"pre": _SCROLLABLE, "div": _SCROLLABLE},
        url_schemes={"https"},
        url_relative="deny",
        link_rel="noreferrer nofollow",
    )
