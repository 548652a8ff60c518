"""What changed: the commits of the incident, each with its verdict."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from shared.proof.model.commit_words import claims_fix
from shared.proof.model.finding import Finding
from shared.proof.model.history import Commit
from shared.report.facts.mended import describe_errors_left, describe_fix_location
from shared.report.issue.commits import link_author, pull_request_phrase, link_commit
from shared.report.issue.section import Heading, Section, format_table
from shared.report.links import Links
from shared.report.report import Report
from shared.text.escaping import escape_markdown
from shared.text.phrases import pluralize, quote_untrusted
from shared.text.timestamps import format_rfc3339

_MAX_COMMITS = 40


class CommitRole(StrEnum):
    """What a commit was in the incident."""

    INTRODUCED = "**introduced**"
    CLAIMS_FIX = "says fix"
    DEPLOYED = "**deployed**"
    FIX = "**the fix**"
    TARGET = "**target**"
    ROLL_BACK = "**roll back to**"


def render_commits(report: Report, links: Links) -> Iterator[Section]:
    rows = list(_commit_rows(report.proof, links))
    head = ("Commit", "Committed (UTC)", "Author", "Subject", "Verdict")
    if rows:
        yield Section(Heading.COMMITS, (format_table(head, rows[:_MAX_COMMITS]),), priority=6)


def _commit_rows(proof: Finding, links: Links) -> Iterator[Sequence[str]]:
    if proof.introduced is not None:
        found = proof.introduced
        first = f", the first on line {found.first_line}" if found.first_line is not None else ""
        verdict = f"{CommitRole.INTRODUCED} the break: {pluralize(found.errors, 'error')}{first}"
        yield _commit_row(found.commit, f"{verdict}{pull_request_phrase(found.commit.id, links)}", links)
    for attempt in proof.attempts:
        claim = f"{CommitRole.CLAIMS_FIX}; " if claims_fix(attempt.commit) else ""
        deployed = proof.deployed.commit is not None and proof.deployed.commit.id == attempt.commit.id
        verdict = f"still fails: {claim}{describe_errors_left(attempt)}{f'; {CommitRole.DEPLOYED}' if deployed else ''}"
        yield _commit_row(attempt.commit, verdict, links)
    if proof.fix is not None:
        verdict = f"{CommitRole.FIX}: compiles; {escape_markdown(describe_fix_location(proof.fix, proof.branch))}"
        request = pull_request_phrase(proof.fix.commit.id, links) if proof.fix.where == "merged" else ""
        yield _commit_row(proof.fix.commit, f"{verdict}{request}", links)
    if proof.target is not None:
        verdict = f"{CommitRole.TARGET}: passes every gate; checks {proof.target.checks.value}"
        yield _commit_row(proof.target.commit, verdict, links)
    if proof.rollback is not None:
        yield _commit_row(proof.rollback.commit, f"good, before the break: {CommitRole.ROLL_BACK}", links)


def _commit_row(commit: Commit, verdict: str, links: Links) -> Sequence[str]:
    subject = escape_markdown(quote_untrusted(commit.subject, 120))
    when = format_rfc3339(commit.committed_at)
    return link_commit(commit.id, links), when, link_author(commit, links), subject, verdict
