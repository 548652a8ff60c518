"""Builds the question about a report: a few paragraphs for the message, and the details for its thread."""

from collections.abc import Iterator
from dataclasses import replace

from shared.proof.model.finding import Finding, Rollback, find_recommended_commit
from shared.proof.model.history import describe_commit
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.model.target import Target
from shared.proposal.paragraphs import (
    CHECK_PHRASES,
    MAX_FILES,
    MAX_LINE_LENGTH,
    build_brief,
    build_paragraphs,
    format_line_counts,
)
from shared.proposal.proposal import AlternativeProposal, Message, Proposal
from shared.proposal.states import ProposalStatus
from shared.report.facts.deployed_code import describe_loading_rule, describe_missing_import, describe_unloaded_file
from shared.report.facts.fix_history import describe_errors_left
from shared.report.issue.body import format_headline
from shared.report.report import Report
from shared.report.whys.why import Why
from shared.text.phrases import join_words, quote_untrusted, short_sha

_MAX_SHIPPED_FILES = 12
_MAX_DETAILS = 5
_MAX_EVIDENCE = 12
_MAX_TITLE_LENGTH = 150


def find_proposed_commit(report: Report) -> str | None:
    """The commit that the report recommends to deploy; None where it recommends nothing."""
    commit = find_recommended_commit(report.proof)
    return commit.id if commit is not None else None


def find_rollback_commit(report: Report) -> str | None:
    """The earlier commit that could be gone back to instead of what is recommended; None where there is none."""
    alternative = _find_alternative(report.proof)
    return alternative.commit.id if alternative is not None else None


def _find_alternative(proof: Finding) -> Rollback | None:
    return proof.alternative_rollback if proof.recommendation.kind is ActionKind.REDEPLOY else None


def build_rollback_report(report: Report) -> Report | None:
    """The same report as it reads for a rollback instead of what is recommended; None where there is none."""
    alternative = _find_alternative(report.proof)
    return _replace_by_rollback(report, alternative) if alternative is not None else None


def _replace_by_rollback(report: Report, alternative: Rollback) -> Report:
    detail = f"{alternative.commit.id} is the newest commit before the break that passes every gate."
    recommendation = Recommendation(ActionKind.ROLLBACK, Reason.EARLIER_COMMIT_CHOSEN, detail)
    back = replace(
        report.proof,
        recommendation=recommendation,
        rollback=alternative,
        alternative_rollback=None,
        target=None,
        refused_commits=(),
    )
    return replace(report, proof=back)


def build_title_and_lines(report: Report) -> tuple[str, tuple[str, ...]]:
    """The headline of a message, and its paragraphs: what fails, the proof, what ships, how sure. All redacted."""
    return quote_untrusted(format_headline(report), _MAX_TITLE_LENGTH), build_paragraphs(report)


def build_question(report: Report, proposal: Proposal, issue_url: str) -> Message:
    """The message that asks for a decision about the proposal."""
    title, lines = build_title_and_lines(report)
    return Message(
        proposal=proposal.id,
        incident=proposal.incident,
        commit=proposal.commit,
        evidence_hash=proposal.evidence_hash,
        title=title,
        lines=lines,
        brief=build_brief(report),
        issue_url=issue_url,
        standing=ProposalStatus.OPEN,
        expires_at=proposal.expires_at,
        kind=proposal.kind,
        alternative=_build_alternative(report, proposal),
    )


def _build_alternative(report: Report, proposal: Proposal) -> AlternativeProposal | None:
    alternative = _find_alternative(report.proof)
    if alternative is None:
        return None
    brief = build_brief(_replace_by_rollback(report, alternative))
    return AlternativeProposal(f"{proposal.id}-back", alternative.commit.id, subject=brief.subject, ships=brief.ships)


def build_thread_details(report: Report) -> tuple[str, ...]:
    """For the message's thread: whys, attempts, what ships, gates, evidence. All redacted, each of one line."""
    proof = report.proof
    whys = [f"{why.n}. {why.question} {why.answer} ({_format_evidence(why)})" for why in report.whys]
    attempts = [
        f"Attempt {describe_commit(attempt.commit)}: {describe_errors_left(attempt)}."
        for attempt in proof.attempts[:_MAX_DETAILS]
    ]
    unseen = [f"Not seen: {gap}" for gap in proof.gaps[:_MAX_DETAILS]]
    evidence = [
        f"{item.id}, {item.kind.value}: {quote_untrusted(item.text, 200)}" for item in report.evidence[:_MAX_EVIDENCE]
    ]
    lines = (*whys, *attempts, *_list_shipped_files(proof), *_describe_gates(proof), *unseen, *evidence)
    return tuple(quote_untrusted(line, 2 * MAX_LINE_LENGTH) for line in lines)


def _format_evidence(why: Why) -> str:
    return ", ".join((why.confidence.value, *why.evidence[:_MAX_DETAILS]))


def _find_proposed_target(proof: Finding) -> Target | None:
    if proof.recommendation.kind not in {ActionKind.REDEPLOY, ActionKind.TRIAL}:
        return None
    return proof.trial_candidate.target if proof.trial_candidate is not None else proof.target


def _list_shipped_files(proof: Finding) -> Iterator[str]:
    target = _find_proposed_target(proof)
    if target is None:
        return
    ships = target.shipped_changes
    files = [
        f"{quote_untrusted(change.path, 80)} {format_line_counts(change)}" for change in ships[:_MAX_SHIPPED_FILES]
    ]
    more = [f"{len(ships) - _MAX_SHIPPED_FILES} more"] if len(ships) > _MAX_SHIPPED_FILES else []
    if files:
        yield f"Ships {join_words([*files, *more])}."


def _describe_gates(proof: Finding) -> Iterator[str]:
    """What the proposed commit had to pass, and which newer ones did not."""
    for file in (proof.broken.also_broken if proof.broken else ())[:MAX_FILES]:
        yield f"Also broken as deployed: {quote_untrusted(file.path)}."
    if proof.loaded_summary is not None:
        yield describe_loading_rule(proof.loaded_summary)
        yield from (f"{describe_unloaded_file(file)}." for file in proof.loaded_summary.not_loaded[:MAX_FILES])
        missing = proof.loaded_summary.missing_imports[:MAX_FILES]
        yield from (f"{describe_missing_import(entry)}." for entry in missing)
    target = _find_proposed_target(proof)
    if target is not None:
        contained = "a possible fix" if proof.trial_candidate is not None else "the fix"
        yield (
            f"Gates passed by {short_sha(target.commit.id)}: it contains {contained}, every file that the service "
            f"loads compiles, and no file stops compiling. {CHECK_PHRASES[target.checks]}"
        )
    for refused in proof.refused_commits[:_MAX_DETAILS]:
        yield (
            f"Not proposed: {describe_commit(refused.commit)}, gate {refused.gate}: {quote_untrusted(refused.detail)}."
        )
