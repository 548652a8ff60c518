"""What to do: commits with their verdicts, the proposal with what ships, prevention, verification."""

from collections.abc import Iterator, Sequence

from shared.domain.escaping import code_block, code_span, for_markdown
from shared.domain.facts.mended import errors_left, place_of, shipped
from shared.domain.facts.prevention import assess
from shared.domain.finding import Kind, Proof, Target
from shared.domain.history import Commit, FileChange
from shared.domain.issue.section import Section, bullets, table
from shared.domain.issue.summary import decision
from shared.domain.moment import rfc3339
from shared.domain.report import Report
from shared.domain.signal import SignalKind
from shared.domain.wording import claims_fix, counted, said, short

_MOST_COMMITS = 40
_MOST_FILES = 40
_MOST_REFUSED = 10


def changes(report: Report) -> Iterator[Section]:
    proof = report.proof
    rows = list(_commits(proof))
    if rows:
        head = ("Commit", "Committed (UTC)", "Author", "Subject", "Verdict")
        yield Section("Commits", (table(head, rows[:_MOST_COMMITS]),), need=6)
    yield Section("Proposal", tuple(_proposal(proof)), need=8)
    yield Section("Prevention", (bullets(_prevention(report), "- [ ]"),), need=5)
    yield Section("How it will be verified", (bullets(_verification(report)),), need=4)


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


def _proposal(proof: Proof) -> Iterator[str]:
    yield decision(proof)
    if proof.recommendation.kind is Kind.REDEPLOY and proof.target is not None:
        yield from _ships(proof, proof.target)
    if proof.refused:
        rows = [
            (
                code_span(short(each.commit.id)),
                for_markdown(said(each.commit.subject, 100)),
                for_markdown(said(each.detail)),
            )
            for each in proof.refused[:_MOST_REFUSED]
        ]
        yield (
            "Newer commits that were not chosen:"
            if proof.target
            else "Commits that contain the fix and were not chosen:"
        )
        yield table(("Commit", "Subject", "Why not"), rows)


def _ships(proof: Proof, target: Target) -> Iterator[str]:
    deployed = proof.deployed.commit
    since = f" since the deployed {code_span(short(deployed.id))}" if deployed else ""
    yield f"**What ships:** {counted(target.commits_after_deployed, 'commit')}{since}, {shipped(target.ships)}."
    if target.ships:
        rows = [(code_span(said(change.path, 160)), *_figures(change)) for change in target.ships[:_MOST_FILES]]
        yield table(("File", "Added", "Deleted"), rows)
    if len(target.ships) > _MOST_FILES:
        yield f"{len(target.ships) - _MOST_FILES} more files are not shown."
    if deployed:
        yield code_block(f"git log --oneline {deployed.id}..{target.commit.id}", "sh")


def _figures(change: FileChange) -> tuple[str, str]:
    if change.added is None or change.deleted is None:
        return "binary", "binary"
    return str(change.added), str(change.deleted)


def _prevention(report: Report) -> Iterator[str]:
    proof = report.proof
    python = proof.deployed.python
    if report.incident.kind is SignalKind.SYNTAX_ERROR:
        version = f" --python {python}" if python else ""
        command = code_span(f"provenfix check{version}")
        yield f"Run {command} in CI and as a pre-commit hook, and let the deployment wait for it."
        found = assess(proof)
        if python and proof.broken is not None and proof.broken.compiles_on:
            yield f"Develop and test on Python {python}, as it is deployed, or deploy the version that is developed on."
        for fact, _ in found.admitting[:2]:
            yield f"Narrow {code_span(said(fact.text, 120))} in {code_span(said(fact.path))}, line {fact.line}."
    yield "Label every image and revision with the commit that it was built from, so that it never has to be inferred."
    yield "Build images from a clean checkout of a commit, in CI, and from nowhere else."
    if proof.fix is not None and proof.fix.where == "merged":
        yield "Deploy what is merged, or say loudly that something merged is not deployed."


def _verification(report: Report) -> Iterator[str]:
    if report.proof.recommendation.kind is Kind.NONE:
        yield "Nothing is deployed on the strength of this report. Run it again when there is a candidate."
        return
    yield "The serving revision runs the approved commit and takes the intended share of the traffic."
    yield "A WebSocket connects and stays open."
    yield "The error does not come back while there is traffic: silence without requests proves nothing."
    yield "A recurrence counts against the fix only if the revision that logged it contains the fix, by git ancestry."
    yield "After 24 hours without a recurrence the issue is closed, with the figures."
