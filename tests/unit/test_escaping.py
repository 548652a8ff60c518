"""Escaping: inert for its target, and otherwise what it was. The whole body is judged in test_issue."""

import pytest

from shared.text.escaping import (
    escape_markdown,
    strip_invisible,
    truncate,
)


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
