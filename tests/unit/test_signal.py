"""Every shape in which a log shows a syntax error, one test each, named after it."""

import pytest

from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from tests.support.log_samples import LINE_624, TRACEBACK, classify_text, signal_in


def shown(found: Signal) -> tuple[SignalKind, str, str, int | None]:
    return found.kind, found.error_class, found.path, found.line


IN_TIMETABLE = (SignalKind.SYNTAX_ERROR, "SyntaxError", "/app/ferry/timetable.py", 88)


def test_whole_traceback_is_read() -> None:
    found = signal_in(TRACEBACK)
    assert shown(found) == IN_TIMETABLE
    assert found.message == "unterminated string literal (detected at line 88)"
    assert found.source_text == 'yield f"data: {json.dumps({'
    assert found.python == "3.11"


def test_one_liner_with_a_bare_file_name_is_read() -> None:
    found = signal_in(LINE_624)
    assert shown(found) == (SignalKind.SYNTAX_ERROR, "SyntaxError", "agents_execute.py", 624)
    assert found.message == "unterminated string literal (detected at line 624)"


@pytest.mark.parametrize(
    ("text", "message", "path"),
    [
        ("SyntaxError: unmatched ')' (quay.py, line 7)", "unmatched ')'", "quay.py"),
        ("SyntaxError: '(' was never closed (quay.py, line 7)", "'(' was never closed", "quay.py"),
        ("SyntaxError: invalid syntax (quay (copy).py, line 7)", "invalid syntax", "quay (copy).py"),
        ("SyntaxError: invalid syntax (my quay.py, line 7)", "invalid syntax", "my quay.py"),
    ],
)
def test_one_liner_with_own_parentheses_is_read(text: str, message: str, path: str) -> None:
    found = signal_in(text)
    assert (found.message, found.path, found.line) == (message, path, 7)


@pytest.mark.parametrize("error_class", ["SyntaxError", "IndentationError", "TabError"])
def test_each_error_class_is_kept(error_class: str) -> None:
    assert signal_in(f"{error_class}: wrong (quay.py, line 7)").error_class == error_class


def test_repr_of_an_error_is_read() -> None:
    text = """failed: SyntaxError('unmatched \\')\\'', ('/app/quay.py', 3, 5, 'return a)\\n', 3, 6))"""
    found = signal_in(text)
    assert shown(found) == (SignalKind.SYNTAX_ERROR, "SyntaxError", "/app/quay.py", 3)
    assert (found.message, found.source_text) == ("unmatched ')'", "return a)")


def test_repr_without_source_is_read() -> None:
    found = signal_in(
        """(<class 'SyntaxError'>, SyntaxError("it's bad", ('/app/quay.py', 3, 5, None)), <traceback at 0x7f>)"""
    )
    assert shown(found) == (SignalKind.SYNTAX_ERROR, "SyntaxError", "/app/quay.py", 3)


def test_builtins_prefix_is_ignored() -> None:
    assert signal_in("builtins.SyntaxError: invalid syntax (quay.py, line 7)").path == "quay.py"


def test_location_in_prose_is_read() -> None:
    found = signal_in("SyntaxError: f-string: unmatched '(' in /app/ferry/routes.py line 658")
    assert shown(found) == (SignalKind.SYNTAX_ERROR, "SyntaxError", "/app/ferry/routes.py", 658)
    assert found.message == "f-string: unmatched '('"


def test_windows_line_ends_are_read() -> None:
    assert shown(signal_in(TRACEBACK.replace("\n", "\r\n"))) == IN_TIMETABLE


def test_traceback_joined_to_one_line_is_read() -> None:
    found = signal_in(" ".join(TRACEBACK.split()))
    assert shown(found) == IN_TIMETABLE
    assert found.source_text == 'yield f"data: {json.dumps({'


def test_exception_group_gutter_is_stripped() -> None:
    text = "\n".join("  | " + line for line in TRACEBACK.splitlines())
    found = signal_in("  + Exception Group Traceback (most recent call last):\n" + text)
    assert shown(found) == IN_TIMETABLE
    assert found.source_text == 'yield f"data: {json.dumps({'


