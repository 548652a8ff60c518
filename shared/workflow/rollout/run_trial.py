"""Runs a trial: the same probe of a revision without traffic and of the one that serves, one round at each tick.

Only where the serving revision fails and the tried one holds, each time, is the incident opened for another look, whose
question asks for the traffic. Everything else ends the trial, and no traffic is moved by it. After a trial that has
proven nothing, another look asks whether a newer commit is to be tried.
"""

from dataclasses import replace
from datetime import timedelta

from shared.errors import Reject
from shared.proposal.rollout import Deployment, build_revision_url
from shared.proposal.state_words import TRIAL_SENTENCES
from shared.proposal.states import ProposalStatus
from shared.proposal.trial import TrialRound, TrialVerdict
from shared.service import Service
from shared.text.phrases import quote_untrusted
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.gather_evidence import read_branch_sign
from shared.workflow.issue.issue_commands import is_automation_stopped
from shared.workflow.records import incident_record, trials
from shared.workflow.records.incident_record import EndCause, EndReason, IncidentRecord, Rollout, end_cause_of
from shared.workflow.records.trials import Trial
from shared.workflow.rollout.finish import STOPPED_SENTENCE, refresh_message
from shared.workflow.rollout.new_revision import find_new_revision
from shared.workflow.rollout.recurrence import has_recurred

_MAX_ANSWER_LENGTH = 160


