"""`str(error)` without a class: CPython's messages by their place, and prose with such an end."""

import pytest

from shared.detection.signal import SignalKind, SkipReason
from tests.support.log_samples import classify_text, signal_in


@pytest.mark.parametrize(
    ("text", "message", "error_class"),
    [
        ("invalid syntax (quay.py, line 7)", "invalid syntax", "SyntaxError"),
        ("expected ':' (/app/ferry/quay.py, line 7)", "expected ':'", "SyntaxError"),
        ("'(' was never closed (quay.py, line 7)", "'(' was never closed", "SyntaxError"),
        ("ERROR: could not load ferry.quay: unmatched ')' (quay.py, line 7)", "unmatched ')'", "SyntaxError"),
        ("Failed to import ferry: unexpected indent (quay.py, line 7)", "unexpected indent", "IndentationError"),
        (
            "ERROR - expected an indented block after 'if' statement on line 6 (quay.py, line 7)",
            "expected an indented block after 'if' statement on line 6",
            "IndentationError",
        ),
        (
            "03:43:43,123 ERROR ferry.start: inconsistent use of tabs and spaces in indentation (quay.py, line 7)",
            "inconsistent use of tabs and spaces in indentation",
            "TabError",
        ),
        (
            "ImportError: f-string: expecting '}' (quay.py, line 7)",
            "f-string: expecting '}'",
            "SyntaxError",
        ),
        (
            "Error loading module: (unicode error) 'utf-8' codec can't decode byte 0xe9 in position 3: unexpected end "
            "of data (quay.py, line 7)",
            "(unicode error) 'utf-8' codec can't decode byte 0xe9 in position 3: unexpected end of data",
            "SyntaxError",
        ),
        ("Failed: closing parenthesis ')' does not match opening parenthesis '{' (quay.py, line 7)", "", "SyntaxError"),
        ("Failed: Missing parentheses in call to 'exec'. Did you mean exec(...)? (quay.py, line 7)", "", "SyntaxError"),
        ('{"detail": "invalid syntax (quay.py, line 7)"}', "invalid syntax", "SyntaxError"),
    ],
)  # fmt: skip
def test_message_with_its_place_is_read(text: str, message: str, error_class: str) -> None:
    found = signal_in(text)
    assert (found.kind, found.error_class, found.line) == (SignalKind.SYNTAX_ERROR, error_class, 7)
    assert found.path.endswith("quay.py")
    assert not message or found.message == message


@pytest.mark.parametrize(
    "text",
    [
        "the berth is taken (quay.py, line 7)",
        "see the rule (quay.py, line 7)",
        "cannot delete the booking (quay.py, line 7)",
        "expected a captain (quay.py, line 7)",
        "expected 'two crew members' (quay.py, line 7)",
        "invalid mooring syntax (quay.py, line 7)",
        "name 'rope' is not defined (quay.py, line 7)",
        "invalid syntax (quay.js, line 7)",
        "invalid syntax (quay.py)",
        "invalid syntax, line 7",
        "called at load (quay.py, line 7)",
    ],
)
def test_other_words_with_such_an_end_are_none(text: str) -> None:
    assert classify_text(text) is SkipReason.NO_SIGNAL


@pytest.mark.parametrize(
    "text",
    [
        "fix: invalid syntax (quay.py, line 7)",
        "The user asked why it says invalid syntax (quay.py, line 7)",
        "assistant: invalid syntax (quay.py, line 7) means that a colon is missing",
        "You have invalid syntax (quay.py, line 7)",
    ],
)
def test_sentence_that_quotes_one_is_none(text: str) -> None:
    assert isinstance(classify_text(text), SkipReason)


@pytest.mark.parametrize("name", ["psycopg2.errors.SyntaxError", "jinja2.exceptions.TemplateSyntaxError"])
def test_error_of_another_class_stays_one(name: str) -> None:
    assert isinstance(classify_text(f"{name}: invalid syntax (quay.py, line 7)"), SkipReason)


def test_class_and_message_on_lines_of_their_own_are_one() -> None:
    found = signal_in("SyntaxError\ninvalid syntax (quay.py, line 7)")
    assert (found.kind, found.path, found.line) == (SignalKind.SYNTAX_ERROR, "quay.py", 7)


def test_undeclared_encoding_names_its_place_in_the_message() -> None:
    page = "https://peps.python.org/pep-0263/"
    place = "in file /app/quay.py on line 7, but no encoding declared"
    message = f"Non-UTF-8 code starting with '\\xe9' {place}; see {page} for details"
    for text in (f"SyntaxError: {message}", f"ERROR: could not start: SyntaxError: {message}"):
        found = signal_in(text)
        assert (found.kind, found.path, found.line) == (SignalKind.SYNTAX_ERROR, "/app/quay.py", 7)
        assert found.message == message
