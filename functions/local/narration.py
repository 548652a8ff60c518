"""Describes the steps of an incident for the terminal, in one sentence each."""

from collections.abc import Iterator
from datetime import timedelta

from shared.ports import Document, Store
from shared.proof.model.recommendation import ActionKind
from shared.proposal.state_words import INCIDENT_WORDS, INVESTIGATED_AGAIN
from shared.proposal.states import IncidentState
from shared.text.phrases import short_sha
from shared.text.timestamps import format_duration, format_timestamp
from shared.workflow.records import documents, proposals
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.milestones import compute_milestones

_VERBS = {
    ActionKind.REDEPLOY.value: "redeploy",
    ActionKind.ROLLBACK.value: "roll back to",
    ActionKind.TRIAL.value: "try without traffic",
}
_QUESTION_VERBS = {**_VERBS, ActionKind.REDEPLOY.value: "deploy"}


def find_approved_proposal(store: Store, record: IncidentRecord, step_number: int) -> Document:
    """The proposal that was approved last before a step of the history, or by it; empty where none was."""
    approvals = [step for step in record.history[: step_number + 1] if step.state is IncidentState.APPROVED]
    stored = store.read(proposals.KIND, approvals[-1].why) if approvals else None
    return stored.value if stored else {}


def describe_step(record: IncidentRecord, step_number: int, evidence: Document, approved: Document) -> str:
    """One step of the history. `evidence` is the stored report, empty while there is none; `approved` a proposal."""
    step = record.history[step_number]
    state, why = step.state, step.why
    proposed, detail = short_sha(documents.read_text(evidence, "commit")), documents.read_text(evidence, "detail")
    commit, verb = (
        short_sha(documents.read_text(approved, "commit")),
        _VERBS.get(documents.read_text(approved, "kind"), "deploy"),
    )
    what = f"{record.error_class} in {record.path}" if record.path else record.kind.value.replace("_", " ")
    looks = [earlier for earlier in record.history[:step_number] if earlier.state is IncidentState.PROPOSED]
    question = f"{_choose_verb(evidence)} {proposed}?"
    is_repeated = any(earlier.state is IncidentState.OPENED for earlier in record.history[:step_number])
    is_again = state is IncidentState.OPENED and is_repeated
    template = INVESTIGATED_AGAIN if is_again else INCIDENT_WORDS[state].terminal
    return template.format(
        state=state.value,
        what=what,
        why=why,
        issue=f"issue {record.issue.number}" if record.issue else "no issue",
        papers="updated with" if looks else "opened with",
        detail=detail or (why if state is IncidentState.REPORTED else ""),
        question=question,
        verb=verb,
        commit=commit,
    )


def _choose_verb(evidence: Document) -> str:
    return _QUESTION_VERBS.get(documents.read_text(evidence, "kind"), "deploy")


def describe_proof(evidence: Document) -> Iterator[str]:
    """What the question in the chat says, a line each; and what the platform said that the log contradicts."""
    yield from documents.read_texts(evidence, "lines")
    deployed = documents.read_part(documents.read_part(evidence, "report"), "deployed")
    if deployed.get("conflict"):
        yield f"Contradicted by the log: {documents.read_text(deployed, 'conflict')}"


def describe_milestones(record: IncidentRecord) -> Iterator[str]:
    """When it reached what, counted from the first log entry; what it never reached is left out."""
    reached = compute_milestones(record)
    begin = "the check that found it" if reached.is_found_early else "the first log entry"
    yield f"counted from {begin}, at {format_timestamp(reached.logged, dated=True)}"
    rollbacks = [("rolled back", step.at) for step in record.history if step.state is IncidentState.ROLLED_BACK]
    for name, at in sorted([*reached.list_reached()[1:], *rollbacks], key=lambda milestone: milestone[1]):
        yield f"{name} +{format_duration(max(at - reached.logged, timedelta()))}"
