"""An incident as it is stored, what the workflow knows of it so far; loads, creates, changes and ends such records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from shared.detection.entry import LogEntry
from shared.detection.signal import SignalKind
from shared.errors import Reject
from shared.ports import IssueRef, Store, StoredDocument
from shared.proposal.rollout import RolloutVerdict
from shared.proposal.trial import TrialVerdict
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context
from shared.workflow.flow import ACTIVE_STATES, VISITED_STATES, IncidentState
from shared.workflow.records.documents import Collection, EmptyForNone


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
    """A user changed the service by hand, so that a share of the traffic could not be given."""
    NOT_PUT_BACK = "not_put_back"
    """A user changed the service by hand, so that the traffic could not be put back."""
    NO_DIFFERENCE = "no_difference"
    """A trial: the tried revision fails as the serving one does."""
    REVISION_FAILS = "revision_fails"
    """A trial: the tried revision fails in another way."""
    SERVING_HOLDS = "serving_holds"
    """A trial: the serving revision does not fail any more."""
    UNCLEAR = "unclear"
    """A trial: too many probes did not reach a revision."""
    NO_ADDRESS = "no_address"
    """A trial: the revision cannot be reached without traffic."""
    GOT_TRAFFIC = "got_traffic"
    """A trial: the revision was given traffic, which nobody had approved."""
    OTHER_REVISION_SERVES = "other_revision_serves"
    """A trial: another deployment was made meanwhile."""
    PROVEN = "proven"
    FAILED_PROBE = "failed_probe"
    FAILED_REVISION = "failed_revision"
    RECURRED = "recurred"
    CHANGED = "changed_by_hand"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class EndReason:
    """Why an incident ended: by name, and in the words that users read."""

    cause: EndCause
    sentence: str


def end_cause_of(verdict: RolloutVerdict | TrialVerdict) -> EndCause:
    """The name of the end of a watch or a trial. Raises ValueError for a verdict that ends nothing."""
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
    since: EmptyForNone[datetime] = None
    """Since when it has all of its traffic; None before."""
    failed_probes: int = 0
    """In a row, up to now."""
    passed_probes: int = 0
    """Since `since`."""
    missed: int = 0
    """Looks in a row, up to now, at which something else served."""
    begun: EmptyForNone[datetime] = None
    """When the deployment was begun; None in documents of earlier versions."""


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One change of an incident's state."""

    state: IncidentState
    at: datetime
    why: str

    @property
    def id(self) -> str:
        """No two steps of an incident have the same."""
        return f"{self.state.value}.{format_rfc3339(self.at)}"


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
    look: Annotated[int, BeforeValidator(lambda look: look or 1)] = 1
    """How often it was investigated: each time on evidence, and with a proposal, of its own."""
    branch_sign: str = ""
    """The deploy branch as the last look saw it: its head, and the state of its checks."""
    looked_at: EmptyForNone[datetime] = None
    fix: str = ""
    proposal: str = ""
    issue: IssueRef | None = None
    message: str = ""
    """The chat's reference of the proposal's message."""
    rollout: Rollout | None = None
    told: str = ""
    """The last step of `history` that the issue reports, as `step` names it."""
    regresses: str = ""
    """The earlier incident that was resolved, and whose fix runs where this one was logged."""
    recurred: str = ""
    """The revision that contains the fix and logged the failure all the same."""
    ending: EmptyForNone[IncidentState] = None
    """The state in which it will be at rest, once all that goes with it is done. The first to write it decides."""
    ending_why: str = ""
    ending_cause: EmptyForNone[EndCause] = None
    """The name of `ending_why`; None where it has none."""
    ended_at: EmptyForNone[datetime] = None
    """When that was decided."""
    failed_commits: tuple[str, ...] = ()
    """Deployed against it, and taken back: none of them is proposed again."""
    failed_revisions: tuple[str, ...] = ()
    """Those that ran them: what they log later is no news, and says nothing about what serves."""
    snoozed_until: EmptyForNone[datetime] = None
    """Before this nobody is reminded of its question; None where no approver has put that off."""
    open_alerts: tuple[str, ...] = ()
    """The markers of the reminders for which the pager alerts, until it hears that they are answered."""
    proven_trial: str = ""
    """The proposal of the trial that has proven its commit; "" where none has."""
    rest_at: EmptyForNone[datetime] = None
    history: tuple[HistoryStep, ...] = ()
    """Oldest first, the last fifty."""

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
        """Of `history`, oldest first."""
        return tuple(step.id for step in self.history)

    @property
    def last_step_id(self) -> str:
        """Of the last step; "" where there is none."""
        return self.history[-1].id if self.history else ""

    @property
    def active(self) -> bool:
        """Whether something goes on in it."""
        return self.state in ACTIVE_STATES

    @property
    def is_visited(self) -> bool:
        """Whether ticks still look at it."""
        return self.state in VISITED_STATES

    @property
    def can_be_reinvestigated(self) -> bool:
        """Whether a user can have it investigated again: nothing is under way or got traffic against it."""
        return self.state is IncidentState.TRIED or (
            self.rollout is None
            and (
                (self.state is IncidentState.UNFIXED and self.ending is None)
                or self.state
                in {IncidentState.REPORTED, IncidentState.DENIED, IncidentState.EXPIRED, IncidentState.REFUSED}
            )
        )

    def to_be_reinvestigated(self, now: datetime, why: str) -> "IncidentRecord":
        """To be looked at again, without what its last question led to."""
        again = replace(
            self, look=self.look + 1, looked_at=now, proposal="", message="", rollout=None, recurred="", ending=None,
            ending_why="", ending_cause=None,
        )  # fmt: skip
        return again.moved_to(IncidentState.OPENED, now, why)

    def moved_to(self, state: IncidentState, now: datetime, why: str) -> "IncidentRecord":
        """In another state, with the step in its history."""
        step = HistoryStep(state, now, why)
        rest_at = None if state in ACTIVE_STATES else now
        return replace(self, state=state, rest_at=rest_at, history=(*self.history, step)[-_MAX_HISTORY:])


