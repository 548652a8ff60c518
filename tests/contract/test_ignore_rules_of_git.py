"""The rules of `.gitignore` against git itself: random files, and for random paths the line that git names."""

import random
from pathlib import Path

import pytest

from functions.demo.fast_import import run_git
from shared.errors import InputError
from shared.proof.model.ignore_rules import parse_git_ignore
from tests.support.ignore_vectors import GIT_VECTORS

NAMES = ("a", "b", "ab", "a.py", "b.py", "x y", "#c", "!d", "é")
PIECES = (
    "a", "b", "ab", "*", "**", "?", "/", "/", "*.py", "[ab]", "[!a]", "[a-c]", "\\a", "\\*", "!", "#c", "\\#c", " ",
    "x y", "**/", "/**", "[[:alpha:]]", "é", "[]a]", "[",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run_git(["init", "--quiet", "--template=", str(tmp_path)])
    return tmp_path


def ask_git(folder: Path, text: str, paths: list[str]) -> dict[str, int]:
    """For each path the line that leaves it out, 0 where none does."""
    (folder / ".gitignore").write_text(text, "utf-8", newline="")
    asked = ["-C", str(folder), "check-ignore", "-z", "--stdin", "-v", "-n", "--no-index"]
    try:
        answer = run_git(asked, "\0".join(paths).encode())
    except InputError:  # it ends with 1 where no path at all is matched
        return dict.fromkeys(paths, 0)
    fields = answer.decode().split("\0")
    rows = [fields[at : at + 4] for at in range(0, len(fields) - 1, 4)]
    return {path: int(line) if line and not pattern.startswith("!") else 0 for _, line, pattern, path in rows}


def test_random_files_are_read_as_git_reads_them(folder: Path) -> None:
    chance = random.Random(7)
    outcomes = {True: 0, False: 0}
    for _ in range(120):
        lines = [
            chance.choice(("", "", "!")) + "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))
            for _ in range(chance.randint(1, 4))
        ]
        text = "\n".join(lines) + "\n"
        paths = sorted({"/".join(chance.choice(NAMES) for _ in range(chance.randint(1, 4))) for _ in range(60)})
        rules = parse_git_ignore(".gitignore", text)
        for path, expected in ask_git(folder, text, paths).items():
            found = rules.find_line(path)
            assert (found.line if found else 0) == expected, (text, path)
            outcomes[expected > 0] += 1
    assert min(outcomes.values()) > 500


def test_the_documented_vectors_are_what_git_says(folder: Path) -> None:
    for what, lines, path, number in GIT_VECTORS:
        assert ask_git(folder, "\n".join(lines) + "\n", [path, "zz"])[path] == number, what
