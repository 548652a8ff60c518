"""Ranks the commits that touched a stack's functions: nearest to the failing line, newest, named by the error first.

Returns suspicions with their reasons. A score orders them; it is no probability, and nobody is shown it.
"""

import builtins
import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.proof.model.suspected_change import SuspectedChange, SuspicionKind
from shared.proof.suspected.earlier_place import get_bare_name
from shared.proof.suspected.function_history import FunctionTouch
from shared.proof.suspected.stack_functions import StackFunction, StackRole, list_names
from shared.text.phrases import quote_untrusted
from shared.text.timestamps import format_duration

MAX_CHANGES = 5
"""Of each kind that are named."""
_FAILING_STATEMENT = 3.0
_SAME_NAMES = 2.2
_FUNCTION = 1.4
_CALLED = 1.8
_CREATION = 0.4
"""For a commit that wrote a whole function: it may have held for long."""
_OUTER_FRAME = 0.6
_FURTHER_FRAME = 0.25
_NAMED_BY_ERROR = 1.5
_SINCE_LAST_GOOD = 3.0
_AGE_WEIGHT = 0.6
"""For each doubling of the unit: most failures follow their change within days."""
_AGE_UNIT = timedelta(days=2)
_FURTHER_FUNCTION = 0.3
_MAX_FURTHER = 3
_QUOTED_WORD = re.compile(r"['\"`]([^'\"`\n]{2,80})['\"`]")
_COMMON_WORDS = frozenset((*dir(builtins), "NoneType", "coroutine", "function", "method", "module"))
_IDENTIFIER = re.compile(r"[A-Za-z_]\w{1,80}")
_CALLED_NAME = re.compile(r"(?<!\w)(\w{1,200}+)\(\)")


@dataclass(frozen=True, slots=True)
class _Score:
    value: float
    touch: FunctionTouch
    at: StackFunction
    what: str
    word: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is known of the failure beside its stack."""

    message: str
    failed_at: datetime
    since_last_good: frozenset[str]
    """Commits that the failing revision has and the last good one had not; empty where that one is not known."""


def rank_introducing(
    touches: Sequence[tuple[StackFunction, Sequence[FunctionTouch]]], occasion: Occasion
) -> tuple[SuspectedChange, ...]:
    """Each commit once, likeliest first."""
    scores: dict[str, list[_Score]] = {}
    words = list_error_words(occasion.message)
    for at, function_touches in touches:
        for touch in function_touches:
            scores.setdefault(touch.commit.id, []).append(_score_touch(at, touch, words, occasion))
    best = [(_sum_scores(entries), max(entries, key=lambda score: score.value)) for entries in scores.values()]
    best.sort(key=lambda entry: (-entry[0], -entry[1].touch.commit.committed_at.timestamp(), entry[1].touch.commit.id))
    return tuple(
        SuspectedChange(
            score.touch.commit, score.touch.path, format_function(score.touch.function), SuspicionKind.INTRODUCED,
            _describe(score, occasion), rank,
        )
        for rank, (_, score) in enumerate(best[:MAX_CHANGES], 1)
    )  # fmt: skip


def _sum_scores(entries: Sequence[_Score]) -> float:
    further = sum(not entry.touch.is_creation for entry in entries) - 1
    return max(entry.value for entry in entries) + _FURTHER_FUNCTION * min(max(further, 0), _MAX_FURTHER)


def _score_touch(at: StackFunction, touch: FunctionTouch, words: Collection[str], occasion: Occasion) -> _Score:
    near, what = _measure_nearness(at, touch)
    word = "" if touch.is_creation else next(iter(_find_words(touch, words)), "")
    age = max(occasion.failed_at - touch.commit.committed_at, timedelta()) / _AGE_UNIT
    value = near + (_NAMED_BY_ERROR if word else 0.0) - _AGE_WEIGHT * math.log2(1 + age)
    value -= _CREATION if touch.is_creation else 0.0
    value += _SINCE_LAST_GOOD if touch.commit.id in occasion.since_last_good else 0.0
    return _Score(value, touch, at, what, word)


def _measure_nearness(at: StackFunction, touch: FunctionTouch) -> tuple[float, str]:
    """How near a change is to what failed, and in words what it changed."""
    function = describe_function(touch.function)
    if at.role is StackRole.CALLED:
        return _CALLED, f"changed {function}, whose result the failing line uses"
    outer = _OUTER_FRAME + _FURTHER_FRAME * (at.depth - 1) if at.depth else 0.0
    which = "the failing line" if not at.depth else "the line of the call"
    if at.position is not None and at.position in touch.added:
        how = f"wrote {function} with {which}" if touch.is_creation else f"last changed {which} in {function}"
        return _FAILING_STATEMENT - outer, how
    names = list_names(at.failing_text)
    changed = (*touch.added.values(), *touch.removed)
    suffix = "which failed" if not at.depth else "which is on the stack"
    if any(names & list_names(text) for text in changed):
        return _SAME_NAMES - outer, f"changed what {which} works with in {function}, {suffix}"
    return _FUNCTION - outer, f"changed {function}, {suffix}"


def list_error_words(message: str) -> Sequence[str]:
    """The names that an error message quotes, as `'base_url'`; and the function that it names, as `load()`."""
    quoted = [_IDENTIFIER.findall(text) for text in _QUOTED_WORD.findall(message[:1000])]
    words = [word for names in quoted for word in names] + _CALLED_NAME.findall(message[:1000])
    return list(dict.fromkeys(word for word in words if word not in _COMMON_WORDS))


def _find_words(touch: FunctionTouch, words: Collection[str]) -> Iterator[str]:
    changed = " ".join((*touch.added.values(), *touch.removed))
    held = frozenset(_IDENTIFIER.findall(changed))
    yield from (word for word in words if word in held)


def describe_function(function: str) -> str:
    """For a sentence."""
    name = format_function(function)
    return quote_untrusted(name, 80) if name else "the module's own code"


def format_function(function: str) -> str:
    """Without the number of a second definition."""
    return function.partition("#")[0] if get_bare_name(function) else ""


def _describe(score: _Score, occasion: Occasion) -> str:
    age = occasion.failed_at - score.touch.commit.committed_at
    when = f", {format_duration(age)} before the failure was logged" if age > timedelta() else ""
    good = "; the last good revision did not have it" if score.touch.commit.id in occasion.since_last_good else ""
    word = f"; its change speaks of {quote_untrusted(score.word, 60)}, as the error does" if score.word else ""
    return f"it {score.what}{when}{good}{word}"
