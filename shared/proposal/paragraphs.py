"""The paragraphs of the question, each with a label: what fails, the proof, what ships, how sure.

The adapter of the chat finds each paragraph's label by `split_label` and sets it in bold.

`build_brief` says the same in the fewest words: one short phrase for each question that a person on call has.
"""

from collections.abc import Iterator

from shared.detection.raised_exception import EFFECT_KINDS
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.finding import Finding, find_recommended_commit
from shared.proof.model.history import FileChange, describe_commit, quote_subject
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import CheckStatus, ImageStatus, Target
from shared.proposal.brief import Brief
from shared.proposal.notice import describe_since, list_cause_paragraphs
from shared.proposal.proposal import Label
from shared.report.cause import describe_cause
from shared.report.facts.fix_history import (
    UNKNOWN_LOSS,
    describe_fix_location,
    describe_images,
    describe_lost_commits,
    describe_shipped_files,
    summarise_lost_commits,
)
from shared.report.facts.unproven import describe_candidate, describe_experiment
from shared.report.impact import describe_impact, describe_reach
from shared.report.issue.body import describe_error, format_failure
from shared.report.report import Report
from shared.report.verdict_words import describe_checker, describe_corroboration, describe_target_state
from shared.text.phrases import (
    get_first_sentence,
    join_words,
    pluralize,
    quote_service_name,
    quote_untrusted,
    short_sha,
)
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


MAX_FILES = 4
CHECK_PHRASES = {
    CheckStatus.GREEN: "Checks: green.",
    CheckStatus.RED: "Checks: red.",
    CheckStatus.PENDING: "Checks: still running.",
    CheckStatus.UNKNOWN: (
        "Checks: unknown (none found, or the code host did not answer). Look at the commit before you approve."
    ),
}
MAX_LINE_LENGTH = 700


def build_paragraphs(report: Report) -> tuple[str, ...]:
    """The paragraphs of the message, each of one line and at most 700 characters, redacted."""
    return tuple(
        quote_untrusted(f"{label}: {words}", MAX_LINE_LENGTH)
        for label, words in _list_labelled_paragraphs(report)
        if words
    )


def _list_labelled_paragraphs(report: Report) -> Iterator[tuple[Label, str]]:
    proof = report.proof
    if report.incident.kind in EFFECT_KINDS and proof.broken is None:
        yield from list_cause_paragraphs(report)
        return
    yield Label.PROPOSAL, _describe_proposal(report)
    yield Label.FAILS, _describe_failure(report)
    yield Label.IMPACT, describe_impact(report.impact) if report.impact else ""
    yield Label.SINCE, describe_since(report)
    yield Label.BROKEN, _describe_broken(report)
    yield Label.FIXED, _describe_fix(proof)
    if proof.recommendation.kind is not ActionKind.NONE and proof.trial_candidate is not None:
        yield Label.POSSIBLE_FIX, f"{describe_candidate(proof.trial_candidate)}."
    if proof.experiment is not None:
        yield Label.TRIED, next(describe_experiment(proof.experiment))
    yield Label.NEWEST, _describe_newest(proof)
    if proof.recommendation.kind is ActionKind.REDEPLOY and proof.target is not None:
        yield Label.SHIPS, _describe_shipped(proof.target)
    if proof.recommendation.kind is ActionKind.TRIAL and proof.trial_candidate is not None:
        yield Label.SHIPS, _describe_shipped(proof.trial_candidate.target)
    if proof.recommendation.kind is ActionKind.ROLLBACK and proof.rollback is not None:
        yield (
            Label.SHIPS,
            f"{describe_commit(proof.rollback.commit)} unchanged. Going back "
            f"{describe_lost_commits(proof.rollback, MAX_FILES)}.",
        )
    yield Label.IMAGE, describe_images(proof)
    yield Label.INSTEAD, _describe_rollback(proof)
    yield Label.CONFIDENCE, _describe_confidence(proof)


