"""An issue's body as GitHub would show it: Markdown in, HTML out in which nothing but text, tables and links is left.

Raw HTML is shown as text, but for what our own issues use of it and GitHub allows: `<sub>`, and a folded section, where
they are closed as they were opened. Comments, which carry our markers, are not shown. Images are not loaded; a link
leads to an https address or is none.
"""

import re
from collections.abc import Callable, MutableMapping, Sequence
from functools import cache, lru_cache
from html import escape, unescape
from itertools import accumulate
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from shared.text.escaping import strip_invisible

_COMMENTS = re.compile(r"<!--(?:[^-]|-(?!->))*+(?:-->\s*|\Z)")
_FOLDED = re.compile(r"\s*<details>\s*<summary>([^<>]*)</summary>\s*")
_UNFOLDED = re.compile(r"\s*</details>\s*")
_TASK_BOXES = {"[ ] ": "\N{BALLOT BOX} ", "[x] ": "\N{BALLOT BOX WITH CHECK} "}
_ALLOWED_HTML = "allowed"
"""What is noted of a piece of HTML that may stay: the whole of what is written instead of it."""
_HEADING_OFFSET = 2
"""The page has headings of its own above an issue's."""
_MAX_HEADING = 6


class _Renderer(RendererHTML):
    """What differs from the renderer of CommonMark."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """As text; comments not at all."""
        del options, env
        if _ALLOWED_HTML in tokens[idx].meta:
            return str(tokens[idx].meta[_ALLOWED_HTML])
        left = _COMMENTS.sub("", tokens[idx].content).strip()
        return f"<p>{escape(left)}</p>\n" if left else ""

    def html_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """As text; comments not at all."""
        del options, env
        if _ALLOWED_HTML in tokens[idx].meta:
            return str(tokens[idx].meta[_ALLOWED_HTML])
        return escape(_COMMENTS.sub("", tokens[idx].content))

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Can be scrolled by keyboard. A diagram says that it is one: the page draws the same events itself."""
        del options, env
        token = tokens[idx]
        code = f'<pre tabindex="0"><code>{escape(token.content)}</code></pre>\n'
        if token.info.strip() != "mermaid":
            return code
        return f"<details><summary>Diagram, as its Mermaid source</summary>{code}</details>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Can be scrolled by keyboard."""
        del tokens, idx, options, env
        return '<div class="wide" tabindex="0"><table>\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """The reverse."""
        del tokens, idx, options, env
        return "</table></div>\n"


@lru_cache(maxsize=64)
def render_markdown(text: str) -> Markup:
    """Safe to be placed in a page. Kept: nothing else of a page takes as long, and nothing changes as seldom."""
    parser = _create_parser()
    tokens = parser.parse(strip_invisible(text))
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(_MAX_HEADING, int(token.tag[1:]) + _HEADING_OFFSET)}"
        if token.type == "inline":
            _restrict_links(token)
            _allow_balanced([child for child in token.children or () if child.type == "html_inline"], _read_sub)
    _allow_balanced([token for token in tokens if token.type == "html_block"], _read_details)
    for opened, inside, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "list_item_open" and closed.type == "inline":
            _draw_task_box(closed)
        if opened.type == "th_open" and not inside.content:  # a heading that says nothing is none
            opened.tag = closed.tag = "td"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704  # every text in it is escaped


def _draw_task_box(item: Token) -> None:
    """A task's box, as GitHub draws it: nobody can tick it here."""
    first = item.children[0] if item.children else None
    if first is not None and first.content[:4].lower() in _TASK_BOXES:
        first.content = _TASK_BOXES[first.content[:4].lower()] + first.content[4:]


def _allow_balanced(pieces: Sequence[Token], read_tag: Callable[[str], tuple[int, str]]) -> None:
    """Only where all of them are closed as they were opened: nothing else of the page may end up inside."""
    read = [read_tag(piece.content) for piece in pieces]
    depths = list(accumulate(step for step, _ in read))
    if depths and min(depths) >= 0 and depths[-1] == 0:
        for piece, (_, shown) in zip(pieces, read, strict=True):
            piece.meta |= {_ALLOWED_HTML: shown} if shown else {}


def _read_sub(html: str) -> tuple[int, str]:
    """By how much deeper it leads, and how it is written; "" for what is not allowed."""
    return {"<sub>": (1, "<sub>"), "</sub>": (-1, "</sub>")}.get(html, (0, ""))


def _read_details(html: str) -> tuple[int, str]:
    """The same for a block: `<details>` with its summary, or its end."""
    opened = _FOLDED.fullmatch(html)
    if opened:
        return 1, f"<details><summary>{escape(unescape(opened[1]))}</summary>\n"
    return (-1, "</details>\n") if _UNFOLDED.fullmatch(html) else (0, "")


def _restrict_links(inline: Token) -> None:
    for token in inline.children or ():
        if token.type == "link_open":
            token.attrSet("rel", "noreferrer nofollow")


def _is_https(url: str) -> bool:
    return url.lower().startswith("https://")


@cache
def _create_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.validateLink = _is_https  # type: ignore[method-assign]  # as its documentation has it
    return parser
