"""CPython's own messages: no other language's pattern swallows them, and nothing else is taken for one."""

import pytest

from shared.detection.cpython_messages import find_cpython_error_class
from shared.detection.signal import SignalKind, SkipReason
from tests.support.log_samples import classify_text, signal_in


@pytest.mark.parametrize(
    "message",
    [
        "(unicode error) 'utf-8' codec can't decode byte 0xe9 in position 3: unexpected end of data",
        "(unicode error) 'unicodeescape' codec can't decode bytes in position 2-3: truncated \\UXXXXXXXX escape",
        "unterminated string literal (detected at line 7)",
        "Missing parentheses in call to 'print'. Did you mean print(...)?",
        "unexpected EOF while parsing",
        "unexpected character after line continuation character",
        "invalid character '，' (U+FF0C)",
    ],
)
def test_no_message_of_cpython_is_javascript(message: str) -> None:
    """Alone, as the last line of a traceback that comes line by line, it waits for its file."""
    assert classify_text(f"SyntaxError: {message}") is SkipReason.NO_FAILING_FILE


@pytest.mark.parametrize("message", ["Unexpected end of input", "Unexpected token '<'", "Invalid or unexpected token"])
def test_messages_of_javascript_still_are(message: str) -> None:
    assert signal_in(f"SyntaxError: {message}").kind is SignalKind.NOT_PYTHON
    assert find_cpython_error_class(message) == ""


@pytest.mark.parametrize(
    "text", ["", "\n", "x" * 10_000, "'" * 400, "expected '" * 40, "name '" * 60, "f-string: " * 40]
)
def test_strange_messages_are_none(text: str) -> None:
    assert find_cpython_error_class(text) == ""
