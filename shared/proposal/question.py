"""A report comes in; the paragraphs of a question about it go out, short enough to be decided upon at night.

Each begins with a label, so that whoever lays them out can make it stand out. `details` is what a thread has room for.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from shared.proof.model.commit_words import named, subject
from shared.proof.model.finding import Checks, DeployedSource, Kind, Proof, Reason, Recommendation, Target
from shared.proof.model.history import FileChange
from shared.proposal.proposal import Alternative, Message, Proposal, Standing
from shared.report.facts.loading import describe_other, describe_rule
from shared.report.facts.mended import errors_left, place_of, shipped
from shared.report.impact import told
from shared.report.issue.impact import followed
from shared.report.issue.summary import headline, what_fails
from shared.report.report import Report, as_of
from shared.report.whys import Why
from shared.text.phrases import counted, listed, said, service_named, short
from shared.text.timestamps import spoken

_MOST_FILES = 4
_MOST_SYMPTOMS = 2
_MOST_SHIPPED = 12
_MOST_DETAILS = 5
_MOST_EVIDENCE = 12
_CHECKS = {
    Checks.GREEN: "Checks: green.",
    Checks.RED: "Checks: red.",
    Checks.PENDING: "Checks: still running.",
    Checks.UNKNOWN: "Checks: unknown: it has none, or nobody could be asked; look at the commit before you approve.",
}
_LONGEST_LINE = 700
_LONGEST_TITLE = 150


def proposed_commit(report: Report) -> str | None:
    """The commit that the report recommends to deploy; None where it recommends nothing."""
    proof = report.proof
    match proof.recommendation.kind:
        case Kind.REDEPLOY:
            return proof.target.commit.id if proof.target else None
        case Kind.ROLLBACK:
            return proof.rollback.commit.id if proof.rollback else None
        case Kind.NONE:
            return None


def other_commit(report: Report) -> str | None:
    """The earlier commit that could be gone back to instead of what is recommended; None where there is none."""
    proof = report.proof
    is_other = proof.recommendation.kind is Kind.REDEPLOY and proof.alternative is not None
    return proof.alternative.commit.id if is_other and proof.alternative else None


def going_back(report: Report) -> Report | None:
    """The same report as it reads once people go back instead of what is recommended; None where they cannot."""
    proof = report.proof
    if other_commit(report) is None or proof.alternative is None:
        return None
    told = f"{proof.alternative.commit.id} is the newest commit before the break that passes every gate."
    recommendation = Recommendation(Kind.ROLLBACK, Reason.GONE_BACK, told)
    back = replace(
        proof, recommendation=recommendation, rollback=proof.alternative, alternative=None, target=None, refused=()
    )
    return replace(report, proof=back)


def title_and_lines(report: Report) -> tuple[str, tuple[str, ...]]:
    """The headline of a message, and its paragraphs: what fails, the proof, what ships, how sure. All redacted."""
    return said(headline(report), _LONGEST_TITLE), asked(report)


def question(report: Report, proposal: Proposal, issue_url: str) -> Message:
    """The message that asks for a decision about the proposal."""
    title, lines = title_and_lines(report)
    return Message(
        proposal=proposal.id,
        incident=proposal.incident,
        commit=proposal.commit,
        evidence_hash=proposal.evidence_hash,
        title=title,
        lines=lines,
        issue_url=issue_url,
        standing=Standing.OPEN,
        expires_at=proposal.expires_at,
        kind=proposal.kind,
        alternative=Alternative(f"{proposal.id}-back", other) if (other := other_commit(report)) else None,
    )


class Label(StrEnum):
    """What a paragraph is about, in the order of the message."""

    PROPOSAL = "Proposal"
    FAILS = "What fails"
    IMPACT = "Impact"
    SINCE = "Since"
    BROKEN = "Broken at"
    FIXED = "Fixed by"
    NEWEST = "Newest passing commit"
    SHIPS = "What ships"
    INSTEAD = "Or go back"
    CONFIDENCE = "Confidence"


PROOF = frozenset((Label.BROKEN, Label.FIXED, Label.NEWEST))
"""The three lines of the proof."""


def labelled(line: str) -> tuple[Label | None, str]:
    """The paragraph's label and its words; None where it has no label."""
    label, colon, words = line.partition(": ")
    return (Label(label), words) if colon and label in _LABELS else (None, line)


