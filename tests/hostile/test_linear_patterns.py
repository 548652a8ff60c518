"""What reads hostile text takes time that grows with its length, and no faster: steps are counted, not seconds."""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.support.regex_cost.attacks import PREFIXES, PUMPS, build_attacks, pumps_of
from tests.support.regex_cost.matcher import FEW_REPEATS, StepLimitError, count_steps, find_all, longest_repeat, parse
from tests.support.regex_cost.product_patterns import FoundPattern, all_patterns

SIZES = (60, 120, 180)
"""Characters: a further piece may take as many steps as the one before, and takes 1.67 times as many at worst."""
_GROWTH = 1.4
_MOST = 100_000
"""Steps that no text of such a size is worth."""
_FEW = 40
"""Steps for each further character that need no judgement."""
_BOUNDED = FEW_REPEATS
"""A pattern that repeats nothing more often costs so much at each character at most."""
PATTERNS = [found for found in all_patterns() if longest_repeat(parse(found.pattern)) > _BOUNDED]


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    """The model calls itself for each repeat of a group."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


def growth(found: FoundPattern, texts: tuple[str, ...]) -> float:
    """How many times the steps of one further piece the next one takes."""
    first, second, third = texts
    try:
        before = count_steps(found.pattern, first, anchored=found.anchored, most=_MOST)
        upto = count_steps(found.pattern, second, anchored=found.anchored, most=_MOST)
        piece = max(upto - before, _FEW * (len(second) - len(first)))
        return (count_steps(found.pattern, third, anchored=found.anchored, most=upto + 4 * piece) - upto) / piece
    except StepLimitError:
        return 4.0


def worst_growth(found: FoundPattern) -> tuple[float, str]:
    """The most of all attacks, and the text that makes it."""
    pumps, before = pumps_of(parse(found.pattern))
    chosen = dict.fromkeys((*pumps[:4], "\\", " ", "\n", "a "))
    sizes = [build_attacks(size, tuple(chosen), tuple(dict.fromkeys(("", *before[:2])))) for size in SIZES]
    worst, culprit = 0.0, ""
    for texts in zip(*sizes, strict=True):
        found_growth = growth(found, texts)
        if found_growth > worst:
            worst, culprit = found_growth, texts[0][:60]
        if worst >= _GROWTH:
            break
    return worst, culprit


@pytest.mark.parametrize("found", PATTERNS, ids=[found.where for found in PATTERNS])
def test_a_pattern_takes_no_more_steps_for_a_piece_than_for_the_one_before(found: FoundPattern) -> None:
    worst, culprit = worst_growth(found)
    assert worst < _GROWTH, f"{found.where} on {culprit!r}"


CARELESS = {
    "runs from each of its characters": re.compile(r"\\+\""),
    "words as often as they like": re.compile(r"\bmake\s+(?:\w+\s+)*(?:test|lint)\b"),
    "a line from each of its blanks": re.compile(r"\s+$"),
    "two that take the same blanks": re.compile(r"^(\S{1,1024}\.py):(\d{1,9})[ \t]*[│|]?[ \t]*$", re.MULTILINE),
    "a run that may end in a quote": re.compile(
        r"key=(?P<q>\\{0,4}[\"'])(?:[^\"'\\]|(?!(?P=q))\\+[\"']|(?!(?P=q))\\)+"
    ),
    "lines from each of their ends": re.compile(r"(?m)^\s*#.*$"),
    "nested": re.compile(r"(?:a+)+b"),
}


@pytest.mark.parametrize("name", CARELESS)
def test_a_careless_pattern_is_seen(name: str) -> None:
    assert worst_growth(FoundPattern(name, CARELESS[name], anchored=False))[0] >= _GROWTH


@pytest.mark.parametrize("found", PATTERNS, ids=[found.where for found in PATTERNS])
def test_the_model_takes_the_way_that_the_library_takes(found: FoundPattern) -> None:
    """It would count something else if it matched something else."""
    if isinstance(found.pattern.pattern, bytes):
        return  # the model reads text
    pattern = found.pattern
    for text in build_attacks(40, PUMPS[::3], PREFIXES[::2]):
        assert find_all(pattern, text) == [match.span() for match in pattern.finditer(text)], text
