"""A rollout that was taken back comes in; what serves now, and whether people are asked to go back further, goes out.

What has its traffic again is, as a rule, the very revision that fails. Where the deploy branch was in an earlier state
that passed every gate, the same incident is looked at again: on evidence, with a question and an approval of its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.ports import Document
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.text.phrases import quote_untrusted, short_sha
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents, proposals
from shared.workflow.records.cause import EndCause
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.proposal_status import evidence_of_proposal

STILL_FAILING_LABEL = "STILL FAILING"
STOPPED_SENTENCE = "Deployments of this service were stopped while the rollout was under way."
"""Why a rollout ended that the kill switch has met: it gets no further share, and loses the one that it had."""


class OutlookReason(StrEnum):
    """What `Outlook.words` say, as one name."""

    NO_REVISION_LOGGED = "no_revision_logged"
    """No log entry names a revision: whether what serves now fails is not known."""
    NOT_KNOWN_TO_FAIL = "not_known_to_fail"
    DEPLOYMENTS_STOPPED = "deployments_stopped"
    """It fails, and nothing is asked while the kill switch is on."""
    NEXT_QUESTION = "next_question"
    """It fails, and people are asked about `Outlook.commit`."""
    BY_HAND = "by_hand"
    """It fails, and nothing is left to ask: people have to deploy by hand."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a person has to know of the service after its rollout has come to nothing."""

    reason: OutlookReason
    words: str
    commit: str = ""
    """The earlier commit that people are asked about next; "" where there is none."""


def assess_outlook(service: Service, record: IncidentRecord, proposal: Proposal, evidence: Document) -> Outlook:
    """`evidence` is that of the question whose answer was deployed."""
    previous = record.rollout.previous if record.rollout is not None else ""
    named = f"revision {quote_untrusted(previous, 80)}"
    if not record.revisions:
        return Outlook(
            OutlookReason.NO_REVISION_LOGGED,
            f"The traffic is with {named} again. Whether that fails, no log entry tells: none names it.",
        )
    if previous not in record.revisions:
        told = f"The traffic is with {named} again, which is not known to fail."
        return Outlook(OutlookReason.NOT_KNOWN_TO_FAIL, told)
    fails = f"{STILL_FAILING_LABEL}: the traffic is with {named} again, which logged the failure."
    if record.ending_cause is EndCause.STOPPED:  # the commit has not failed, and who has stopped everything is asked nothing
        told = f"{fails} Nothing more is asked while deployments are stopped."
        return Outlook(OutlookReason.DEPLOYMENTS_STOPPED, told)
    earlier = documents.read_text(evidence_of_proposal(evidence, proposals.proposal_to_document(proposal)), "alternative")
    if earlier:
        told = f"{fails} The next question: roll back to {short_sha(earlier)}?"
        return Outlook(OutlookReason.NEXT_QUESTION, told, earlier)
    return Outlook(
        OutlookReason.BY_HAND,
        f"{fails} No other commit of the branch is known to pass every gate: whoever may deploy "
        f"{quote_untrusted(service.name, 80)} has to act, and to deploy by hand what works.",
    )


def reopen_record(record: IncidentRecord, commit: str, now: datetime) -> IncidentRecord:
    """The incident, to be looked at without what has just failed: `commit`, and the revision that ran it."""
    rollout = record.rollout
    ran = (rollout.revision,) if rollout is not None and rollout.revision else ()
    again = replace(
        record, look=record.look + 1, looked_at=now, proposal="", message="", rollout=None, recurred="", ending=None,
        ending_why="", ending_cause=None, ended_at=None,
        failed_commits=tuple(dict.fromkeys((*record.failed_commits, commit))),
        failed_revisions=tuple(dict.fromkeys((*record.failed_revisions, *ran))),
    )  # fmt: skip
    return again.moved_to(IncidentState.OPENED, now, f"{short_sha(commit)} did not hold, and what served before fails")
