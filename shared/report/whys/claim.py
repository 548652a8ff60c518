"""The whys of a failure beyond syntax that the code confirms: an import, a name, an attribute, a call, a file.

For a family of claims and the checks that CI runs, it says which check would have caught the failure, whether CI has
it, and the job that adds it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.proof.claims.claim import ClaimFamily
from shared.proof.declared.ci_python import CheckKind, CiCheck, find_ci_checks
from shared.proof.model.finding import BrokenFile, Finding, ProvenClaim
from shared.report.evidence import Facts, FactTopic
from shared.report.facts.deployed_code import get_failing_line
from shared.report.facts.log_entries import describe_occurrences
from shared.report.facts.prevention import assess_prevention, describe_check
from shared.report.whys.failure import (
    describe_nearby,
    explain_attempts,
    explain_fix,
    explain_introduction,
    explain_next_failure,
    quote_symptoms,
)
from shared.report.whys.process import explain_underlying_error
from shared.report.whys.why import Confidence, Statement, WhyDraft, WhyKey
from shared.text.phrases import join_words, pluralize, quote_service_name, quote_untrusted

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


def explain_claim(incident: Incident, proof: Finding, broken: BrokenFile, facts: Facts) -> Iterator[WhyDraft]:
    """All questions about a claim; the last is the error behind the error."""
    assert proof.claim is not None
    yield _explain_failure(incident, proof.claim, broken, facts)
    yield _explain_code(proof.claim, broken, facts)
    yield explain_introduction(proof, facts)
    yield explain_attempts(proof, broken, facts)
    yield explain_fix(proof, facts)
    next_failure = explain_next_failure(broken, facts)
    if next_failure is not None:
        yield next_failure
    yield _explain_missing_check(proof, proof.claim, facts)
    yield explain_underlying_error(incident, proof, facts)


def _explain_failure(incident: Incident, claim: ProvenClaim, broken: BrokenFile, facts: Facts) -> WhyDraft:
    """What the log shows, and what followed from it."""
    service = quote_service_name(incident.service) or "the service"
    error = quote_untrusted(broken.fault.words)
    position = f"{quote_untrusted(claim.path)}, line {claim.line}"
    is_start = claim.is_start or incident.kind is SignalKind.FAILED_START
    effect = "The revision does not start" if is_start else "A WebSocket failed"
    is_placed = not claim.is_start and (incident.raised is None or bool(incident.raised.exception.frames))
    failure = f"{effect}: {position} raised {error}" if is_placed else f"{effect}: {error}"
    if incident.is_found_early and not claim.is_start:
        failure = f"{position} raises {error} when it runs"
    answer = f"{failure}. {describe_occurrences(incident)}."
    if not is_placed and not incident.is_found_early and not claim.is_start:
        answer += f" The log names no place: {position} is the only one that the service loads and that fails so."
    if incident.symptoms:
        answer += f" Consequences: {join_words(quote_symptoms(incident.symptoms))}."
    answer += describe_nearby(incident)
    topics = (FactTopic.SIGHTING, FactTopic.RAISED, FactTopic.SYMPTOM, FactTopic.NEARBY, FactTopic.COUNT)
    question = f"Why does {service} fail?" if incident.is_found_early else f"Why did {service} fail?"
    sure = Confidence.PROVEN if incident.is_found_early else Confidence.OBSERVED
    if not is_placed and not incident.is_found_early and not claim.is_start:
        cited = facts.evidence_ids(*topics, FactTopic.BROKEN, FactTopic.DEPLOYED)
        return WhyDraft(WhyKey.FAILED, question, answer, Confidence.INFERRED, cited)
    return WhyDraft(WhyKey.FAILED, question, answer, sure, facts.evidence_ids(*topics))


def _explain_code(claim: ProvenClaim, broken: BrokenFile, facts: Facts) -> WhyDraft:
    """What the code of the deployed commit lacks."""
    line = quote_untrusted(get_failing_line(broken).strip(), 120)
    reason = quote_untrusted(claim.failing_reason)
    question = f"Why does line {claim.line} of {quote_untrusted(claim.path)} fail?"
    if claim.is_start:
        question = f"Why is {quote_untrusted(claim.missing_target, 120)} not found?"
    elif broken.path != claim.path:
        question = f"Why is {quote_untrusted(claim.module or claim.name, 120)} not in the image?"
    cited = facts.evidence_ids(FactTopic.BROKEN, FactTopic.LINE, FactTopic.DEPLOYED)
    shown = f"line {claim.line} says `{line}`" if line and broken.path == claim.path else ""
    if claim.is_witnessed_by_log:
        answer = (
            f"The code alone does not decide it ({reason}); the log shows that it failed, and the deployed commit has "
            f"the lines that the log quotes{': ' if shown else ''}{shown}."
        )
        return WhyDraft(WhyKey.REJECTED, question, answer, Confidence.OBSERVED, cited)
    cause = f"{reason}, and {shown}" if shown else reason
    answer = f"{cause}. The code decides it: {quote_untrusted(claim.checked_by)}."
    if broken.errors > 1:
        answer += f" {pluralize(broken.errors, 'line')} of the file fail that way."
    return WhyDraft(WhyKey.REJECTED, question, answer, Confidence.PROVEN, cited)


def _explain_missing_check(proof: Finding, claim: ProvenClaim, facts: Facts) -> WhyDraft:
    """Which check would have met the failure, and what CI was seen to have."""
    assessment = assess_prevention(proof)
    checks = find_ci_checks({file.path: file.text for file in proof.declaring_files})
    has_ci = bool(assessment.ci.workflows)
    answer, state = describe_checks(ClaimFamily(claim.family), checks, _name_module(proof), has_ci=has_ci)
    cited = facts.evidence_ids(FactTopic.READ, FactTopic.CI, FactTopic.DEVELOPMENT, FactTopic.BROKEN)
    question = "Why was it not caught before it was deployed?"
    return WhyDraft(WhyKey.NOT_CAUGHT, question, answer, Confidence.INFERRED, cited, (state,))


def _name_module(proof: Finding) -> str:
    """The failing file as a module: its import meets the failure."""
    if proof.claim is not None and proof.claim.is_start and proof.claim.module:
        return proof.claim.module
    path = proof.claim.path if proof.claim is not None else "main.py"
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
