"""Converts an exception that a JSON object describes into the text of a traceback; "" for any other object.

Class, message and stack have many names: `exc_type`, OpenTelemetry's `exception.type`, `errorType`, Datadog's
`error.kind`. The stack is a text, a list of texts, or a list of frames, oldest first as Python and Sentry list them.
Everything is cut before it is looked at, so an object of any size costs a bounded amount of work.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from shared.text.escaping import truncate_middle

CLASS_KEYS = ("exc_type", "exception_type", "exceptionType", "error_type", "errorType", "error_class", "errorClass",
              "exc_class", "exception_class", "exceptionClass")  # fmt: skip
VALUE_KEYS = ("exc_value", "exc_msg", "exc_message", "exception_message", "exceptionMessage", "error_message",
              "errorMessage")  # fmt: skip
STACK_KEYS = ("stack", "stack_trace", "stackTrace", "stacktrace", "traceback", "tb", "exc_traceback", "exc_info",
              "exc_text", "backtrace", "frames", "trace")  # fmt: skip
_GENERAL_CLASS_KEYS = (*CLASS_KEYS, "type", "name", "class", "kind", "__class__")
_GENERAL_VALUE_KEYS = (*VALUE_KEYS, "value", "message", "msg")
"""Keys that name class and message of an object that is known to be an exception."""
_FILE_KEYS = ("abs_path", "filename", "file", "path", "file_name", "fileName", "filePath")
_LINE_KEYS = ("lineno", "line_no", "lineNumber", "line_number", "line")
_FUNCTION_KEYS = ("function", "name", "func", "method", "functionName", "function_name")
_SOURCE_KEYS = ("context_line", "code", "source", "source_line", "text", "line")
_SYNTAX_ERROR = re.compile(r"(?:builtins\.)?(?:Syntax|Indentation|Tab)Error")
_CLASS_NAME = re.compile(r"(?:[A-Za-z_]\w{0,80}\.){0,12}[A-Za-z_]\w{0,80}")
_HEADER = "Traceback (most recent call last):"
_MAX_OUTER_FRAMES = 20
_MAX_INNER_FRAMES = 40
_MAX_LINES = 4_000
_MAX_LENGTH = 64 * 1024
_MAX_NAME_LENGTH = 1_000
_MAX_SOURCE_LENGTH = 300


def render_exception(error: Mapping[str, object], *, is_known: bool) -> str:
    """The exception that an object is, without its causes. `is_known` says that its key names an exception."""
    name = _find_first_text(error, _GENERAL_CLASS_KEYS if is_known else CLASS_KEYS)[:_MAX_NAME_LENGTH]
    message = _find_first_text(
        error, _GENERAL_VALUE_KEYS if is_known else (*VALUE_KEYS, *(("message",) if name else ()))
    )
    message = message or (_join_arguments(error.get("args"), name) if is_known and name else "")
    stack = next((text for key in STACK_KEYS if (text := _find_stack(error, key))), "")
    last = _format_last_line(name, message[:_MAX_LENGTH])
    failing_file = _find_failing_file(error, name)
    if failing_file and stack and "\n" in stack:
        stack = stack.rstrip("\n") + "\n" + failing_file
    elif failing_file:
        stack = failing_file
    if not stack or (last and last.strip() in stack):
        return stack or last
    if _ends_with_class(stack, name):
        return stack
    if 'File "' not in stack:
        return f"{last}\n{stack}" if last else stack
    header = "" if _HEADER in stack else f"{_HEADER}\n"  # `traceback.format_tb` gives the frames alone
    return f"{header}{stack.rstrip()}\n{last}"


def _join_arguments(arguments: object, name: str) -> str:
    """The message that Python makes of an exception's `args`: one text as it is, several in brackets."""
    if not isinstance(arguments, list) or not all(isinstance(item, str | int | float) for item in arguments[:8]):
        return ""
    if len(arguments) == 1 and isinstance(arguments[0], str) and name.rpartition(".")[2] != "KeyError":
        return arguments[0][:_MAX_LENGTH]
    shown = ", ".join(repr(item if not isinstance(item, str) else item[:_MAX_NAME_LENGTH]) for item in arguments[:8])
    return f"({shown})" if len(arguments) > 1 else shown


def _find_stack(error: Mapping[str, object], key: str) -> str:
    """What is under one key; a `trace` that is a text is the id of a request's trace."""
    stack = error.get(key)
    return "" if key == "trace" and isinstance(stack, str) else render_stack(stack)


