"""Puts words and counts to a failure: an explanation, the errors left in each version, the Pythons that accept it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.compilation import Diagnostic, Explanation, Fault, Source, split_source_lines
from shared.proof.model.ports import Compilers, History
from shared.proof.searching.introducing_commit import FileAtCommit
from shared.text.redaction import redact_and_truncate_line, redact_blocks

MINOR_VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""The versions of Python for which a report says whether the failing source compiles."""

_CONTEXT_LINES = 3
"""Lines shown before and after the failing one."""
_MAX_LINE = 400
"""Characters kept of each."""


@dataclass(frozen=True, slots=True)
class FailureExplanation:
    """The deployed version in words, and the number of errors of every version that was asked for."""

    diagnostics: tuple[Diagnostic, ...]
    explanation: str
    compiles_on: tuple[str, ...]
    compiles_on_checked_by: str
    second_opinion: str
    error_counts: Mapping[str, int]
    """By blob id; at least 1 for each blob that fails."""


def explain_failure(
    history: History,
    compilers: Compilers,
    verdicts: CompileVerdicts,
    deployed: FileAtCommit,
    others: Sequence[FileAtCommit],
) -> FailureExplanation:
    """Asks ruff once about everything, and a real interpreter about the version that ruff says would accept it."""
    explainer = compilers.explainer()
    versions = list({version.blob: version for version in (deployed, *others)}.values())
    sources = {version.blob: Source(version.path, history.read(version.blob) or b"") for version in versions}
    elsewhere = [minor for minor in MINOR_VERSIONS if minor != verdicts.python]
    source = sources[deployed.blob]
    answers = explainer.explain(
        [(sources[version.blob], verdicts.python) for version in versions] + [(source, minor) for minor in elsewhere]
    )
    deployed_answer = answers[0]
    fault = verdicts.judge(deployed.blob, deployed.path).fault
    accepting = [
        minor for minor, answer in zip(elsewhere, answers[len(versions) :], strict=True) if _is_accepted(answer)
    ]
    compiles_on, checked_by = _confirm_accepting(compilers, source, verdicts.python, accepting, explainer.checked_by)
    return FailureExplanation(
        diagnostics=deployed_answer.diagnostics,
        explanation=_choose_explanation(deployed_answer.diagnostics, fault),
        compiles_on=compiles_on,
        compiles_on_checked_by=checked_by,
        second_opinion=_describe_disagreement(verdicts, versions, answers),
        error_counts={
            version.blob: max(1, len(answer.diagnostics)) for version, answer in zip(versions, answers, strict=False)
        },
    )


def _is_accepted(answer: Explanation) -> bool:
    return not answer.diagnostics and not answer.failure_reason


def _confirm_accepting(
    compilers: Compilers, source: Source, python: str, accepting_pythons: Sequence[str], checked_by: str
) -> tuple[tuple[str, ...], str]:
    """What ruff says, put to the first newer interpreter that this machine has; that one is believed."""
    newer = [minor for minor in accepting_pythons if _parse_minor(minor) > _parse_minor(python)]
    if not newer:
        return tuple(accepting_pythons), checked_by
    compiler = compilers.compiler_for(newer[0])
    if not compiler.checked_by.startswith("cpython"):
        return tuple(accepting_pythons), checked_by
    confirmed = compiler.compile(source).compiles is True
    accepted = [minor for minor in accepting_pythons if confirmed or minor != newer[0]]
    return tuple(accepted), f"{compiler.checked_by}, {checked_by}"


def _parse_minor(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))


def _choose_explanation(diagnostics: Sequence[Diagnostic], fault: Fault | None) -> str:
    """Ruff's words for the failing line; it may place an error elsewhere than CPython, the first one then speaks."""
    if not diagnostics:
        return ""
    line = fault.line if fault is not None else None
    covering = [
        diagnostic for diagnostic in diagnostics if line is not None and diagnostic.line <= line <= diagnostic.end_line
    ]
    return (covering or [diagnostic for diagnostic in diagnostics if diagnostic.line == line] or diagnostics)[0].message


def _describe_disagreement(
    verdicts: CompileVerdicts, versions: Sequence[FileAtCommit], answers: Sequence[Explanation]
) -> str:
    """One sentence for the first version on which interpreter and ruff differ."""
    for version, answer in zip(versions, answers, strict=False):
        verdict = verdicts.judge(version.blob, version.path)
        if answer.failure_reason or verdict.compiles is None or verdict.compiles == (not answer.diagnostics):
            continue
        other = "finds no error" if not answer.diagnostics else f"reports line {answer.diagnostics[0].line}"
        decided = "compiles" if verdict.compiles else "does not compile"
        return (
            f"{version.path} at {version.commit.id} {decided} according to {verdict.checked_by}, "
            f"while {answer.checked_by} {other}; {verdict.checked_by} is believed."
        )
    return ""


def cut_excerpt(content: bytes, line: int | None) -> tuple[tuple[int, str], ...]:
    """The lines around `line`, numbered from 1; redacted as a whole, before anything is cut off."""
    if not line:
        return ()
    lines = redact_blocks(split_source_lines(content))
    first = max(1, line - _CONTEXT_LINES)
    return tuple(
        (number, redact_and_truncate_line(lines[number - 1], _MAX_LINE))
        for number in range(first, min(len(lines), line + _CONTEXT_LINES) + 1)
    )
