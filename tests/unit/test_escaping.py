"""Escaping: inert for its target, and otherwise what it was. The whole body is judged in test_issue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from shared.text.escaping import (
    ZERO_WIDTH_SPACE,
    escape_markdown,
    escape_mermaid,
    escape_table_cell,
    format_code_block,
    format_code_span,
    strip_invisible,
    to_one_line,
    truncate,
)

GITHUB = MarkdownIt("gfm-like", {"linkify": False}).enable("table")
TEXT = st.text(alphabet=st.sampled_from("`*_[]()<>!#@&|\\~-+=.:/ ab1\n\t$\u202e\u200b\x1b"), max_size=60)


def seen(markdown: str) -> str:
    """The words that a reader of the rendered line sees."""
    inline = GITHUB.parseInline(markdown)[0].children or []
    return "".join(token.content for token in inline)


@given(TEXT)
def test_prose_is_shown_as_it_was(text: str) -> None:
    shown = seen(escape_markdown(text)).replace(ZERO_WIDTH_SPACE, "")
    assert shown.replace("`", "").replace(" ", "") == to_one_line(text).replace("`", "").replace(" ", "")


@given(TEXT)
def test_prose_is_one_paragraph_of_text(text: str) -> None:
    tokens = GITHUB.parse(escape_markdown(text))
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    assert {child.type for token in tokens for child in token.children or ()} <= {"text", "code_inline", "text_special"}


@given(TEXT)
def test_a_code_span_is_one_code_span(text: str) -> None:
    children = GITHUB.parseInline(format_code_span(text))[0].children or []
    assert [child.type for child in children] == ["code_inline"]
    assert children[0].content.replace(ZERO_WIDTH_SPACE, "").strip() == to_one_line(text)


@given(TEXT, st.text(max_size=10))
def test_a_code_block_is_one_fence(text: str, language: str) -> None:
    tokens = GITHUB.parse(format_code_block(text, language))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content.replace(ZERO_WIDTH_SPACE, "").strip("\n") == strip_invisible(text).strip("\n")


@given(st.lists(TEXT, min_size=2, max_size=2))
def test_a_cell_is_one_cell(texts: list[str]) -> None:
    cells = [escape_table_cell(escape_markdown(texts[0])), escape_table_cell(format_code_span(texts[1]))]
    tokens = GITHUB.parse(f"| a | b |\n| --- | --- |\n| {cells[0]} | {cells[1]} |\n")
    assert sum(token.type == "td_open" for token in tokens) == 2


@given(st.text(max_size=100))
def test_words_of_a_diagram_hold_no_syntax(text: str) -> None:
    assert not set(escape_mermaid(text)) & set(':"<>{}[]|%\\`\n\r&*~=^$!?')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "link"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("e\u202ef\u200bg\ufeffh\x00i\x9bj", "efghij"),
        ("lone \udc80 surrogate", "lone \ufffd surrogate"),
        ("tab\tstays, ünïcode and 日本 too", "tab\tstays, ünïcode and 日本 too"),
    ],
)
def test_only_what_can_be_seen_is_left(text: str, shown: str) -> None:
    assert strip_invisible(text) == shown


def test_a_commit_id_can_be_copied_and_is_not_linked() -> None:
    assert escape_markdown("see deadbeef1 there") == "see `deadbeef1` there"


def test_names_and_times_stay_readable_in_the_source() -> None:
    text = "agents_execute.py, line 676, at 2026-03-01T03:43:43Z on Python 3.11 (PEP 701)"
    assert escape_markdown(text) == text


def test_what_is_cut_says_so() -> None:
    assert truncate("a long sentence", 7) == "a long…"
    assert truncate("short", 7) == "short"


def test_a_quarter_megabyte_is_taken() -> None:
    for text in ("`" * 262_144, "a" * 262_144, "#1" * 131_072, "\x1b[" * 131_072, "ab:" * 87_381, "deadbeef " * 29_127):
        assert len(escape_markdown(text)) >= len(to_one_line(text)) - 2
