"""Says what a user has to know of a service after a failed rollout: whether it fails now, and what comes next."""

from dataclasses import dataclass
from enum import StrEnum

from shared.ports import Document
from shared.proof.model.recommendation import Reason
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.text.phrases import quote_untrusted, short_sha
from shared.workflow.records import documents
from shared.workflow.records.incident_record import EndCause, IncidentRecord
from shared.workflow.records.proposals import read_proposal_evidence

STILL_FAILING_LABEL = "STILL FAILING"


class OutlookReason(StrEnum):
    """What `Outlook.words` say, as one name."""

    NO_REVISION_LOGGED = "no_revision_logged"
    """No log entry names a revision: whether what serves now fails is not known."""
    NOT_KNOWN_TO_FAIL = "not_known_to_fail"
    DEPLOYMENTS_STOPPED = "deployments_stopped"
    """It fails, and nothing is asked while the kill switch is on."""
    NEXT_QUESTION = "next_question"
    """It fails, and users are asked about `Outlook.commit`."""
    BY_HAND = "by_hand"
    """It fails, and nothing is left to ask: users have to deploy by hand."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a user has to know of the service after a failed rollout."""

    reason: OutlookReason
    words: str
    commit: str = ""
    """The earlier commit that users are asked about next; "" where there is none."""


def assess_outlook(service: Service, record: IncidentRecord, proposal: Proposal, evidence: Document) -> Outlook:
    """`evidence` is that of the question whose answer was deployed."""
    previous = record.rollout.previous if record.rollout is not None else ""
    named = f"revision {quote_untrusted(previous, 80)}"
    if not record.revisions:
        return Outlook(
            OutlookReason.NO_REVISION_LOGGED,
            f"The traffic is with {named} again. No log entry names it, so it is unknown whether it fails.",
        )
    if previous not in record.revisions:
        words = f"The traffic is with {named} again, which is not known to fail."
        return Outlook(OutlookReason.NOT_KNOWN_TO_FAIL, words)
    fails = f"{STILL_FAILING_LABEL}: the traffic is with {named} again, which logged the failure."
    if (
        record.ending_cause is EndCause.STOPPED
    ):  # the commit has not failed, and who has stopped everything is asked nothing
        words = f"{fails} No further proposal is made while deployments are stopped."
        return Outlook(OutlookReason.DEPLOYMENTS_STOPPED, words)
    earlier = documents.read_text(read_proposal_evidence(evidence, proposal), "alternative")
    if earlier:
        words = f"{fails} The next question: roll back to {short_sha(earlier)}?"
        return Outlook(OutlookReason.NEXT_QUESTION, words, earlier)
    is_tried = documents.read_text(evidence, "reason") == Reason.PROVEN_BY_TRIAL.value
    no_other = "No other commit is proven." if is_tried else "No other commit of the branch passes every gate."
    return Outlook(
        OutlookReason.BY_HAND,
        f"{fails} {no_other} A deployer of {quote_untrusted(service.name, 80)} must deploy a working version by hand.",
    )