@pytest.mark.parametrize(
    "prefix",
    [
        "[2026-03-01 03:43:43 +0000] [12] [ERROR] Exception in worker process\n",
        "ERROR:    Traceback follows\n",
        "2026-03-01 03:43:43.120 | ERROR    | ferry.main:run:12 - could not start\n",
        "2026-03-01 03:43:43 [error    ] could not start [ferry] port=8080\n",
    ],
)
def test_logger_prefixes_are_stripped(prefix: str) -> None:
    assert shown(signal_in(prefix + TRACEBACK)) == IN_TIMETABLE


def test_prefix_on_every_line_is_stripped() -> None:
    text = "\n".join("web-1  | " + line for line in TRACEBACK.splitlines())
    assert shown(signal_in(text)) == IN_TIMETABLE


def test_ansi_colours_are_stripped() -> None:
    text = (
        'File \x1b[35m"/app/quay.py"\x1b[0m, line \x1b[35m3\x1b[0m\n    x = \x1b[1;31m(\x1b[0m\n'
        "        \x1b[1;31m^\x1b[0m\n\x1b[1;35mSyntaxError\x1b[0m: \x1b[35m'(' was never closed\x1b[0m"
    )
    found = signal_in(text)
    assert shown(found) == (SignalKind.SYNTAX_ERROR, "SyntaxError", "/app/quay.py", 3)
    assert (found.message, found.source_text) == ("'(' was never closed", "x = (")


def test_colour_codes_without_escapes_are_stripped() -> None:
    assert signal_in("[31mSyntaxError[0m: [1minvalid syntax[0m (quay.py, line 7)").path == "quay.py"


def test_colour_markup_is_stripped() -> None:
    assert signal_in("<red><b>SyntaxError: invalid syntax</b></red> (quay.py, line 7)").message == "invalid syntax"
    assert signal_in("[bold red]SyntaxError: invalid syntax[/bold red] (quay.py, line 7)").message == "invalid syntax"


def test_markup_leaves_code_names_alone() -> None:
    assert signal_in("<red>SyntaxError</red>: invalid syntax (<string>, line 1)").path == "<string>"


def test_rich_box_is_read() -> None:
    text = (
        "╭──────────────────────────╮\n│ /app/quay.py:3           │\n│ x = (                    │\n"
        "│     ▲                    │\n╰──────────────────────────╯\nSyntaxError: '(' was never closed\n"
    )
    found = signal_in(text)
    assert (found.path, found.line, found.source_text) == ("/app/quay.py", 3, "x = (")


def test_chained_exceptions_name_the_file_that_does_not_compile() -> None:
    text = (
        TRACEBACK
        + "\nDuring handling of the above exception, another exception occurred:\n\n"
        + "Traceback (most recent call last):\n"
        + '  File "/app/ferry/start.py", line 9, in start\n    load()\nImportError: timetable cannot be loaded\n'
    )
    assert shown(signal_in(text)) == IN_TIMETABLE


def test_chained_syntax_errors_take_the_project_file_before_generated_code() -> None:
    generated = '  File "<string>", line 1\n    a b\n      ^\nSyntaxError: invalid syntax\n'
    assert shown(signal_in(generated + "\nDuring handling …\n\n" + TRACEBACK)) == IN_TIMETABLE


def test_one_liner_and_traceback_in_one_text_are_told_in_full() -> None:
    message = "unterminated string literal (detected at line 88)"
    found = signal_in(f"ERROR could not start: SyntaxError: {message} (timetable.py, line 88)\n{TRACEBACK}")
    assert shown(found) == IN_TIMETABLE
    assert found.source_text == 'yield f"data: {json.dumps({'


def test_source_line_may_name_the_error_class() -> None:
    text = '  File "/app/quay.py", line 3\n    except SyntaxError as:\n           ^\nSyntaxError: invalid syntax'
    found = signal_in(text)
    assert (found.message, found.source_text, found.line) == ("invalid syntax", "except SyntaxError as:", 3)


