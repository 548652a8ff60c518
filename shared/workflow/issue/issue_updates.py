"""Keeps an incident's issue up to date: one comment for each event, and one part of its body, edited in place.

Only the incident's end waits for this: while the code host is down, what was approved is deployed all the same.
"""

from collections.abc import Iterator
from dataclasses import replace

from shared.ports import WRONG_LABEL
from shared.proof.model.recommendation import ActionKind
from shared.proposal.consequences import summarise_rollout
from shared.proposal.proposal import Label, Proposal
from shared.proposal.rollout import WATCH_DURATION
from shared.proposal.state_words import INCIDENT_WORDS
from shared.report.facts.unproven import describe_experiment
from shared.report.incident_status import format_elapsed_milestones, render_status_block
from shared.service import RolloutMode, Service
from shared.text.escaping import sanitise_title
from shared.text.phrases import join_words, quote_untrusted, short_sha
from shared.text.timestamps import format_timestamp
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.effects import IssueStatusUpdate
from shared.workflow.flow import IncidentState
from shared.workflow.records import decisions, incident_record, proposals, reports, trials
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.milestones import compute_milestones
from shared.workflow.records.proposals import derive_proposal_status, format_title

COMMANDS_HINT = (
    f"Label this issue `{WRONG_LABEL}` to stop all automation for this incident permanently. Close the issue to end "
    "the incident. Comment `/provenfix reinvestigate` to investigate again if there is no fix yet."
)
_REINVESTIGATE_HINT = "Comment `/provenfix reinvestigate` to investigate again with current evidence."
_STATES_NEEDING_A_PERSON = frozenset(
    (
        IncidentState.PROPOSED,
        IncidentState.REPORTED,
        IncidentState.FAILED,
        IncidentState.ROLLED_BACK,
        IncidentState.TRIED,
        IncidentState.REFUSED,
        IncidentState.EXPIRED,
    )
)
"""The states that wait for a user."""
_VERBS = {
    ActionKind.REDEPLOY: "redeploy",
    ActionKind.ROLLBACK: "roll back to",
    ActionKind.TRIAL: "try without traffic",
    ActionKind.NONE: "deploy",
}


