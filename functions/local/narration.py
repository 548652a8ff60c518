"""Describes the steps of an incident for the terminal, in one sentence each."""

from collections.abc import Iterator
from datetime import timedelta

from shared.ports import Document, Store
from shared.proof.model.finding import ActionKind
from shared.text.phrases import short_sha
from shared.text.timestamps import format_duration, format_timestamp
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents, proposals
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.milestones import MILESTONE_NAMES, compute_milestones

_VERBS = {ActionKind.REDEPLOY.value: "redeploy", ActionKind.ROLLBACK.value: "roll back to"}


def find_approved_proposal(store: Store, record: IncidentRecord, step_number: int) -> Document:
    """The proposal that was approved last before a step of the history, or by it; empty where none was."""
    approvals = [step for step in record.history[: step_number + 1] if step["state"] == IncidentState.APPROVED.value]
    stored = store.read(proposals.KIND, documents.read_text(approvals[-1], "why")) if approvals else None
    return stored.value if stored else {}


def describe_step(record: IncidentRecord, step_number: int, evidence: Document, approved: Document) -> str:
    """One step of the history. `evidence` is the stored report, empty while there is none; `approved` a proposal."""
    step = record.history[step_number]
    state, why = IncidentState(documents.read_text(step, "state")), documents.read_text(step, "why")
    proposed, detail = short_sha(documents.read_text(evidence, "commit")), documents.read_text(evidence, "detail")
    commit, verb = (
        short_sha(documents.read_text(approved, "commit")),
        _VERBS.get(documents.read_text(approved, "kind"), "deploy"),
    )
    what = f"{record.error_class} in {record.path}"
    looks = [earlier for earlier in record.history[:step_number] if earlier["state"] == IncidentState.PROPOSED.value]
    change = "updated" if looks else "opened"
    question = f"{_question_verb(evidence)} {proposed}?"
    issue = f"issue {record.issue.number}" if record.issue else "no issue"
    findings = f"Issue {record.issue.number} {change} with the whys" if record.issue else "No issue was written"
    texts = {
        IncidentState.OPENED: f"Investigated again: {why}." if step_number else f"Incident opened: {what}, {why}.",
        IncidentState.UNFIXED: f"Nothing to deploy yet ({issue} is open): {detail}",
        IncidentState.PROPOSED: f"Proof complete. {findings}; approval requested in the chat: {question} [{why}]",
        IncidentState.REPORTED: f"No proposal: {detail or why}",
        IncidentState.APPROVED: f"Approved: {verb} {commit}. All checks run again.",
        IncidentState.DEPLOYING: f"Deploying {commit} as {why}, without traffic: its own URL is probed first.",
        IncidentState.WATCHING: f"All traffic goes to the new revision: {why}. provenfix watches it now.",
        IncidentState.RESOLVED: f"Verified, {issue} closed: {why}",
        IncidentState.ROLLED_BACK: f"Rolled back automatically; the traffic is as before: {why}",
        IncidentState.FAILED: f"The deployment failed; no traffic was moved: {why}",
    }
    return texts.get(state, f"{state.value}: {why}")


def _question_verb(evidence: Document) -> str:
    return "roll back to" if documents.read_text(evidence, "kind") == ActionKind.ROLLBACK.value else "deploy"


def describe_proof(evidence: Document) -> Iterator[str]:
    """What the question in the chat says, a line each; and what the platform said that the log contradicts."""
    yield from documents.read_texts(evidence, "lines")
    deployed = documents.read_part(documents.read_part(evidence, "report"), "deployed")
    if deployed.get("conflict"):
        yield f"Contradicted by the log: {documents.read_text(deployed, 'conflict')}"


def describe_milestones(record: IncidentRecord) -> Iterator[str]:
    """When it reached what, counted from the first log entry; what it never reached is left out."""
    reached = compute_milestones(record)
    yield f"counted from the first log entry, at {format_timestamp(reached.logged, dated=True)}"
    taken_back = [
        documents.read_time(step, "at") for step in record.history if step["state"] == IncidentState.ROLLED_BACK.value
    ]
    came = [(name, at) for name in MILESTONE_NAMES[1:] if (at := getattr(reached, name)) is not None]
    for name, at in sorted([*came, *(("rolled back", at) for at in taken_back)], key=lambda milestone: milestone[1]):
        yield f"{name} +{format_duration(max(at - reached.logged, timedelta()))}"