@pytest.mark.parametrize(
    "text",
    [
        "SyntaxError: unknown encoding: klingon (quay.py, line 0)",
        "SyntaxError: encoding problem: klingon (quay.py)",
    ],
)
def test_error_without_a_line_is_read(text: str) -> None:
    found = signal_in(text)
    assert (found.path, found.line) == ("quay.py", None)


@pytest.mark.parametrize(
    ("path", "python"),
    [
        ("/usr/local/lib/python3.12/asyncio/runners.py", "3.12"),
        ("/root/.pyenv/versions/3.10.13/lib/python3.10/runpy.py", "3.10"),
        ("/layers/google.python.pip/pip/lib/python3.13/site-packages/flask/app.py", "3.13"),
        ("/layers/google.python.runtime/python3.12/bin/run.py", "3.12"),
        ("/opt/quay/bin/run.py", ""),
        ("/usr/lib/python3/dist-packages/gunicorn/app.py", ""),
    ],
)
def test_library_paths_tell_the_python_version(path: str, python: str) -> None:
    frame = f'  File "{path}", line 7, in run\n    go()\n'
    assert signal_in(frame + TRACEBACK.replace("/usr/local/lib/python3.11/", "/opt/")).python == python


def test_entry_is_carried() -> None:
    entry = LogEntry(position=7, text=LINE_624, revision="ferry-1")
    found = read_signal(entry)
    assert isinstance(found, Signal)
    assert found.entry is entry


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", SkipReason.NO_TEXT),
        ("all passengers aboard", SkipReason.NO_SIGNAL),
        ("a user wrote: I always get a SyntaxError here", SkipReason.NO_FAILING_FILE),
        ('{"question": "what is a SyntaxError: invalid syntax?"}', SkipReason.NO_FAILING_FILE),
        ("SyntaxError: invalid syntax", SkipReason.NO_FAILING_FILE),
        ("    except SyntaxError:\n", SkipReason.NO_FAILING_FILE),
        ('raise SyntaxError("no such harbour")', SkipReason.NO_FAILING_FILE),
        ("SyntaxErrors: 3", SkipReason.NO_SIGNAL),
        ('psycopg2.errors.SyntaxError: syntax error at or near "SELEC"', SkipReason.DATABASE_ERROR),
        ("sqlalchemy.exc.ProgrammingError: (psycopg2.errors.SyntaxError) syntax error", SkipReason.DATABASE_ERROR),
        ("asyncpg.exceptions.PostgresSyntaxError: syntax error at end of input", SkipReason.DATABASE_ERROR),
        ("jinja2.exceptions.TemplateSyntaxError: unexpected '}'", SkipReason.FOREIGN_ERROR),
    ],
)
def test_each_refusal_has_its_reason(text: str, refusal: SkipReason) -> None:
    assert classify_text(text) is refusal


def test_error_raised_by_the_program_has_no_failing_file() -> None:
    frames = 'Traceback (most recent call last):\n  File "/app/quay.py", line 3, in parse\n    raise bad\n'
    assert classify_text(frames + "SyntaxError: bad input") is SkipReason.NO_FAILING_FILE


def test_database_error_inside_a_traceback_is_refused() -> None:
    text = (
        'Traceback (most recent call last):\n  File "/app/quay.py", line 3\npsycopg2.errors.SyntaxError: near "SELEC"'
    )
    assert classify_text(text) is SkipReason.DATABASE_ERROR


@pytest.mark.parametrize("name", ["requests", "/requests"])
def test_request_log_is_refused(name: str) -> None:
    log = f"projects/harbour-dev/logs/run.googleapis.com{'%2F' if name == 'requests' else ''}{name}"
    assert read_signal(LogEntry(position=0, text=LINE_624, log_name=log)) is SkipReason.REQUEST_LOG


def test_audit_log_is_refused() -> None:
    log = "projects/harbour-dev/logs/cloudaudit.googleapis.com%2Factivity"
    assert read_signal(LogEntry(position=0, text=LINE_624, log_name=log)) is SkipReason.AUDIT_LOG


