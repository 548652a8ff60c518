"""What to do: the proposal with what ships, how to prevent it, how it will be verified."""

from collections.abc import Iterator

from shared.detection.causes.cause import CauseClass
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import SignalKind
from shared.proof.declared.deployed_python import PythonFact
from shared.proof.model.finding import Finding
from shared.proof.model.history import FileChange
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import Target
from shared.report.facts.fix_history import describe_images, describe_lost_commits, describe_shipped_files
from shared.report.facts.prevention import assess_prevention
from shared.report.facts.unproven import describe_experiment
from shared.report.issue.section import (
    Heading,
    Section,
    format_bullets,
    format_table,
    link_commit,
    link_commit_with_subject,
)
from shared.report.links import Links, format_link
from shared.report.report import Report
from shared.report.whys.cause_answers import ANSWERS
from shared.text.escaping import escape_markdown, format_code_block, format_code_span
from shared.text.phrases import pluralize, quote_untrusted

_MAX_FILES = 40
_MAX_REJECTED_COMMITS = 10
_MAX_LOST_COMMITS = 10
NOT_COUNTED = "not counted"
"""Lines of a binary file."""


def render_proposal(report: Report, links: Links) -> Iterator[Section]:
    yield Section(Heading.PREVENTION, (format_bullets(_list_prevention_items(report), "- [ ]"),), priority=5)
    yield Section(Heading.PROPOSAL, tuple(_render_proposal(report.proof, links)), priority=8, is_folded=True)
    yield Section(Heading.VERIFICATION, (format_bullets(_list_verification_items(report)),), priority=4, is_folded=True)


def _render_proposal(proof: Finding, links: Links) -> Iterator[str]:
    if proof.experiment is not None:
        yield format_bullets(escape_markdown(text) for text in describe_experiment(proof.experiment))
    if proof.recommendation.kind is ActionKind.TRIAL and proof.trial_candidate is not None:
        yield (
            "A trial deploys that commit without traffic and probes it at its own address, several times, beside the "
            "serving revision. Only if it holds each time, and the serving revision fails each time, another question "
            "asks for the traffic. Otherwise it stays without traffic."
        )
        yield from _render_shipped(proof, proof.trial_candidate.target, links)
    if proof.recommendation.kind is ActionKind.REDEPLOY and proof.target is not None:
        yield from _render_shipped(proof, proof.target, links)
        if proof.alternative_rollback is not None:
            earlier = link_commit_with_subject(proof.alternative_rollback.commit, links)
            yield (
                f"**Or go back** to {earlier}, the newest commit before the break that passes every gate. "
                f"It {escape_markdown(describe_lost_commits(proof.alternative_rollback, _MAX_LOST_COMMITS))}."
            )
    if proof.recommendation.kind is ActionKind.ROLLBACK and proof.rollback is not None:
        yield f"Going back {escape_markdown(describe_lost_commits(proof.rollback, _MAX_LOST_COMMITS))}."
    if images := describe_images(proof):
        yield escape_markdown(images)
    if proof.recommendation.kind is not ActionKind.NONE:
        yield (
            "To deploy by hand: deploy that commit the way this service is usually deployed. "
            "The open question then becomes void."
        )
    if proof.refused_commits:
        rows = [
            (
                link_commit(refused.commit.id, links),
                escape_markdown(quote_untrusted(refused.commit.subject, 100)),
                escape_markdown(quote_untrusted(refused.detail)),
            )
            for refused in proof.refused_commits[:_MAX_REJECTED_COMMITS]
        ]
        yield (
            "Newer commits that were not chosen:"
            if proof.target
            else "Commits that contain the fix and were not chosen:"
        )
        yield format_table(("Commit", "Subject", "Why not"), rows)


def _render_shipped(proof: Finding, target: Target, links: Links) -> Iterator[str]:
    deployed = proof.deployed.commit
    since = f" since the deployed {link_commit(deployed.id, links)}" if deployed else ""
    commits = pluralize(target.commits_after_deployed, "commit")
    commits = format_link(commits, links.comparison(deployed.id, target.commit.id)) if deployed else commits
    yield f"{commits}{since}, {describe_shipped_files(target.shipped_changes)}."
    if target.shipped_changes:
        rows = [
            (format_code_span(quote_untrusted(change.path, 160)), *_format_line_counts(change))
            for change in target.shipped_changes[:_MAX_FILES]
        ]
        yield format_table(("File", "Added", "Deleted"), rows)
    if len(target.shipped_changes) > _MAX_FILES:
        yield f"{len(target.shipped_changes) - _MAX_FILES} more files are not shown."
    if deployed:
        yield format_code_block(f"git log --oneline {deployed.id}..{target.commit.id}", "sh")


def _format_line_counts(change: FileChange) -> tuple[str, str]:
    if change.added is None or change.deleted is None:
        return NOT_COUNTED, NOT_COUNTED
    return str(change.added), str(change.deleted)


def _list_prevention_items(report: Report) -> Iterator[str]:
    proof = report.proof
    python = proof.deployed.python
    if report.incident.kind is SignalKind.SYNTAX_ERROR:
        version = f" --python {python}" if python else ""
        command = format_code_span(f"provenfix check{version}")
        yield f"Run {command} in CI and as a pre-commit hook, and let the deployment wait for it."
        assessment = assess_prevention(proof)
        if python and proof.broken is not None and proof.broken.compiles_on:
            yield f"Develop and test on the deployed Python {python}, or deploy the version that you develop on."
        for fact, _ in assessment.allowing_valid_python[:2]:
            yield _advise_narrowing(fact, python)
    if report.incident.kind in EFFECT_KINDS and report.cause.cause_class is not CauseClass.UNKNOWN:
        yield escape_markdown(ANSWERS[report.cause.cause_class].caught_by)
        if not report.cause.profile.is_mended_by_commit:
            return
    yield "Label every image and revision with the commit that it was built from, so that nobody has to infer it."
    yield "Build images only in CI, from a clean checkout of a commit."
    if proof.fix is not None and proof.fix.where == "merged":
        yield "Deploy what is merged, or alert when a merged commit is not deployed."


def _advise_narrowing(fact: PythonFact, python: str) -> str:
    setting = (
        f"{format_code_span(quote_untrusted(fact.text, 120))} in "
        f"{format_code_span(quote_untrusted(fact.path))}, line {fact.line}"
    )
    if fact.kind == "requires-python":
        return f"Narrow {setting}, so that it admits only what is deployed."
    return f"Name the deployed {python} instead of {setting}."


def _list_verification_items(report: Report) -> Iterator[str]:
    if report.proof.recommendation.kind is ActionKind.TRIAL:
        yield "The tried revision runs the approved commit and takes no traffic."
        yield "In every round the serving revision is closed with 1011, and the tried one stays open."
        yield "The tried revision logs no failure."
        return
    if report.proof.recommendation.kind is ActionKind.NONE:
        yield "This report proposes no deployment. Run the investigation again when there is a candidate."
        return
    yield "The serving revision runs the approved commit and takes the intended share of the traffic."
    yield "A WebSocket connects and stays open."
    yield "The error does not recur while there is traffic: silence without requests proves nothing."
    yield "A recurrence counts against the fix only if the revision that logged it contains the fix, by git ancestry."
    yield "After 24 hours without a recurrence provenfix closes the issue, with the figures."
