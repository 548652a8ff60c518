"""Limits the rollouts of a service: one at a time, and a number on one day.

Each limit is one small document, changed by compare-and-set, and gives the same answer to the same proposal again.
"""

from dataclasses import dataclass

from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import incident_record
from shared.workflow.records.documents import Collection


@dataclass(frozen=True, slots=True)
class _Lock:
    """The proposal whose rollout was the last one of a service, and its incident."""

    proposal: str
    incident: str


@dataclass(frozen=True, slots=True)
class _DailyCount:
    """The proposals of a service that were deployed on one day."""

    proposals: tuple[str, ...] = ()


ROLLOUT_LOCKS = Collection("rollouts", _Lock)
DAILY_COUNTS = Collection("caps", _DailyCount)


def acquire_rollout_lock(context: Context, service: Service, proposal: Proposal) -> bool:
    """Takes the service's rollout lock; False while another proposal's rollout is under way.

    Nothing releases it: a holder that is at rest, or only watches by now, holds it no longer.
    """

    def take_lock(now: _Lock | None) -> _Lock:
        is_held = now is not None and now.proposal != proposal.id and _is_held(context, now)
        return now if now is not None and is_held else _Lock(proposal.id, proposal.incident)

    return ROLLOUT_LOCKS.change(context.store, service.id, take_lock).proposal == proposal.id


def is_rollout_active(context: Context, service: Service) -> bool:
    """Whether a rollout of the service is under way: one that only watches by now is not.

    Nor is a failed one, although its incident has a question again: that is another proposal.
    """
    lock = ROLLOUT_LOCKS.read(context.store, service.id)
    return lock is not None and _is_held(context, lock)


def _is_held(context: Context, lock: _Lock) -> bool:
    holder = incident_record.load_incident(context, lock.incident)
    if holder is None or not holder.active or holder.state is IncidentState.WATCHING:
        return False
    return holder.proposal == lock.proposal


def count_against_daily_cap(context: Context, service: Service, proposal: Proposal) -> bool:
    """Counts a rollout against the service's daily cap; False where the cap is reached."""

    def add_proposal(today: _DailyCount) -> _DailyCount:
        if proposal.id in today.proposals or len(today.proposals) >= service.daily_cap:
            return today
        return _DailyCount((*today.proposals, proposal.id))

    key = f"{service.id}.{context.clock.now().date().isoformat()}"
    return proposal.id in DAILY_COUNTS.change(context.store, key, add_proposal, _DailyCount()).proposals
