"""Compiles sources inside the interpreter under test: reads them from stdin, writes one JSON verdict a line.

Started as `PYTHON -I -S -B -W ignore worker.py [MEMORY_BYTES]` by any CPython from 3.7 on, so this one file keeps to
the standard library and to syntax that 3.7 accepts. Nothing of a source is imported or executed: `compile()` is all.

    out, once:   {"implementation": "cpython", "version": "3.11.7"}
    in, each:    {"id": 7, "path": "app/chat.py", "size": 1234}  newline, then 1234 bytes
    out, each:   {"id": 7, "ok": true}
             or  {"id": 7, "ok": false, "class": "SyntaxError", "message": "...", "line": 3, "offset": 9, "text": "...",
                  "peak": 12345678}
             each with "script": {"ok": ...}, a verdict like these, where `PYTHON FILE` judges otherwise than an import

Lines are ASCII, so a path may hold newlines, NULs or lone surrogates. `peak` (bytes of memory at most held, 0 where
not known) shows the caller whether a source was too deep (MemoryError is CPython's verdict) or too big.
"""

from __future__ import annotations

import json
import os
import re
import sys

try:
    import resource
except ImportError:  # not on every platform; there the limits and the peak are not to be had
    resource = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:  # 3.7 would spend a third of its start on typing
    from typing import BinaryIO

# What the sources are called. CPython *opens* the file of that name to quote a line of it, so it must never be a path
# that was read from a log or a tree; the real path is put into the messages that mention it.
SOURCE_NAME = "<source under test>"

# A verdict quotes lines of the source; nobody reads more of one line than this, in characters.
MAX_QUOTE_LENGTH = 4096

# Whatever compile() raises because of what a source contains.
COMPILE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


def judge_source(content: bytes, path: str) -> dict[str, object]:
    """The verdict on one source: the answer without its `id`."""
    verdict = judge_import(content, path)
    script = judge_script(content, path)
    return verdict if script is None else dict(verdict, script=script)


def judge_import(content: bytes, path: str) -> dict[str, object]:
    """What an import of the file meets: all of its bytes are compiled."""
    try:
        compile(content, SOURCE_NAME, "exec", dont_inherit=True)
    except COMPILE_ERRORS as error:
        return describe_error(error, path)
    return {"ok": True}


# `python FILE` reads the file line by line with a tokenizer of its own, and decodes what an import never looks at. Its
# rules are those of tok_underflow_file and ensure_utf8 in CPython's Parser/tokenizer.c, seen to hold from 3.7 to 3.13.
# The file itself is never given to it: it would be run.
COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
BLANK_OR_COMMENT = re.compile(rb"[ \t\f]*(?:#.*)?\Z")
LINE_END = re.compile(rb"\r\n|\r|\n")
AFTER_NULL_BYTE = re.compile(rb"\0[^\r\n]*(?:\r\n|\r|\n)?")
# Until 3.10 a byte counts by its first bits alone.
LENIENT_UTF8 = re.compile(
    rb"(?:[\x00-\x7f]|[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3})*"
)
NULL_BYTES_ARE_ERRORS = (3, 11, 4)
# From 3.10 on a parser that fails reads on to the end, and an error of the tokenizer replaces its own; but not these.
TOKENIZER_ERRORS = (
    "unterminated string literal", "unterminated f-string literal", "invalid character", "invalid non-printable",
    "invalid decimal", "invalid hexadecimal", "invalid octal", "invalid binary", "invalid digit", "invalid imaginary",
    "leading zeros", "unmatched", "closing parenthesis", "unexpected character after", "too many nested", "unindent",
    "inconsistent use", "unexpected indent", "unexpected unindent",
)  # fmt: skip
ERRORS_AT_THE_END = ("unexpected EOF", "EOF while", "EOF in", "expected an indented block", "unterminated triple")


def judge_script(content: bytes, path: str) -> dict[str, object] | None:
    """What `PYTHON FILE` says of it; None where that is what an import says."""
    version = sys.version_info[:3]
    if content.isascii() and b"\0" not in content:
        return None
    refusal = find_script_fault(content, version, path)
    if refusal is not None:
        line, message = refusal
        return judge_lines_before(content, line, path) or {
            "ok": False, "class": "SyntaxError", "message": message, "line": read_reported_line(line, version),
            "offset": None, "text": None, "peak": 0,
        }  # fmt: skip
    if b"\0" in content and version < NULL_BYTES_ARE_ERRORS:
        if version[:2] == (3, 10) and any(map(COOKIE.match, LINE_END.split(content[:400])[:2])):
            return None  # it fails in words of its own
        return judge_import(AFTER_NULL_BYTE.sub(b"", content), path)
    return None


