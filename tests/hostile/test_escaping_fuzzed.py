"""Random and long text is escaped for Markdown, Mermaid and Slack as what it is."""

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


def test_a_quarter_megabyte_is_taken() -> None:
    for text in ("`" * 262_144, "a" * 262_144, "#1" * 131_072, "\x1b[" * 131_072, "ab:" * 87_381, "deadbeef " * 29_127):
        assert len(escape_markdown(text)) >= len(to_one_line(text)) - 2
