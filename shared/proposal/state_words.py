"""The one table of the words for each state: issue, chat, page and terminal take their words from here.

So do they the sentence for each verdict on a rollout or a trial: why it ended. How a state looks (colour, lane,
buttons) stays with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.proposal.rollout import RolloutVerdict
from shared.proposal.states import IncidentState, ProposalStatus
from shared.proposal.trial import TrialVerdict


@dataclass(frozen=True, slots=True)
class StateWords:
    """All words for one state. The templates name their fields in braces; "" is for a state that needs no words."""

    label: str
    """A badge on the page, and what a notification begins with."""
    step: str
    """The step into this state, for a drawing that has room for a word or two."""
    event: str
    """The step into this state as a sentence without its full stop: a reason may follow after a colon."""
    terminal: str = "{state}: {why}"
    """The step into this state, with `what`, `why`, `issue`, `detail`, `question`, `verb` and `commit`."""
    title: str = ""
    """The end of a title. It holds no `TITLE_SEPARATOR`."""
    rollback_title: str = ""
    """The same for a question whose chosen answer is an earlier commit, where it differs."""
    trial_title: str = ""
    """The same for a question about a trial, where it differs."""
    action: str = ""
    """What provenfix itself did to come here; a time follows. "" where a user did it."""
    meaning: str = ""
    """What follows for the service and for the question, in a sentence or two."""
    status: str = ""
    """The issue's sentence while the incident is in this state, with `commit`."""
    end: str = ""
    """The issue's sentences about this end, with `watch`, where they say more than `meaning`."""


PINNED = (
    "Where the traffic followed the newest revision, it is now pinned to the revision that served: the next deployment "
    "gets no traffic until you assign some."
)
"""What a rollout that moved nothing, or put all back, leaves behind."""


_TRIED = "The trial has proven nothing. Its revision stays without traffic; a newer commit leads to another question."

INCIDENT_WORDS: Mapping[IncidentState, StateWords] = {
    IncidentState.WAITING: StateWords(
        "Waiting for a cause", "waiting", "A close with 1011 waits for the error that explains it"
    ),
    IncidentState.OPENED: StateWords(
        "Investigating",
        "detected",
        "The incident is opened",
        terminal="Incident opened: {what}, {why}.",
        status="Proof complete (see below). Preparing a proposal.",
    ),
    IncidentState.UNFIXED: StateWords(
        "Nothing to deploy yet",
        "nothing to deploy",
        "There is an issue, and nothing to deploy yet",
        terminal="Nothing to deploy yet ({issue} is open): {detail}",
        status="Nothing to deploy yet. Each push to the deploy branch starts another investigation.",
    ),
    IncidentState.PROPOSED: StateWords(
        "Decision needed",
        "proposed",
        "The approvers are asked",
        terminal="Proof complete: {issue} {papers} the whys, approval requested in the chat: {question} [{why}]",
    ),
    IncidentState.APPROVED: StateWords(
        "Approved",
        "approved",
        "Approved",
        terminal="Approved: {verb} {commit}. All checks run again.",
        title="approved, being deployed",
        rollback_title="approved, being rolled back",
        trial_title="approved, being tried without traffic",
        meaning="All checks run again, then the rollout starts.",
        status="Approved: {commit}. All checks run again, then the rollout starts.",
    ),
    IncidentState.DEPLOYING: StateWords(
        "Deploying",
        "deploying",
        "The deployment begins",
        terminal="Deploying {commit} as {why}, without traffic; it is probed at its own address first.",
        status="{commit} is being deployed, and gets its traffic step by step.",
    ),
    IncidentState.TRYING: StateWords(
        "Being tried without traffic",
        "being tried",
        "A suspected fix is deployed without traffic, to be compared with what serves",
        terminal="Trying {commit} without traffic, as {why}: the same probe of it and of what serves, several times.",
        title="being tried without traffic",
        meaning="It is probed at its own address, beside the serving revision. The traffic stays as it is.",
        status="{commit} is deployed without traffic, and compared with the serving revision. Nothing is proven yet.",
    ),
    IncidentState.WATCHING: StateWords(
        "Deployed, being watched",
        "deployed",
        "The new revision has all of the traffic, and is watched",
        terminal="The new revision has all of the traffic: {why}. It is watched now.",
        title="deployed, being watched",
        rollback_title="rolled back to an earlier commit, being watched",
        action="Deployed automatically",
        meaning="The issue is closed when the watch ends without a recurrence.",
        status="{commit} is deployed and has all of the traffic. It is being watched.",
    ),
    IncidentState.RECORDED: StateWords("Recorded", "recorded", "Recorded: no redeployment fixes this"),
    IncidentState.ABSORBED: StateWords("Explained by another", "absorbed", "Another incident explains this one"),
    IncidentState.REPORTED: StateWords(
        "Reported",
        "reported",
        "Reported; a user has to look at it",
        terminal="Nothing is proposed: {detail}",
        title="deployed, fix not confirmed",
        action="Ended without proof",
        meaning="Nothing proves that the failure is fixed. Please check it yourself.",
        status="Nothing is proposed. Please look at the reason below.",
    ),
    IncidentState.DENIED: StateWords(
        "Denied", "denied", "Denied; nothing is deployed", title="denied, not deployed", meaning="Nothing is deployed."
    ),
    IncidentState.EXPIRED: StateWords(
        "Expired",
        "expired",
        "No decision before the deadline; nothing is deployed",
        title="expired, not deployed",
        action="Expired",
        meaning="No decision before the deadline. Nothing was deployed; this proposal can no longer be approved.",
    ),
    IncidentState.REFUSED: StateWords(
        "Not deployed",
        "refused",
        "Not deployed: the service or the evidence changed after the approval",
        title="approved, not deployed",
        action="Refused automatically",
        meaning="The approved commit was not deployed: the service or the evidence changed since the approval.",
    ),
    IncidentState.FAILED: StateWords(
        "Deployment failed",
        "deployment failed",
        "The deployment failed",
        terminal="The deployment failed, and no traffic was moved: {why}",
        title="deployment failed",
        action="Deployment failed",
        meaning="The new revision receives no traffic; the traffic is split as before.",
    ),
    IncidentState.ROLLED_BACK: StateWords(
        "Rolled back",
        "rolled back",
        "Rolled back automatically: the traffic is split as before",
        terminal="Rolled back automatically, the traffic is split as before: {why}",
        title="rolled back",
        action="Rolled back automatically",
        meaning="The traffic split from before the rollout is restored.",
        end=(
            "The traffic split from before the rollout is restored. Where it followed the newest revision, it is now "
            "pinned to the revision that served: the next deployment gets no traffic until you assign some."
        ),
    ),
    IncidentState.TRIED: StateWords(
        "Tried, nothing proven",
        "tried",
        "The trial has proven nothing; its revision stays without traffic",
        terminal="The trial has proven nothing, and no traffic was moved: {why}",
        title="tried without traffic, nothing proven",
        action="Tried without traffic",
        meaning=_TRIED,
        end=f"{_TRIED} {PINNED}",
    ),
    IncidentState.RESOLVED: StateWords(
        "Resolved",
        "verified",
        "Verified automatically, and closed",
        terminal="Verified, {issue} closed: {why}",
        title="fixed by a redeployment",
        rollback_title="fixed by a rollback",
        action="Resolved automatically",
        meaning="Fixed: the failure did not recur.",
        end=(
            "Fixed. No recurrence during the {watch} watch. If a revision that contains the fix fails within the next "
            "30 days, this issue is opened again."
        ),
    ),
    IncidentState.MUTED: StateWords(
        "Automation stopped by a user",
        "stopped",
        "Automation stopped by a user",
        title="automation stopped by a user",
        meaning="Nothing more is done about this incident.",
    ),
}
INVESTIGATED_AGAIN = "Investigated again: {why}."
"""For the terminal, instead of `INCIDENT_WORDS[OPENED]`, from the second investigation on."""


