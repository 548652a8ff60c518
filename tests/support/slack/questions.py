"""What test_slack_layout and other tests share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import AlternativeProposal, Message, Proposal
from shared.proposal.question import build_question
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow.investigate_incident import list_thread_lines
from shared.workflow.prover import render_report
from tests.support.proof_samples import FIXING, HEAD, SECOND_ATTEMPT, build_sample_report
from tests.support.slack.rendering import render_details, render_message

SERVICE = Service("chat-backend", "quay", "europe-west6", "quay/chat", "C0QUAY", "production")


UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC)


PROPOSAL = Proposal(
    "0123456789abcdef-1", "0123456789abcdef", "quay.chat-backend", ActionKind.REDEPLOY, HEAD.id,
    SECOND_ATTEMPT.id, "chat-00042-def", FIXING.id,
    "3.11", ("chat/agents_execute.py",), "fedcba9876543210", UNTIL,
)  # fmt: skip


ISSUE = "https://github.com/quay/chat/issues/12"


_TRIAL_STATUSES = frozenset((ProposalStatus.TRYING, ProposalStatus.HELD, ProposalStatus.TRIED))


@cache
def question_message(shape: str = "design", kind: ActionKind = ActionKind.REDEPLOY) -> Message:
    return build_question(build_sample_report(shape), replace(PROPOSAL, kind=kind), ISSUE)


def visible_text(sent: dict[str, Any]) -> str:
    """All that the channel shows, block by block."""
    return "\n".join(_block_text(block) for block in sent["blocks"])


def _block_text(value: object) -> str:
    if isinstance(value, list):
        return "".join(map(_block_text, value))
    if not isinstance(value, dict):
        return ""
    if value.get("type") == "user":
        return f"<{value['user_id']}>"
    if value.get("type") == "date":
        return str(value["fallback"])
    text = value.get("text")
    return text if isinstance(text, str) else "".join(map(_block_text, value.values()))


def thread_text(service: Service, shape: str = "design", kind: ActionKind = ActionKind.REDEPLOY) -> str:
    """All that stands below the question."""
    report = build_sample_report(shape)
    lines = list_thread_lines(service, replace(PROPOSAL, kind=kind), {**render_report(report), "alternative": ""})
    return "\n".join(_block_text(block) for block in render_details(lines))


def button_elements(sent: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        element["action_id"]: element
        for block in sent["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    }


def render_all_messages() -> str:
    """What is kept as `tests/golden/messages.txt`: of each way in which a question stands, the lines that are new."""
    stepped = replace(SERVICE, traffic_steps=(10, 50, 100), probe_url="wss://chat.example/ws")
    other = AlternativeProposal("p-back", "9" * 40, ("U0KIM",))
    counting = replace(question_message(), quorum=2, approvals=("U0MIRA",), alternative=other)
    kept = {
        "open": (SERVICE, question_message()),
        "open, with a probe and steps": (stepped, question_message()),
        "open, with one of two approvals": (replace(SERVICE, not_author=True), counting),
        "open, to roll back": (SERVICE, question_message("rollback", ActionKind.ROLLBACK)),
        "open, to try": (stepped, question_message("trial possible", ActionKind.TRIAL)),
        "open, after a trial": (stepped, question_message("proven by a trial")),
    }
    decided = replace(
        question_message(), by="U0MIRA", decided_at=UNTIL, at=UNTIL + timedelta(minutes=3), reason="no tide yet"
    )
    kept |= {
        status.value: (
            SERVICE,
            replace(decided, standing=status, kind=ActionKind.TRIAL if status in _TRIAL_STATUSES else decided.kind),
        )
        for status in ProposalStatus
        if status is not ProposalStatus.OPEN
    }
    lines: list[str] = []
    for name, sent in kept.items():
        new = [line for line in visible_text(render_message(*sent)).splitlines() if line and line not in lines]
        lines += [f"## {name}", *new, ""]
    for name, service in (("the thread", stepped), ("the thread, with two approvals", replace(SERVICE, quorum=2))):
        new = [line for line in thread_text(service).splitlines() if line and line not in lines]
        lines += [f"## {name}", *new, ""]
    return "\n".join(lines)
