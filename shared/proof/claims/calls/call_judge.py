"""Judges claims that the arguments of a call do not bind to the signature of what is called.

The inputs of a verdict are the claim's file, the files that define what it calls, and the modules on the way. What is
reached through an object of unknown class is decided only where all definitions that the message can mean agree.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from shared.proof.claims.calls.call_candidates import CandidateCalls, find_definitions
from shared.proof.claims.calls.call_message import CallComplaint, ComplaintKind, parse_call_message
from shared.proof.claims.calls.call_signature import CallShape, find_complaint, judge_inexact, read_shape
from shared.proof.claims.calls.callee_signatures import Callee, SignatureSearch
from shared.proof.claims.calls.code_values import FunctionValue, SourceFile, UnknownValue
from shared.proof.claims.calls.function_patches import patches_function
from shared.proof.claims.calls.value_search import ValueSearch
from shared.proof.claims.claim import Claim, ClaimState, ClaimVerdict
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import describe_unparsed

CHECKED_BY = "signatures"


class _Kind(Enum):
    FAILS = auto()
    HOLDS = auto()
    OTHER = auto()
    """It calls something else."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class _Answer:
    kind: _Kind
    reason: str = ""
    is_unlike: bool = False
    """Whether it surely does not bind, in another way than was logged."""


_HOLDS, _OTHER = _Answer(_Kind.HOLDS), _Answer(_Kind.OTHER)


