"""Binds the arguments of a call to a signature as CPython does, and says what it would complain of.

Returns a `CallComplaint`, or None where the call binds. The order of the checks is that of `initialize_locals` in
CPython's `Python/ceval.c`: keywords as they are, too many, missing, missing keywords.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.proof.claims.calls.call_message import CallComplaint, ComplaintKind


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; whether it may be left out."""

    name: str
    has_default: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes."""

    qualname: str
    positional: Sequence[Parameter] = ()
    """Those that are passed by position, positional-only ones first."""
    positional_only: int = 0
    """How many of them cannot be passed by keyword."""
    keyword_only: Sequence[Parameter] = ()
    takes_rest: bool = False
    """`*args`."""
    takes_any_keyword: bool = False
    """`**kwargs`."""
    bound: int = 0
    """How many arguments the way it is reached passes itself: 1 for a bound method."""

    def bind(self, count: int = 1) -> "Signature":
        """As reached through an instance."""
        return replace(self, bound=self.bound + count)

    def accepts_keyword(self, name: str) -> bool:
        """Whether some call may pass this keyword."""
        names = [parameter.name for parameter in (*self.positional[self.positional_only :], *self.keyword_only)]
        return self.takes_any_keyword or name in names


@dataclass(frozen=True, slots=True)
class CallShape:
    """What a call passes."""

    positional: int
    keywords: Sequence[str]
    has_rest: bool = False
    """`*values`: more arguments by position, nobody knows how many."""
    has_any_keyword: bool = False
    """`**values`."""

    @property
    def is_exact(self) -> bool:
        """Whether all that is passed is in the call."""
        return not self.has_rest and not self.has_any_keyword


def read_signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, qualname: str) -> Signature:
    """The signature of a definition, as written."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    return Signature(
        qualname,
        tuple(Parameter(argument.arg, position >= first_default) for position, argument in enumerate(positional)),
        len(arguments.posonlyargs),
        tuple(
            Parameter(argument.arg, default is not None)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ),
        arguments.vararg is not None,
        arguments.kwarg is not None,
    )


def read_shape(node: ast.Call) -> CallShape:
    """What a call passes, as written."""
    stars = sum(isinstance(argument, ast.Starred) for argument in node.args)
    keywords = tuple(keyword.arg for keyword in node.keywords if keyword.arg is not None)
    return CallShape(len(node.args) - stars, keywords, stars > 0, len(keywords) < len(node.keywords))


def find_complaint(signature: Signature, shape: CallShape) -> CallComplaint | None:
    """What Python says of an exact call; None: it binds."""
    given = shape.positional + signature.bound
    names = [parameter.name for parameter in signature.positional]
    filled = set(names[:given])
    complaint = _bind_keywords(signature, shape, filled)
    if complaint:
        return complaint
    if given > len(names) and not signature.takes_rest:
        least = sum(not parameter.has_default for parameter in signature.positional)
        kind = ComplaintKind.TOO_MANY_POSITIONAL
        keywords = sum(parameter.name in filled for parameter in signature.keyword_only)
        return CallComplaint(kind, signature.qualname, (), least, len(names), given, keywords or None)
    missing = _list_missing(signature.positional, filled)
    if missing:
        return CallComplaint(ComplaintKind.MISSING_POSITIONAL, signature.qualname, missing)
    missing = _list_missing(signature.keyword_only, filled)
    return CallComplaint(ComplaintKind.MISSING_KEYWORD, signature.qualname, missing) if missing else None


def _list_missing(parameters: Sequence[Parameter], filled: set[str]) -> tuple[str, ...]:
    return tuple(p.name for p in parameters if not p.has_default and p.name not in filled)


def _bind_keywords(signature: Signature, shape: CallShape, filled: set[str]) -> CallComplaint | None:
    """Adds the parameters that keywords fill to `filled`."""
    by_position_alone = [parameter.name for parameter in signature.positional[: signature.positional_only]]
    by_keyword = {p.name for p in (*signature.positional[signature.positional_only :], *signature.keyword_only)}
    for keyword in shape.keywords:
        if keyword in by_keyword:
            if keyword in filled:
                return CallComplaint(ComplaintKind.MULTIPLE_VALUES, signature.qualname, (keyword,))
            filled.add(keyword)
        elif not signature.takes_any_keyword:
            passed = tuple(name for name in by_position_alone if name in shape.keywords)
            kind = ComplaintKind.POSITIONAL_ONLY if passed else ComplaintKind.UNEXPECTED_KEYWORD
            return CallComplaint(kind, signature.qualname, passed or (keyword,))
    return None


def judge_inexact(signature: Signature, shape: CallShape, claimed: CallComplaint) -> bool | None:
    """Whether a call with `*values` or `**values` fails as claimed: True, False, or None where that is not known."""
    if claimed.kind is not ComplaintKind.UNEXPECTED_KEYWORD:
        return None
    keyword = claimed.names[0]
    complaint = find_complaint(signature, shape)
    if complaint and complaint.kind not in {ComplaintKind.MISSING_POSITIONAL, ComplaintKind.MISSING_KEYWORD}:
        is_first = shape.keywords[:1] == (keyword,) and complaint.names == (keyword,)
        return True if is_first and complaint.kind is claimed.kind else None
    return None if shape.has_any_keyword and not signature.accepts_keyword(keyword) else False
