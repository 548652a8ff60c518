"""Says which check would have caught a failure beyond syntax, whether CI has it, and the job that adds it.

Answers for a family of claims and the checks that CI runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.proof.claims.claim import ClaimFamily
from shared.proof.declared.ci_checks import CheckKind, CiCheck
from shared.report.facts.prevention import describe_check
from shared.report.whys.why import Statement
from shared.text.phrases import join_words

_MAX_SHOWN = 3
_IMAGE_FAMILIES = frozenset((ClaimFamily.MODULE, ClaimFamily.FILE, ClaimFamily.START_TARGET))
"""Nothing but the image itself shows what it lacks."""


@dataclass(frozen=True, slots=True)
class CatchingCheck:
    """A check with the command of a job that runs it; `{start}`: the module that failed, `{path}`: its file."""

    kind: CheckKind
    name: str
    command: str


_TYPES = CatchingCheck(CheckKind.TYPES, "a type checker", "pip install ty && ty check")
_NAMES = CatchingCheck(
    CheckKind.NAMES, "a linter that reports undefined names", "pip install ruff && ruff check --select F821,F823"
)
_START = CatchingCheck(CheckKind.START, "an import of the start file", "python -c 'import {start}'")
_IMAGE_IMPORT = CatchingCheck(
    CheckKind.IMAGE, "an import inside the built image", "docker run --rm IMAGE python -c 'import {start}'"
)
_IMAGE_TEST = CatchingCheck(
    CheckKind.IMAGE, "a test that runs inside the built image", "docker run --rm IMAGE python -m pytest"
)
_IMAGE_START = CatchingCheck(CheckKind.IMAGE, "a start of the built image", "docker run --rm IMAGE")
_CHECKS: Mapping[ClaimFamily, tuple[CatchingCheck, ...]] = {
    ClaimFamily.IMPORT_NAME: (_START, _TYPES, _IMAGE_IMPORT),
    ClaimFamily.MODULE: (_IMAGE_IMPORT,),
    ClaimFamily.CIRCULAR_IMPORT: (_START, _IMAGE_IMPORT),
    ClaimFamily.NAME: (_NAMES, _TYPES),
    ClaimFamily.LOCAL_NAME: (_TYPES, _NAMES),
    ClaimFamily.MODULE_ATTRIBUTE: (_TYPES,),
    ClaimFamily.CLASS_ATTRIBUTE: (_TYPES,),
    ClaimFamily.CALL: (_TYPES,),
    ClaimFamily.VALUE: (_TYPES,),
    ClaimFamily.FILE: (_IMAGE_TEST,),
    ClaimFamily.START_TARGET: (_IMAGE_START, _IMAGE_IMPORT),
}
"""For each family the check that meets it best, then others that do."""


def describe_checks(
    family: ClaimFamily, checks: Sequence[CiCheck], start: str, *, has_ci: bool
) -> tuple[str, Statement]:
    """The answer. `start`: the failing module; `has_ci`: whether the repository configures CI at all."""
    best = _CHECKS[family][0]
    job = best.command.format(start=start)
    advice = f"{best.name[:1].upper()}{best.name[1:]} would have met it, as a job: `{job}`."
    if family is not ClaimFamily.VALUE:
        advice += " So would `provenfix check --baseline REF`, against the commit that is deployed."
    if not has_ci:
        return f"No CI configuration was found. {advice}", Statement.CI_ABSENT
    kinds = {check.kind for check in _CHECKS[family]} | {CheckKind.BASELINE}
    catching = [check for check in checks if check.kind in kinds]
    if catching:
        answer = (
            f"CI runs {_quote_checks(catching)}, which can report it; the repository does not show whether that "
            f"covered {start}, ran on this change and blocked the deployment."
        )
        return answer, Statement.CI_CAN_CATCH
    if not checks:
        return f"CI has no step that was recognised as a check of the code. {advice}", Statement.CI_WITHOUT_CHECK
    return f"CI runs {_quote_checks(checks)}{_explain_silence(family, checks)}. {advice}", Statement.CI_CANNOT_CATCH


def _explain_silence(family: ClaimFamily, checks: Sequence[CiCheck]) -> str:
    """Why what runs did not meet it."""
    if family in _IMAGE_FAMILIES:
        return " on the files of the repository, and nothing inside the image that is built from them"
    has_tests = any(check.kind is CheckKind.TESTS for check in checks)
    missing = join_words(list(dict.fromkeys(check.name for check in _CHECKS[family])))
    tested = "; tests meet it only where they run that line" if has_tests else ""
    return f", and neither {missing}{tested}" if " and " in missing else f", and not {missing}{tested}"


def _quote_checks(checks: Sequence[CiCheck]) -> str:
    shown = {(check.path, check.line): describe_check(check) for check in checks}
    return join_words(list(shown.values())[:_MAX_SHOWN])
