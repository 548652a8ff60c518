"""Every match of a rule holds the rule's hint: a pattern comes in, the outlines of all that it matches go out."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from shared.text.secret_rules import ALL_RULES, SecretRule

_parser: Any = vars(re)["_parser"]
"""The library's own reading of a pattern."""
GAP = "\0"
"""Stands for whatever a pattern leaves open."""
FEW = 2


def outlines(items: Iterable[Any]) -> set[str]:
    """What a match can look like, its open places as gaps."""
    found = {""}
    for kind, value in items:
        read = READ.get(str(kind))
        parts = {GAP} if read is None else read(value)
        found = {before + part for before in found for part in parts}
    return found


def _of_class(value: Any) -> set[str]:
    letters = {chr(each) for kind, each in value if str(kind) == "LITERAL"}
    return letters if len(letters) == len(value) <= FEW else {GAP}


def _of_repeat(value: Any) -> set[str]:
    least, _, inner = value
    return {each + GAP for each in outlines(inner)} if least else {GAP}


def _nothing(_: Any) -> set[str]:
    return {""}


READ: dict[str, Callable[[Any], set[str]]] = {
    "LITERAL": lambda value: {chr(value)},
    "IN": _of_class,
    "SUBPATTERN": lambda value: outlines(value[-1]),
    "BRANCH": lambda value: set().union(*map(outlines, value[1])),
    "MAX_REPEAT": _of_repeat,
    "POSSESSIVE_REPEAT": _of_repeat,
    "ASSERT": _nothing,
    "ASSERT_NOT": _nothing,
    "AT": _nothing,
}


def without_hint(rule: SecretRule) -> set[str]:
    """The outlines of matches that a text without the hint could hold."""
    return {each for each in outlines(_parser.parse(rule.pattern.pattern)) if rule.hint not in each.lower()}


@pytest.mark.parametrize("rule", [rule for rule in ALL_RULES if rule.hint], ids=lambda rule: rule.kind)
def test_no_secret_is_missed_for_want_of_its_hint(rule: SecretRule) -> None:
    assert rule.hint == rule.hint.lower()
    assert without_hint(rule) == set()


def test_a_hint_that_some_matches_lack_is_seen() -> None:
    assert without_hint(SecretRule("wrong", r"(?:sk|rk)_\d", "sk_")) == {"rk_" + GAP}
    assert without_hint(SecretRule("optional", r"key(?:-us)?=[0-9]{2}", "-us")) != set()
