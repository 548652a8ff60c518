"""Judges operations on values of the wrong type: `'NoneType' object has no attribute 'a'`, `… is not callable`.

Nothing but the checker can know what a value is. The operation fails where the checker reports it on such a value. It
holds where it is gone, or where the checker knows the value, reports nothing, and the code itself looks at the value
before: that an annotation is another one now changes nothing in what runs.
"""

import re
from collections.abc import Mapping, Sequence

from shared.proof.claims.attributes.attribute_uses import has_function, is_frame
from shared.proof.claims.attributes.expression_meaning import MeaningFinder
from shared.proof.claims.attributes.source_file import SourceFile
from shared.proof.claims.checking.checked_files import ProbedSource, collect_files, insert_probes
from shared.proof.claims.checking.value_operations import (
    Operation,
    OperationKind,
    find_operations,
    is_guarded,
    read_operation,
    read_value_type,
)
from shared.proof.claims.claim import Claim, ClaimState, ClaimVerdict
from shared.proof.claims.ports import ServiceModules
from shared.proof.model.checker_report import CheckerDiagnostic, CheckerReport, CheckerRule
from shared.proof.model.compilation import split_source_lines
from shared.proof.model.ports import TypeChecker

_RULES: Mapping[OperationKind, frozenset[CheckerRule]] = {
    OperationKind.ATTRIBUTE: frozenset((CheckerRule.ATTRIBUTE, CheckerRule.UNION_ATTRIBUTE)),
    OperationKind.CALL: frozenset((CheckerRule.NOT_CALLABLE,)),
    OperationKind.SUBSCRIPT: frozenset((CheckerRule.NOT_SUBSCRIPTABLE,)),
    OperationKind.ITERATION: frozenset((CheckerRule.NOT_ITERABLE,)),
    OperationKind.AWAIT: frozenset((CheckerRule.NOT_AWAITABLE,)),
}
_SPELLINGS: Mapping[str, str] = {
    "NoneType": r"None",
    "str": r"str|LiteralString|Literal\[[\"'].*",
    "bytes": r"bytes|Literal\[b[\"'].*",
    "int": r"int|Literal\[-?\d.*",
    "bool": r"bool|Literal\[(?:True|False).*",
    "coroutine": r"(?:CoroutineType|Coroutine)\[.*",
    "generator": r"(?:GeneratorType|Generator)\[.*",
    "async_generator": r"(?:AsyncGeneratorType|AsyncGenerator)\[.*",
    "type": r"<class .*|type\[.*",
    "module": r"<module .*",
    "function": r"def .*|\(.*\) -> .*",
    "method": r"bound method .*",
}
_NOT_KNOWN = re.compile(r"\b(?:Unknown|Any|Todo|Never|Divergent|object)\b|@")
_COROUTINE = re.compile(r"(?:CoroutineType|Coroutine)\[")