def post_updates(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """Posts what has happened since the last update. Raises Retry where that has to be tried again."""
    if record.issue is None or record.told == record.last_step_id:
        return record
    if not record.told:
        effects.create_labels(context, service)
    for part, sentences in _list_new_comments(context, record):
        effects.post_comment(context, service, record, part, sentences)
    effects.update_issue_status(
        context, service, record, record.last_step_id, lambda: _build_current_update(context, record.id)
    )
    return incident_record.update_incident(context, record.id, lambda now: replace(now, told=record.last_step_id))


def _build_current_update(context: Context, incident: str) -> IssueStatusUpdate | None:
    """None where the end is decided: `finish_incident` shows its sentence, or has shown it."""
    record = incident_record.require_incident(context, incident)
    return (
        IssueStatusUpdate(render_current_status(context, record), format_current_title(context, record))
        if record.ending is None
        else None
    )


def format_current_title(context: Context, record: IncidentRecord, ending: IncidentState | None = None) -> str:
    """The issue's title for the incident's state; "" where its evidence is missing, or older than this question."""
    evidence = reports.load_report(context, record)
    proposal = proposals.load_proposal(context, record.proposal)
    if evidence is None or proposal is None:
        return ""
    return sanitise_title(format_title(record, evidence, proposal, derive_proposal_status(record, ending)))


def render_current_status(
    context: Context, record: IncidentRecord, end_text: str = "", end_state: IncidentState | None = None
) -> str:
    """The state of the incident, as Markdown; `ending` says it of one whose end, `ends`, is decided."""
    state = end_state if end_text and end_state else record.state
    words = end_text or _describe_status(context, record, state)
    hint = (
        COMMANDS_HINT
        if record.active and not end_text
        else _REINVESTIGATE_HINT
        if _can_be_reinvestigated(record, state)
        else ""
    )
    service = context.services.get(record.service)
    return render_status_block(
        words,
        urgent=state in _STATES_NEEDING_A_PERSON,
        milestones=compute_milestones(record).list_reached(),
        hint=hint,
        state=state.value,
        runbook_url=service.runbook_url if service else "",
        commit_link=_find_commit_link(context, service, record),
    )


def _find_commit_link(context: Context, service: Service | None, record: IncidentRecord) -> tuple[str, str]:
    proposal = proposals.load_proposal(context, record.proposal) if record.proposal else None
    if service is None or proposal is None or not proposal.commit:
        return "", ""
    return short_sha(proposal.commit), context.link_builder.build_links(service, ()).commit(proposal.commit)


def _can_be_reinvestigated(record: IncidentRecord, state: IncidentState) -> bool:
    return replace(record, state=state, ending=None).can_be_reinvestigated


def format_milestones(record: IncidentRecord) -> str:
    """How long everything took, from the first log entry to its end, which is decided."""
    reached = compute_milestones(record).list_reached()
    return format_elapsed_milestones([*reached, ("verified", record.ended_at)] if record.ended_at else reached)


def _list_new_comments(context: Context, record: IncidentRecord) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The comments that are not posted yet, oldest first; each has a name of its own."""
    seen = record.step_ids.index(record.told) + 1 if record.told in record.step_ids else 0
    again = _look_suffix(record.look)
    reached = {step.state for step in record.history[seen:]}
    proposal = proposals.load_proposal(context, record.proposal) if record.proposal else None
    if record.regresses and not record.told:
        revisions = join_words([quote_untrusted(revision, 80) for revision in record.revisions] or ["without a name"])
        yield (
            "recurred",
            (
                f"Recurred: revision {revisions} contains the fix and still fails.",
                "This issue is open again, and its text now describes this failure.",
            ),
        )
    trial = trials.load_trial(context, record.proven_trial) if IncidentState.OPENED in reached else None
    if trial is not None:
        yield f"held.{trial.proposal}", tuple(describe_experiment(trial.experiment))
    if proposal is not None and IncidentState.PROPOSED in reached and not _replaces_open_question(context, record):
        yield f"proposed{again}", describe_question(proposal, context.services.get(record.service))
    if proposal is not None and IncidentState.APPROVED in reached:
        begun = IncidentState.TRYING if proposal.kind is ActionKind.TRIAL else IncidentState.APPROVED
        yield f"approved{again}", (f"{_describe_approved(context, proposal)} {INCIDENT_WORDS[begun].meaning}",)
    if proposal is not None and record.rollout is not None and IncidentState.WATCHING in reached:
        serves = f"revision {quote_untrusted(record.rollout.revision, 80)} runs `{short_sha(proposal.commit)}`"
        yield f"deployed{again}", (f"Deployed: {serves} and has all of the traffic.",)


def _replaces_open_question(context: Context, record: IncidentRecord) -> bool:
    """Whether its question only replaces an open one: the status section says so, without a comment.

    Where the code host was down, and the earlier question has no comment either, it gets one.
    """
    states = [step.state for step in record.history]
    last = len(states) - 1 - states[::-1].index(IncidentState.PROPOSED)
    if states[max(0, last - 2) : last] != [IncidentState.PROPOSED, IncidentState.OPENED]:
        return False
    return any(
        effects.is_comment_posted(context, record, f"proposed{_look_suffix(look)}") for look in range(1, record.look)
    )


def _look_suffix(look: int) -> str:
    """Distinguishes the comments of later investigations from those of the first."""
    return "" if look == 1 else f"{look}"


def describe_question(proposal: Proposal, service: Service | None) -> tuple[str, ...]:
    """A sentence each: what is to be decided, what an approval leads to, and what happens without a decision."""
    question = f"Waiting for a decision in the chat: {_VERBS[proposal.kind]} `{short_sha(proposal.commit)}`?"
    until = format_timestamp(proposal.expires_at, dated=True)
    silence = f"No decision: nothing is deployed, the question expires at {until}."
    if service is None or service.rollout_mode is RolloutMode.MANUAL:
        return question, silence
    return question, f"{Label.APPROVE}: {summarise_rollout(service, proposal.kind)}.", silence


def _describe_approved(context: Context, proposal: Proposal) -> str:
    people = _format_approvers(context, proposal)
    return f"Approved{f' by {people}' if people else ''}: {_VERBS[proposal.kind]} `{short_sha(proposal.commit)}`."


def _format_approvers(context: Context, proposal: Proposal) -> str:
    who = decisions.list_approvers(context, proposal.decision_key)
    named = [
        f"{quote_untrusted(name, 80)} (`{quote_untrusted(user, 40)}`)" if name else f"`{quote_untrusted(user, 40)}`"
        for user, name in who
    ]
    return join_words(named) if named else ""


def describe_approval(context: Context, proposal: Proposal) -> str:
    """`approved by nora (`U-NORA`) at 2026-…`: who, and when the last of them did; "" where nobody has."""
    people, last = _format_approvers(context, proposal), decisions.find_last_decider(context, proposal.decision_key)
    return f"approved by {people}{f' at {format_timestamp(last[1], dated=True)}' if last else ''}" if people else ""


def _describe_status(context: Context, record: IncidentRecord, state: IncidentState) -> str:
    proposal = proposals.load_proposal(context, record.proposal) if record.proposal else None
    if state is IncidentState.PROPOSED and proposal is not None:
        return "\n".join(describe_question(proposal, context.services.get(record.service)))
    if state is IncidentState.WATCHING and proposal is not None and record.rollout is not None and record.rollout.since:
        until = format_timestamp(record.rollout.since + WATCH_DURATION, dated=True)
        since, approval = format_timestamp(record.rollout.since, dated=True), describe_approval(context, proposal)
        deployed = f"Deployed automatically at {since}{f' ({approval})' if approval else ''}"
        return f"{deployed}: `{short_sha(proposal.commit)}` has all of the traffic. It is watched until {until}."
    sentence = INCIDENT_WORDS[state].status or INCIDENT_WORDS[IncidentState.OPENED].status
    return sentence.format(commit=f"`{short_sha(proposal.commit)}`" if proposal else "The commit")
