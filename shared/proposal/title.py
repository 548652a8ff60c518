"""What fails, and how its question stands, come in; the one title of message, page and issue goes out."""

from shared.proof.model.finding import Kind
from shared.proposal.proposal import Standing

SEPARATOR = ": "
"""Before the words for how things stand; the words themselves never hold one."""

_STANDS = {
    Standing.APPROVED: "approved, being deployed",
    Standing.DENIED: "denied, nothing deployed",
    Standing.EXPIRED: "nobody decided, nothing deployed",
    Standing.REFUSED: "approved, not deployed",
    Standing.FAILED: "the deployment failed",
    Standing.WATCHING: "deployed, being watched",
    Standing.RESOLVED: "mended by a redeployment",
    Standing.ROLLED_BACK: "the rollout was taken back",
    Standing.MUTED: "stopped by a person",
    Standing.SUPERSEDED: "another question was asked",
    Standing.INCONCLUSIVE: "not proven to be mended",
}
_STANDS_BACK = {
    Standing.APPROVED: "approved, going back to an earlier commit",
    Standing.WATCHING: "gone back to an earlier commit, being watched",
    Standing.RESOLVED: "mended by going back to an earlier commit",
}
"""Of a question whose chosen way out is an earlier commit."""


def title_for(asked: str, fails: str, standing: Standing, kind: Kind) -> str:
    """`asked` while the question is open, or where `fails`, what fails without how things stand, is not known."""
    if standing is Standing.OPEN or not fails:
        return asked
    stands = _STANDS_BACK.get(standing) if kind is Kind.ROLLBACK else None
    return f"{fails}{SEPARATOR}{stands or _STANDS[standing]}"


def retitled(old: str, new: str) -> str:
    """The new title where the old one is about the same failure; a title that a person has given stays."""
    same = old.rpartition(SEPARATOR)[0] == new.rpartition(SEPARATOR)[0]
    return new if same and new else old
