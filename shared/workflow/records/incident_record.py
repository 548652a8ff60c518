"""An incident as it is stored: what the flow knows of it so far, as a frozen value and as a document."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.detection.entry import LogEntry
from shared.detection.signal import SignalKind
from shared.ports import Document, IssueRef
from shared.proposal.rollout import RolloutVerdict
from shared.text.timestamps import format_rfc3339
from shared.workflow.flow import ACTIVE_STATES, IncidentState
from shared.workflow.records import documents


class EndCause(StrEnum):
    """The reason of an end that nobody has asked for by hand."""

    DEPLOYMENT_FAILED = "deployment_failed"
    DEPLOYMENT_LATE = "deployment_late"
    """It had not ended when it was given up."""
    REVISION_GONE = "revision_gone"
    UNKNOWN_COMMIT = "unknown_commit"
    """Nothing says which commit the new revision was built from."""
    OTHER_COMMIT = "other_commit"
    """The new revision was built from another commit than the approved one."""
    AMBIGUOUS_COMMIT = "ambiguous_commit"
    FAILED_PROBE_BEFORE_TRAFFIC = "failed_probe_before_traffic"
    RECURRED_BEFORE_TRAFFIC = "recurred_before_traffic"
    STOPPED = "stopped"
    """The kill switch was turned while the rollout was under way."""
    SHIFT_REFUSED = "shift_refused"
    """Somebody has changed the service by hand, so that a share of the traffic could not be given."""
    NOT_PUT_BACK = "not_put_back"
    """Somebody has changed the service by hand, so that the traffic could not be put back."""
    PROVEN = "proven"
    FAILED_PROBE = "failed_probe"
    FAILED_REVISION = "failed_revision"
    RECURRED = "recurred"
    CHANGED = "changed_by_hand"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class EndReason:
    """Why an incident ended: by name, and in the words that people read."""

    cause: EndCause
    sentence: str


def end_cause_of(verdict: RolloutVerdict) -> EndCause:
    """The name of a watch's end. Raises ValueError for a verdict that ends nothing."""
    return EndCause(verdict.value)


_MAX_HISTORY = 50


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
class IncidentRecord:
    """One incident: one generation of one defect of one service."""

    id: str
    fingerprint: str
    generation: int
    state: IncidentState
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
    ending: IncidentState | None = None
    """The state in which it will be at rest, once all that goes with it is done. The first to write it decides."""
    ending_why: str = ""
    ending_cause: EndCause | None = None
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
    def next_incident_id(self) -> str:
        """The id of the incident in which it would come back."""
        return f"{self.fingerprint}-{self.generation + 1}"

    @property
    def evidence_key(self) -> str:
        """The key of the evidence of its present look."""
        return self.id if self.look == 1 else f"{self.id}.{self.look}"

    @property
    def step_ids(self) -> tuple[str, ...]:
        """A name for each step of `history`; no two have the same."""
        return tuple(f"{step['state']}.{step['at']}" for step in self.history)

    @property
    def last_step_id(self) -> str:
        """That of the last one."""
        return self.step_ids[-1] if self.history else ""

    @property
    def active(self) -> bool:
        """Whether ticks still look at it."""
        return self.state in ACTIVE_STATES

    @property
    def can_be_reinvestigated(self) -> bool:
        """Whether a person can have it looked at again: nothing is under way, and nothing was deployed against it."""
        return self.rollout is None and (
            (self.state is IncidentState.UNFIXED and self.ending is None)
            or self.state
            in {IncidentState.REPORTED, IncidentState.DENIED, IncidentState.EXPIRED, IncidentState.REFUSED}
        )

    def moved_to(self, state: IncidentState, now: datetime, why: str) -> "IncidentRecord":
        """In another state, with the step in its history."""
        step: Document = {"state": state.value, "at": format_rfc3339(now), "why": why}
        rest_at = None if state in ACTIVE_STATES else now
        return replace(self, state=state, rest_at=rest_at, history=(*self.history, step)[-_MAX_HISTORY:])


