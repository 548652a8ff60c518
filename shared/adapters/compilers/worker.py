"""Runs inside the interpreter that is asked: sources come in on stdin, one JSON line of verdict each goes out.

Started as `PYTHON -I -S -B -W ignore worker.py [MEMORY_BYTES]` by any CPython from 3.7 on, so this one file keeps to
the standard library and to syntax that 3.7 accepts. Nothing of a source is imported or executed: `compile()` is all.

    out, once:   {"implementation": "cpython", "version": "3.11.7"}
    in, each:    {"id": 7, "path": "app/chat.py", "size": 1234}  newline, then 1234 bytes
    out, each:   {"id": 7, "ok": true}
             or  {"id": 7, "ok": false, "class": "SyntaxError", "message": "...", "line": 3, "offset": 9, "text": "...",
                  "peak": 12345678}

Lines are ASCII, so a path may hold newlines, NULs or lone surrogates. `peak` (bytes of memory at most held, 0 where
not known) lets the caller tell a source that is too deep (MemoryError is CPython's verdict) from one that is too big.
"""

from __future__ import annotations

import json
import os
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
    try:
        compile(content, SOURCE_NAME, "exec", dont_inherit=True)
    except COMPILE_ERRORS as error:
        return describe_error(error, path)
    return {"ok": True}


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
        "peak": peak_memory() if isinstance(error, MemoryError) else 0,
    }


def peak_memory() -> int:
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


def python_version() -> str:
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

    answer({"implementation": sys.implementation.name, "version": python_version()})
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
