"""Finds the checks that CI runs: type checkers, linters, tests, imports, and commands inside a built image.

Each check has the line of its CI file. What is only installed or commented out is no check.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.proof.declared.ci_python import is_ci_file

_MAX_LINES = 4_000
_MAX_WIDTH = 1_000


class CheckKind(StrEnum):
    """What a step does with the code."""

    TYPES = "types"
    NAMES = "names"
    """A linter that can report undefined names."""
    TESTS = "tests"
    START = "start"
    """It imports or starts the program."""
    IMAGE = "image"
    """It runs something inside a built image."""
    BASELINE = "baseline"
    """`provenfix check --baseline`."""


@dataclass(frozen=True, slots=True)
class CiCheck:
    """One step. `line`: from 1; `text`: the line as written, stripped."""

    kind: CheckKind
    path: str
    line: int
    text: str


_INSTALLED = re.compile(r"\b(?:pip3?|pipx|uv|uv tool)\s+install\b[^\n;&|]*|\bpoetry add\b[^\n;&|]*")
_PATTERNS: Mapping[CheckKind, re.Pattern[str]] = {
    CheckKind.TYPES: re.compile(r"(?<![\w/.-])(?:mypy|pyright|basedpyright|pyrefly|pytype|ty\s+check)(?![\w.])"),
    CheckKind.NAMES: re.compile(r"(?<![\w/.-])(?:ruff\s+check|ruff-action|flake8|pylint|pyflakes)(?![\w.])"),
    CheckKind.TESTS: re.compile(r"(?<![\w/.-])(?:pytest|py\.test|unittest|tox|nox)(?![\w.])|manage\.py\s+test\b"),
    CheckKind.START: re.compile(
        r"python[\d.]*\s+-c\s+[\"'](?:import|from)\s|python[\d.]*\s+-X\s+importtime|manage\.py\s+check\b"
    ),
    CheckKind.IMAGE: re.compile(
        r"\b(?:docker|podman)\s+(?:compose\s+)?(?:run|exec)\b|\bdocker-compose\s+(?:run|exec)\b"
    ),
    CheckKind.BASELINE: re.compile(r"provenfix\s+check\s[^\n]*--baseline"),
}


def find_ci_checks(files: Mapping[str, str]) -> tuple[CiCheck, ...]:
    """The checks of all CI files, in the order of files and lines; `files`: texts by path."""
    return tuple(check for path in files if is_ci_file(path) for check in _read_file(path, files[path]))


def _read_file(path: str, text: str) -> Iterator[CiCheck]:
    for number, line in enumerate(text.splitlines()[:_MAX_LINES], 1):
        bare = line[:_MAX_WIDTH].strip()
        if bare.startswith("#"):
            continue
        run = _INSTALLED.sub("", bare)
        for kind, pattern in _PATTERNS.items():
            if pattern.search(run):
                yield CiCheck(kind, path, number, bare)
