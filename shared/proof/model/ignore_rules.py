"""Finds what ignore files leave out of a build, by the rules of the tool that reads each of them.

Returns the line that leaves a path out. `.dockerignore` is read as Docker's own matcher does, `.gitignore` and
`.gcloudignore` as git and gcloud do.
"""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from shared.proof.model.glob_pattern import (
    MAX_PATTERN,
    GlobPattern,
    parse_docker_pattern,
    parse_git_pattern,
    to_bytes_text,
)

MAX_LINES = 2_000
_MAX_KEPT = 20_000
"""Answers of one ignore file that are held: of each image of a service the same files are asked for."""
_INCLUDE = "!include:"
_GO_SPACE = " \t\n\v\f\r\x85\xa0"


@dataclass(frozen=True, slots=True)
class IgnoreLine:
    """One pattern of an ignore file. `path` is "" and `line` 0 for what a tool ignores by itself."""

    path: str
    line: int
    text: str
    """As it is written, without the space around it."""


@dataclass(frozen=True, slots=True)
class _Rule:
    source: IgnoreLine
    pattern: GlobPattern
    includes: bool = False
    """Whether it takes a path in again (`!`)."""
    folder_only: bool = False
    by_name: bool = False
    """Whether it is compared with the last name of a path alone."""

    def matches(self, path: str, *, is_folder: bool) -> bool:
        if self.folder_only and not is_folder:
            return False
        return self.pattern.matches(path.rpartition("/")[2] if self.by_name else path)


@dataclass(slots=True)
class DockerIgnore:
    """The rules of one `.dockerignore`; paths are below the build context."""

    rules: tuple[_Rule, ...]
    problem: IgnoreLine | None = None
    """A line that Docker refuses, or reads in a way that is not known; the other rules count without it."""
    _folders: dict[str, tuple[tuple[bool, ...], IgnoreLine | None]] = field(default_factory=dict)
    _lines: dict[str, IgnoreLine | None] = field(default_factory=dict)

    def find_line(self, path: str) -> IgnoreLine | None:
        """The line that leaves a file out; None where it is in."""
        if path not in self._lines:
            if len(self._lines) >= _MAX_KEPT:
                self._lines.clear()
            self._lines[path] = self._judge(path)[1]
        return self._lines[path]

    def is_disputed(self, path: str) -> bool:
        """Whether builders differ: those that judge folder by folder, and those that judge a path as a whole."""
        has_exceptions = any(rule.includes for rule in self.rules)
        return has_exceptions and (self.find_line(path) is not None) is not self._is_matched_as_a_whole(path)

    def _judge(self, path: str) -> tuple[tuple[bool, ...], IgnoreLine | None]:
        """Which rules match a path or a folder above it, and the line that leaves it out."""
        above = posixpath.dirname(path)
        inherited = self._judge_folder(above)[0] if above else ()
        matched, ignoring_line = [], None
        for number, rule in enumerate(self.rules):
            is_match = bool(inherited) and inherited[number]
            if not is_match and rule.includes is (ignoring_line is not None):
                is_match = rule.pattern.matches(path)
            matched.append(is_match)
            if is_match:
                ignoring_line = None if rule.includes else ignoring_line or rule.source
        return tuple(matched), ignoring_line

    def _judge_folder(self, path: str) -> tuple[tuple[bool, ...], IgnoreLine | None]:
        if path not in self._folders:
            for folder in _list_prefixes(path):
                if folder not in self._folders:
                    self._folders[folder] = self._judge(folder)
        return self._folders[path]

    def _is_matched_as_a_whole(self, path: str) -> bool:
        is_out = False
        for rule in self.rules:
            if rule.includes is is_out and any(rule.pattern.matches(prefix) for prefix in _list_prefixes(path)):
                is_out = not rule.includes
        return is_out


@lru_cache(maxsize=64)
def parse_docker_ignore(path: str, text: str) -> DockerIgnore:
    """A `.dockerignore`: every pattern is matched from the context's root, the last match counts."""
    rules: list[_Rule] = []
    problem = None
    for number, line in _list_lines(text):
        pattern = line.strip(_GO_SPACE)
        if line.startswith("#") or not pattern:
            continue
        source = IgnoreLine(path, number, pattern)
        includes = pattern.startswith("!")
        bare = pattern[1:].strip(_GO_SPACE) if includes else pattern
        cleaned = _clean_path(bare)
        parsed = parse_docker_pattern(cleaned[1:] if len(cleaned) > 1 and cleaned[0] == "/" else cleaned)
        if bare and parsed is not None:
            rules.append(_Rule(source, parsed, includes))
        else:
            problem = problem or source
    return DockerIgnore(tuple(rules), problem)