def render_stack(stack: object) -> str:
    """A text as it is, a list of texts joined, a list of frames as Python prints them; "" for anything else."""
    if isinstance(stack, str):
        return truncate_middle(stack, _MAX_LENGTH)
    if isinstance(stack, Mapping):
        return render_stack(stack.get("frames"))
    if not isinstance(stack, list) or not stack:
        return ""
    if all(isinstance(item, str) for item in stack[:3]):
        return join_lines(stack)
    frames = [frame for item in _ends_of(stack) if (frame := _render_frame(item))]
    return "\n".join([_HEADER, *frames]) if frames else ""


def join_lines(items: Sequence[object]) -> str:
    """Lines of a text that was logged as a list, with or without their line ends."""
    lines = [item for item in items if isinstance(item, str)]
    if len(lines) > _MAX_LINES:
        lines = [*lines[: _MAX_LINES // 2], *lines[-_MAX_LINES // 2 :]]
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines).rstrip("\n")


def render_location(message: str, location: Mapping[str, object]) -> str:
    """A message with the place where it was reported, as Error Reporting's `reportLocation` gives it."""
    frame = _render_frame(location)
    named = _CLASS_NAME.match(message)
    if not frame or named is None or "\n" in message.strip() or not message[named.end() :].startswith(":"):
        return ""
    return f"{_HEADER}\n{frame}\n{message}"


def _ends_of(frames: list[object]) -> Iterator[object]:
    if len(frames) <= _MAX_OUTER_FRAMES + _MAX_INNER_FRAMES:
        yield from frames
        return
    yield from frames[:_MAX_OUTER_FRAMES]
    yield from frames[-_MAX_INNER_FRAMES:]


def _render_frame(frame: object) -> str:
    """An object with file, line and function, or the list of them that `traceback.extract_tb` gives."""
    if isinstance(frame, list) and len(frame) >= 2:
        frame = dict(zip(("filename", "lineno", "function", "code"), frame, strict=False))
    if not isinstance(frame, Mapping):
        return ""
    path, line = _find_first_text(frame, _FILE_KEYS), _line_number(frame)
    if not path or line is None:
        return ""
    path = re.sub(r'["\r\n]', "", path[:_MAX_NAME_LENGTH])
    function = _find_first_text(frame, _FUNCTION_KEYS)[:200].replace("\n", " ").strip()
    shown = f'  File "{path}", line {line}' + (f", in {function}" if function else "")
    source = _find_first_text(frame, _SOURCE_KEYS)[:_MAX_SOURCE_LENGTH].strip().partition("\n")[0]
    return f"{shown}\n    {source}" if source else shown


def _line_number(frame: Mapping[str, object]) -> int | None:
    for key in _LINE_KEYS:
        line = frame.get(key)
        if isinstance(line, str) and line.isascii() and line.isdigit() and len(line) < 10:
            return int(line)
        if isinstance(line, int | float) and not isinstance(line, bool) and 0 <= line < 1e9:
            return int(line)
    return None


def _find_failing_file(error: Mapping[str, object], name: str) -> str:
    """The place of a syntax error, where the object gives it by itself, with the error's last line."""
    given = error.get("syntax_error")
    given_location = given if isinstance(given, Mapping) else error
    if not _SYNTAX_ERROR.fullmatch(name):
        return ""
    path, line = _find_first_text(given_location, _FILE_KEYS), _line_number(given_location)
    message = _find_first_text(given_location, ("msg", *_GENERAL_VALUE_KEYS))
    if (
        not path
        or line is None
        or not message
        or any(key in given_location for key in ("funcName", "function", "logger"))
    ):
        return ""
    frame = _render_frame(
        {"filename": path, "lineno": line, "code": _find_first_text(given_location, ("text", "line", "source"))}
    )
    return f"{frame}\n{name}: {message.partition(chr(10))[0][:_MAX_NAME_LENGTH]}"


def _format_last_line(name: str, message: str) -> str:
    if name and message and not message.startswith(name):
        return f"{name}: {message}"
    return message or name


def _ends_with_class(stack: str, name: str) -> bool:
    """Whether the stack ends with the exception itself; `traceback.format_tb` gives the frames alone."""
    last = stack.rstrip().rpartition("\n")[2]
    short = name.rpartition(".")[2]
    return bool(short) and not last.startswith((" ", "\t")) and short in last.partition(":")[0]


def _find_first_text(value: Mapping[str, object], keys: Sequence[str]) -> str:
    return next((text for key in keys if isinstance(text := value.get(key), str) and text.strip()), "")