def asked(report: Report) -> tuple[str, ...]:
    """The paragraphs of the message, each of one line and at most 700 characters, redacted."""
    return tuple(said(f"{label}: {words}", _LONGEST_LINE) for label, words in _paragraphs(report) if words)


def details(report: Report) -> tuple[str, ...]:
    """For the message's thread: whys, attempts, what ships, gates, evidence. All redacted, each of one line."""
    proof = report.proof
    whys = [f"{why.n}. {why.question} {why.answer} ({_cited(why)})" for why in report.whys]
    attempts = [f"Attempt {named(each.commit)}: {errors_left(each)}." for each in proof.attempts[:_MOST_DETAILS]]
    unseen = [f"Not seen: {each}" for each in proof.unseen[:_MOST_DETAILS]]
    evidence = [f"{each.id}, {each.kind.value}: {said(each.text, 200)}" for each in report.evidence[:_MOST_EVIDENCE]]
    lines = (*whys, *attempts, *_shipped_files(proof), *_gates(proof), *unseen, *evidence)
    return tuple(said(line, 2 * _LONGEST_LINE) for line in lines)


def _cited(why: Why) -> str:
    return ", ".join((why.confidence.value, *why.evidence[:_MOST_DETAILS]))


def _shipped_files(proof: Proof) -> Iterator[str]:
    if proof.recommendation.kind is not Kind.REDEPLOY or proof.target is None:
        return
    ships = proof.target.ships
    files = [f"{said(change.path, 80)} {_figures(change)}" for change in ships[:_MOST_SHIPPED]]
    more = [f"{len(ships) - _MOST_SHIPPED} more"] if len(ships) > _MOST_SHIPPED else []
    if files:
        yield f"Ships {listed([*files, *more])}."


def _gates(proof: Proof) -> Iterator[str]:
    """What the proposed commit had to pass, and which newer ones did not."""
    for each in (proof.broken.also_broken if proof.broken else ())[:_MOST_FILES]:
        yield f"Also broken as deployed: {said(each.path)}."
    if proof.loading is not None:
        yield describe_rule(proof.loading)
        yield from (f"{describe_other(each)}." for each in proof.loading.not_loaded[:_MOST_FILES])
    if proof.recommendation.kind is Kind.REDEPLOY and proof.target is not None:
        yield (
            f"Gates passed by {short(proof.target.commit.id)}: it contains the fix, every file that the service "
            f"loads compiles, none is newly broken. {_CHECKS[proof.target.checks]}"
        )
    for refused in proof.refused[:_MOST_DETAILS]:
        yield f"Not proposed: {named(refused.commit)}, gate {refused.gate}: {said(refused.detail)}."


def _paragraphs(report: Report) -> Iterator[tuple[Label, str]]:
    proof = report.proof
    yield Label.PROPOSAL, _proposal(report)
    yield Label.FAILS, _failure(report)
    yield Label.IMPACT, told(report.impact) if report.impact else ""
    yield Label.SINCE, _since(report)
    yield Label.BROKEN, _broken(proof)
    yield Label.FIXED, _fixed(proof)
    yield Label.NEWEST, _newest(proof)
    if proof.recommendation.kind is Kind.REDEPLOY and proof.target is not None:
        yield Label.SHIPS, _ships(proof.target)
    if proof.recommendation.kind is Kind.ROLLBACK and proof.rollback is not None:
        yield Label.SHIPS, f"{named(proof.rollback.commit)}, as it was: nothing that was merged since is deployed."
    yield Label.INSTEAD, _instead(proof)
    yield Label.CONFIDENCE, _confidence(proof)


