"""Which strings of a file may reach a place in its code through the variables that stand there.

In: the text of a file, the places. Out: the strings, found by the assignments and loops that give those variables.
Nothing is run: where a variable is an argument of a function, no string is found.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from shared.proof.loading.source_text import Literal, SourceText

MAX_NAMES = 40
MAX_POSITIONS = 200
MAX_CALL_LENGTH = 4_000
_VARIABLE_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w{0,80}+")
_IN_FORMAT = re.compile(r"\{\s{0,20}+([A-Za-z_]\w{0,80}+)")
_ASSIGNMENT = re.compile(r"(?<![\w.])([A-Za-z_]\w{0,80}+)[ \t]{0,20}+(?::[^=\n]{0,80}+)?=(?!=)")
_LOOP = re.compile(r"(?<![\w.])for[ \t]{1,20}+([^:\n\[\](){}]{1,200}+)")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def find_reaching_strings(text: SourceText, starts: Iterable[int]) -> tuple[Literal, ...]:
    """The strings behind each start, up to the end of its call or statement, and those of the variables in it."""
    found: dict[Literal, None] = {}
    given: dict[str, list[int]] | None = None
    queue = list(starts)[:MAX_NAMES]
    seen: set[str] = set()
    for _ in range(MAX_POSITIONS):
        if not queue:
            break
        start = queue.pop()
        end = _find_call_end(text.code, start)
        strings = text.find_strings_within(start, end)
        found |= dict.fromkeys(strings)
        for name in _find_names(text.code[start:end], strings):
            if name not in seen and len(seen) < MAX_NAMES:
                seen.add(name)
                given = _find_assignments(text.code) if given is None else given
                queue += given.get(name, ())[:MAX_NAMES]
    return tuple(found)


def find_strings_after(text: SourceText, start: int) -> Sequence[Literal]:
    """The strings behind a place, up to the end of its call or statement."""
    return text.find_strings_within(start, _find_call_end(text.code, start))


def _find_call_end(code: str, start: int) -> int:
    """Where the call or the statement that holds a place ends: at its closing bracket, or with its line."""
    depth = 0
    for place in range(start, min(len(code), start + MAX_CALL_LENGTH)):
        depth += _BRACKETS.get(code[place], 0)
        if depth < 0 or (depth == 0 and code[place] == "\n"):
            return place
    return min(len(code), start + MAX_CALL_LENGTH)


def _find_names(code: str, strings: Iterable[Literal]) -> Iterator[str]:
    yield from _VARIABLE_NAME.findall(code)
    for each in strings:
        if each.is_format:
            yield from _IN_FORMAT.findall(each.body)


def _find_assignments(code: str) -> dict[str, list[int]]:
    """Where each variable is given its values."""
    found: dict[str, list[int]] = {}
    for match in _ASSIGNMENT.finditer(code):
        found.setdefault(match[1], []).append(match.end())
    for match in _LOOP.finditer(code):
        names, _, _ = match[1].partition(" in ")
        for name in _VARIABLE_NAME.findall(names):
            found.setdefault(name, []).append(match.start(1) + len(names) + 3)
    return found
