"""A tree and a log entry go in, whether the entry matches comes out.

Texts are compared without regard to case, patterns with it. The text of a comparison is turned into the type of the
field: a number, a severity, a moment, a duration, a truth value.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any as Unknown
from urllib.parse import unquote

import re2

from tests.support.logging_query.fields import COUNTS, MOMENTS, field_values, has_field, scalar_leaves
from tests.support.logging_query.query_parser import And, Comparison, Node, Not, Or
from tests.support.logging_query.tokens import QueryError

SEVERITIES = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}
_ORDERED = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_QUIET = re2.Options()
_QUIET.log_errors = False


def evaluate(tree: Node, entry: Mapping[str, object], *, is_every_part: bool = False) -> bool:
    """With `is_every_part` a mistake in one part shows whatever the others say."""
    if isinstance(tree, And | Or):
        matching = (evaluate(part, entry, is_every_part=is_every_part) for part in tree.parts)
        parts = list(matching) if is_every_part else matching
        return all(parts) if isinstance(tree, And) else any(parts)
    if isinstance(tree, Not):
        return not evaluate(tree.part, entry, is_every_part=is_every_part)
    return _compare(tree, entry)


def _compare(asked: Comparison, entry: Mapping[str, object]) -> bool:
    if not asked.path:
        fields = {name: value for name, value in entry.items() if (name,) not in MOMENTS}
        return any(_has_text(leaf, asked.value) for leaf in scalar_leaves(fields))
    values = field_values(asked.path, entry)
    if asked.operator == ":" and asked.value == "*" and not asked.quoted:
        return has_field(asked.path, entry)
    if asked.operator == "log_id":
        return any(unquote(str(value).rpartition("/logs/")[2]) == unquote(asked.value) for value in values)
    if asked.operator == ":":
        return any(_has_text(leaf, asked.value) for value in values for leaf in scalar_leaves(value))
    if asked.operator in {"=~", "!~"}:
        search = _pattern(asked.value).search
        return any((search(_text(value)) is None) is (asked.operator == "!~") for value in values if _scalar(value))
    held = [_ordered(asked, value) for value in values if _scalar(value)]
    return any(held)


def _ordered(asked: Comparison, value: object) -> bool:
    compare: Unknown = _ORDERED[asked.operator]
    if value is None or asked.value == "NULL_VALUE":
        return value is None and (asked.operator, asked.value) == ("=", "NULL_VALUE")
    left, right = _convert_operands(asked, value)
    return right is not None and bool(compare(left, right))


def _convert_operands(asked: Comparison, value: object) -> tuple[object, object]:
    """Both sides in the type of the field; None on the right where the text does not tell such a value."""
    text = _text(value)
    for paths, read in _TYPES:
        if asked.path in paths:
            return read(text), read(asked.value)
    if isinstance(value, bool):
        return value, {"true": True, "false": False}.get(asked.value.lower())
    if isinstance(value, int | float) or asked.path in COUNTS:
        return _number(text), _number(asked.value)
    return text.lower(), asked.value.lower()


def _has_text(value: object, text: str) -> bool:
    return _lower(text) in _lower(_text(value))


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "NULL_VALUE" if value is None else str(value).lower()
    return str(value).encode("utf-8", "replace").decode("utf-8")  # half surrogate pairs are never stored


@lru_cache(maxsize=512)
def _lower(text: str) -> str:
    return text.lower()


def _scalar(value: object) -> bool:
    return not isinstance(value, Mapping | list)


@cache
def _pattern(text: str) -> Unknown:
    try:
        return re2.compile(text, _QUIET)
    except re2.error as error:
        raise QueryError(f"{text!r} is no pattern of RE2: {error}") from None


def _severity(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text.upper() not in SEVERITIES:
        raise QueryError(f"{text!r} is no severity")
    return SEVERITIES[text.upper()]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{text!r} is no time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _seconds(text: str) -> float:
    number = _number(text.removesuffix("s"))
    if number is None:
        raise QueryError(f"{text!r} is no duration")
    return number


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_TYPES: tuple[tuple[frozenset[tuple[str, ...]], Callable[[str], object]], ...] = (
    (frozenset((("severity",),)), _severity),
    (MOMENTS, _moment),
    (frozenset((("httpRequest", "latency"),)), _seconds),
)