def find_script_fault(content: bytes, version: tuple[int, ...], path: str) -> tuple[int, str] | None:
    """The line that the tokenizer of files cannot decode, counted from 1, and what it says."""
    is_undeclared = not content.startswith(b"\xef\xbb\xbf")
    may_declare = True
    for number, line in enumerate(LINE_END.split(content), 1):
        if is_undeclared and may_declare and number <= 2:
            is_undeclared = COOKIE.match(line) is None
            may_declare = BLANK_OR_COMMENT.match(line) is not None
        bad = find_bad_byte(line, version) if is_undeclared else None
        if bad is not None:
            return number, describe_bad_byte(bad, read_reported_line(number, version), version, path)
        if b"\0" in line and version >= NULL_BYTES_ARE_ERRORS:
            return number, "source code cannot contain null bytes"
    return None


def find_bad_byte(line: bytes, version: tuple[int, ...]) -> int | None:
    """The first byte that begins no character of UTF-8."""
    if version < NULL_BYTES_ARE_ERRORS:
        line = line.partition(b"\0")[0]
    if version < (3, 11):
        fitting = LENIENT_UTF8.match(line)
        end = fitting.end() if fitting else 0
        return line[end] if end < len(line) else None
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return line[error.start]
    return None


def describe_bad_byte(byte: int, line: int, version: tuple[int, ...], path: str) -> str:
    """In the words of that version."""
    page = "https://peps.python.org/pep-0263/" if version >= (3, 11) else "https://python.org/dev/peps/pep-0263/"
    page = page if version >= (3, 9) else page.replace("https:", "http:")
    return (
        f"Non-UTF-8 code starting with '\\x{byte:02x}' in file {path} on line {line}, "
        f"but no encoding declared; see {page} for details"
    )


def read_reported_line(line: int, version: tuple[int, ...]) -> int:
    """3.10 names the line after the one that it cannot decode."""
    return line + 1 if version[:2] == (3, 10) else line


def judge_lines_before(content: bytes, line: int, path: str) -> dict[str, object] | None:
    """The error that is met before a line is read; None where there is none."""
    ends = [match.end() for match in LINE_END.finditer(content)]
    before = content[: ends[line - 2]] if line > 1 else b""
    try:
        compile(before, SOURCE_NAME, "exec", 0x400, dont_inherit=True)  # ast.PyCF_ONLY_AST: what is parsed, no more
    except SyntaxError as error:
        message = str(error.msg)
        lazy = sys.version_info[:2] < (3, 10)
        first = not message.startswith(ERRORS_AT_THE_END) if lazy else message.startswith(TOKENIZER_ERRORS)
        return describe_error(error, path) if first else None
    except COMPILE_ERRORS:
        return None
    return None


def describe_error(error: BaseException, path: str) -> dict[str, object]:
    """What compile() raised, as values that JSON can carry."""
    syntax_error = error if isinstance(error, SyntaxError) else SyntaxError(str(error))
    return {
        "ok": False,
        "class": type(error).__name__,
        "message": str(syntax_error.msg)[:MAX_QUOTE_LENGTH].replace(SOURCE_NAME, path),
        "line": syntax_error.lineno if isinstance(syntax_error.lineno, int) else None,
        "offset": syntax_error.offset if isinstance(syntax_error.offset, int) else None,
        "text": syntax_error.text[:MAX_QUOTE_LENGTH] if isinstance(syntax_error.text, str) else None,
        "peak": measure_peak_memory() if isinstance(error, MemoryError) else 0,
    }


def measure_peak_memory() -> int:
    """The most memory that this process has held so far, in bytes; 0 where that is not known."""
    if resource is None:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def limit_resources(memory: int) -> None:
    """Bind this process: no core dump, few files, `memory` bytes of address space (0: no limit)."""
    if resource is None:
        return
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 16)]
    if memory:
        limits.append((resource.RLIMIT_AS, memory))
    for which, most in limits:
        try:
            resource.setrlimit(which, (most, most))
        except (OSError, ValueError):
            continue  # a tighter limit is in force already, or the platform refuses this one


def format_python_version() -> str:
    """`3.11.7`, or `3.15.0b2` for what is not released yet."""
    info = sys.version_info
    numbers = ".".join(str(number) for number in info[:3])
    stage = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.releaselevel)
    return numbers + (stage + str(info.serial) if stage else "")


def serve_requests(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until `requests` ends."""

    def answer(values: dict[str, object]) -> None:
        answers.write(json.dumps(values).encode("ascii") + b"\n")
        answers.flush()

    answer({"implementation": sys.implementation.name, "version": format_python_version()})
    while True:
        header = requests.readline()
        if not header:
            return
        request = json.loads(header.decode("ascii"))
        content = requests.read(request["size"])
        if len(content) < request["size"]:
            return
        answer(dict(judge_source(content, request["path"]), id=request["id"]))


def main() -> None:
    """Serve the parent process over the standard pipes."""
    # Keep the two pipes to ourselves: whatever else writes to standard output must not be taken for a verdict.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    limit_resources(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    serve_requests(requests, answers)


if __name__ == "__main__":
    main()
