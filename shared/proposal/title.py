"""What fails, and how its question stands, come in; the one title of message, page and issue goes out."""

from shared.proof.model.finding import ActionKind
from shared.proposal.proposal import ProposalStatus

TITLE_SEPARATOR = ": "
"""Before the words for how things stand; the words themselves never hold one."""

_STATUS_PHRASES = {
    ProposalStatus.APPROVED: "approved, being deployed",
    ProposalStatus.DENIED: "denied, nothing deployed",
    ProposalStatus.EXPIRED: "nobody decided, nothing deployed",
    ProposalStatus.REFUSED: "approved, not deployed",
    ProposalStatus.FAILED: "the deployment failed",
    ProposalStatus.WATCHING: "deployed, being watched",
    ProposalStatus.RESOLVED: "mended by a redeployment",
    ProposalStatus.ROLLED_BACK: "the rollout was taken back",
    ProposalStatus.MUTED: "stopped by a person",
    ProposalStatus.SUPERSEDED: "another question was asked",
    ProposalStatus.INCONCLUSIVE: "not proven to be mended",
}
_ROLLBACK_STATUS_PHRASES = {
    ProposalStatus.APPROVED: "approved, going back to an earlier commit",
    ProposalStatus.WATCHING: "gone back to an earlier commit, being watched",
    ProposalStatus.RESOLVED: "mended by going back to an earlier commit",
}
"""Of a question whose chosen way out is an earlier commit."""


def build_title(open_title: str, failure: str, status: ProposalStatus, kind: ActionKind) -> str:
    """`asked` while the question is open, or where `fails`, what fails without how things stand, is not known."""
    if status is ProposalStatus.OPEN or not failure:
        return open_title
    stands = _ROLLBACK_STATUS_PHRASES.get(status) if kind is ActionKind.ROLLBACK else None
    return f"{failure}{TITLE_SEPARATOR}{stands or _STATUS_PHRASES[status]}"


def update_title(old: str, new: str) -> str:
    """The new title where the old one is about the same failure; a title that a person has given stays."""
    same = old.rpartition(TITLE_SEPARATOR)[0] == new.rpartition(TITLE_SEPARATOR)[0]
    return new if same and new else old
