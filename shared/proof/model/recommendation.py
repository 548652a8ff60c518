"""What is recommended, and the named reason for it."""

from dataclasses import dataclass
from enum import StrEnum


class ActionKind(StrEnum):
    """What is recommended."""

    REDEPLOY = "redeploy"
    ROLLBACK = "rollback"
    TRIAL = "trial"
    """Nothing is proven: deploy a commit without traffic, and compare it with what serves."""
    NONE = "none"


class Reason(StrEnum):
    """Why; the machine-readable half of every recommendation."""

    FIX_NOT_DEPLOYED = "fix_merged_not_deployed"
    EARLIER_COMMIT_GOOD = "no_fix_earlier_commit_good"
    EARLIER_COMMIT_CHOSEN = "earlier_commit_chosen"
    """A fix is merged, but an earlier commit was chosen: the fix did not hold, or the approvers prefer it."""
    TRIAL_POSSIBLE = "trial_possible"
    PROVEN_BY_TRIAL = "proven_by_trial"
    FIX_DID_NOT_HOLD = "fix_did_not_hold"
    """It was deployed and taken back, and nothing else is left to propose."""
    NOT_CORROBORATED = "not_corroborated"
    FILE_NOT_FOUND = "file_not_found"
    NO_FIX = "no_fix"
    NOT_ON_BRANCH = "deployed_commit_not_on_branch"
    FIX_IN_PULL_REQUEST = "fix_only_in_pull_request"
    FIX_UNMERGED = "fix_only_on_unmerged_branch"
    NO_TARGET = "no_commit_passes_every_gate"
    CHECKS_RED = "checks_red"
    NO_IMAGE = "no_image_of_the_fix"
    """The fix is merged, and no commit that contains it has an image that could be deployed."""
    ALREADY_DEPLOYED = "already_deployed"
    HISTORY_NOT_AVAILABLE = "history_not_available"
    CLOSE_1011_WITHOUT_CAUSE = "close_1011_without_cause"
    CLOSE_1011_UNPROVEN = "close_1011_cause_not_proven"
    CLOSE_1011_ONE_OF_SEVERAL = "close_1011_one_of_several_causes"
    """Several exceptions were logged before it, and the log does not say which of them closed the connection."""
    CLOSED_BY_OTHER_END = "closed_by_other_end"
    FAILED_START_WITHOUT_CAUSE = "failed_start_without_cause"
    FAILED_START_UNPROVEN = "failed_start_cause_not_proven"
    NO_DEPLOYMENT_MENDS = "no_deployment_mends_it"
    """The cause is known and is in no commit: the report names its class, its owner and the remedy."""
    KEEPALIVE_TIMEOUT = "keepalive_timeout"
    DYNAMIC_CODE = "dynamic_code"
    DEPENDENCY = "dependency"
    NOT_PYTHON = "not_python"
    AMBIGUOUS = "ambiguous"
    """Several files fit what was logged equally well."""
    CONTENTS_MISSING = "contents_not_in_this_copy"
    """What would decide it was never fetched into this partial clone."""
    FILE_IS_NOT_PYTHON = "file_is_no_python"
    """Python was started with a file that is none."""


SELF_EXPLANATORY_REASONS = frozenset(
    (Reason.AMBIGUOUS, Reason.CONTENTS_MISSING, Reason.NOT_ON_BRANCH, Reason.FILE_IS_NOT_PYTHON)
)
"""Where no deployed version is named although one may fail as logged: the sentence beside the reason says why."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Kind and named reason, with one sentence for the reader."""

    kind: ActionKind
    reason: Reason
    detail: str