class ValueJudge:
    """Implements `shared.proof.claims.ports.ClaimJudge` with what a checker reports."""

    def __init__(self, checker: TypeChecker) -> None:
        self._checker = checker

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`."""
        try:
            return self._judge(claim, MeaningFinder(modules, claim.path))
        except (RecursionError, ValueError) as error:
            return self._unknown(f"{claim.path} is too deep to be followed ({type(error).__name__})")

    def _judge(self, claim: Claim, finder: MeaningFinder) -> ClaimVerdict:
        kind, source = read_operation(claim), finder.get_source(claim.path)
        if kind is None or source is None:
            return self._unknown("the operation is not one that a checker reports" if source else "there is no source")
        operations = _select(finder, source, claim, find_operations(source, kind, claim.name, finder.modules.python))
        if not operations:
            return self._conclude_gone(claim, kind)
        files = collect_files(finder, claim.path)
        readable = [operation.value for operation in operations if operation.is_readable]
        probed = insert_probes(files.contents[claim.path], readable)
        contents = {**files.contents, claim.path: probed.content}
        report = self._checker.check(contents, finder.modules.python, files.roots, [claim.path])
        if claim.path not in report.judged_paths:
            return self._unknown(report.failure_reason or f"{claim.path} cannot be judged by {report.checked_by}")
        return self._conclude(claim, kind, source, _Reports(report, probed, operations))

    def _conclude_gone(self, claim: Claim, kind: OperationKind) -> ClaimVerdict:
        """Nothing does this any more, if what failed is what the logged line spells."""
        if kind is OperationKind.ATTRIBUTE and f".{claim.name}" not in claim.source_text.replace(" ", ""):
            return self._unknown(f"the logged line does not show the attribute {claim.name}")
        if not claim.source_text:
            return self._unknown("the log does not quote the line")
        what = f"asks for {claim.name}" if kind is OperationKind.ATTRIBUTE else f"does what failed ({kind})"
        return ClaimVerdict(ClaimState.HOLDS, f"nothing in {claim.path} {what} any more", (), self._checker.checked_by)

    def _conclude(self, claim: Claim, kind: OperationKind, source: SourceFile, reports: "_Reports") -> ClaimVerdict:
        value_type = read_value_type(claim)
        failing = [
            entry
            for operation in reports.operations
            for entry in reports.list_errors(operation, claim.path)
            if entry.rule in _RULES[kind]
            and (not entry.name or entry.name == claim.name)
            and _is_type(entry, value_type)
        ]
        if failing:
            lines = tuple(sorted({entry.line for entry in failing}))
            return ClaimVerdict(ClaimState.FAILS, failing[0].message, lines, self._checker.checked_by)
        for operation in reports.operations:
            doubt = reports.find_doubt(operation, claim.path, value_type)
            if not doubt and not _is_sure(source, kind, operation, reports.get_type(operation, claim.path)):
                doubt = "nothing looks at the value before, and its type is what an annotation says"
            if doubt:
                return self._unknown(f"{claim.path}, line {operation.lines[0]}: {doubt}")
        reason = f"{self._checker.checked_by} knows the value in {claim.path}, and reports nothing"
        return ClaimVerdict(ClaimState.HOLDS, reason, (), self._checker.checked_by)

    def _unknown(self, reason: str) -> ClaimVerdict:
        return ClaimVerdict(ClaimState.UNKNOWN, reason, (), self._checker.checked_by)


class _Reports:
    """What the checker says of some operations."""

    def __init__(self, report: CheckerReport, probed: ProbedSource, operations: Sequence[Operation]) -> None:
        self.operations = operations
        self._report = report
        self._probed = probed

    def list_errors(self, operation: Operation, path: str) -> list[CheckerDiagnostic]:
        entries = [entry for line in operation.lines for entry in self._report.list_at(path, line)]
        return [entry for entry in entries if entry.rule not in {CheckerRule.REVEALED, CheckerRule.MODULE}]

    def get_type(self, operation: Operation, path: str) -> str:
        """The type of the value; "" where the checker says none, as for code that is never run."""
        position = self._probed.positions.get(operation.value)
        if position is None:
            return ""
        line, column = position
        entries = self._report.list_at(path, line)
        types = [entry.subject for entry in entries if entry.rule is CheckerRule.REVEALED and entry.column == column]
        return types[0] if len(types) == 1 else ""

    def find_doubt(self, operation: Operation, path: str, value_type: str) -> str:
        """Why silence about an operation says nothing; "" where it does."""
        errors = self.list_errors(operation, path)
        if errors:
            return errors[0].message
        known = self.get_type(operation, path)
        if not known or _NOT_KNOWN.search(_drop_arguments(known)):
            return f"the type of the value is not known ({known or 'the code may not run'})"
        return f"the value is {known}" if _has_type(known, value_type) else ""


def _select(
    finder: MeaningFinder, source: SourceFile, claim: Claim, operations: Sequence[Operation]
) -> Sequence[Operation]:
    """Those on a line that reads as logged; else those of the claim's function; else, where it is gone, all."""
    text = claim.source_text.strip()
    lines = [line.strip() for line in split_source_lines(finder.modules.tree.read(source.path) or b"")]
    same = [
        operation for operation in operations if text and text in lines[operation.lines[0] - 1 : operation.lines[-1]]
    ]
    in_function = [operation for operation in same or operations if is_frame(operation.function, claim.function)]
    if in_function or same or claim.function == "<module>" or has_function(source, claim.function):
        return in_function or same
    return operations


def _is_sure(source: SourceFile, kind: OperationKind, operation: Operation, known: str) -> bool:
    """Whether what runs, and not an annotation, makes the value what the checker takes it for."""
    return bool(kind is OperationKind.AWAIT and _COROUTINE.match(known)) or is_guarded(source, operation)


def _drop_arguments(written: str) -> str:
    """A type without what is in brackets: a `dict[str, Any]` is a dictionary."""
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", written)) != written:
        written = shorter
    return written


def _is_type(entry: CheckerDiagnostic, value_type: str) -> bool:
    if value_type == "function" and entry.message.startswith("Function "):
        return True
    return _has_type(entry.subject, value_type)


def _has_type(written: str, value_type: str) -> bool:
    """Whether a type as the checker writes it is, or as a union has, the type of a value."""
    name = value_type.rpartition(".")[2]
    pattern = _SPELLINGS.get(name, rf"{re.escape(name)}(?:\[.*)?")
    members = re.split(r" \| ", written)
    return any(
        re.fullmatch(pattern, member.strip()) or re.fullmatch(rf"{re.escape(name)}\[.*", member) for member in members
    )
