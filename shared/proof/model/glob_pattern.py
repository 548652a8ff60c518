"""Matches the patterns of ignore files, in time that grows with pattern times path, however a pattern is written.

The patterns of `.dockerignore` and of `.gitignore` have rules of their own.
"""

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

_LETTERS = frozenset(string.ascii_letters)
_NAMED_SETS = {
    "alpha": _LETTERS, "digit": frozenset(string.digits), "alnum": _LETTERS | frozenset(string.digits),
    "upper": frozenset(string.ascii_uppercase), "lower": frozenset(string.ascii_lowercase),
    "space": frozenset(string.whitespace), "punct": frozenset(string.punctuation),
    "xdigit": frozenset(string.hexdigits), "blank": frozenset(" \t"),
    "graph": frozenset(string.printable) - frozenset(string.whitespace),
    "print": frozenset(string.printable) - frozenset("\t\n\r\v\f"),
    "cntrl": frozenset(map(chr, [*range(32), 127])),
}  # fmt: skip
_GIT_SPECIAL = frozenset("*?[\\")
MAX_PATTERN = 4_000


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """One character out of some ranges and named sets; `never`: characters that it does not match in any case."""

    ranges: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    is_negated: bool = False
    never: str = ""

    def has(self, char: str) -> bool:
        """Whether it matches a character."""
        if char in self.never:
            return False
        inside = any(low <= char <= high for low, high in self.ranges)
        return (inside or any(char in _NAMED_SETS[name] for name in self.names)) is not self.is_negated


_NO_SLASH = CharacterSet(is_negated=True, never="/")
_ANY = CharacterSet(is_negated=True)


class _Kind(Enum):
    LITERAL = auto()
    ONE = auto()
    """One character of a set."""
    RUN = auto()
    """Any number of characters of a set."""
    FOLDERS = auto()
    """Nothing, or anything that ends with a slash."""


@dataclass(frozen=True, slots=True)
class _Part:
    kind: _Kind
    text: str = ""
    chars: CharacterSet = _ANY


@dataclass(frozen=True, slots=True)
class GlobPattern:
    """A pattern taken apart; it matches a whole path."""

    parts: tuple[_Part, ...]
    literals: tuple[str, ...] = ()
    """The texts that a path must hold."""

    def matches(self, path: str) -> bool:
        """Whether the pattern is the whole of a path."""
        if not self.parts:
            return not path
        first, last = self.parts[0], self.parts[-1]
        if first.kind is _Kind.LITERAL and not path.startswith(first.text):
            return False
        if last.kind is _Kind.LITERAL and not path.endswith(last.text):
            return False
        if not all(text in path for text in self.literals):
            return False
        reached = {0}
        for part in self.parts:
            reached = set(_advance(part, path, reached))
            if not reached:
                return False
        return len(path) in reached


def _advance(part: _Part, path: str, reached: set[int]) -> Iterator[int]:
    """The offsets of a path that one more part leads to."""
    match part.kind:
        case _Kind.LITERAL:
            yield from (at + len(part.text) for at in reached if path.startswith(part.text, at))
        case _Kind.ONE:
            yield from (at + 1 for at in reached if at < len(path) and part.chars.has(path[at]))
        case _Kind.FOLDERS:
            yield from reached
            yield from (at + 1 for at in range(min(reached), len(path)) if path[at] == "/")
        case _Kind.RUN:
            running = False
            for at in range(min(reached), len(path) + 1):
                running = running or at in reached
                if running:
                    yield at
                running = running and at < len(path) and part.chars.has(path[at])


def parse_docker_pattern(pattern: str) -> GlobPattern | None:
    """A cleaned pattern of a `.dockerignore`; None where Docker refuses it."""
    parts: list[_Part] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            parts.append(_read_double_star(pattern, at))
            at += 3 if pattern[at + 2 : at + 3] == "/" and parts[-1].kind is _Kind.FOLDERS else 2
            at += 1 if pattern[at:] == "/" else 0
            continue
        if char in "*?":
            parts.append(_Part(_Kind.RUN if char == "*" else _Kind.ONE, chars=_NO_SLASH))
        elif char == "[":
            read = _read_set(pattern, at, "^", never="")
            if read is None:
                return None
            parts.append(_Part(_Kind.ONE, chars=read[0]))
            at = read[1] - 1
        elif char == "\\":
            at += 1
            if at == len(pattern) or pattern[at].isalnum():  # to Docker's matcher `\d` is a digit
                return None
            _add_literal(parts, pattern[at])
        else:
            _add_literal(parts, char)
        at += 1
    return _build_pattern(parts)


