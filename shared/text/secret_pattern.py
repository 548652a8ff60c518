"""Compiles the form of a secret from the configuration into a pattern that scans any text once, or says why not.

A form is a small part of a regular expression: at least three fixed characters, then characters, `[classes]`, `\\d` and
`\\w`, each once or with `{n}`, `{m,n}` or `+`. Nothing in it can be tried in two ways, so nothing is ever tried twice:
that is what makes it linear, where a free expression could keep a function busy for hours.

Why not google-re2 with free expressions, measured 2026-11-26: RE2 bounds one match, not the search for all. With
`abc(?:[a-z]+X)?`, 8 KB of "abcabc…" take 69 ms and 64 KB 2,189 ms, so a grammar would still be needed. RE2 knows
neither look-behinds nor possessive repeats: it compiles none of redaction's own 57 rules. Beside this grammar it
saves 1.5 ms for 64 KB that hold the fixed characters; other texts are not searched at all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_ITEM = re.compile(
    r"(?P<atom>\\[dw]|\\[^A-Za-z0-9\s]|\[(?:\\[dw]|\\[^A-Za-z0-9\s]|[A-Za-z0-9](?:-[A-Za-z0-9])?|[_.:/=@#~+-])+\]"
    r"|[A-Za-z0-9_:/=@#~-])(?:\{(?P<least>\d{1,4})(?:,(?P<most>\d{1,4}))?\}|(?P<plus>\+))?"
)
_MIN_PREFIX_LENGTH = 3
_MIN_SECRET_LENGTH_ASKED = 8
_MAX_REPEAT = 1_024
_MAX_PATTERN_LENGTH = 200
_ASCII = "".join(map(chr, range(128)))
_TOKEN_START = r"(?<![A-Za-z0-9_-])(?<!redacted )"  # noqa: S105


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """`pattern` matches only where `fixed` is."""

    prefix: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Item:
    atom: str
    characters: frozenset[str]
    min_count: int
    max_count: int


def parse_secret_pattern(text: str) -> SecretPattern:
    """Raises ValueError with the end of a sentence that begins with the form's key: `must …`."""
    items = list(_parse_items(text))
    fixed = _get_fixed_prefix(items)
    if len(fixed) < _MIN_PREFIX_LENGTH:
        raise ValueError(
            f"must begin with at least {_MIN_PREFIX_LENGTH} fixed characters, such as 'acme_[A-Za-z0-9]{{32}}'"
        )
    if sum(item.min_count for item in items) < _MIN_SECRET_LENGTH_ASKED:
        raise ValueError(f"must ask for at least {_MIN_SECRET_LENGTH_ASKED} characters: ordinary words are shorter")
    for item, following in pairwise(items):
        if item.max_count > item.min_count and item.characters & following.characters:
            raise ValueError(
                f"must not let {item.atom!r} repeat where {following.atom!r} may follow: the same character fits both, "
                "so that a text would be tried in many ways; give the number, as in {32}"
            )
    # Possessive: what has matched is never given back.
    source = "".join(f"{item.atom}{{{item.min_count},{item.max_count}}}+" for item in items)
    return SecretPattern(fixed, re.compile(_TOKEN_START + source, re.ASCII))


def _parse_items(text: str) -> Iterator[_Item]:
    if not 0 < len(text) <= _MAX_PATTERN_LENGTH:
        raise ValueError(f"must have from 1 to {_MAX_PATTERN_LENGTH} characters")
    position = 0
    while position < len(text):
        item = _ITEM.match(text, position)
        if item is None:
            raise ValueError(
                "may contain only fixed characters, [classes], \\d and \\w, each with an optional {n}, {m,n} or +; "
                f"character {position + 1} is not allowed"
            )
        position = item.end()
        yield _parse_item(item)


def _parse_item(match: re.Match[str]) -> _Item:
    least = int(match["least"] or 1)
    most = int(match["most"] or (_MAX_REPEAT if match["plus"] else least))
    if not 1 <= least <= most <= _MAX_REPEAT:
        raise ValueError(f"must use repeat counts from 1 to {_MAX_REPEAT}, the smaller one first")
    try:
        characters = frozenset(re.findall(match["atom"], _ASCII, re.ASCII))
    except re.error:
        raise ValueError(f"must not hold the class {match['atom']!r}: its ranges run backwards") from None
    return _Item(match["atom"], characters, least, most)


def _get_fixed_prefix(items: list[_Item]) -> str:
    """The characters with which every match begins."""
    fixed = ""
    for item in items:
        if len(item.characters) != 1 or item.max_count > 1:
            break
        fixed += next(iter(item.characters))
    return fixed
