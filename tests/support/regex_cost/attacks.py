"""Texts that make a careless pattern try the same characters again and again: a size goes in, the texts come out."""

from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from typing import Any

PUMPS = (
    "\\", '"', "'", '\\"', "\\\\'", " ", "\t", "\n", " \n", "[", "]", "(", "{", "<", ">", "</", "`", "_", "*", "-",
    "--", ".", "a", "a ", "a.", "a-", "a_", "A", "0", "0.", "1011 ", "0:", "/", "//", "a/", "@", "a@", ":", "a:", "=",
    "key=",
    "password", "password ", 'password:"', "token: ", "-----BEGIN ", "\x1b[", "\x1b]", "$", "${", "#", "# ", "\r", "é",
)  # fmt: skip
"""What is repeated."""
PREFIXES = ("", "make ", 'password="', 'password=\\"', "pip install ", 'File "', "Traceback (", "run-name:", "web: ")
_PRINTABLE = "aA0 \\\"'`-_./:=<([{@#$\n\t~é"


def build_attacks(size: int, pumps: tuple[str, ...] = PUMPS, prefixes: tuple[str, ...] = ("",)) -> Iterator[str]:
    """Each is of that many characters, and ends with something that fits nowhere."""
    for begin in prefixes:
        for pump in pumps:
            yield (begin + pump * (size // len(pump)))[: size - 1] + "\x00"


def pumps_of(pattern_tree: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a pattern's own repeats take, and what has to stand before each of them."""
    pumps, before = dict[str, None](), dict[str, None]()
    _walk(pattern_tree, "", pumps, before)
    return tuple(pumps)[:12], tuple(before)[:6]


def _walk(items: Any, lead: str, pumps: dict[str, None], before: dict[str, None]) -> str:
    """The shortest text that the items take, after `lead`."""
    taken = ""
    for code, argument in items:
        if str(code).endswith("REPEAT"):
            least, most, body = argument
            once = _walk(body, lead + taken, pumps, before)
            if most > 16 and once:
                pumps.setdefault(once)
                pumps.setdefault(lead + taken + once)
                before.setdefault(lead + taken)
            taken += once * min(int(least), 4)
        else:
            taken += _single(code, argument, lead + taken, pumps, before)
    return taken


def _single(code: Any, argument: Any, lead: str, pumps: dict[str, None], before: dict[str, None]) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code in {codes.IN, codes.NOT_LITERAL, codes.ANY}:
        return _letter(code, argument)
    if code is codes.SUBPATTERN:
        return _walk(argument[3], lead, pumps, before)
    if code is codes.ATOMIC_GROUP:
        return _walk(argument, lead, pumps, before)
    if code is codes.BRANCH:
        taken = [_walk(branch, lead, pumps, before) for branch in argument[1]]
        return taken[0]
    if code in {codes.ASSERT, codes.ASSERT_NOT}:
        _walk(argument[1], lead, pumps, before)
    return ""


def _letter(code: Any, argument: Any) -> str:
    from tests.support.regex_cost.matcher import matches_character  # noqa: PLC0415

    accepts = matches_character(code, argument, 0)
    return next((letter for letter in _PRINTABLE if accepts(letter)), "a")
