"""Why an incident came to its end: what happened comes in, its name and a sentence for people go out."""

from dataclasses import dataclass
from enum import StrEnum

from shared.proposal.verdict import RolloutVerdict


class EndCause(StrEnum):
    """The reason of an end that nobody has asked for by hand."""

    DEPLOYMENT_FAILED = "deployment_failed"
    DEPLOYMENT_LATE = "deployment_late"
    """It had not ended when it was given up."""
    REVISION_GONE = "revision_gone"
    UNKNOWN_COMMIT = "unknown_commit"
    """Nothing says which commit the new revision was built from."""
    OTHER_COMMIT = "other_commit"
    """The new revision was built from another commit than the approved one."""
    AMBIGUOUS_COMMIT = "ambiguous_commit"
    FAILED_PROBE_BEFORE_TRAFFIC = "failed_probe_before_traffic"
    RECURRED_BEFORE_TRAFFIC = "recurred_before_traffic"
    STOPPED = "stopped"
    """The kill switch was turned while the rollout was under way."""
    SHIFT_REFUSED = "shift_refused"
    """Somebody has changed the service by hand, so that a share of the traffic could not be given."""
    NOT_PUT_BACK = "not_put_back"
    """Somebody has changed the service by hand, so that the traffic could not be put back."""
    PROVEN = "proven"
    FAILED_PROBE = "failed_probe"
    FAILED_REVISION = "failed_revision"
    RECURRED = "recurred"
    CHANGED = "changed_by_hand"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class EndReason:
    """Why an incident ended: by name, and in the words that people read."""

    cause: EndCause
    sentence: str


def end_cause_of(verdict: RolloutVerdict) -> EndCause:
    """The name of a watch's end. Raises ValueError for a verdict that ends nothing."""
    return EndCause(verdict.value)
