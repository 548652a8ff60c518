"""What the demo says of an incident: a step of its history goes in, one sentence goes out."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.ports import Document
from shared.steps import documents
from shared.steps.case import Case
from shared.steps.flow import State

_CLOCK = (
    ("proposed", State.PROPOSED),
    ("approved", State.APPROVED),
    ("deploying", State.DEPLOYING),
    ("deployed", State.WATCHING),
    ("verified", State.RESOLVED),
    ("rolled back", State.ROLLED_BACK),
)


def sentence(case: Case, step: Document, evidence: Document) -> str:
    """`evidence` is the incident's stored report, empty while there is none."""
    state, why = State(documents.text(step, "state")), documents.text(step, "why")
    commit, detail = documents.text(evidence, "commit")[:12], documents.text(evidence, "detail")
    what = f"{case.error_class} in {case.path}"
    issue = f"issue {case.issue.number}" if case.issue else "no issue"
    texts = {
        State.OPENED: f"Incident opened: {what}, {why}.",
        State.UNFIXED: f"Nothing to deploy yet ({issue} is open): {detail}",
        State.PROPOSED: f"Proven, {issue} opened with the whys, and asked in the chat: deploy {commit}? [{why}]",
        State.REPORTED: f"Nothing is proposed: {detail or why}",
        State.APPROVED: "Approved. Everything is checked once more.",
        State.DEPLOYING: f"Deploying {commit} as {why}, without traffic; it is probed at an address of its own first.",
        State.WATCHING: f"All traffic goes to it: {why}. It is watched now.",
        State.RESOLVED: f"Verified, {issue} closed: {why}",
        State.ROLLED_BACK: f"Rolled back, the traffic is split as before: {why}",
        State.FAILED: f"The deployment failed, and no traffic was moved: {why}",
    }
    return texts.get(state, f"{state.value}: {why}")


def proof(evidence: Document) -> Iterator[str]:
    """What the question in the chat says, a line each; and what the platform said that the log contradicts."""
    yield from documents.texts(evidence, "lines")
    deployed = documents.part(documents.part(evidence, "report"), "deployed")
    if deployed.get("conflict"):
        yield f"Not believed: {documents.text(deployed, 'conflict')}"


def clock(case: Case) -> Iterator[str]:
    """When it reached what, counted from its detection."""
    first = {documents.text(step, "state"): documents.moment(step, "at") for step in reversed(case.history)}
    yield f"detected {_told(timedelta(), case.opened_at)}"
    for name, state in _CLOCK:
        if state.value in first:
            yield f"{name} {_told(first[state.value] - case.opened_at, first[state.value])}"


def _told(after: timedelta, at: datetime) -> str:
    return f"+{after.total_seconds():.1f} s" if after else f"{at:%H:%M:%S} UTC"