class CallJudge:
    """Judges arguments that do not bind."""

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`."""
        complaint = parse_call_message(claim.message)
        if complaint is None:
            return _answer(ClaimState.UNKNOWN, "the message names no function of Python and its arguments")
        if modules.tree.read(claim.path) is None:
            if modules.tree.blob(claim.path) is None:
                return _answer(ClaimState.HOLDS, f"{claim.path} is not in the tree")
            return _answer(ClaimState.UNKNOWN, f"the contents of {claim.path} are not in this copy")
        values = ValueSearch(modules)
        try:
            file = values.open_file(claim.path)
            if file is None:
                return _answer(ClaimState.UNKNOWN, describe_unparsed(claim.path))
            return _Calls(claim, complaint, file, values).judge()
        except RecursionError:
            return _answer(ClaimState.UNKNOWN, f"{claim.path} is nested too deeply")


class _Calls:
    """The calls of one file at one commit, and the one that a claim complains of."""

    def __init__(self, claim: Claim, complaint: CallComplaint, file: SourceFile, values: ValueSearch) -> None:
        self._claim = claim
        self._complaint = complaint
        self._file = file
        self._values = values
        self._python = values.modules.python
        self._signatures = SignatureSearch(values)
        self._is_qualified = int(self._python.partition(".")[2] or 0) >= 10

    def judge(self) -> ClaimVerdict:
        """The verdict on all calls of the file that the claim can mean."""
        candidates = CandidateCalls(self._file, self._complaint, self._claim.source_text)
        calls = list(candidates.list_calls())
        can_recur = self._can_recur() or not candidates.are_all_named(calls)
        answers = [(call, self._judge_call(call)) for call in calls]
        lines = sorted({self._get_line(call) for call, answer in answers if answer.kind is _Kind.FAILS})
        unknown = [(call, answer) for call, answer in answers if answer.kind is _Kind.UNKNOWN]
        is_logged_unknown = any(self._get_line(call) == self._claim.line for call, _ in unknown)
        if lines and (self._claim.line in lines or not is_logged_unknown):
            reason = f"the call in line {lines[0]} does not bind to the signature of {self._complaint.callee}"
            return _answer(ClaimState.FAILS, reason, tuple(lines))
        if unknown and (can_recur or any(answer.is_unlike for _, answer in unknown)):
            call, answer = unknown[0]
            verdict = _answer(ClaimState.UNKNOWN, f"what line {call.lineno} calls is not decidable: {answer.reason}")
            return replace(verdict, fails_otherwise=all(other.is_unlike for _, other in unknown))
        if not can_recur:
            return _answer(ClaimState.HOLDS, f"no call in {self._claim.path} passes {self._complaint.names[0]}")
        if any(answer.kind is _Kind.HOLDS for _, answer in answers):
            return _answer(ClaimState.HOLDS, f"every call of {self._complaint.callee} binds to its signature")
        if candidates.is_named_in_log:
            return _answer(ClaimState.HOLDS, f"{self._claim.path} does not call {self._complaint.callee} any more")
        return _answer(ClaimState.UNKNOWN, f"no call in {self._claim.path} names {self._complaint.callee}")

    def _can_recur(self) -> bool:
        """Whether some call of the file passes the keyword that was not expected."""
        if self._complaint.kind is not ComplaintKind.UNEXPECTED_KEYWORD:
            return True
        shapes = (read_shape(node) for node in list_nodes(self._file.tree) if isinstance(node, ast.Call))
        return any(shape.has_any_keyword or self._complaint.names[0] in shape.keywords for shape in shapes)

    def _get_line(self, call: ast.Call) -> int:
        """The line that a traceback names: of the attribute since 3.10, of the first part before."""
        if isinstance(call.func, ast.Attribute) and self._is_qualified:
            return call.func.end_lineno or call.lineno
        return call.lineno

    def _judge_call(self, call: ast.Call) -> _Answer:
        called = self._values.find(call.func, self._file, self._file.scopes[call])
        name = self._complaint.callee_name
        if isinstance(called, FunctionValue) and self._is_patched(called):
            return _Answer(_Kind.UNKNOWN, f"{name} may be replaced at run time")
        callee = self._signatures.find(called, self._complaint.callee)
        if isinstance(callee, UnknownValue):
            return self._judge_by_name(call, callee.reason)
        if not callee.is_exact and not self._is_claimed(callee):
            return self._judge_by_name(call, "a subclass may have another one in its place")
        if not callee.is_exact and not self._is_qualified:
            return self._judge_by_name(call, "a subclass may have another one in its place")
        return self._bind(callee, read_shape(call))

    def _is_patched(self, called: FunctionValue) -> bool:
        is_method = isinstance(called.file.scopes[called.node][-1], ast.ClassDef)
        return any(
            patches_function(file.tree, called.node.name, is_method=is_method) for file in (self._file, called.file)
        )

    def _is_claimed(self, callee: Callee) -> bool:
        return any(self._is_same_callee(signature.qualname) for signature in callee.signatures)

    def _is_same_callee(self, qualname: str) -> bool:
        if self._is_qualified:
            return qualname == self._complaint.callee
        return qualname.rpartition(".")[2] == self._complaint.callee

    def _judge_by_name(self, call: ast.Call, reason: str) -> _Answer:
        """Where the receiver is not known: every definition that the message can mean has to agree."""
        if not isinstance(call.func, ast.Attribute) or self._complaint.callee_name in {"__init__", "__new__"}:
            return _Answer(_Kind.UNKNOWN, reason)
        answers = []
        for value in find_definitions(self._values, self._file, self._is_same_callee, self._complaint.callee_name):
            if self._is_patched(value):
                return _Answer(_Kind.UNKNOWN, f"{value.node.name} may be replaced at run time")
            callee = self._signatures.find(value, self._complaint.callee)
            if isinstance(callee, UnknownValue):
                return _Answer(_Kind.UNKNOWN, callee.reason)
            answers.append(self._bind(callee, read_shape(call)))
        kinds = {answer.kind for answer in answers}
        if len(kinds) != 1 or kinds == {_Kind.OTHER}:
            return _Answer(_Kind.UNKNOWN, reason)
        if kinds == {_Kind.FAILS} and not self._is_logged_receiver(call):
            return _Answer(_Kind.UNKNOWN, reason)
        return answers[0]

    def _is_logged_receiver(self, call: ast.Call) -> bool:
        """Whether the log says of what a call is reached through that it has the class: the same text and function."""
        inner = self._file.scopes[call][-1]
        function = "<module>" if isinstance(inner, ast.Module) else getattr(inner, "name", "<lambda>")
        text = self._claim.source_text.replace(" ", "")
        return self._claim.function in ("", function) and ast.unparse(call.func).replace(" ", "") + "(" in text

    def _bind(self, callee: Callee, shape: CallShape) -> _Answer:
        shape = CallShape(
            shape.positional + callee.positional,
            (*(keyword for keyword in callee.keywords if keyword not in shape.keywords), *shape.keywords),
            shape.has_rest,
            shape.has_any_keyword,
        )
        if callee.takes_nothing:
            return self._bind_to_nothing(callee.takes_nothing, shape)
        if not self._is_claimed(callee):
            return _OTHER
        if not shape.is_exact:
            decided = [judge_inexact(signature, shape, self._complaint) for signature in callee.signatures]
            return _read_answer(fails=decided[0] if len(decided) == 1 else None)
        for signature in callee.signatures:
            complaint = find_complaint(signature, shape)
            if complaint is not None:
                return self._compare(complaint)
        return _HOLDS

    def _bind_to_nothing(self, name: str, shape: CallShape) -> _Answer:
        if self._complaint.kind is not ComplaintKind.NO_ARGUMENTS or name != self._complaint.callee:
            return _OTHER if shape.is_exact and not shape.positional and not shape.keywords else _Answer(_Kind.UNKNOWN)
        passes = shape.positional or shape.keywords
        return _Answer(_Kind.FAILS) if passes else _HOLDS if shape.is_exact else _Answer(_Kind.UNKNOWN)

    def _compare(self, complaint: CallComplaint) -> _Answer:
        """A call that does not bind, beside what was logged."""
        claimed = self._complaint
        is_same = replace(complaint, callee=claimed.callee, names=tuple(complaint.names)) == claimed
        if is_same and self._is_same_callee(complaint.callee):
            return _Answer(_Kind.FAILS)
        return _Answer(_Kind.UNKNOWN, "it does not bind either, but in another way than was logged", is_unlike=True)


def _read_answer(*, fails: bool | None) -> _Answer:
    if fails is None:
        return _Answer(_Kind.UNKNOWN, "it passes arguments that are put together at run time")
    return _Answer(_Kind.FAILS) if fails else _HOLDS


def _answer(state: ClaimState, reason: str, lines: Iterable[int] = ()) -> ClaimVerdict:
    return ClaimVerdict(state, reason, tuple(lines), CHECKED_BY)
