"""Puts words and counts to a failure: an explanation, the errors left in each version, the Pythons that accept it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.model.compilation import Explanation, Fault, Finding, Source, source_lines
from shared.proof.model.ports import Compilers, History
from shared.proof.searching.introducing_commit import Version
from shared.text.redaction import redact_blocks, redact_and_truncate_line

MINOR_VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""The versions of Python for which a report says whether the failing source compiles."""

_AROUND = 3
"""Lines shown before and after the failing one."""
_LONGEST_LINE = 400
"""Characters kept of each."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The deployed version in words, and the number of errors of every version that was asked for."""

    findings: tuple[Finding, ...]
    explanation: str
    compiles_on: tuple[str, ...]
    compiles_on_checked_by: str
    second_opinion: str
    errors: Mapping[str, int]
    """By blob id; at least 1 for each blob that fails."""


def explain(
    history: History, compilers: Compilers, verdicts: Verdicts, deployed: Version, others: Sequence[Version]
) -> Explained:
    """Asks ruff once about everything, and a real interpreter about the version that ruff says would accept it."""
    explainer = compilers.explainer()
    versions = list({version.blob: version for version in (deployed, *others)}.values())
    sources = {version.blob: Source(version.path, history.read(version.blob) or b"") for version in versions}
    elsewhere = [minor for minor in MINOR_VERSIONS if minor != verdicts.python]
    source = sources[deployed.blob]
    answers = explainer.explain(
        [(sources[version.blob], verdicts.python) for version in versions] + [(source, minor) for minor in elsewhere]
    )
    here = answers[0]
    fault = verdicts.of(deployed.blob, deployed.path).fault
    accepting = [minor for minor, answer in zip(elsewhere, answers[len(versions) :], strict=True) if _accepts(answer)]
    compiles_on, checked_by = _confirmed(compilers, source, verdicts.python, accepting, explainer.checked_by)
    return Explained(
        findings=here.findings,
        explanation=_explanation(here.findings, fault),
        compiles_on=compiles_on,
        compiles_on_checked_by=checked_by,
        second_opinion=_second_opinion(verdicts, versions, answers),
        errors={version.blob: max(1, len(answer.findings)) for version, answer in zip(versions, answers, strict=False)},
    )


def _accepts(answer: Explanation) -> bool:
    return not answer.findings and not answer.why


def _confirmed(
    compilers: Compilers, source: Source, python: str, accepting: Sequence[str], checked_by: str
) -> tuple[tuple[str, ...], str]:
    """What ruff says, put to the first newer interpreter that this machine has; that one is believed."""
    newer = [minor for minor in accepting if _number(minor) > _number(python)]
    if not newer:
        return tuple(accepting), checked_by
    compiler = compilers.compiler(newer[0])
    if not compiler.checked_by.startswith("cpython"):
        return tuple(accepting), checked_by
    confirmed = compiler.compile(source).ok is True
    kept = [minor for minor in accepting if confirmed or minor != newer[0]]
    return tuple(kept), f"{compiler.checked_by}, {checked_by}"


def _number(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))


def _explanation(findings: Sequence[Finding], fault: Fault | None) -> str:
    """Ruff's words for the failing line; it may place an error elsewhere than CPython, the first one then speaks."""
    if not findings:
        return ""
    line = fault.line if fault is not None else None
    covering = [each for each in findings if line is not None and each.line <= line <= each.end_line]
    return (covering or [each for each in findings if each.line == line] or findings)[0].message


def _second_opinion(verdicts: Verdicts, versions: Sequence[Version], answers: Sequence[Explanation]) -> str:
    """One sentence for the first version on which interpreter and ruff differ."""
    for version, answer in zip(versions, answers, strict=False):
        verdict = verdicts.of(version.blob, version.path)
        if answer.why or verdict.ok is None or verdict.ok == (not answer.findings):
            continue
        other = "finds no error" if not answer.findings else f"reports line {answer.findings[0].line}"
        decided = "compiles" if verdict.ok else "does not compile"
        return (
            f"{version.path} at {version.commit.id} {decided} according to {verdict.checked_by}, "
            f"while {answer.checked_by} {other}; {verdict.checked_by} is believed."
        )
    return ""


def excerpt(content: bytes, line: int | None) -> tuple[tuple[int, str], ...]:
    """The lines around `line`, numbered from 1; redacted as a whole, before anything is cut off."""
    if not line:
        return ()
    lines = redact_blocks(source_lines(content))
    first = max(1, line - _AROUND)
    return tuple(
        (number, redact_and_truncate_line(lines[number - 1], _LONGEST_LINE))
        for number in range(first, min(len(lines), line + _AROUND) + 1)
    )