def record_to_document(record: IncidentRecord) -> Document:
    """`active_for` is the service while it is active and "" once it is at rest: the index that ticks ask."""
    rollout = record.rollout
    return {
        "id": record.id,
        "fingerprint": record.fingerprint,
        "generation": record.generation,
        "state": record.state.value,
        "service": record.service,
        "active_for": record.service if record.active else "",
        "kind": record.kind.value,
        "error_class": record.error_class,
        "path": record.path,
        "revisions": list(record.revisions),
        "entries": [documents.entry_to_document(entry) for entry in record.entries],
        "opened_by": record.opened_by,
        "opened_at": format_rfc3339(record.opened_at),
        "last_seen": format_rfc3339(record.last_seen),
        "look": record.look,
        "branch_sign": record.branch_sign,
        "looked_at": format_rfc3339(record.looked_at) if record.looked_at else "",
        "fix": record.fix,
        "proposal": record.proposal,
        "issue": {"number": record.issue.number, "url": record.issue.url} if record.issue else None,
        "message": record.message,
        "rollout": {name: getattr(rollout, name) for name in Rollout.__slots__} if rollout else None,
        "told": record.told,
        "regresses": record.regresses,
        "recurred": record.recurred,
        "ending": record.ending.value if record.ending else "",
        "ending_why": record.ending_why,
        "ending_cause": record.ending_cause.value if record.ending_cause else "",
        "ended_at": format_rfc3339(record.ended_at) if record.ended_at else "",
        "failed_commits": list(record.failed_commits),
        "failed_revisions": list(record.failed_revisions),
        "rest_at": format_rfc3339(record.rest_at) if record.rest_at else "",
        "history": list(record.history),
    }


def record_from_document(value: Document) -> IncidentRecord:
    """Raises `Reject("unreadable_document")` for what is not an incident."""
    issue, rollout = documents.read_part(value, "issue"), documents.read_part(value, "rollout")
    return IncidentRecord(
        id=documents.read_text(value, "id"),
        fingerprint=documents.read_text(value, "fingerprint"),
        generation=documents.read_number(value, "generation"),
        state=documents.read_choice(value, "state", IncidentState),
        service=documents.read_text(value, "service"),
        kind=documents.read_choice(value, "kind", SignalKind),
        error_class=documents.read_text(value, "error_class"),
        path=documents.read_text(value, "path"),
        revisions=documents.read_texts(value, "revisions"),
        entries=tuple(documents.entry_from_document(entry) for entry in documents.read_parts(value, "entries")),
        opened_by=documents.read_text(value, "opened_by"),
        opened_at=documents.read_time(value, "opened_at"),
        last_seen=documents.read_time(value, "last_seen"),
        look=documents.read_number(value, "look") or 1,
        branch_sign=documents.read_text(value, "branch_sign"),
        looked_at=documents.read_time(value, "looked_at") if value.get("looked_at") else None,
        fix=documents.read_text(value, "fix"),
        proposal=documents.read_text(value, "proposal"),
        issue=IssueRef(documents.read_number(issue, "number"), documents.read_text(issue, "url")) if issue else None,
        message=documents.read_text(value, "message"),
        rollout=_rollout_from_document(rollout) if rollout else None,
        told=documents.read_text(value, "told"),
        regresses=documents.read_text(value, "regresses"),
        recurred=documents.read_text(value, "recurred"),
        ending=documents.read_choice(value, "ending", IncidentState) if value.get("ending") else None,
        ending_why=documents.read_text(value, "ending_why"),
        ending_cause=documents.read_choice(value, "ending_cause", EndCause) if value.get("ending_cause") else None,
        ended_at=documents.read_time(value, "ended_at") if value.get("ended_at") else None,
        failed_commits=documents.read_texts(value, "failed_commits"),
        failed_revisions=documents.read_texts(value, "failed_revisions"),
        rest_at=documents.read_time(value, "rest_at") if documents.read_text(value, "rest_at") else None,
        history=documents.read_parts(value, "history"),
    )


def _rollout_from_document(value: Document) -> Rollout:
    return Rollout(
        operation=documents.read_text(value, "operation"),
        previous=documents.read_text(value, "previous"),
        revision=documents.read_text(value, "revision"),
        share=documents.read_number(value, "share"),
        since=documents.read_text(value, "since"),
        failed_probes=documents.read_number(value, "failed_probes"),
        passed_probes=documents.read_number(value, "passed_probes"),
        missed=documents.read_number(value, "missed"),
        begun=documents.read_text(value, "begun"),
    )
