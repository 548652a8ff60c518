"""Parses ty's diagnostics, limited to the families of failure that a traceback can claim.

The input is the JSON that ty writes for GitLab. Rules that are not listed here are skipped.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.proof.model.checker_report import CheckerDiagnostic, CheckerRule

RULES: Mapping[str, CheckerRule] = {
    "import-not-found": CheckerRule.MODULE,
    "missing-module-member": CheckerRule.MODULE_MEMBER,
    "unresolved-reference": CheckerRule.NAME,
    "possibly-unresolved-reference": CheckerRule.POSSIBLE_NAME,
    "missing-attribute": CheckerRule.ATTRIBUTE,
    "missing-union-attribute": CheckerRule.UNION_ATTRIBUTE,
    "possibly-missing-attribute": CheckerRule.POSSIBLE_ATTRIBUTE,
    "possibly-missing-import": CheckerRule.POSSIBLE_ATTRIBUTE,
    "possibly-missing-submodule": CheckerRule.POSSIBLE_ATTRIBUTE,
    "missing-argument": CheckerRule.CALL,
    "unknown-argument": CheckerRule.CALL,
    "too-many-positional-arguments": CheckerRule.CALL,
    "parameter-already-assigned": CheckerRule.CALL,
    "positional-only-parameter-as-kwarg": CheckerRule.CALL,
    "no-matching-overload": CheckerRule.CALL,
    "not-callable": CheckerRule.NOT_CALLABLE,
    "not-subscriptable": CheckerRule.NOT_SUBSCRIPTABLE,
    "not-iterable": CheckerRule.NOT_ITERABLE,
    "invalid-await": CheckerRule.NOT_AWAITABLE,
    "invalid-assignment": CheckerRule.OTHER,
    "invalid-argument-type": CheckerRule.OTHER,
    "invalid-attribute-access": CheckerRule.OTHER,
    "invalid-context-manager": CheckerRule.OTHER,
    "possibly-missing-implicit-call": CheckerRule.OTHER,
    "unsupported-operator": CheckerRule.OTHER,
}
"""The rules that are switched on, by ty's names of the pinned version."""

MAX_DIAGNOSTICS = 20_000
_SYNTAX = "invalid-syntax"
_REVEALED = "revealed-type"
_QUOTED = r"`([^`]{1,2000})`"
_MESSAGES = tuple(
    re.compile(pattern.replace("@", _QUOTED), re.DOTALL)
    for pattern in (
        r"Attribute (?P<name>@) is not defined on (?P<subject>@)",
        r"(?:Module|Object of type|Class|Function) (?P<subject>@) has no (?:member|attribute) (?P<name>@)",
        r"(?:Member|Attribute) (?P<name>@) may be missing on (?:module|object of type|class) (?P<subject>@)",
        r"Submodule (?P<name>@) might not have been imported",
        r"Name (?P<name>@) used when",
        r"Cannot resolve imported module (?P<name>@)",
        r"(?:Object|Cannot (?:subscript|delete subscript on) (?:an )?object) of type (?P<subject>@)",
        r"(?P<subject>@) is not awaitable",
        r"Revealed type: (?P<subject>@)",
    )
)


def read_diagnostics(answers: list[Any]) -> Iterator[CheckerDiagnostic]:
    """Those of the rules that are read. Raises KeyError, TypeError or ValueError where the text is no answer of ty."""
    for answer in answers[:MAX_DIAGNOSTICS]:
        rule = CheckerRule.REVEALED if answer["check_name"] == _REVEALED else RULES.get(answer["check_name"])
        if rule is not None:
            begin = answer["location"]["positions"]["begin"]
            message = str(answer["description"]).removeprefix(f"{answer['check_name']}: ")
            name, subject = _parse_call(message) if rule is CheckerRule.CALL else _parse_message(message)
            path = str(answer["location"]["path"])
            yield CheckerDiagnostic(path, int(begin["line"]), int(begin["column"]), rule, message, name, subject)


def find_unreadable_paths(answers: list[Any]) -> frozenset[str]:
    """The files whose syntax ty does not accept, or over which it panicked: it says nothing else of them."""
    return frozenset(
        str(answer["location"]["path"])
        for answer in answers
        if answer["check_name"] == _SYNTAX or answer["severity"] in {"blocker", "critical"}
    )


def _parse_message(message: str) -> tuple[str, str]:
    """The name and the subject of a message, "" where it has none."""
    for pattern in _MESSAGES:
        if match := pattern.match(message):
            groups = match.groupdict()
            return (groups.get("name") or "").strip("`"), (groups.get("subject") or "").strip("`")
    return "", ""


def _parse_call(message: str) -> tuple[str, str]:
    """The first argument that a call lacks or has too much, and the function, which every message names last."""
    quoted = re.findall(_QUOTED, message)
    return (quoted[0] if len(quoted) > 1 else "", quoted[-1]) if quoted else ("", "")
