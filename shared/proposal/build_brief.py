"""Builds the brief of a report: one short phrase for each question that a person on call has."""

from shared.detection.raised_exception import EFFECT_KINDS
from shared.proof.model.finding import Finding, find_recommended_commit
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import CheckStatus, ImageStatus, Target
from shared.proposal.brief import Brief
from shared.report.cause import describe_cause
from shared.report.facts.fix_history import UNKNOWN_LOSS, summarise_lost_commits
from shared.report.impact import describe_reach
from shared.report.issue.body import describe_error, format_failure
from shared.report.report import Report
from shared.text.phrases import get_first_sentence, pluralize, quote_untrusted
from shared.text.timestamps import format_rfc3339

_MAX_TITLE_LENGTH = 150
_MAX_WHY_LENGTH = 240
_MAX_SUBJECT_LENGTH = 80
CHECK_WORDS = {
    CheckStatus.GREEN: "CI green",
    CheckStatus.RED: "CI red",
    CheckStatus.PENDING: "CI still running",
    CheckStatus.UNKNOWN: "CI unknown",
}


def build_brief(report: Report) -> Brief:
    """The brief of a report; without `effect` where it recommends nothing."""
    incident, proof = report.incident, report.proof
    impact = describe_reach(report.impact, incident)
    commit = find_recommended_commit(proof)
    target = _find_target(proof)
    ships = _describe_loss(proof) if target is None else pluralize(target.commits_after_deployed, "commit")
    first = incident.first_seen if incident.dated else None
    return Brief(
        title=quote_untrusted(f"{format_failure(report)}, {impact}", _MAX_TITLE_LENGTH),
        impact=impact,
        first_seen=format_rfc3339(first.replace(microsecond=0)) if first else "",
        why=quote_untrusted(_describe_why(report), _MAX_WHY_LENGTH),
        effect=_describe_effect(proof) if commit is not None else "",
        subject=quote_untrusted(commit.subject, _MAX_SUBJECT_LENGTH) if commit is not None else "",
        ships=ships if commit is not None else "",
        checks=_describe_checks(target) if target is not None else "",
    )


def _describe_checks(target: Target) -> str:
    image = ", image unknown" if target.image.status is ImageStatus.UNKNOWN else ""
    return f"{CHECK_WORDS[target.checks]}{image}"


def _describe_loss(proof: Finding) -> str:
    return summarise_lost_commits(proof.rollback) if proof.rollback is not None else UNKNOWN_LOSS


def _find_target(proof: Finding) -> Target | None:
    """What ships beyond the deployed commit; None for an earlier one."""
    if proof.recommendation.kind is ActionKind.TRIAL and proof.trial_candidate is not None:
        return proof.trial_candidate.target
    return proof.target if proof.recommendation.kind is ActionKind.REDEPLOY else None


def _describe_effect(proof: Finding) -> str:
    if proof.recommendation.kind is ActionKind.TRIAL:
        return "may fix it, not proven"
    if proof.recommendation.kind is ActionKind.ROLLBACK:
        return "from before the break"
    if proof.experiment is not None:
        return "held in a trial where the serving revision failed"
    return "fixes it" if is_certain(proof) else "should fix it, not certain"


def is_certain(proof: Finding) -> bool:
    """Whether the failure is proven at a deployed commit that the code confirms."""
    if proof.broken is None or proof.deployed.commit is None or not proof.deployed.corroborated:
        return False
    return proof.broken.checked_by.startswith("cpython") if proof.claim is None else not proof.claim.is_witnessed_by_log


def _describe_why(report: Report) -> str:
    """The second why where a broken place is known: the first says what was logged."""
    if report.proof.broken is None:
        cause = f"{describe_cause(report)}." if report.incident.kind in EFFECT_KINDS else ""
        return cause or f"{describe_error(report)}."
    answer = next((why.answer for why in report.whys[1:2]), "")
    return get_first_sentence(answer)
