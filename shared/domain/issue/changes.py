"""What changed: the commits of the incident, each with its verdict."""

from collections.abc import Iterator, Sequence

from shared.domain.escaping import code_span, for_markdown
from shared.domain.facts.mended import errors_left, place_of
from shared.domain.finding import Proof
from shared.domain.history import Commit
from shared.domain.issue.section import Section, table
from shared.domain.moment import rfc3339
from shared.domain.report import Report
from shared.domain.wording import claims_fix, counted, said, short

_MOST_COMMITS = 40


def changes(report: Report) -> Iterator[Section]:
    rows = list(_commits(report.proof))
    head = ("Commit", "Committed (UTC)", "Author", "Subject", "Verdict")
    if rows:
        yield Section("Commits", (table(head, rows[:_MOST_COMMITS]),), need=6)


def _commits(proof: Proof) -> Iterator[Sequence[str]]:
    if proof.introduced is not None:
        found = proof.introduced
        first = f", the first on line {found.first_line}" if found.first_line is not None else ""
        yield _row(found.commit, f"**introduced** the break: {counted(found.errors, 'error')}{first}")
    for attempt in proof.attempts:
        claim = "says fix; " if claims_fix(attempt.commit) else ""
        deployed = proof.deployed.commit is not None and proof.deployed.commit.id == attempt.commit.id
        yield _row(attempt.commit, f"still fails: {claim}{errors_left(attempt)}{'; **deployed**' if deployed else ''}")
    if proof.fix is not None:
        yield _row(proof.fix.commit, f"**the fix**: compiles; {for_markdown(place_of(proof.fix, proof.branch))}")
    if proof.target is not None:
        yield _row(proof.target.commit, f"**target**: passes every gate; checks {proof.target.checks.value}")
    if proof.rollback is not None:
        yield _row(proof.rollback.commit, "good, before the break: **roll back to**")


def _row(commit: Commit, verdict: str) -> Sequence[str]:
    author = for_markdown(said(commit.author, 80))
    subject = for_markdown(said(commit.subject, 120))
    return code_span(short(commit.id)), rfc3339(commit.committed_at), author, subject, verdict