KIND = "incidents"
INCIDENTS = Collection(
    KIND, IncidentRecord, lambda _, record: {"active_for": record.service if record.is_visited else ""}
)
"""`active_for` is the service while ticks look at the incident, else "": the index that they query."""
MAX_PER_STATE = 500


def load_incident(context: Context, incident: str) -> IncidentRecord | None:
    """The incident as of now."""
    return INCIDENTS.read(context.store, incident)


def require_incident(context: Context, incident: str) -> IncidentRecord:
    """The incident; Reject where there is none."""
    return _require(load_incident(context, incident), incident)


def create_incident(context: Context, record: IncidentRecord) -> bool:
    """Whether it was new."""
    return INCIDENTS.create(context.store, record.id, record)


def update_incident(
    context: Context, incident: str, update: Callable[[IncidentRecord], IncidentRecord]
) -> IncidentRecord:
    """Applies `update` to the incident as it is, which may not be the one that the caller saw."""
    return INCIDENTS.change(context.store, incident, lambda now: update(_require(now, incident)))


def _require(record: IncidentRecord | None, incident: str) -> IncidentRecord:
    if record is None:
        raise Reject("unknown_incident", incident)
    return record


def find_active_incidents(context: Context, service: str) -> Sequence[StoredDocument]:
    """The incidents of a service that ticks look at, unread: one that cannot be read must not hide the others."""
    return context.store.find(KIND, "active_for", service)


def list_incidents(store: Store) -> tuple[Sequence[IncidentRecord], bool]:
    """All that can be read, and whether there are more: a store answers with at most `MAX_PER_STATE` of each state.

    Documents are found by a field, and every incident has a state.
    """
    by_state = [store.find(KIND, "state", state.value, MAX_PER_STATE) for state in IncidentState]
    records = [INCIDENTS.decode(stored.value) for answer in by_state for stored in answer]
    return records, any(len(answer) >= MAX_PER_STATE for answer in by_state)


def end_incident(
    context: Context, incident: str, state: IncidentState, reason: str | EndReason, look: int = 0
) -> IncidentRecord:
    """Decides in which state an incident will be at rest; the first decision stays. `finish` does what goes with it.

    `look` is the one that the reason is about; of an incident that is about another one by now, nothing is decided.
    """
    words, cause = (reason.sentence, reason.cause) if isinstance(reason, EndReason) else (reason, None)

    def decided(record: IncidentRecord) -> IncidentRecord:
        if not record.active or record.ending is not None or look not in {0, record.look}:
            return record
        return replace(record, ending=state, ending_why=words, ending_cause=cause, ended_at=context.clock.now())

    return update_incident(context, incident, decided)
