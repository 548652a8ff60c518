"""A backtracking matcher as `re` has one, for counting: a pattern and a text go in, the number of steps comes out.

It walks the tree that `re` itself has parsed, tries alternatives and repeats in the same order, and counts each item
that it tries at a place. What `re` does faster (a literal that must come next) counts here as what it saves.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Then = Callable[[int], int]
Node = Callable[[int, Then], int]
FAILED = -1
FEW_REPEATS = 16
REPEAT_BOUND = 1_000
_SINGLE = frozenset((codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN))
_REPEATS = frozenset((codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT))
_WORD = re.compile(r"\w")
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    codes.CATEGORY_DIGIT: str.isdigit,
    codes.CATEGORY_NOT_DIGIT: lambda letter: not letter.isdigit(),
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda letter: not letter.isspace(),
    codes.CATEGORY_WORD: lambda letter: bool(_WORD.match(letter)),
    codes.CATEGORY_NOT_WORD: lambda letter: not _WORD.match(letter),
}


class StepLimitError(Exception):
    """The steps are more than were allowed."""


@dataclass(slots=True)
class CountingMatcher:
    """One pattern on one text after the other."""

    is_truncated: bool
    """Repeats up to `REPEAT_BOUND` times are taken for `FEW_REPEATS`: short texts then show what long ones would."""
    text: str = ""
    step_limit: int = sys.maxsize
    steps: int = 0
    groups: dict[int, tuple[int, int]] = field(default_factory=dict)

    def take_text(self, text: str, step_limit: int) -> None:
        self.text, self.step_limit, self.steps = text, step_limit, 0
        self.groups.clear()

    def count_step(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > self.step_limit:
            raise StepLimitError


@cache
def parse(pattern: "re.Pattern[str] | re.Pattern[bytes]") -> Any:
    """The tree of a compiled pattern."""
    return parser.parse(pattern.pattern, pattern.flags)


def count_steps(pattern: "re.Pattern[str] | re.Pattern[bytes]", text: str, *, anchored: bool, most: int) -> int:
    """Of one `match`, or of looking through the whole text as `finditer` does. Raises TooMany."""
    machine, node = _build_matcher(pattern, is_truncated=True)
    machine.take_text(text, most)
    if anchored:
        node(0, lambda at: at)
        return machine.steps
    start = 0
    while start <= len(text):
        machine.groups.clear()
        machine.count_step()
        end = node(start, lambda at: at)
        start = end if end > start else start + 1
    return machine.steps


def find_all(pattern: "re.Pattern[str] | re.Pattern[bytes]", text: str) -> list[tuple[int, int]]:
    """Where `finditer` finds something, by this model."""
    machine, node = _build_matcher(pattern, is_truncated=False)
    machine.take_text(text, sys.maxsize)
    spans, start, empty_at = [], 0, -1
    while start <= len(text):
        machine.groups.clear()
        end = node(start, partial(_reject_empty_match, empty_at))
        if end == FAILED:
            start += 1
            continue
        spans.append((start, end))
        start, empty_at = end, end if end == start else -1
    return spans


@cache
def _build_matcher(
    pattern: "re.Pattern[str] | re.Pattern[bytes]", *, is_truncated: bool
) -> tuple[CountingMatcher, Node]:
    machine = CountingMatcher(is_truncated)
    return machine, _sequence(parse(pattern), pattern.flags, machine)


def _reject_empty_match(last_end: int, at: int) -> int:
    """Nothing is found where the last match has ended, if it would be empty."""
    return FAILED if at == last_end else at


def longest_repeat(tree: Any) -> int:
    """The most times that anything in it may be repeated."""
    longest = 0
    for code, argument in tree:
        if code in _REPEATS:
            longest = max(longest, int(argument[1]), longest_repeat(argument[2]))
        elif code is codes.SUBPATTERN:
            longest = max(longest, longest_repeat(argument[3]))
        elif code is codes.BRANCH:
            longest = max([longest, *map(longest_repeat, argument[1])])
        elif code in {codes.ASSERT, codes.ASSERT_NOT}:
            longest = max(longest, longest_repeat(argument[1]))
        elif code is codes.ATOMIC_GROUP:
            longest = max(longest, longest_repeat(argument))
    return longest


def _sequence(items: Any, flags: int, machine: CountingMatcher) -> Node:
    nodes = [_node(code, argument, flags, machine) for code, argument in items]
    if len(nodes) == 1:
        return nodes[0]

    def run(at: int, then: Then, number: int = 0) -> int:
        if number == len(nodes):
            return then(at)
        return nodes[number](at, lambda next_: run(next_, then, number + 1))

    return run


def _node(code: Any, argument: Any, flags: int, machine: CountingMatcher) -> Node:  # noqa: PLR0911  # one for each kind of item
    if code in _SINGLE:
        return _match_character(matches_character(code, argument, flags), machine)
    if code in _REPEATS:
        return _repeat(code, argument, flags, machine)
    if code is codes.SUBPATTERN:
        number, added, removed, items = argument
        return _group(number, _sequence(items, (flags | added) & ~removed, machine), machine)
    if code is codes.BRANCH:
        return _branch([_sequence(items, flags, machine) for items in argument[1]], machine)
    if code in {codes.ASSERT, codes.ASSERT_NOT}:
        return _match_lookaround(code is codes.ASSERT, argument, flags, machine)
    if code is codes.ATOMIC_GROUP:
        return _atomic(_sequence(argument, flags, machine))
    if code is codes.AT:
        return _match_position(argument, flags, machine)
    assert code is codes.GROUPREF, f"the model does not know {code}"
    return _match_backreference(argument, machine)


def matches_character(code: Any, argument: Any, flags: int) -> Callable[[str], bool]:
    return cache(_matches_character(code, argument, flags))


def _matches_character(code: Any, argument: Any, flags: int) -> Callable[[str], bool]:
    if code is codes.ANY:
        return lambda letter: bool(flags & re.DOTALL) or letter != "\n"
    if code is codes.IN:
        negated = argument[0][0] is codes.NEGATE
        parts = [_member(*part) for part in argument[negated:]]
        return lambda letter: any(part(spelling) for part in parts for spelling in _cases(letter, flags)) != negated
    return lambda letter: (chr(argument) in _cases(letter, flags)) != (code is codes.NOT_LITERAL)


def _member(code: Any, argument: Any) -> Callable[[str], bool]:
    if code is codes.LITERAL:
        return lambda letter: ord(letter) == argument
    if code is codes.RANGE:
        return lambda letter: argument[0] <= ord(letter) <= argument[1]
    return _CATEGORIES[argument]


def _cases(letter: str, flags: int) -> tuple[str, ...]:
    return (letter, letter.lower(), letter.upper()) if flags & re.IGNORECASE else (letter,)


def _match_character(fits: Callable[[str], bool], machine: CountingMatcher) -> Node:
    def run(at: int, then: Then) -> int:
        machine.count_step()
        return then(at + 1) if at < len(machine.text) and fits(machine.text[at]) else FAILED

    return run


def _repeat(code: Any, argument: Any, flags: int, machine: CountingMatcher) -> Node:
    least, most, items = int(argument[0]), int(argument[1]), argument[2]
    if machine.is_truncated and FEW_REPEATS < most <= REPEAT_BOUND:
        least, most = min(least, FEW_REPEATS), FEW_REPEATS
    gives_back = code is codes.MAX_REPEAT
    if len(items) == 1 and items[0][0] in _SINGLE and code is not codes.MIN_REPEAT:
        fits = matches_character(items[0][0], items[0][1], flags)
        return _match_characters(fits, least, most, machine, gives_back=gives_back)
    body = _sequence(items, flags, machine)
    if code is codes.POSSESSIVE_REPEAT:
        return _match_run(body, least, most, machine)

    def further(at: int, then: Then, count: int) -> int:
        machine.count_step()

        def once_more() -> int:
            if count >= most:
                return FAILED
            return body(at, lambda end: further(end, then, count + 1) if end > at or count < least else FAILED)

        if count < least:
            return once_more()
        if code is codes.MAX_REPEAT:
            end = once_more()
            return end if end != FAILED else then(at)
        end = then(at)
        return end if end != FAILED else once_more()

    return lambda at, then: further(at, then, 0)


def _match_characters(
    fits: Callable[[str], bool], least: int, most: int, machine: CountingMatcher, *, gives_back: bool
) -> Node:
    """As many as fit; then, one after the other is given back. A step is each that is tried, and each end."""

    def run(at: int, then: Then) -> int:
        text, end = machine.text, at
        limit = min(len(text), at + most)
        while end < limit and fits(text[end]):
            end += 1
        machine.count_step(end - at + (end - at < most))
        for stop in range(end, at + least - 1, -1):
            machine.count_step()
            result = then(stop)
            if result != FAILED or not gives_back:
                return result
        return FAILED

    return run


def _match_run(body: Node, least: int, most: int, machine: CountingMatcher) -> Node:
    """As often as it goes, and nothing is given back."""

    def run(at: int, then: Then) -> int:
        count, last = 0, at
        while count < most:
            end = body(last, lambda next_: next_)
            if end == FAILED or (end == last and count >= least):
                break
            count, last = count + 1, end
        if count < least:
            return FAILED
        machine.count_step()
        return then(last)

    return run


def _group(number: int | None, body: Node, machine: CountingMatcher) -> Node:
    def run(at: int, then: Then) -> int:
        def closed(end: int) -> int:
            if number is not None:
                machine.groups[number] = at, end
            return then(end)

        return body(at, closed)

    return run


def _branch(bodies: list[Node], machine: CountingMatcher) -> Node:
    def run(at: int, then: Then) -> int:
        for body in bodies:
            machine.count_step()
            end = body(at, then)
            if end != FAILED:
                return end
        return FAILED

    return run


def _match_lookaround(wanted: bool, argument: Any, flags: int, machine: CountingMatcher) -> Node:  # noqa: FBT001
    direction, items = argument
    body, width = _sequence(items, flags, machine), items.getwidth()[0]

    def run(at: int, then: Then) -> int:
        machine.count_step()
        begin = at if direction > 0 else at - width
        seen = begin >= 0 and body(begin, lambda end: end) != FAILED
        return then(at) if seen == wanted else FAILED

    return run


def _atomic(body: Node) -> Node:
    def run(at: int, then: Then) -> int:
        end = body(at, lambda next_: next_)
        return then(end) if end != FAILED else FAILED

    return run


def _match_position(where: Any, flags: int, machine: CountingMatcher) -> Node:
    def holds(at: int) -> bool:
        text = machine.text
        if where in {codes.AT_BEGINNING, codes.AT_BEGINNING_STRING}:
            lines = flags & re.MULTILINE and where is codes.AT_BEGINNING
            return at == 0 or bool(lines and text[at - 1] == "\n")
        if where in {codes.AT_END, codes.AT_END_STRING}:
            lines = flags & re.MULTILINE and where is codes.AT_END
            return at == len(text) or bool(lines and text[at] == "\n")
        words = [bool(_WORD.match(text[index])) for index in (at - 1, at) if 0 <= index < len(text)]
        return (sum(words) == 1) == (where is codes.AT_BOUNDARY)

    def run(at: int, then: Then) -> int:
        machine.count_step()
        return then(at) if holds(at) else FAILED

    return run


def _match_backreference(number: int, machine: CountingMatcher) -> Node:
    def run(at: int, then: Then) -> int:
        machine.count_step()
        if number not in machine.groups:
            return FAILED
        begin, end = machine.groups[number]
        said = machine.text[begin:end]
        return then(at + len(said)) if machine.text.startswith(said, at) else FAILED

    return run
