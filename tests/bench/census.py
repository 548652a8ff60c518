"""Runs the command under observation: where to write and its arguments go in; counts come out, as JSON.

Counts processes (by the interpreter's own audit events) and compiled sources (by interpreter and git blob id), and
lists the top-level modules that were loaded. Being watched costs time, so nothing is timed here.
"""

# ruff: noqa: E402 - what is loaded is counted, so what was there before must be known first
import sys

BARE = frozenset(sys.modules)
"""What the interpreter loads by itself in this environment."""

import hashlib
import json
from pathlib import Path
from typing import Any

from functions.cli.command_line import main as command
from shared.adapters.compilers.cpython import CPython
from shared.proof.model.compilation import Compilation, Source


def main(out: str, *arguments: str) -> int:
    started: list[list[str]] = []
    compiled: list[tuple[str, str]] = []

    def watch(event: str, details: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            started.append([str(word) for word in details[1]])

    genuine = CPython.compile

    def counted(self: CPython, source: Source) -> Compilation:
        compiled.append((self.interpreter, _blob_id(source.content)))
        return genuine(self, source)

    CPython.compile = counted  # type: ignore[method-assign]
    sys.addaudithook(watch)
    sys.argv = ["provenfix", *arguments]
    try:
        command()
    except SystemExit as ended:
        return _ended(ended)
    finally:
        modules = sorted({name.partition(".")[0] for name in sys.modules if name not in BARE})
        found = {"processes": started, "compiled": compiled, "modules": modules}
        Path(out).write_text(json.dumps(found), "utf-8")
    return 0


def _ended(ended: SystemExit) -> int:
    return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