QUESTION_WORDS: Mapping[ProposalStatus, StateWords] = {
    ProposalStatus.OPEN: INCIDENT_WORDS[IncidentState.PROPOSED],
    **{
        status: INCIDENT_WORDS[IncidentState(status.value)]
        for status in (
            ProposalStatus.APPROVED,
            ProposalStatus.DENIED,
            ProposalStatus.EXPIRED,
            ProposalStatus.REFUSED,
            ProposalStatus.FAILED,
            ProposalStatus.WATCHING,
            ProposalStatus.RESOLVED,
            ProposalStatus.ROLLED_BACK,
            ProposalStatus.TRYING,
            ProposalStatus.TRIED,
            ProposalStatus.MUTED,
        )
    },
    ProposalStatus.HELD: StateWords(
        "Held in the trial",
        "held in the trial",
        "The tried revision held where the serving one failed",
        title="held in a trial, not deployed",
        action="Tried without traffic",
        meaning="It held where the serving revision failed. Another question asks for the traffic.",
    ),
    ProposalStatus.SUPERSEDED: StateWords(
        "Superseded",
        "superseded",
        "A newer proposal replaced this one",
        title="superseded by a newer proposal",
        meaning="A newer commit was deployed or proposed. This proposal can no longer be approved.",
    ),
    ProposalStatus.NOTICE: StateWords(
        "Nothing to deploy",
        "notice",
        "Nothing is proposed for deployment",
        title="nothing to deploy",
        meaning="Nothing is proposed for deployment, so nobody is asked to decide.",
    ),
    ProposalStatus.INCONCLUSIVE: replace(INCIDENT_WORDS[IncidentState.REPORTED], label="Inconclusive"),
}


def describe_incident_end(state: IncidentState, watch: str) -> str:
    """The issue's sentences about an end; `watch` is how long a fixed service was watched, such as `24-hour`."""
    words = INCIDENT_WORDS[state]
    if words.end:
        return words.end.format(watch=watch)
    return words.meaning if words.action else f"{words.label}. {words.meaning}"


VERDICT_SENTENCES: Mapping[RolloutVerdict, str] = {
    RolloutVerdict.PROVEN: "{requests} requests in {lasted}{probes}, and the failure was not logged{again}.",
    RolloutVerdict.FAILED_PROBE: "{failed_probes} probes in a row failed.",
    RolloutVerdict.FAILED_REVISION: "The new revision was ready, and is no longer: {failure}",
    RolloutVerdict.RECURRED: "Revision {recurred} contains the fix and logged the failure again.",
    RolloutVerdict.CHANGED: "A user changed the service by hand: {split}.",
    RolloutVerdict.INCONCLUSIVE: "Inconclusive: no requests in {lasted}, so the fix could not be verified.",
}
"""Why a rollout ended, with the figures; one that holds goes on, and needs no words."""

TRIAL_SENTENCES: Mapping[TrialVerdict, str] = {
    TrialVerdict.PROVEN: "{rounds} times in a row the serving revision failed and the tried one held.",
    TrialVerdict.NO_DIFFERENCE: "No difference: the tried revision fails as the serving one does.",
    TrialVerdict.REVISION_FAILS: "The tried revision fails in a way of its own.",
    TrialVerdict.SERVING_HOLDS: "The serving revision did not fail, so there was nothing to compare with.",
    TrialVerdict.UNCLEAR: "In {rounds} rounds too many probes did not reach a revision.",
}
"""The result of a trial, with the number of its rounds; a running one needs no words."""
