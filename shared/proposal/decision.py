"""Decides whether a click on a proposal counts, with a named reason and an answer for the user."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import Proposal
from shared.service import Service


class ClickKind(StrEnum):
    APPROVE = "approve"
    DENY = "deny"
    SNOOZE = "snooze"
    """Decides nothing: puts the reminder off."""
    PROPOSE = "propose"
    """Decides nothing: asks for the question about a fix that is not deployed."""


class DecisionState(StrEnum):
    """The states of the one decision document of a proposal; the click that wins the write to it decides."""

    COUNTING = "counting"
    """One approver has approved, and more have to."""
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    """Nobody decided in time: the clock did."""
    SUPERSEDED = "superseded"
    """A newer commit was deployed or proposed: another question takes its place."""
    REFUSED = "refused"
    """Approved, but the service or the evidence had changed since the approval."""
    ACTING = "acting"
    """The point of no return: the deployment has begun, a denial comes too late."""


class ClickResult(StrEnum):
    """The named reason of every answer to a click."""

    APPROVED = "approved"
    COUNTED = "counted"
    DENIED = "denied"
    SNOOZED = "snoozed"
    ALREADY_APPROVED = "already_approved"
    ALREADY_DENIED = "already_denied"
    TOO_LATE = "too_late"
    EXPIRED = "expired"
    VOID = "void"
    UNKNOWN_PROPOSAL = "unknown_proposal"
    TAMPERED = "tampered"
    FOREIGN_CHANNEL = "foreign_channel"
    FOREIGN_TEAM = "foreign_team"
    FOREIGN_APP = "foreign_app"
    FOREIGN_USER = "foreign_user"
    STALE = "stale"
    MUTED = "muted"
    DECIDED_OTHERWISE = "decided_otherwise"
    SUPERSEDED = "superseded"
    OWN_FIX = "own_fix"
    UNKNOWN_AUTHOR = "unknown_author"
    QUESTION_FOLLOWS = "question_follows"
    CHANGED_SINCE = "changed_since"
    """Of a line about what is not deployed: something else serves, or the branch has moved."""


@dataclass(frozen=True, slots=True)
class Click:
    """One press of a button, from a request whose signature was verified. All of it but `kind` is opaque text."""

    kind: ClickKind
    proposal: str
    incident: str
    commit: str
    """The target commit that the button carried."""
    evidence_hash: str
    user: str
    """The chat's id of the user."""
    user_name: str
    channel: str
    team: str
    token: str = ""
    """The chat's own id of this interaction; where the same one comes again, it is a replay."""
    message: str = ""
    """What `Chat.post` returned for the message whose button it was; "" where the chat does not say."""
    app: str = ""
    """The chat's id of the app whose button it was; "" where the chat does not say."""
    reason: str = ""
    """A denial's, in the user's own words; "" where none was asked for or given."""


@dataclass(frozen=True, slots=True)
class ClickAnswer:
    """What the user reads at once."""

    result: ClickResult
    text: str

    @property
    def is_accepted(self) -> bool:
        """Whether the click counts; every other answer is recorded as a rejection."""
        return self.result in _ACCEPTED_RESULTS

    @property
    def is_final(self) -> bool:
        """Whether the message itself will soon show the result of the click."""
        return self.result not in {ClickResult.COUNTED, ClickResult.SNOOZED, ClickResult.QUESTION_FOLLOWS}


_ACCEPTED_RESULTS = frozenset(
    (
        ClickResult.APPROVED,
        ClickResult.COUNTED,
        ClickResult.DENIED,
        ClickResult.SNOOZED,
        ClickResult.QUESTION_FOLLOWS,
        ClickResult.ALREADY_APPROVED,
        ClickResult.ALREADY_DENIED,
    )
)