def advance_trial(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """One step: waits for the revision, or compares it once more, or draws the conclusion."""
    rollout = record.rollout
    if rollout is None:
        return record
    trial = trials.load_trial(context, record.proposal)
    if trial is None:
        raise Reject("unknown_trial", record.proposal)
    if trial.verdict is not TrialVerdict.RUNNING:
        return _conclude(context, service, record, trial)
    if context.is_kill_switch_on(service.id):
        return _end_trial(context, record, EndReason(EndCause.STOPPED, STOPPED_SENTENCE))
    revision = find_new_revision(context, service, record, rollout)
    return record if revision is None else _run_round(context, service, record, trial, revision)


def _run_round(
    context: Context, service: Service, record: IncidentRecord, trial: Trial, revision: Deployment | EndReason
) -> IncidentRecord:
    """Compares the revision with the one that serves, where there is one and nothing speaks against it."""
    if isinstance(revision, EndReason):
        return _end_trial(context, record, revision)
    objection = _find_objection(context, service, trial, revision)
    if objection is not None:
        return _end_trial(context, record, objection)
    record = _store_revision(context, record, revision.revision)
    return _conclude(context, service, record, _compare(context, service, trial, revision))


def _find_objection(context: Context, service: Service, trial: Trial, tried: Deployment) -> EndReason | None:
    """Why the two revisions cannot be compared; None where they can."""
    if not tried.url:
        why = f"Revision {tried.revision} has no address of its own, so it cannot be tried without traffic."
        return EndReason(EndCause.NO_ADDRESS, why)
    serving = context.revisions.get_service_state(service)
    if tried.traffic_percent or serving.traffic.get(tried.revision, 0):
        why = f"Revision {tried.revision} has traffic, and nobody has approved more than a trial."
        return EndReason(EndCause.GOT_TRAFFIC, why)
    if serving.revision.name != trial.serving:
        why = f"Revision {serving.revision.name} serves by now, not {trial.serving} any more."
        return EndReason(EndCause.OTHER_REVISION_SERVES, why)
    return None


def _compare(context: Context, service: Service, trial: Trial, tried: Deployment) -> Trial:
    """One round: both revisions get the same messages, the serving one at the service's own address."""
    address = replace(service, probe_url=build_revision_url(service.probe_url, tried.url))
    serving, answer = context.probe.check(service), context.probe.check(address)
    return trials.add_round(context, trial, tried.revision, TrialRound(context.clock.now(), serving, answer))


def _store_revision(context: Context, record: IncidentRecord, revision: str) -> IncidentRecord:
    def with_revision(now: IncidentRecord) -> IncidentRecord:
        if now.rollout is None or now.rollout.revision or now.look != record.look:
            return now
        return replace(now, rollout=replace(now.rollout, revision=revision))

    return incident_record.update_incident(context, record.id, with_revision)


def _conclude(context: Context, service: Service, record: IncidentRecord, trial: Trial) -> IncidentRecord:
    verdict = trial.verdict
    if verdict is TrialVerdict.RUNNING:
        return record
    if verdict is not TrialVerdict.PROVEN:
        return _end_trial(context, record, EndReason(end_cause_of(verdict), describe_trial(trial)))
    if record.rollout is not None and (record.recurred or _has_failed(context, service, record, record.rollout)):
        why = f"Revision {trial.revision} logged the failure although its probes held. {describe_trial(trial)}"
        return _end_trial(context, record, EndReason(EndCause.RECURRED_BEFORE_TRAFFIC, why))
    return _ask_for_traffic(context, service, record, trial)


def _has_failed(context: Context, service: Service, record: IncidentRecord, rollout: Rollout) -> bool:
    """Whether the tried revision has logged the failure: a probe may have closed before that."""
    return bool(rollout.revision) and has_recurred(context, service, record, rollout)


def describe_trial(trial: Trial) -> str:
    """The result of a trial, and what its last round saw."""
    sentence = TRIAL_SENTENCES[trial.verdict].format(rounds=len(trial.rounds))
    last = trial.rounds[-1]
    serving, tried = (quote_untrusted(answer.detail, _MAX_ANSWER_LENGTH) for answer in (last.serving, last.tried))
    return f"{sentence} Seen last: {trial.serving} (serving) {serving}; {trial.revision} (without traffic) {tried}."


def _ask_for_traffic(context: Context, service: Service, record: IncidentRecord, trial: Trial) -> IncidentRecord:
    """Lets the question say what the trial has proven, and opens the incident for the one that asks for the traffic."""
    refresh_message(context, service, record, ProposalStatus.HELD, describe_trial(trial))
    now = context.clock.now()

    def reopen(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.TRYING or at.look != record.look or at.ending is not None:
            return at
        again = replace(
            at, look=at.look + 1, looked_at=now, proposal="", message="", rollout=None, recurred="",
            proven_trial=trial.proposal,
        )  # fmt: skip
        return again.moved_to(IncidentState.OPENED, now, describe_trial(trial).removesuffix("."))

    record = incident_record.update_incident(context, record.id, reopen)
    if record.state is IncidentState.OPENED:
        effects.publish_incident_opened(context, record)
    return record


def _end_trial(context: Context, record: IncidentRecord, why: EndReason) -> IncidentRecord:
    """Nothing is proven: the revision stays without traffic."""
    return incident_record.end_incident(context, record.id, IncidentState.TRIED, why, record.look)


BRANCH_CHECK_INTERVAL = timedelta(minutes=10)
"""How often the deploy branch of an incident without a fix is read"""
MAX_UNFIXED_AGE = timedelta(days=7)
"""for so long."""
MAX_LOOKS = 20
"""So often an incident is asked about at most; after that its question stays open until it expires."""


def await_newer_commit(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """One tick of an incident whose trial has ended; opened again once the branch has moved."""
    now = context.clock.now()
    if now >= record.opened_at + MAX_UNFIXED_AGE or record.look >= MAX_LOOKS:
        return _leave(context, record, IncidentState.REPORTED, "nothing newer to try")
    if incident_record.load_incident(context, record.next_incident_id) is not None:
        return _leave(context, record, IncidentState.REPORTED, f"it failed again: {record.next_incident_id}")
    if record.looked_at is not None and now < record.looked_at + context.limit_wait(BRANCH_CHECK_INTERVAL):
        return record
    if is_automation_stopped(context, service, record):
        return _leave(context, record, IncidentState.MUTED, "the issue was closed or marked as wrong")
    with context.open_history(service) as history:
        sign = read_branch_sign(context, service, history)

    def looked(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.TRIED or at.look != record.look:
            return at
        if sign == at.branch_sign:
            return replace(at, looked_at=now)
        return at.to_be_reinvestigated(now, f"the branch has moved: {sign}")

    return incident_record.update_incident(context, record.id, looked)


def _leave(context: Context, record: IncidentRecord, state: IncidentState, why: str) -> IncidentRecord:
    """No tick looks at it any more. What the issue says of the trial stays."""

    def leave_trial(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.TRIED or at.look != record.look:
            return at
        return replace(at, rollout=None).moved_to(state, context.clock.now(), why)

    return incident_record.update_incident(context, record.id, leave_trial)
