"""What changed: the commits of the incident, each with its verdict."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from shared.proof.model.commit_words import claims_fix
from shared.proof.model.finding import Proof
from shared.proof.model.history import Commit
from shared.report.facts.mended import errors_left, place_of
from shared.report.issue.commits import author, brought_in, shown
from shared.report.issue.section import Heading, Section, table
from shared.report.links import Links
from shared.report.report import Report
from shared.text.escaping import escape_markdown
from shared.text.phrases import pluralize, quote_untrusted
from shared.text.timestamps import format_rfc3339

_MOST_COMMITS = 40


class Verdict(StrEnum):
    """What a commit was in the incident."""

    INTRODUCED = "**introduced**"
    CLAIMS_FIX = "says fix"
    DEPLOYED = "**deployed**"
    FIX = "**the fix**"
    TARGET = "**target**"
    ROLL_BACK = "**roll back to**"


def changes(report: Report, links: Links) -> Iterator[Section]:
    rows = list(_commits(report.proof, links))
    head = ("Commit", "Committed (UTC)", "Author", "Subject", "Verdict")
    if rows:
        yield Section(Heading.COMMITS, (table(head, rows[:_MOST_COMMITS]),), need=6)


def _commits(proof: Proof, links: Links) -> Iterator[Sequence[str]]:
    if proof.introduced is not None:
        found = proof.introduced
        first = f", the first on line {found.first_line}" if found.first_line is not None else ""
        verdict = f"{Verdict.INTRODUCED} the break: {pluralize(found.errors, 'error')}{first}"
        yield _row(found.commit, f"{verdict}{brought_in(found.commit.id, links)}", links)
    for attempt in proof.attempts:
        claim = f"{Verdict.CLAIMS_FIX}; " if claims_fix(attempt.commit) else ""
        deployed = proof.deployed.commit is not None and proof.deployed.commit.id == attempt.commit.id
        verdict = f"still fails: {claim}{errors_left(attempt)}{f'; {Verdict.DEPLOYED}' if deployed else ''}"
        yield _row(attempt.commit, verdict, links)
    if proof.fix is not None:
        verdict = f"{Verdict.FIX}: compiles; {escape_markdown(place_of(proof.fix, proof.branch))}"
        request = brought_in(proof.fix.commit.id, links) if proof.fix.where == "merged" else ""
        yield _row(proof.fix.commit, f"{verdict}{request}", links)
    if proof.target is not None:
        verdict = f"{Verdict.TARGET}: passes every gate; checks {proof.target.checks.value}"
        yield _row(proof.target.commit, verdict, links)
    if proof.rollback is not None:
        yield _row(proof.rollback.commit, f"good, before the break: {Verdict.ROLL_BACK}", links)


def _row(commit: Commit, verdict: str, links: Links) -> Sequence[str]:
    subject = escape_markdown(quote_untrusted(commit.subject, 120))
    when = format_rfc3339(commit.committed_at)
    return shown(commit.id, links), when, author(commit, links), subject, verdict