@pytest.mark.parametrize(
    "text",
    [
        """SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON""",
        "SyntaxError: Unexpected token < in JSON at position 0\n    at JSON.parse (<anonymous>)",
        "/app/index.js:10\n  sail(\n   ^\nSyntaxError: missing ) after argument list\n    at wrapSafe (node:x:1:20)",
        "SyntaxError: Cannot use import statement outside a module",
        "uncaught exception: SyntaxError: unexpected token: string literal :\n@(shell):1:6",
        "SyntaxError: something new\n    at compile (file:///app/server.mjs:3:9)",
        "SyntaxError: bad (index.js, line 3)",
        "the captain asks why SyntaxError: bad (index.js, line 3) comes up",
    ],
)
def test_node_error_is_refused(text: str) -> None:
    found = signal_in(text)
    assert (found.kind, found.path if found.path.endswith(".py") else "") == (SignalKind.NOT_PYTHON, "")


@pytest.mark.parametrize("name", ["<string>", "<stdin>", "<unknown>", "<template>"])
def test_dynamic_code_has_its_own_kind(name: str) -> None:
    assert signal_in(f"SyntaxError: invalid syntax ({name}, line 1)").kind is SignalKind.DYNAMIC_CODE
    assert signal_in(f'  File "{name}", line 1\n    a b\n      ^\nSyntaxError: invalid syntax').path == name


@pytest.mark.parametrize(
    "path",
    [
        "/usr/local/lib/python3.11/site-packages/rigging/sail.py",
        "/usr/lib/python3/dist-packages/rigging/sail.py",
        "/app/.venv/lib/python3.12/site-packages/rigging/sail.py",
        "/usr/local/lib/python3.11/asyncio/tasks.py",
        "/layers/google.python.runtime/python/lib/python3.12/asyncio/tasks.py",
    ],
)
def test_dependency_error_has_its_own_kind(path: str) -> None:
    text = f'  File "{path}", line 12\n    async = 1\n          ^\nSyntaxError: invalid syntax'
    assert signal_in(text).kind is SignalKind.DEPENDENCY


def test_syntax_error_wins_over_close_code_in_one_text() -> None:
    assert signal_in(f"{LINE_624}; closing websocket with code 1011").kind is SignalKind.SYNTAX_ERROR


NEVER_CLOSED = (
    'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    import quay\n'
    "  File \"/app/quay.py\", line 7\n    x = (\n        ^\nSyntaxError: '(' was never closed\n"
)


@pytest.mark.parametrize(
    "bare", ["SyntaxError: (quay.py, line 7)\n", "SyntaxError: '(' was closed (quay.py, line 7)\n"]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_mentions_of_one_error_the_first_is_told_with_the_fullest_path(bare: str, *, is_first: bool) -> None:
    found = signal_in(bare + NEVER_CLOSED if is_first else NEVER_CLOSED + bare)
    own = "'(' was closed" if "was closed" in bare and is_first else "'(' was never closed"
    assert (found.path, found.line, found.message, found.source_text) == ("/app/quay.py", 7, own, "x = (")


def _one_liner(path: str, line: int = 7) -> str:
    return f"SyntaxError: invalid syntax ({path}, line {line})"


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (("quay.py", "/app/chat/pier.py"), "quay.py"),
        (("quay.py", "/app/chat/pier.py", "/app/chat/quay.py"), "/app/chat/quay.py"),
        (("/app/quay.py", "/srv/quay.py"), "/app/quay.py"),
    ],
)
def test_another_file_that_fails_alike_gives_the_first_no_path(paths: tuple[str, ...], told: str) -> None:
    assert signal_in("\n".join(map(_one_liner, paths))).path == told


def test_a_bare_message_of_the_project_goes_before_an_error_of_a_dependency() -> None:
    dependency = _one_liner("/usr/lib/python3/dist-packages/buoy/core.py")
    found = signal_in(f"{dependency}\nERROR: could not load ferry.quay: unmatched ')' (quay.py, line 9)")
    assert shown(found) == (SignalKind.SYNTAX_ERROR, "SyntaxError", "quay.py", 9)
