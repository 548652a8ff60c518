"""Builds the bar under the title: the present state of an incident, what to do, and what a click leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.local.page.incident_view import IncidentView
from functions.local.page.slack_clicks import read_blocks
from shared.proposal.brief import NO_BRIEF, describe_action, read_brief
from shared.proposal.consequences import summarise_rollout
from shared.proposal.proposal import Proposal
from shared.proposal.state_words import INCIDENT_WORDS
from shared.proposal.states import IncidentState
from shared.service import RolloutMode
from shared.workflow.records import documents
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.milestones import compute_milestones
from shared.workflow.records.proposals import PROPOSALS, read_proposal_evidence

_NOW: Mapping[IncidentState, str] = {
    IncidentState.WAITING: "Failing, cause not known yet",
    IncidentState.OPENED: "Failing, being investigated",
    IncidentState.UNFIXED: "Failing, no fix to deploy yet",
    IncidentState.PROPOSED: "Failing, decision needed",
    IncidentState.APPROVED: "Failing, approved, about to be deployed",
    IncidentState.TRYING: "Failing, a fix is being tried without traffic",
    IncidentState.WATCHING: "Deployed with all of the traffic, being watched",
    IncidentState.RESOLVED: "Verified: the failure did not recur",
    IncidentState.ROLLED_BACK: "Rolled back and still failing",
    IncidentState.FAILED: "Deployment failed, still failing",
    IncidentState.TRIED: "Tried without traffic, still failing",
    IncidentState.DENIED: "Not deployed, not fixed",
    IncidentState.EXPIRED: "Not deployed, not fixed",
    IncidentState.REFUSED: "Not deployed, not fixed",
}


@dataclass(frozen=True, slots=True)
class DecisionBar:
    """Phrases of one line; "" for what is not known. `buttons` are the message's own, while a decision is awaited."""

    now: str
    impact: str
    since: datetime | None
    """When it was first logged; None once it is over."""
    action: str
    """`Deploy`; "" where nothing is proposed."""
    commit: str
    subject: str
    effect: str
    ships: str
    checks: str
    why: str
    consequence: str
    until: datetime | None
    """When an open question expires."""
    buttons: Sequence[Mapping[str, object]]
    runbook_url: str


def build_decision_bar(view: IncidentView) -> DecisionBar:
    """Of an incident without a proposal, what is known of its state and its impact."""
    record, proposal = view.record, PROPOSALS.decode(view.proposal) if view.proposal else None
    brief = read_brief(documents.read_part(read_proposal_evidence(view.findings, proposal), "brief"))
    buttons = _find_buttons(view)
    shown = brief if proposal is not None else NO_BRIEF
    return DecisionBar(
        now=describe_present_state(record),
        impact=brief.impact,
        since=compute_milestones(record).logged if _is_failing(record) else None,
        action=describe_action(proposal.kind, "").partition(" `")[0] if proposal is not None else "",
        commit=proposal.commit if proposal is not None else "",
        subject=shown.subject,
        effect=shown.effect,
        ships=shown.ships,
        checks=shown.checks,
        why=brief.why,
        consequence=_describe_consequence(view, proposal) if buttons else "",
        until=proposal.expires_at if proposal is not None and buttons else None,
        buttons=buttons,
        runbook_url=view.service.runbook_url if view.service is not None and _is_failing(record) else "",
    )


def describe_present_state(record: IncidentRecord) -> str:
    """One sentence without its full stop on how the service fares now."""
    state = record.ending or record.state
    rollout = record.rollout
    if state is IncidentState.DEPLOYING:
        if rollout is not None and rollout.share:
            return f"Deploying, {rollout.share} % of the traffic"
        return "Deploying, without traffic so far"
    return _NOW.get(state) or INCIDENT_WORDS[state].label


def _is_failing(record: IncidentRecord) -> bool:
    return (record.ending or record.state) not in {IncidentState.RESOLVED, IncidentState.WATCHING}


def _describe_consequence(view: IncidentView, proposal: Proposal | None) -> str:
    if view.service is None or proposal is None or view.service.rollout_mode is RolloutMode.MANUAL:
        return ""
    return summarise_rollout(view.service, proposal.kind)


def _find_buttons(view: IncidentView) -> list[Mapping[str, object]]:
    for block in read_blocks(view.message):
        elements = block.get("elements")
        if block.get("type") == "actions" and isinstance(elements, list):
            return [item for item in elements if isinstance(item, Mapping) and item.get("type") == "button"]
    return []
