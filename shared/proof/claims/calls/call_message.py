"""Parses CPython's messages about arguments that do not bind.

The result is a `CallComplaint`. The texts are those of `too_many_positional`, `missing_arguments` and
`initialize_locals` in CPython's `Python/ceval.c` and of `object.__new__`, from 3.8 to 3.14. Names are qualified since
3.10 (`C.m()`), bare before (`m()`). What functions that are written in C say is not read: their signatures are in no
file of a repository.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class ComplaintKind(StrEnum):
    """How a call does not bind."""

    UNEXPECTED_KEYWORD = "unexpected_keyword"
    """`f() got an unexpected keyword argument 'x'`."""
    MISSING_POSITIONAL = "missing_positional"
    """`f() missing 2 required positional arguments: 'a' and 'b'`."""
    MISSING_KEYWORD = "missing_keyword"
    """`f() missing 1 required keyword-only argument: 'k'`."""
    TOO_MANY_POSITIONAL = "too_many_positional"
    """`f() takes 2 positional arguments but 3 were given`."""
    MULTIPLE_VALUES = "multiple_values"
    """`f() got multiple values for argument 'x'`."""
    POSITIONAL_ONLY = "positional_only"
    """`f() got some positional-only arguments passed as keyword arguments: 'a, b'`."""
    NO_ARGUMENTS = "no_arguments"
    """`C() takes no arguments`: a class without a constructor of its own."""


@dataclass(frozen=True, slots=True)
class CallComplaint:
    """One call that does not bind, as Python states it."""

    kind: ComplaintKind
    callee: str
    """The function as it names itself: `f`, `C.m`, `outer.<locals>.inner`, `<lambda>`; the class for `NO_ARGUMENTS`."""
    names: Sequence[str] = ()
    """The arguments that are missing or not taken, in order."""
    least: int | None = None
    """For `TOO_MANY_POSITIONAL`: how many positional arguments the function takes at least."""
    most: int | None = None
    """And at most."""
    given: int | None = None
    """And how many were given, with the bound `self` among them."""
    given_keywords: int | None = None
    """And how many keyword-only ones beside them, where any were."""

    @property
    def callee_name(self) -> str:
        """The callee's bare name."""
        return self.callee.rpartition(".")[2]


_PART = r"(?:[^\W\d]\w{0,200}|<locals>|<lambda>)"
_CALLEE = rf"(?P<callee>{_PART}(?:\.{_PART}){{0,20}})\(\) "
_COMPLAINTS = (
    (
        ComplaintKind.UNEXPECTED_KEYWORD,
        re.compile(
            _CALLEE + r"got an unexpected keyword argument '(?P<names>[^']{1,200})'(?:\. Did you mean '[^']*'\?)?"
        ),
    ),
    (
        ComplaintKind.MISSING_POSITIONAL,
        re.compile(_CALLEE + r"missing \d{1,4} required positional arguments?: (?P<names>'.{1,4000}')"),
    ),
    (
        ComplaintKind.MISSING_KEYWORD,
        re.compile(_CALLEE + r"missing \d{1,4} required keyword-only arguments?: (?P<names>'.{1,4000}')"),
    ),
    (
        ComplaintKind.TOO_MANY_POSITIONAL,
        re.compile(
            _CALLEE + r"takes (?:from (?P<least>\d{1,4}) to )?(?P<most>\d{1,4}) positional arguments? but "
            r"(?P<given>\d{1,4})(?: positional arguments? "
            r"\(and (?P<given_keywords>\d{1,4}) keyword-only arguments?\))? (?:was|were) given"
        ),
    ),
    (
        ComplaintKind.MULTIPLE_VALUES,
        re.compile(_CALLEE + r"got multiple values for argument '(?P<names>[^']{1,200})'"),
    ),
    (
        ComplaintKind.POSITIONAL_ONLY,
        re.compile(_CALLEE + r"got some positional-only arguments passed as keyword arguments: (?P<names>'.{1,4000}')"),
    ),
    (ComplaintKind.NO_ARGUMENTS, re.compile(_CALLEE + r"takes no arguments")),
)
_NAME = re.compile(r"[^\W\d]\w*+")


def parse_call_message(message: str) -> CallComplaint | None:
    """The complaint of a `TypeError`'s text; None where the text says something else."""
    text = message.strip().removeprefix("TypeError: ")
    for kind, pattern in _COMPLAINTS:
        match = pattern.fullmatch(text)
        if match:
            return _build_complaint(kind, match.groupdict())
    return None


def _build_complaint(kind: ComplaintKind, groups: dict[str, str | None]) -> CallComplaint:
    most = groups.get("most")
    least = groups.get("least") or most
    given, given_keywords = groups.get("given"), groups.get("given_keywords")
    return CallComplaint(
        kind,
        groups["callee"] or "",
        _split_names(groups.get("names") or ""),
        None if least is None else int(least),
        None if most is None else int(most),
        None if given is None else int(given),
        None if given_keywords is None else int(given_keywords),
    )


def _split_names(text: str) -> tuple[str, ...]:
    """`'a', 'b', and 'c'`, `'a' and 'b'`, or `'a, b'`."""
    if "'" not in text:
        return (text,) if text else ()
    quoted = re.findall(r"'([^']*)'", text)
    return tuple(name for part in quoted for name in _NAME.findall(part))
