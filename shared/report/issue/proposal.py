"""What to do: the proposal with what ships, how to prevent it, how it will be verified."""

from collections.abc import Iterator

from shared.detection.signal import SignalKind
from shared.proof.declared.deployed_python import PythonFact
from shared.proof.model.finding import Kind, Proof, Target
from shared.proof.model.history import FileChange
from shared.report.facts.mended import shipped
from shared.report.facts.prevention import assess
from shared.report.issue.commits import shown, titled
from shared.report.issue.section import Heading, Section, bullets, table
from shared.report.issue.summary import decision
from shared.report.links import Links, linked
from shared.report.report import Report
from shared.text.escaping import format_code_block, format_code_span, escape_markdown
from shared.text.phrases import pluralize, quote_untrusted

_MOST_FILES = 40
_MOST_REFUSED = 10
NOT_COUNTED = "not counted"
"""Lines of a binary file."""


def proposal(report: Report, links: Links) -> Iterator[Section]:
    yield Section(Heading.PROPOSAL, tuple(_proposal(report.proof, links)), need=8)
    yield Section(Heading.PREVENTION, (bullets(_prevention(report), "- [ ]"),), need=5)
    yield Section(Heading.VERIFICATION, (bullets(_verification(report)),), need=4)


def _proposal(proof: Proof, links: Links) -> Iterator[str]:
    yield decision(proof, links)
    if proof.recommendation.kind is Kind.REDEPLOY and proof.target is not None:
        yield from _ships(proof, proof.target, links)
        if proof.alternative is not None:
            yield (
                f"**Or go back** to {titled(proof.alternative.commit, links)}, the newest commit before the break that "
                "passes every gate. What was merged since is then not deployed."
            )
    if proof.recommendation.kind is not Kind.NONE:
        yield (
            "By hand, where nobody can be asked: deploy that commit the way this service is always deployed. "
            "A question about it that is still open is void then."
        )
    if proof.refused:
        rows = [
            (
                shown(each.commit.id, links),
                escape_markdown(quote_untrusted(each.commit.subject, 100)),
                escape_markdown(quote_untrusted(each.detail)),
            )
            for each in proof.refused[:_MOST_REFUSED]
        ]
        yield (
            "Newer commits that were not chosen:"
            if proof.target
            else "Commits that contain the fix and were not chosen:"
        )
        yield table(("Commit", "Subject", "Why not"), rows)


def _ships(proof: Proof, target: Target, links: Links) -> Iterator[str]:
    deployed = proof.deployed.commit
    since = f" since the deployed {shown(deployed.id, links)}" if deployed else ""
    commits = pluralize(target.commits_after_deployed, "commit")
    commits = linked(commits, links.comparison(deployed.id, target.commit.id)) if deployed else commits
    yield f"**What ships:** {commits}{since}, {shipped(target.ships)}."
    if target.ships:
        rows = [(format_code_span(quote_untrusted(change.path, 160)), *_figures(change)) for change in target.ships[:_MOST_FILES]]
        yield table(("File", "Added", "Deleted"), rows)
    if len(target.ships) > _MOST_FILES:
        yield f"{len(target.ships) - _MOST_FILES} more files are not shown."
    if deployed:
        yield format_code_block(f"git log --oneline {deployed.id}..{target.commit.id}", "sh")


def _figures(change: FileChange) -> tuple[str, str]:
    if change.added is None or change.deleted is None:
        return NOT_COUNTED, NOT_COUNTED
    return str(change.added), str(change.deleted)


def _prevention(report: Report) -> Iterator[str]:
    proof = report.proof
    python = proof.deployed.python
    if report.incident.kind is SignalKind.SYNTAX_ERROR:
        version = f" --python {python}" if python else ""
        command = format_code_span(f"provenfix check{version}")
        yield f"Run {command} in CI and as a pre-commit hook, and let the deployment wait for it."
        found = assess(proof)
        if python and proof.broken is not None and proof.broken.compiles_on:
            yield f"Develop and test on Python {python}, as it is deployed, or deploy the version that is developed on."
        for fact, _ in found.admitting[:2]:
            yield _narrowed(fact, python)
    yield "Label every image and revision with the commit that it was built from, so that it never has to be inferred."
    yield "Build images from a clean checkout of a commit, in CI, and from nowhere else."
    if proof.fix is not None and proof.fix.where == "merged":
        yield "Deploy what is merged, or say loudly that something merged is not deployed."


def _narrowed(fact: PythonFact, python: str) -> str:
    place = f"{format_code_span(quote_untrusted(fact.text, 120))} in {format_code_span(quote_untrusted(fact.path))}, line {fact.line}"
    if fact.kind == "requires-python":
        return f"Narrow {place}, so that it admits only what is deployed."
    return f"Name the deployed {python} instead of {place}."


def _verification(report: Report) -> Iterator[str]:
    if report.proof.recommendation.kind is Kind.NONE:
        yield "Nothing is deployed on the strength of this report. Run it again when there is a candidate."
        return
    yield "The serving revision runs the approved commit and takes the intended share of the traffic."
    yield "A WebSocket connects and stays open."
    yield "The error does not come back while there is traffic: silence without requests proves nothing."
    yield "A recurrence counts against the fix only if the revision that logged it contains the fix, by git ancestry."
    yield "After 24 hours without a recurrence the issue is closed, with the figures."