ANSWER_TEXTS = {
    ClickResult.APPROVED: "Approved. All checks run again, then the rollout starts.",
    ClickResult.COUNTED: "Your approval counts. This service needs more than one; nothing is deployed until then.",
    ClickResult.DENIED: "Denied. Nothing is deployed.",
    ClickResult.SNOOZED: "Snoozed: no reminder for an hour. The question stays open.",
    ClickResult.QUESTION_FOLLOWS: "The proof runs now. Its question follows here; nothing is deployed before that.",
    ClickResult.CHANGED_SINCE: "The service or its branch changed since this was posted. Nothing is proposed.",
    ClickResult.ALREADY_APPROVED: "Already approved.",
    ClickResult.ALREADY_DENIED: "Already denied. Nothing is deployed.",
    ClickResult.TOO_LATE: "Too late to deny: the rollout has started.",
    ClickResult.EXPIRED: "Expired: nobody decided in time. Nothing is deployed.",
    ClickResult.VOID: "Not approved: the service or the evidence changed since this was proposed.",
    ClickResult.UNKNOWN_PROPOSAL: "This proposal does not exist.",
    ClickResult.TAMPERED: "The button does not match the stored proposal. Nothing is deployed.",
    ClickResult.FOREIGN_CHANNEL: "You can decide this proposal only in the channel where it was posted.",
    ClickResult.FOREIGN_TEAM: "This proposal belongs to another workspace.",
    ClickResult.FOREIGN_APP: "This button belongs to another app. Nothing is deployed.",
    ClickResult.FOREIGN_USER: "You are not an approver of this service.",
    ClickResult.STALE: "The service changed since this was proposed. Nothing is deployed.",
    ClickResult.MUTED: "The issue was closed or marked as wrong. Nothing is deployed.",
    ClickResult.DECIDED_OTHERWISE: "Already decided: the other option was approved.",
    ClickResult.SUPERSEDED: "Superseded: a newer commit was deployed or proposed. Nothing is deployed.",
    ClickResult.OWN_FIX: "You wrote the fix. On this service, a user other than the author must approve it.",
    ClickResult.UNKNOWN_AUTHOR: (
        "Can't verify that you didn't write the fix. Add your Git name under `authors` in provenfix.yaml."
    ),
}


def build_answer(reply: ClickResult) -> ClickAnswer:
    """The words for a named reason."""
    return ClickAnswer(reply, ANSWER_TEXTS[reply])


def find_refusal(
    click: Click, proposal: Proposal, service: Service, members: Collection[str], now: datetime
) -> ClickResult | None:
    """Why a click does not count, judged by what the proposal is bound to; None where it does.

    `members` are those of the service's approver group. An approver is named by id, never by name.
    """
    if (click.incident, click.commit, click.evidence_hash) != (
        proposal.incident,
        proposal.commit,
        proposal.evidence_hash,
    ):
        return ClickResult.TAMPERED
    if foreign := find_origin_refusal(click, service, members):
        return foreign
    if now >= proposal.expires_at:
        return ClickResult.EXPIRED
    return _check_author(click, proposal, service) if click.kind is ClickKind.APPROVE else None


def find_origin_refusal(click: Click, service: Service, members: Collection[str]) -> ClickResult | None:
    """Why a click does not count, whatever it is about: it comes from elsewhere, or from no approver."""
    if foreign := _check_origin(click, service):
        return foreign
    return None if Approvers(service, members).includes(click.user) else ClickResult.FOREIGN_USER


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may decide for a service at this moment. `members` are those of its approver group."""

    service: Service
    members: Collection[str]

    def includes(self, user: str) -> bool:
        """Whether a chat user id is an approver: configured by id, or a member of the group."""
        return user in self.service.approvers or user in self.members


def _check_origin(click: Click, service: Service) -> ClickResult | None:
    """Why a click comes from elsewhere than where the question was posted; None where it does not."""
    if service.team and click.team != service.team:
        return ClickResult.FOREIGN_TEAM
    if service.chat_app and click.app != service.chat_app:
        return ClickResult.FOREIGN_APP
    return ClickResult.FOREIGN_CHANNEL if click.channel != service.channel else None


def _check_author(click: Click, proposal: Proposal, service: Service) -> ClickResult | None:
    """Everybody may go back to an earlier commit; a fix is approved by another than its author, if that is asked for.

    Git's names are claims. They are good enough against a slip, and where they say nothing, nobody is believed.
    """
    if not service.not_author or proposal.kind is ActionKind.ROLLBACK:
        return None
    names = service.authors.get(click.user, ())
    if not names or not proposal.author:
        return ClickResult.UNKNOWN_AUTHOR
    return ClickResult.OWN_FIX if _normalise_name(proposal.author) in map(_normalise_name, names) else None


def _normalise_name(name: str) -> str:
    return " ".join(name.split()).casefold()