def _build_pattern(parts: Sequence[_Part]) -> GlobPattern:
    return GlobPattern(tuple(parts), tuple(part.text for part in parts if part.kind is _Kind.LITERAL))


def _read_double_star(pattern: str, at: int) -> _Part:
    """`**` in the middle stands for folders; at the end, or before plain text at the beginning, for anything."""
    rest = pattern[at + 2 :]
    if rest in {"", "/"} or (at == 0 and rest[0] != "/" and not set("*?[]\\") & set(rest)):
        return _Part(_Kind.RUN)
    return _Part(_Kind.FOLDERS)


def parse_git_pattern(pattern: str) -> GlobPattern | None:
    """A pattern of a `.gitignore` without its `!` and its slashes at the ends; None where it matches nothing.

    git compares bytes: pattern and path are given as `to_bytes_text` makes them.
    """
    parts: list[_Part] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            end = at
            while end < len(pattern) and pattern[end] == "*":
                end += 1
            part, at = _read_git_stars(pattern, at, end)
            parts.append(part)
            continue
        if char == "?":
            parts.append(_Part(_Kind.ONE, chars=_NO_SLASH))
        elif char == "[":
            read = _read_set(pattern, at, "!^", never="/")
            if read is None:
                return None
            parts.append(_Part(_Kind.ONE, chars=read[0]))
            at = read[1] - 1
        elif char == "\\":
            at += 1
            if at == len(pattern):
                return None
            _add_literal(parts, pattern[at])
        else:
            _add_literal(parts, char)
        at += 1
    return _build_pattern(parts)


def to_bytes_text(text: str) -> str:
    """A text of which each character is one byte of it in UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _read_git_stars(pattern: str, start: int, end: int) -> tuple[_Part, int]:
    """The part that a run of stars is, and where the rest begins: only `**` between slashes or ends crosses folders.

    git compares what comes before the first wildcard by itself, so that the first wildcard counts as the beginning.
    """
    is_first = not _GIT_SPECIAL & set(pattern[:start])
    if end - start >= 2 and (is_first or pattern[start - 1] == "/"):
        if end == len(pattern):
            return _Part(_Kind.RUN), end
        if pattern[end] == "/":
            return _Part(_Kind.FOLDERS), end + 1
    return _Part(_Kind.RUN, chars=_NO_SLASH), end


def _add_literal(parts: list[_Part], text: str) -> None:
    if parts and parts[-1].kind is _Kind.LITERAL:
        parts[-1] = _Part(_Kind.LITERAL, parts[-1].text + text)
    else:
        parts.append(_Part(_Kind.LITERAL, text))


def _read_set(pattern: str, start: int, negations: str, *, never: str) -> tuple[CharacterSet, int] | None:
    """The `[…]` at an offset, and the offset after it; None where it is malformed."""
    at = start + 1
    is_negated = pattern[at : at + 1] in tuple(negations)
    at += is_negated
    ranges: list[tuple[str, str]] = []
    names: list[str] = []
    first = at
    while at < len(pattern) and (pattern[at] != "]" or at == first):
        name = pattern[at + 2 : pattern.find(":]", at)] if pattern.startswith("[:", at) else ""
        if name in _NAMED_SETS:
            names.append(name)
            at += len(name) + 4
            continue
        low, at = _read_member(pattern, at)
        high = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in {"", "]"}:
            high, at = _read_member(pattern, at + 1)
        ranges.append((low, high))
    return (CharacterSet(tuple(ranges), tuple(names), is_negated, never), at + 1) if at < len(pattern) else None


def _read_member(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return pattern[at + 1], at + 2
    return pattern[at], at + 1
