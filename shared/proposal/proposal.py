"""The question that is asked about an incident: bound to one commit and one body of evidence, and how it is shown.

A message's paragraphs begin with labels: an adapter of a chat finds each by `split_label` and sets it in bold. Also the
reminder of a question that nobody has answered, and how long a snooze puts it off.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.proof.model.recommendation import ActionKind
from shared.proposal.brief import NO_BRIEF, Brief
from shared.proposal.state_words import QUESTION_WORDS
from shared.proposal.states import ProposalStatus


class Label(StrEnum):
    """What a paragraph is about, in the order of the message."""

    PROPOSAL = "Proposal"
    FAILS = "What fails"
    IMPACT = "Impact"
    SINCE = "Since"
    BROKEN = "Broken at"
    FIXED = "Fixed by"
    SUSPECTED = "Suspected"
    POSSIBLE_FIX = "Possible fix"
    TRIED = "Tried"
    NEWEST = "Newest passing commit"
    SHIPS = "What ships"
    IMAGE = "Image"
    INSTEAD = "Or go back"
    CONFIDENCE = "Confidence"
    CAUSE = "Cause"
    """Where no commit is proposed: the class of the cause,"""
    RAISED = "Logged exception"
    OWNER = "Who can act"
    MENDS = "What would fix it"
    INACTION = "If nothing is done"
    APPROVE = "Approve"
    """What a decision leads to, and who may take it,"""
    DENY = "Deny"
    ROLL_BACK = "Roll back"
    WHO_DECIDES = "Who decides"


PROOF_LABELS = frozenset((Label.BROKEN, Label.FIXED, Label.SUSPECTED, Label.POSSIBLE_FIX, Label.TRIED, Label.NEWEST))
"""The three lines of the proof."""


def split_label(line: str) -> tuple[Label | None, str]:
    """The paragraph's label and its words; None where it has no label."""
    label, colon, words = line.partition(": ")
    return (Label(label), words) if colon and label in _LABEL_VALUES else (None, line)


_LABEL_VALUES = frozenset(label.value for label in Label)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One question: deploy this commit? An approval is bound to `incident`, `commit` and `compute_evidence_hash`."""

    id: str
    incident: str
    service: str
    """`Service.id`."""
    kind: ActionKind
    """`redeploy`, `rollback` or `trial`."""
    commit: str
    deployed: str
    """The commit that was running; "" where it is not known."""
    revision: str
    """The revision that was serving when this was proposed; another one makes the proposal stale."""
    fix: str
    """The first commit that fixes the failure; for a rollback the target itself."""
    python: str
    broken: tuple[str, ...]
    """Paths that did not compile as deployed."""
    evidence_hash: str
    expires_at: datetime
    author: str = ""
    """Who wrote the fix, as git names them; "" where there is no fix, as in a rollback."""
    instead_of: str = ""
    """The proposal of the same question that is the first choice; "" for that one itself."""
    traced: tuple[str, ...] = ()
    """Further files that the traceback named: which image counts depends on them."""
    etag: str = ""
    """Of the service as the evidence saw it: whatever has changed since makes the proposal stale."""

    @property
    def decision_key(self) -> str:
        """The key of the one decision: an approval of one proposal of a question denies the other."""
        return self.instead_of or self.id


@dataclass(frozen=True, slots=True)
class AlternativeProposal:
    """The other question about the same incident and evidence: roll back to this commit instead?"""

    proposal: str
    commit: str
    approvals: tuple[str, ...] = ()
    """As `Message.approvals`, of those who want this instead."""
    subject: str = ""
    """The first line of the commit's message."""
    ships: str = ""
    """Which commits going back loses."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted, in plain text: that is redacted and cut; the adapter escapes it and lays it out."""

    proposal: str
    incident: str
    commit: str
    evidence_hash: str
    title: str
    lines: tuple[str, ...]
    """Paragraphs; one that begins with a label of `shared.proposal.question` is laid out by it."""
    issue_url: str
    standing: ProposalStatus
    expires_at: datetime
    kind: ActionKind = ActionKind.REDEPLOY
    alternative: AlternativeProposal | None = None
    by: str = ""
    """The chat's user id of who approved or denied last; "" where nobody did."""
    approvals: tuple[str, ...] = ()
    """The chat's user ids of all who approved so far, where several have to."""
    quorum: int = 1
    """How many different approvers are needed."""
    decided_at: datetime | None = None
    """When that was."""
    at: datetime | None = None
    """Since when it is in that state; that is nobody's doing but provenfix's own, unless it was approved or denied."""
    reason: str = ""
    """Why it has this status: a user's own words after a denial, else one sentence; "" where none was given."""
    snoozed_until: datetime | None = None
    """Until when an approver has put the reminder off; None where nobody has."""
    can_be_proposed: bool = False
    """Whether an approver may ask for the question about what this line says."""
    brief: Brief = NO_BRIEF
    """What the chat shows instead of `lines`, which then are in the thread; empty in evidence of earlier versions."""


def compute_evidence_hash(report: Mapping[str, object]) -> str:
    """16 hex digits over the report as it is printed."""
    text = json.dumps(report, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


TITLE_SEPARATOR = ": "
"""Before the words for the present state; the words themselves never contain one."""


def build_title(open_title: str, failure: str, status: ProposalStatus, kind: ActionKind) -> str:
    """`open_title` while the question is open or `failure` is unknown, else the failure and the status in words."""
    if status is ProposalStatus.OPEN or not failure:
        return open_title
    words = QUESTION_WORDS[status]
    special = {ActionKind.ROLLBACK: words.rollback_title, ActionKind.TRIAL: words.trial_title}.get(kind, "")
    return f"{failure}{TITLE_SEPARATOR}{special or words.title}"


def update_title(old: str, new: str) -> str:
    """The new title where the old one is about the same failure; a title that a user has given stays."""
    same = old.rpartition(TITLE_SEPARATOR)[0] == new.rpartition(TITLE_SEPARATOR)[0]
    return new if same and new else old


SNOOZE_PERIOD = timedelta(hours=1)
"""How long one press of the button puts the next reminder off."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """In plain text: redacted and cut; the adapters escape it and lay it out."""

    marker: str
    """Finds it again, and lets a pager take a second copy for the first."""
    title: str
    """That of the question, with its impact."""
    asked_at: datetime
    expires_at: datetime
    issue_url: str = ""
