"""`provenfix explain REASON`: says what a reason of a decision means and what to do; without one it lists all.

The table holds each reason of a decision and each end of an incident.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from shared.errors import UsageError
from shared.proof.model.recommendation import Reason
from shared.workflow.records.incident_record import EndCause


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence each."""

    meaning: str
    advice: str


_LOOK_AT_LOG = "Look at the log around the failure; the report names what is missing for a proof."
_DECIDE = "Decide in the chat or on the page; nothing is deployed without an approval."
_REASONS: Mapping[Reason, Explanation] = {
    Reason.FIX_NOT_DEPLOYED: Explanation("A merged commit fixes the failure and is not deployed.", _DECIDE),
    Reason.EARLIER_COMMIT_GOOD: Explanation(
        "No commit fixes the failure, and an earlier state of the branch passes every gate.",
        "Roll back, or wait for a fix: each push starts another investigation.",
    ),
    Reason.EARLIER_COMMIT_CHOSEN: Explanation(
        "A fix is merged, and a rollback is proposed all the same: the fix did not hold, or an approver chose it.",
        "Approve the rollback, and look at why the fix did not hold.",
    ),
    Reason.TRIAL_POSSIBLE: Explanation(
        "Nothing is proven, and a suspected fix can be tried without traffic.",
        "Approve the trial: it moves no traffic, and only proof leads to another question.",
    ),
    Reason.PROVEN_BY_TRIAL: Explanation(
        "In a trial the commit held each time while the serving revision failed each time.", _DECIDE
    ),
    Reason.FIX_DID_NOT_HOLD: Explanation(
        "The fix was deployed and taken back, and nothing else is left to propose.",
        "Fix the failure in another commit; each push starts another investigation.",
    ),
    Reason.NOT_CORROBORATED: Explanation(
        "No version in the history fails as it was logged.",
        "Give the deployed commit with --deployed, or label images with their commit.",
    ),
    Reason.FILE_NOT_FOUND: Explanation(
        "The logged file is in no version of the repository.", "Check --repo and the service's source_roots."
    ),
    Reason.NO_FIX: Explanation(
        "No commit on the branch fixes the failure, and no earlier one passes every gate.",
        "Fix it; each push starts another investigation.",
    ),
    Reason.NOT_ON_BRANCH: Explanation(
        "The deployed commit is not part of the deploy branch.", "Name the branch that is deployed with --branch."
    ),
    Reason.FIX_IN_PULL_REQUEST: Explanation(
        "The fix is in an open pull request.", "Merge it; the push starts another investigation."
    ),
    Reason.FIX_UNMERGED: Explanation(
        "The fix is on a branch that is not merged.", "Merge it; the push starts another investigation."
    ),
    Reason.NO_TARGET: Explanation(
        "A fix is merged, and no commit that contains it passes every gate.",
        "The report names the gate that each commit failed; fix that and push.",
    ),
    Reason.CHECKS_RED: Explanation("The checks of the fix are red.", "Make them green, or deploy by hand."),
    Reason.NO_IMAGE: Explanation(
        "A fix is merged, and no image was built from any commit that contains it.",
        "Build the image; another investigation follows. Or let a trigger or a workflow deploy (deploy_method).",
    ),
    Reason.ALREADY_DEPLOYED: Explanation(
        "What serves contains the fix already.", "Nothing has to be deployed; check that the failure is gone."
    ),
    Reason.HISTORY_NOT_AVAILABLE: Explanation(
        "The repository's history does not reach far enough.", "Fetch it whole: git fetch --unshallow."
    ),
    Reason.CLOSE_1011_WITHOUT_CAUSE: Explanation(
        "A WebSocket was closed with 1011 and nothing in the log says why.",
        "Log exceptions of the handler with their traceback, in the same log.",
    ),
    Reason.CLOSE_1011_UNPROVEN: Explanation(
        "An exception is tied to a failed WebSocket, and the code does not prove that it is the cause.", _LOOK_AT_LOG
    ),
    Reason.CLOSE_1011_ONE_OF_SEVERAL: Explanation(
        "Several exceptions were logged before the close, and the log does not say which one ended it.",
        "Log a connection or trace id with each entry, so that they can be distinguished.",
    ),
    Reason.CLOSED_BY_OTHER_END: Explanation(
        "The other end of the connection failed.", "Look at the log of the service at the other end."
    ),
    Reason.FAILED_START_WITHOUT_CAUSE: Explanation(
        "A revision does not start and its log does not say why.", "Look at the log of the revision from its start."
    ),
    Reason.FAILED_START_UNPROVEN: Explanation(
        "An exception is tied to the failed start, and the code does not prove that it is the cause.", _LOOK_AT_LOG
    ),
    Reason.NO_DEPLOYMENT_MENDS: Explanation(
        "The cause is known, and it is in no commit.", "The report names who can act, and what ends the failure."
    ),
    Reason.KEEPALIVE_TIMEOUT: Explanation(
        "Keepalive pings of a WebSocket time out.", "Look at the network and at what blocks the event loop."
    ),
    Reason.DYNAMIC_CODE: Explanation(
        "Code that is made at run time does not compile.", "Look at what makes it; no file of a commit is broken."
    ),
    Reason.DEPENDENCY: Explanation(
        "An installed package does not compile on the deployed Python.", "Pin another version of the package."
    ),
    Reason.NOT_PYTHON: Explanation(
        "The syntax error is not one of Python.", "Look at what was parsed, such as SQL or a template."
    ),
    Reason.AMBIGUOUS: Explanation(
        "Several files fit what was logged equally well.", "Name the service's source_roots."
    ),
    Reason.CONTENTS_MISSING: Explanation(
        "What would decide it was never fetched into this partial clone.", "Clone without a filter, or fetch the blobs."
    ),
    Reason.FILE_IS_NOT_PYTHON: Explanation(
        "Python was started with a file that is none.", "Correct the command that starts the service."
    ),
}
_ENDS: Mapping[EndCause, Explanation] = {
    EndCause.DEPLOYMENT_FAILED: Explanation(
        "The deployment failed; no traffic was moved.",
        "Look at the log of the build, then deploy by hand or push a fix.",
    ),
    EndCause.DEPLOYMENT_LATE: Explanation(
        "The deployment had not ended when it was given up.",
        "Look at the deployment; a revision may still appear without traffic.",
    ),
    EndCause.REVISION_GONE: Explanation(
        "The new revision was deleted while it was watched.",
        "Deploy again if it was not meant to be.",
    ),
    EndCause.UNKNOWN_COMMIT: Explanation(
        "Nothing says which commit the new revision was built from.",
        "Label images with their commit.",
    ),
    EndCause.OTHER_COMMIT: Explanation(
        "The new revision was built from another commit than the approved one.",
        "Look at what the deployment builds.",
    ),
    EndCause.AMBIGUOUS_COMMIT: Explanation(
        "The sources of the new revision's commit disagree.",
        "Look at its labels and its provenance.",
    ),
    EndCause.FAILED_PROBE_BEFORE_TRAFFIC: Explanation(
        "The probe failed at the new revision's own address, before it got traffic.",
        "Look at the log of the new revision.",
    ),
    EndCause.RECURRED_BEFORE_TRAFFIC: Explanation(
        "The new revision logged the failure before it got traffic.",
        "The fix does not hold: fix it in another commit.",
    ),
    EndCause.STOPPED: Explanation(
        "Deployments were stopped while the rollout was under way.",
        "Run `provenfix resume` to allow them again.",
    ),
    EndCause.SHIFT_REFUSED: Explanation(
        "The service was changed by hand, so its traffic could not be moved.",
        "Set the traffic by hand.",
    ),
    EndCause.NOT_PUT_BACK: Explanation(
        "The service was changed by hand, so its traffic could not be put back.",
        "Set the traffic by hand, now.",
    ),
    EndCause.NO_DIFFERENCE: Explanation(
        "In a trial the tried revision failed as the serving one does.",
        "The suspected fix is none: look on.",
    ),
    EndCause.REVISION_FAILS: Explanation(
        "In a trial the tried revision failed in another way.",
        "Look at the log of the tried revision.",
    ),
    EndCause.SERVING_HOLDS: Explanation(
        "In a trial the serving revision did not fail any more.",
        "Check that the failure is gone.",
    ),
    EndCause.UNCLEAR: Explanation(
        "In a trial too many probes did not reach a revision.",
        "Check probe_url and the network.",
    ),
    EndCause.NO_ADDRESS: Explanation(
        "In a trial the revision could not be reached without traffic.",
        "Check that tagged addresses are reachable.",
    ),
    EndCause.GOT_TRAFFIC: Explanation(
        "In a trial the revision was given traffic, which nobody had approved.",
        "Check the traffic of the service.",
    ),
    EndCause.OTHER_REVISION_SERVES: Explanation(
        "During the trial another revision was deployed.",
        "Each push starts another investigation.",
    ),
    EndCause.PROVEN: Explanation(
        "The watch ended without a recurrence, with traffic.",
        "Nothing is left to do.",
    ),
    EndCause.FAILED_PROBE: Explanation(
        "The probe failed during the watch; the rollout was rolled back.",
        "Look at the log of the new revision.",
    ),
    EndCause.FAILED_REVISION: Explanation(
        "The new revision failed during the watch; the rollout was rolled back.",
        "Look at its log.",
    ),
    EndCause.RECURRED: Explanation(
        "The failure recurred in a revision that contains the fix; the rollout was rolled back.",
        "The fix does not hold: fix it in another commit.",
    ),
    EndCause.CHANGED: Explanation(
        "The service was changed by hand during the rollout.",
        "Check its traffic; provenfix leaves it as it is.",
    ),
    EndCause.INCONCLUSIVE: Explanation(
        "The watch ended without enough traffic to prove anything.",
        "Check by hand that the failure is gone.",
    ),
}
EXPLANATIONS: Mapping[str, Explanation] = {
    **{cause.value: explanation for cause, explanation in _ENDS.items()},
    **{reason.value: explanation for reason, explanation in _REASONS.items()},
}
"""Every reason that a decision or an end can have, by its name."""


def explain(
    reason: Annotated[
        str | None,
        typer.Argument(
            metavar="REASON",
            help="As a report names it, such as fix_merged_not_deployed.",
            autocompletion=lambda: sorted(EXPLANATIONS),
        ),
    ] = None,
) -> int:
    """Explain the reason of a decision, and what to do.

    Without REASON it lists all of them.
    """
    if reason is None:
        width = max(map(len, EXPLANATIONS))
        for name, explanation in sorted(EXPLANATIONS.items()):
            print(f"{name:<{width}}  {explanation.meaning}")
        return 0
    explanation_of_reason = EXPLANATIONS.get(reason)
    if explanation_of_reason is None:
        near = difflib.get_close_matches(reason, EXPLANATIONS, 1)
        hint = f"did you mean {near[0]}?" if near else "run `provenfix explain` to list all"
        raise UsageError(f"No such reason: {reason!r}; {hint}")
    print(f"{reason}\n{explanation_of_reason.meaning}\n{explanation_of_reason.advice}")
    return 0
