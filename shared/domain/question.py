"""A report comes in; what a person is asked about it goes out: which commit, and the words of the message."""

from shared.domain.facts.mended import shipped
from shared.domain.finding import Kind
from shared.domain.issue.summary import headline
from shared.domain.report import Report
from shared.domain.wording import counted, said

_LONGEST_TITLE = 150
_LONGEST_LINE = 600


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


def title_and_lines(report: Report) -> tuple[str, tuple[str, ...]]:
    """The headline of a message, and its paragraphs: what fails and why, what is proposed, what ships. All redacted."""
    proof = report.proof
    lines = [*(why.answer for why in report.whys[:2]), proof.recommendation.detail]
    if proof.target is not None:
        commits = counted(proof.target.commits_after_deployed, "commit")
        lines.append(f"Ships {commits} since the deployed one, {shipped(proof.target.ships)}.")
    return said(headline(report), _LONGEST_TITLE), tuple(said(line, _LONGEST_LINE) for line in lines)
