"""Which line of an ignore file leaves a path out: the documented rules as data, and an oracle that is written anew."""

import posixpath
import random
import re
from collections.abc import Callable

import pytest

from shared.proof.model.ignore_rules import (
    GitIgnore,
    make_default_gcloud_ignore,
    parse_docker_ignore,
    parse_gcloud_ignore,
    parse_git_ignore,
)
from tests.support.ignore_vectors import DOCKER_VECTORS, GIT_VECTORS


@pytest.mark.parametrize(("what", "lines", "path", "number"), DOCKER_VECTORS)
def test_docker_vector(what: str, lines: tuple[str, ...], path: str, number: int) -> None:
    found = parse_docker_ignore(".dockerignore", "\n".join(lines)).find_line(path)
    assert (found.line if found else 0) == number, what


@pytest.mark.parametrize(("what", "lines", "path", "number"), GIT_VECTORS)
def test_git_vector(what: str, lines: tuple[str, ...], path: str, number: int) -> None:
    found = parse_git_ignore(".gitignore", "\n".join(lines)).find_line(path)
    assert (found.line if found else 0) == number, what


@pytest.mark.parametrize("line", ["!", "[", "a[", "a\\", r"\d"])
def test_a_line_that_docker_refuses_is_named_and_the_others_stand(line: str) -> None:
    rules = parse_docker_ignore(".dockerignore", f"docs\n{line}\nshop\n")
    assert rules.problem is not None
    assert rules.problem.line == 2
    assert rules.find_line("shop/a.py") is not None


def test_builders_differ_where_a_folder_comes_back_that_never_was_out() -> None:
    rules = parse_docker_ignore(".dockerignore", "shop/old\n!shop\n")
    assert rules.find_line("shop/old/a.py") is not None
    assert rules.is_disputed("shop/old/a.py")
    assert not rules.is_disputed("shop/new/a.py")


def test_a_byte_order_mark_is_no_part_of_the_first_pattern() -> None:
    assert parse_docker_ignore(".dockerignore", "\ufeffshop\n").find_line("shop/a.py") is not None


def read_gcloud(text: str, **beside: str) -> GitIgnore:
    return parse_gcloud_ignore(".gcloudignore", text, lambda path: beside.get(path.removeprefix("."), ""))


def test_an_include_brings_the_lines_of_the_file_beside_it() -> None:
    rules = read_gcloud("docs/\n#!include:.gitignore\n!keep.log\n", gitignore="*.log\nshop/gen/\n")
    found = rules.find_line("shop/gen/a.py")
    assert found is not None
    assert (found.path, found.line, found.text) == (".gitignore", 2, "shop/gen/")
    assert rules.find_line("keep.log") is None


def test_without_an_include_the_gitignore_does_not_count() -> None:
    assert read_gcloud("docs/\n", gitignore="*.log\n").find_line("x.log") is None


@pytest.mark.parametrize("line", ["#!include:../.gitignore", "#include:.gitignore", "!include:.gitignore"])
def test_other_lines_include_nothing(line: str) -> None:
    assert read_gcloud(f"{line}\n", gitignore="*.log\n").find_line("x.log") is None


def test_an_included_file_includes_nothing_itself() -> None:
    rules = read_gcloud("#!include:.gitignore\n", gitignore="#!include:.other\nx.py\n", other="*.log\n")
    assert rules.find_line("x.log") is None
    assert rules.find_line("x.py") is not None


def test_gclouds_default_is_git_and_the_gitignore() -> None:
    rules = make_default_gcloud_ignore(".gitignore", "*.log\n")
    assert [rules.find_line(path) is None for path in (".git/config", ".gitignore", "a/x.log", "a/x.py")] == [
        False, False, False, True,
    ]  # fmt: skip


NAMES = ("a", "b", "ab", "a.py", "b.py", "x y", "#c")
PIECES = (
    "a", "b", "ab", "*", "**", "?", "/", "*.py", "[ab]", "[^a]", "\\*", "#c", " ", "**/", "/**", "./", "../", ".",
)  # fmt: skip


def test_random_docker_files_are_read_as_by_regular_expressions() -> None:
    chance = random.Random(14)
    outcomes = {True: 0, False: 0}
    for _ in range(400):
        lines = [
            chance.choice(("", "!", "/", " ")) + "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))
            for _ in range(chance.randint(1, 4))
        ]
        rules = parse_docker_ignore(".dockerignore", "\n".join(lines))
        if rules.problem:
            continue
        is_out = build_oracle(lines)
        for path in {"/".join(chance.choice(NAMES) for _ in range(chance.randint(1, 4))) for _ in range(20)}:
            expected = is_out(path)
            assert (rules.find_line(path) is not None) is expected, (lines, path)
            outcomes[expected] += 1
    assert min(outcomes.values()) > 500


def build_oracle(lines: list[str]) -> Callable[[str], bool]:
    """Folder by folder from the top, as BuildKit walks; each pattern as one regular expression."""
    patterns: list[tuple[bool, re.Pattern[str]]] = []
    for line in lines:
        text = "" if line.startswith("#") else line.strip()
        if not text:
            continue
        bare = posixpath.normpath(text.removeprefix("!").strip())
        patterns.append((text.startswith("!"), re.compile(translate(bare.lstrip("/") or "/"), re.DOTALL)))

    def is_out(path: str) -> bool:
        parts, above, result = path.split("/"), [False] * len(patterns), False
        for depth in range(1, len(parts) + 1):
            prefix, result = "/".join(parts[:depth]), False
            for number, (includes, pattern) in enumerate(patterns):
                above[number] = above[number] or (includes is result and bool(pattern.fullmatch(prefix)))
                result = not includes if above[number] else result
        return result

    return is_out


def translate(pattern: str) -> str:
    if pattern.startswith("**") and pattern[2:3] != "/" and not set("*?[\\") & set(pattern[2:]):
        return ".*" + re.escape(pattern[2:])
    text = re.sub(r"\*\*/?$", "<", pattern)
    text = re.sub(r"\*\*/?", ">", text)
    pieces = re.split(r"(<|>|\*|\?|\[[^\]]*\]|\\.)", text)
    known = {"<": ".*", ">": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(piece, piece if piece[:1] in {"[", "\\"} else re.escape(piece)) for piece in pieces)


@pytest.mark.parametrize("parse", [parse_docker_ignore, parse_git_ignore])
@pytest.mark.parametrize("piece", ["**/a/", "*a", "?*", "**/*/", "a/**/"])
def test_a_pattern_of_any_size_is_matched_at_once(parse: Callable[[str, str], GitIgnore], piece: str) -> None:
    rules = parse("x", f"{piece * 200}z\n")
    assert rules.find_line("a/" * 200 + "c") is None