def _proposal(report: Report) -> str:
    proof = report.proof
    kind = proof.recommendation.kind
    chosen = {Kind.REDEPLOY: proof.target, Kind.ROLLBACK: proof.rollback, Kind.NONE: None}[kind]
    if chosen is None:
        return f"nothing to deploy. {said(proof.recommendation.detail)}"
    service = service_named(report.incident.service) or "the service"
    environment = said(report.incident.environment, 60)
    where = f"{service} in {environment}" if environment not in {"", "unknown"} else service
    commit = f"{short(chosen.commit.id)} ({subject(chosen.commit)})"
    return f"redeploy {where} from {commit}." if kind is Kind.REDEPLOY else f"roll {where} back to {commit}."


def _failure(report: Report) -> str:
    broken = report.proof.broken
    words = f": {said(broken.fault.message, 160)}" if broken and broken.fault.message else ""
    return f"{what_fails(report)}{words}."


def _since(report: Report) -> str:
    incident = report.incident
    first = spoken(incident.first_seen, dated=incident.dated).removeprefix("at ")
    symptoms = followed(incident)[:_MOST_SYMPTOMS]
    after = f"; what followed: {listed(symptoms)}" if symptoms else ""
    return f"{first}, logged {counted(incident.occurrences, 'time')}{as_of(report)}{after}."


def _broken(proof: Proof) -> str:
    if proof.broken is None or proof.deployed.commit is None:
        return ""
    tree = ", built from an uncommitted tree" if proof.deployed.uncommitted_tree else ""
    line = f", the logged one on line {proof.broken.fault.line}" if proof.broken.fault.line is not None else ""
    errors = counted(proof.broken.errors, "error")
    python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
    return f"{short(proof.deployed.commit.id)} ({subject(proof.deployed.commit)}){tree}: {errors}{python}{line}."


def _fixed(proof: Proof) -> str:
    if proof.fix is not None:
        return f"{named(proof.fix.commit)}, {place_of(proof.fix, proof.branch)}."
    return "nothing that is merged." if proof.broken is not None else ""


def _newest(proof: Proof) -> str:
    if proof.target is not None:
        return f"{named(proof.target.commit)}: every file of the incident compiles there, and nothing is newly broken."
    if proof.rollback is not None and proof.fix is None:
        return f"{named(proof.rollback.commit)}, from before the break: nothing of the incident is broken there."
    return ""


def _ships(target: Target) -> str:
    files = [f"{said(change.path, 80)} {_figures(change)}" for change in target.ships[:_MOST_FILES]]
    more = [f"{len(target.ships) - _MOST_FILES} more"] if len(target.ships) > _MOST_FILES else []
    which = f": {listed([*files, *more])}" if files else ""
    checks = _CHECKS[target.checks]
    return f"{counted(target.commits_after_deployed, 'commit')}, {shipped(target.ships)}{which}. {checks}"


def _instead(proof: Proof) -> str:
    if proof.recommendation.kind is not Kind.REDEPLOY or proof.alternative is None:
        return ""
    return (
        f"to {named(proof.alternative.commit)}, the newest commit before the break that passes every gate; "
        "what was merged since is then not deployed."
    )


def _figures(change: FileChange) -> str:
    if change.added is None or change.deleted is None:
        return "(lines not counted)"
    return f"+{change.added} \u2212{change.deleted}"


def _confidence(proof: Proof) -> str:
    if proof.broken is None or proof.deployed.commit is None:
        return "nothing was proven."
    source = proof.deployed.source
    deployed = "inferred from the logged line" if source is DeployedSource.INFERRED else f"known ({source.value})"
    sure = "and corroborated by compiling it there" if proof.deployed.corroborated else "and not corroborated"
    word = "proven" if proof.deployed.corroborated and proof.broken.checked_by.startswith("cpython") else "not certain"
    return f"{word}: compiled with {proof.broken.checked_by}; the deployed commit is {deployed} {sure}."


_LABELS = frozenset(label.value for label in Label)
