"""What the demo says of an incident: a step of its history goes in, one sentence goes out."""

from collections.abc import Iterator
from datetime import timedelta

from shared.ports import Document, Store
from shared.proof.model.finding import Kind
from shared.text.phrases import short_sha
from shared.text.timestamps import format_duration, format_timestamp
from shared.workflow.flow import State
from shared.workflow.records import documents, proposals
from shared.workflow.records.incident_record import Case
from shared.workflow.records.milestones import NAMES, milestones

_VERBS = {Kind.REDEPLOY.value: "redeploy", Kind.ROLLBACK.value: "roll back to"}


def approved_by_then(store: Store, case: Case, number: int) -> Document:
    """The proposal that was approved last before a step of the history, or by it; empty where none was."""
    approvals = [step for step in case.history[: number + 1] if step["state"] == State.APPROVED.value]
    stored = store.read(proposals.KIND, documents.text(approvals[-1], "why")) if approvals else None
    return stored.value if stored else {}


def sentence(case: Case, number: int, evidence: Document, approved: Document) -> str:
    """One step of the history. `evidence` is the stored report, empty while there is none; `approved` a proposal."""
    step = case.history[number]
    state, why = State(documents.text(step, "state")), documents.text(step, "why")
    asked, detail = short_sha(documents.text(evidence, "commit")), documents.text(evidence, "detail")
    commit, verb = short_sha(documents.text(approved, "commit")), _VERBS.get(documents.text(approved, "kind"), "deploy")
    what = f"{case.error_class} in {case.path}"
    looks = [each for each in case.history[:number] if each["state"] == State.PROPOSED.value]
    papers = "says anew" if looks else "opened with"
    question = f"{_question(evidence)} {asked}?"
    issue = f"issue {case.issue.number}" if case.issue else "no issue"
    texts = {
        State.OPENED: f"Looked at again: {why}." if number else f"Incident opened: {what}, {why}.",
        State.UNFIXED: f"Nothing to deploy yet ({issue} is open): {detail}",
        State.PROPOSED: f"Proven, {issue} {papers} the whys, and asked in the chat: {question} [{why}]",
        State.REPORTED: f"Nothing is proposed: {detail or why}",
        State.APPROVED: f"Approved: {verb} {commit}. Everything is checked once more.",
        State.DEPLOYING: f"Deploying {commit} as {why}, without traffic; it is probed at an address of its own first.",
        State.WATCHING: f"All traffic goes to it: {why}. It is watched now.",
        State.RESOLVED: f"Verified, {issue} closed: {why}",
        State.ROLLED_BACK: f"Rolled back automatically, the traffic is split as before: {why}",
        State.FAILED: f"The deployment failed, and no traffic was moved: {why}",
    }
    return texts.get(state, f"{state.value}: {why}")


def _question(evidence: Document) -> str:
    return "roll back to" if documents.text(evidence, "kind") == Kind.ROLLBACK.value else "deploy"


def proof(evidence: Document) -> Iterator[str]:
    """What the question in the chat says, a line each; and what the platform said that the log contradicts."""
    yield from documents.texts(evidence, "lines")
    deployed = documents.part(documents.part(evidence, "report"), "deployed")
    if deployed.get("conflict"):
        yield f"Not believed: {documents.text(deployed, 'conflict')}"


def clock(case: Case) -> Iterator[str]:
    """When it reached what, counted from the first log entry; what it never reached is left out."""
    reached = milestones(case)
    yield f"counted from the first log entry, at {format_timestamp(reached.logged, dated=True)}"
    taken_back = [documents.moment(step, "at") for step in case.history if step["state"] == State.ROLLED_BACK.value]
    came = [(name, at) for name in NAMES[1:] if (at := getattr(reached, name)) is not None]
    for name, at in sorted([*came, *(("rolled back", at) for at in taken_back)], key=lambda each: each[1]):
        yield f"{name} +{format_duration(max(at - reached.logged, timedelta()))}"