@dataclass(slots=True)
class GitIgnore:
    """The rules of one `.gitignore` or `.gcloudignore`; paths are below the folder that holds it."""

    rules: tuple[_Rule, ...]
    _folders: dict[str, IgnoreLine | None] = field(default_factory=dict)

    def find_line(self, path: str) -> IgnoreLine | None:
        """The line that leaves a file out; None where it is in. What is below a folder that is out cannot come back."""
        path = to_bytes_text(path)
        for folder in _list_prefixes(path)[:-1]:
            if folder not in self._folders:
                self._folders[folder] = self._match_last(folder, is_folder=True)
            if self._folders[folder] is not None:
                return self._folders[folder]
        return self._match_last(path, is_folder=False)

    def is_disputed(self, path: str) -> bool:
        """git and gcloud read them alike."""
        del path
        return False

    def _match_last(self, path: str, *, is_folder: bool) -> IgnoreLine | None:
        for rule in reversed(self.rules):
            if rule.matches(path, is_folder=is_folder):
                return None if rule.includes else rule.source
        return None


IgnoreRules = DockerIgnore | GitIgnore


def parse_git_ignore(path: str, text: str) -> GitIgnore:
    """A `.gitignore`."""
    return GitIgnore(_parse_git_lines(path, text))


def parse_gcloud_ignore(path: str, text: str, read: Callable[[str], str]) -> GitIgnore:
    """A `.gcloudignore`; `read` gives the text of what it includes, a file beside it, which includes nothing itself."""
    if _INCLUDE not in text:
        return GitIgnore(_parse_git_lines(path, text))
    rules: list[_Rule] = []
    for number, line in _list_lines(text):
        directive = line[1:].lstrip() if line.startswith("#") else ""
        if not directive.startswith(_INCLUDE):
            rules += _parse_git_line(IgnoreLine(path, number, line.strip()), line)
            continue
        name = directive.removeprefix(_INCLUDE).rstrip("\r")
        included = posixpath.join(posixpath.dirname(path), name)
        if name and "/" not in name:  # else gcloud uploads nothing at all
            rules += _parse_git_lines(included, read(included))
    return GitIgnore(tuple(rules))


_GCLOUD_DEFAULT = (".gcloudignore", ".git", ".gitignore")


def make_default_gcloud_ignore(git_ignore_path: str, git_ignore: str) -> GitIgnore:
    """What gcloud leaves out where there is no `.gcloudignore`: git's own files, and what the `.gitignore` names."""
    own = [rule for name in _GCLOUD_DEFAULT for rule in _parse_git_line(IgnoreLine("", 0, name), name)]
    return GitIgnore((*own, *_parse_git_lines(git_ignore_path, git_ignore)))


@lru_cache(maxsize=64)
def _parse_git_lines(path: str, text: str) -> tuple[_Rule, ...]:
    lines = ((IgnoreLine(path, number, line.strip()), line) for number, line in _list_lines(text))
    return tuple(rule for source, line in lines for rule in _parse_git_line(source, line))


def _parse_git_line(source: IgnoreLine, line: str) -> Iterator[_Rule]:
    pattern = _strip_end(line.removesuffix("\r"))
    if not pattern or pattern.startswith("#"):
        return
    includes = pattern.startswith("!")
    pattern = pattern[1:] if includes else pattern
    folder_only = pattern.endswith("/")
    pattern = pattern[:-1] if folder_only else pattern
    by_name = "/" not in pattern
    parsed = parse_git_pattern(to_bytes_text(pattern.removeprefix("/")))
    if pattern and parsed is not None:
        yield _Rule(source, parsed, includes, folder_only, by_name)


def _strip_end(line: str) -> str:
    """Spaces at the end do not count, but for one that a backslash quotes."""
    bare = line.rstrip(" ")
    slashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if slashes % 2 and len(bare) < len(line) else bare


def _list_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n")[:MAX_LINES], 1):
        if len(line) <= MAX_PATTERN:
            yield number, line


def _list_prefixes(path: str) -> Sequence[str]:
    """The folders above a path from the top, and the path itself."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _clean_path(path: str) -> str:
    """The shortest form of a path, as Go's `filepath.Clean` gives it."""
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned
