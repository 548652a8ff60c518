"""An incident as it is stored: what the flow knows of it so far, as a frozen value and as a document."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.detection.entry import LogEntry
from shared.detection.signal import SignalKind
from shared.ports import Document, IssueRef
from shared.text.timestamps import format_rfc3339
from shared.workflow.flow import ACTIVE, State
from shared.workflow.records import documents
from shared.workflow.records.cause import Cause

_MOST_HISTORY = 50


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far the approved commit came."""

    operation: str
    previous: str
    """The revision that served before, to which a rollback returns."""
    revision: str = ""
    share: int = 0
    """Percent of the traffic that `revision` was given."""
    since: str = ""
    """RFC 3339: since when it has all of its traffic; "" before."""
    failed_probes: int = 0
    """In a row, up to now."""
    passed_probes: int = 0
    """Since `since`."""
    missed: int = 0
    """Looks in a row, up to now, at which something else served."""
    begun: str = ""
    """RFC 3339: when the deployment was begun."""


@dataclass(frozen=True, slots=True)
class Case:
    """One incident: one generation of one defect of one service."""

    id: str
    fingerprint: str
    generation: int
    state: State
    service: str
    """`Service.id`."""
    kind: SignalKind
    error_class: str
    path: str
    """Normalised, in its longest form so far."""
    revisions: tuple[str, ...]
    """Those that logged the failure before anything was deployed against it."""
    entries: tuple[LogEntry, ...]
    """One of each revision and line, bounded: evidence that outlives the log."""
    opened_by: str
    opened_at: datetime
    last_seen: datetime
    look: int = 1
    """How often it was investigated: each time on evidence, and with a proposal, of its own."""
    branch_sign: str = ""
    """The deploy branch as the last look saw it: its head, and the state of its checks."""
    looked_at: datetime | None = None
    fix: str = ""
    proposal: str = ""
    issue: IssueRef | None = None
    message: str = ""
    """The chat's reference of the proposal's message."""
    rollout: Rollout | None = None
    told: str = ""
    """The last step of `history` that the issue tells of, as `step` names it."""
    regresses: str = ""
    """The earlier incident that was resolved, and whose fix runs where this one was logged."""
    recurred: str = ""
    """The revision that contains the fix and logged the failure all the same."""
    ending: State | None = None
    """The state in which it will be at rest, once all that goes with it is done. The first to write it decides."""
    ending_why: str = ""
    ending_cause: Cause | None = None
    """The name of `ending_why`; None where it has none."""
    ended_at: datetime | None = None
    """When that was decided."""
    failed_commits: tuple[str, ...] = ()
    """Deployed against it, and taken back: none of them is proposed again."""
    failed_revisions: tuple[str, ...] = ()
    """Those that ran them: what they log later is no news, and says nothing about what serves."""
    rest_at: datetime | None = None
    history: tuple[Document, ...] = ()
    """`{"state", "at", "why"}`, oldest first, the last fifty."""

    @property
    def after(self) -> str:
        """The id of the incident in which it would come back."""
        return f"{self.fingerprint}-{self.generation + 1}"

    @property
    def evidence(self) -> str:
        """The key of the evidence of its present look."""
        return self.id if self.look == 1 else f"{self.id}.{self.look}"

    @property
    def steps(self) -> tuple[str, ...]:
        """A name for each step of `history`; no two have the same."""
        return tuple(f"{step['state']}.{step['at']}" for step in self.history)

    @property
    def step(self) -> str:
        """That of the last one."""
        return self.steps[-1] if self.history else ""

    @property
    def active(self) -> bool:
        """Whether ticks still look at it."""
        return self.state in ACTIVE

    @property
    def askable(self) -> bool:
        """Whether a person can have it looked at again: nothing is under way, and nothing was deployed against it."""
        return self.rollout is None and (
            (self.state is State.UNFIXED and self.ending is None)
            or self.state in {State.REPORTED, State.DENIED, State.EXPIRED, State.REFUSED}
        )

    def to(self, state: State, now: datetime, why: str) -> "Case":
        """In another state, with the step in its history."""
        step: Document = {"state": state.value, "at": format_rfc3339(now), "why": why}
        rest_at = None if state in ACTIVE else now
        return replace(self, state=state, rest_at=rest_at, history=(*self.history, step)[-_MOST_HISTORY:])


def document(case: Case) -> Document:
    """`active_for` is the service while it is active and "" once it is at rest: the index that ticks ask."""
    rollout = case.rollout
    return {
        "id": case.id,
        "fingerprint": case.fingerprint,
        "generation": case.generation,
        "state": case.state.value,
        "service": case.service,
        "active_for": case.service if case.active else "",
        "kind": case.kind.value,
        "error_class": case.error_class,
        "path": case.path,
        "revisions": list(case.revisions),
        "entries": [documents.entry_document(entry) for entry in case.entries],
        "opened_by": case.opened_by,
        "opened_at": format_rfc3339(case.opened_at),
        "last_seen": format_rfc3339(case.last_seen),
        "look": case.look,
        "branch_sign": case.branch_sign,
        "looked_at": format_rfc3339(case.looked_at) if case.looked_at else "",
        "fix": case.fix,
        "proposal": case.proposal,
        "issue": {"number": case.issue.number, "url": case.issue.url} if case.issue else None,
        "message": case.message,
        "rollout": {name: getattr(rollout, name) for name in Rollout.__slots__} if rollout else None,
        "told": case.told,
        "regresses": case.regresses,
        "recurred": case.recurred,
        "ending": case.ending.value if case.ending else "",
        "ending_why": case.ending_why,
        "ending_cause": case.ending_cause.value if case.ending_cause else "",
        "ended_at": format_rfc3339(case.ended_at) if case.ended_at else "",
        "failed_commits": list(case.failed_commits),
        "failed_revisions": list(case.failed_revisions),
        "rest_at": format_rfc3339(case.rest_at) if case.rest_at else "",
        "history": list(case.history),
    }


def read_case(value: Document) -> Case:
    """Raises `Reject("unreadable_document")` for what is not an incident."""
    issue, rollout = documents.part(value, "issue"), documents.part(value, "rollout")
    return Case(
        id=documents.text(value, "id"),
        fingerprint=documents.text(value, "fingerprint"),
        generation=documents.number(value, "generation"),
        state=documents.choice(value, "state", State),
        service=documents.text(value, "service"),
        kind=documents.choice(value, "kind", SignalKind),
        error_class=documents.text(value, "error_class"),
        path=documents.text(value, "path"),
        revisions=documents.texts(value, "revisions"),
        entries=tuple(documents.read_entry(entry) for entry in documents.parts(value, "entries")),
        opened_by=documents.text(value, "opened_by"),
        opened_at=documents.moment(value, "opened_at"),
        last_seen=documents.moment(value, "last_seen"),
        look=documents.number(value, "look") or 1,
        branch_sign=documents.text(value, "branch_sign"),
        looked_at=documents.moment(value, "looked_at") if value.get("looked_at") else None,
        fix=documents.text(value, "fix"),
        proposal=documents.text(value, "proposal"),
        issue=IssueRef(documents.number(issue, "number"), documents.text(issue, "url")) if issue else None,
        message=documents.text(value, "message"),
        rollout=_read_rollout(rollout) if rollout else None,
        told=documents.text(value, "told"),
        regresses=documents.text(value, "regresses"),
        recurred=documents.text(value, "recurred"),
        ending=documents.choice(value, "ending", State) if value.get("ending") else None,
        ending_why=documents.text(value, "ending_why"),
        ending_cause=documents.choice(value, "ending_cause", Cause) if value.get("ending_cause") else None,
        ended_at=documents.moment(value, "ended_at") if value.get("ended_at") else None,
        failed_commits=documents.texts(value, "failed_commits"),
        failed_revisions=documents.texts(value, "failed_revisions"),
        rest_at=documents.moment(value, "rest_at") if documents.text(value, "rest_at") else None,
        history=documents.parts(value, "history"),
    )


def _read_rollout(value: Document) -> Rollout:
    return Rollout(
        operation=documents.text(value, "operation"),
        previous=documents.text(value, "previous"),
        revision=documents.text(value, "revision"),
        share=documents.number(value, "share"),
        since=documents.text(value, "since"),
        failed_probes=documents.number(value, "failed_probes"),
        passed_probes=documents.number(value, "passed_probes"),
        missed=documents.number(value, "missed"),
        begun=documents.text(value, "begun"),
    )