def _describe_proposal(report: Report) -> str:
    proof = report.proof
    kind, chosen = proof.recommendation.kind, find_recommended_commit(proof)
    if chosen is None:
        return f"nothing to deploy. {quote_untrusted(proof.recommendation.detail)}"
    service = quote_service_name(report.incident.service) or "the service"
    environment = quote_untrusted(report.incident.environment, 60)
    where = f"{service} in {environment}" if environment not in {"", "unknown"} else service
    commit = f"{short_sha(chosen.id)} ({quote_subject(chosen)})"
    if kind is ActionKind.TRIAL:
        return f"try {commit} without traffic, beside what serves {where}. Nothing is proven."
    return f"redeploy {where} from {commit}." if kind is ActionKind.REDEPLOY else f"roll {where} back to {commit}."


def _describe_failure(report: Report) -> str:
    broken = report.proof.broken
    words = f": {quote_untrusted(broken.fault.message, 160)}" if broken and broken.fault.message else ""
    return f"{describe_error(report)}{words}."


def _describe_broken(report: Report) -> str:
    proof = report.proof
    if proof.broken is None or proof.deployed.commit is None:
        return ""
    tree = ", built from an uncommitted tree" if proof.deployed.uncommitted_tree else ""
    commit = f"{short_sha(proof.deployed.commit.id)} ({quote_subject(proof.deployed.commit)}){tree}"
    if proof.claim is not None:
        return f"{commit}: {quote_untrusted(proof.claim.failing_reason)}."
    shown = "the first one is" if report.incident.is_found_early else "the log shows the one"
    line = f"; {shown} on line {proof.broken.fault.line}" if proof.broken.fault.line is not None else ""
    errors = pluralize(proof.broken.errors, "error")
    python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
    return f"{commit}: {errors}{python}{line}."


def _describe_fix(proof: Finding) -> str:
    if proof.fix is not None:
        return f"{describe_commit(proof.fix.commit)}, {describe_fix_location(proof.fix, proof.branch)}."
    return "no merged commit." if proof.broken is not None else ""


def _describe_newest(proof: Finding) -> str:
    if proof.experiment is not None and proof.target is not None:
        return f"{describe_commit(proof.target.commit)}: every file that the service loads compiles there."
    if proof.target is not None:
        state = describe_target_state(proof)
        return f"{describe_commit(proof.target.commit)}: {state}, and no other file stops compiling."
    if proof.rollback is not None and proof.fix is None:
        return (
            f"{describe_commit(proof.rollback.commit)}, from before the break: nothing of the incident is broken there."
        )
    return ""


def _describe_shipped(target: Target) -> str:
    files = [
        f"{quote_untrusted(change.path, 80)} {format_line_counts(change)}"
        for change in target.shipped_changes[:MAX_FILES]
    ]
    more = [f"{len(target.shipped_changes) - MAX_FILES} more"] if len(target.shipped_changes) > MAX_FILES else []
    which = f": {join_words([*files, *more])}" if files else ""
    checks = CHECK_PHRASES[target.checks]
    return (
        f"{pluralize(target.commits_after_deployed, 'commit')}, "
        f"{describe_shipped_files(target.shipped_changes)}{which}. {checks}"
    )


def _describe_rollback(proof: Finding) -> str:
    if proof.recommendation.kind is not ActionKind.REDEPLOY or proof.alternative_rollback is None:
        return ""
    return (
        f"to {describe_commit(proof.alternative_rollback.commit)}, the newest commit before the break that passes "
        f"every gate; {describe_lost_commits(proof.alternative_rollback, MAX_FILES)}."
    )


def _describe_confidence(proof: Finding) -> str:
    if proof.experiment is not None:
        return f"proven by experiment, in {pluralize(len(proof.experiment.rounds), 'round')}; not by a compiler."
    if proof.recommendation.kind is ActionKind.TRIAL:
        return "suspected, not proven: a trial finds out."
    if proof.broken is None or proof.deployed.commit is None:
        return "no proof."
    source = proof.deployed.source
    deployed = "inferred from the logged line" if source is DeployedSource.INFERRED else f"known ({source.value})"
    word = "proven" if is_certain(proof) else "not certain"
    return f"{word}: {describe_checker(proof)}; the deployed commit is {deployed}, {describe_corroboration(proof)}."


def format_line_counts(change: FileChange) -> str:
    if change.added is None or change.deleted is None:
        return "(line counts unavailable)"
    return f"+{change.added} \u2212{change.deleted}"
