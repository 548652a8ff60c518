"""Sentences that speak of a syntax error are no signal; Python's own last line behind a logger's words is one."""

import pytest

from shared.detection.logged_exception import Frame, LoggedException, parse_exceptions
from shared.detection.signal import SignalKind, SkipReason
from tests.support.log_samples import TRACEBACK, classify_text, signal_in

PYTHONS_WORDS = "SyntaxError: invalid syntax (quay.py, line 7)"


@pytest.mark.parametrize(
    "text",
    [
        f"fix: {PYTHONS_WORDS}",
        f"Deploying 3f2a91c: fix {PYTHONS_WORDS}",
        f"deployed ferry-00042 with commit: hotfix for {PYTHONS_WORDS}",
        f"model: {PYTHONS_WORDS}",
        f'assistant replied: "{PYTHONS_WORDS}"',
        f"INFO chat: user asked: what does {PYTHONS_WORDS} mean?",
        f"Your import fails with a {PYTHONS_WORDS}. Close the bracket.",
        f"The error was {PYTHONS_WORDS} and it is gone.",
        f"ERROR ticket 12: {PYTHONS_WORDS}",
        f"Uncaught exception: {PYTHONS_WORDS} was seen by a customer last week",
        f"The answer of the model:\n{PYTHONS_WORDS}\n",
        'Revert "SyntaxError: invalid syntax (quay.py, line 7)"',
        "SyntaxError in quay.py line 7 was mended",
        'the tool printed File "/app/quay.py", line 7 and then SyntaxError: invalid syntax',
        "the reviewer said SyntaxError('invalid syntax', ('/app/quay.py', 3, 5, 'x', 3, 6))",
    ],
)
def test_a_sentence_about_an_error_is_no_signal(text: str) -> None:
    assert classify_text(text) in {SkipReason.ONLY_MENTIONED, SkipReason.NO_FAILING_FILE}


@pytest.mark.parametrize(
    "before",
    [
        "",
        "Uncaught exception: ",
        "unhandled exception: ",
        "ERROR:root:",
        "ERROR:    ",
        "[ERROR] ",
        "2026-03-01 03:43:43,120 ERROR ferry.main: ",
        "2026-03-01 03:43:43.120 | ERROR    | ferry.main:run:12 - could not start: ",
        "[2026-03-01 03:43:43 +0000] [12] [ERROR] Exception in worker process: ",
        "Failed to import the routes: ",
        'Error loading ASGI app. Could not import module "main": ',
        "web-1  | ",
        "startup: ",
        "first\n",
        "builtins.",
    ],
)
@pytest.mark.parametrize("after", ["", "\n", "; closing", "."])
def test_python_s_own_line_behind_a_logger_s_words_is_one(before: str, after: str) -> None:
    found = signal_in(before + PYTHONS_WORDS + after)
    assert (found.kind, found.path, found.line) == (SignalKind.SYNTAX_ERROR, "quay.py", 7)


def test_a_traceback_counts_whoever_quotes_it() -> None:
    assert signal_in(f"agent failed\n{TRACEBACK}").kind is SignalKind.SYNTAX_ERROR


ASGI = """\
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/usr/local/lib/python3.11/site-packages/uvicorn/protocols/websockets/websockets_impl.py", line 243, in run_asgi
    result = await self.app(self.scope, self.asgi_receive, self.asgi_send)
  File "/app/ferry/berths.py", line 5, in berth
    return os.enviorn.get("BERTH")
           ^^^^^^^^^^
AttributeError: module 'os' has no attribute 'enviorn'
"""


def test_a_traceback_s_exception_with_its_deepest_own_frame() -> None:
    [found] = parse_exceptions(ASGI)
    assert (found.error_class, found.message) == ("AttributeError", "module 'os' has no attribute 'enviorn'")
    assert found.location == Frame("/app/ferry/berths.py", 5, "berth")


def test_frames_of_packages_alone_give_the_deepest() -> None:
    text = ASGI.replace("/app/ferry/", "/usr/local/lib/python3.11/site-packages/ferry/")
    assert parse_exceptions(text)[0].location == Frame(
        "/usr/local/lib/python3.11/site-packages/ferry/berths.py", 5, "berth"
    )


def test_a_chain_ends_with_what_was_not_caught() -> None:
    text = ASGI + "\nDuring handling of the above exception, another exception occurred:\n\n"
    text += "Traceback (most recent call last):\n"
    text += '  File "/app/ferry/main.py", line 9, in go\n    berth()\nferry.errors.Full\n'
    assert [each.error_class for each in parse_exceptions(text)] == ["AttributeError", "ferry.errors.Full"]


def test_lines_of_an_exception_group_are_read() -> None:
    text = "\n".join("  | " + line for line in ASGI.splitlines()[1:])
    assert (
        parse_exceptions("  + Exception Group Traceback (most recent call last):\n" + text)[0].error_class
        == "AttributeError"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Uncaught exception: KeyError: 'berth'", LoggedException("KeyError", "'berth'")),
        ("websockets.exceptions.ConnectionClosedError: received 1011", None),
        ("the user asked about a KeyError: 'berth'", None),
        ("fix: KeyError: 'berth'", None),
        ("all aboard", None),
        ("    raise KeyError: 3", None),
    ],
)
def test_one_line_of_an_exception_is_read(text: str, expected: LoggedException | None) -> None:
    found = parse_exceptions(text)
    if expected is None and text.startswith("websockets"):
        assert found[0].error_class == "websockets.exceptions.ConnectionClosedError"
    else:
        assert list(found) == ([expected] if expected else [])
