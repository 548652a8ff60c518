"""Lays a message out for `chat.postMessage` and `chat.update`: inert, and within Slack's limits.

The buttons are there only while a proposal is open; afterwards who, when and what take their place.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from shared.adapters.slack.deploy_commands import COMMAND_NOT_UNDONE, describe_manual_deployment
from shared.adapters.slack.message_buttons import build_buttons, build_proposal_button
from shared.adapters.slack.rich_text import (
    Block,
    Element,
    block,
    bold_text,
    bullet_list,
    date,
    inline_code,
    link,
    literal_text,
    paragraph,
    plain_text,
    shorten_untrusted,
    untrusted_line,
    user_mention,
)
from shared.proof.model.recommendation import ActionKind
from shared.proposal.brief import describe_action, format_effect
from shared.proposal.consequences import summarise_rollout
from shared.proposal.proposal import PROOF_LABELS, Message, split_label
from shared.proposal.state_words import QUESTION_WORDS
from shared.proposal.states import ProposalStatus
from shared.service import RolloutMode, Service
from shared.text.escaping import break_mentions_and_links, escape_slack, to_one_line, truncate

_MAX_TITLE_LENGTH = 150
_MAX_LINE_LENGTH = 700
_MAX_TEXT_LENGTH = 300
_MAX_LINES = 12
_MAX_DETAILS = 40
_MAX_DETAIL_LENGTH = 1_500
_MIN_DETAIL_LENGTH = 100
_MAX_DETAILS_LENGTH = 10_000
"""Characters of all details together: Slack takes 50 blocks, and some 13,000 characters of a message."""
_MAX_USERS = 10
_SHORT_COMMIT_LENGTH = 12
_MIN_COUNTED_QUORUM = 2


def build_message_body(service: Service, message: Message) -> dict[str, object]:
    """`text` is what a notification shows, `build_message_blocks` are what the channel shows."""
    return {"text": build_notification_text(message), "blocks": list(build_message_blocks(service, message))}


def build_notification_text(message: Message) -> str:
    """One line of Slack's markup."""
    label = QUESTION_WORDS[message.standing].label if message.kind is not ActionKind.NONE else "Nothing to decide"
    return escape_slack(truncate(f"{label}: {to_one_line(_choose_title(message))}", _MAX_TEXT_LENGTH))


def build_message_blocks(service: Service, message: Message) -> Iterator[Block]:
    """At most ten blocks: the public way from a message to what Slack, or a page that knows Block Kit, shows of it."""
    title = truncate(break_mentions_and_links(to_one_line(_choose_title(message))), _MAX_TITLE_LENGTH) or "Incident"
    yield {"type": "header", "block_id": "title", "text": plain_text(title)}
    if message.standing not in {ProposalStatus.OPEN, ProposalStatus.NOTICE}:
        yield block("standing", list(_build_status_elements(service, message)))
    if lines := list(_line_elements(service, message)):
        yield block("lines", lines)
    is_open = message.standing is ProposalStatus.OPEN and message.kind is not ActionKind.NONE
    if is_open and service.rollout_mode is not RolloutMode.MANUAL:
        yield {"type": "actions", "block_id": "decision", "elements": list(build_buttons(service, message))}
    if message.can_be_proposed:
        yield {"type": "actions", "block_id": "decision", "elements": [build_proposal_button(message)]}
    if last := list(_build_last_line_elements(service, message, is_open=is_open)):
        yield block("issue", [paragraph(last)])


def _choose_title(message: Message) -> str:
    """With its impact while a decision is awaited; afterwards the incident's state matters more."""
    return (message.standing is ProposalStatus.OPEN and message.brief.title) or message.title


def _line_elements(service: Service, message: Message) -> Iterator[Element]:
    """What is proposed and why, a line each; every paragraph of a message that proposes nothing."""
    is_open = message.standing is ProposalStatus.OPEN
    if message.kind is ActionKind.NONE or not message.brief.effect:
        yield from _build_proof_elements(message.lines[:_MAX_LINES])
    elif is_open:
        yield paragraph(_build_proposal_elements(service, message))
    if _says_why(message):
        yield paragraph(
            [*_build_since_elements(message), bold_text("Why: "), *untrusted_line(message.brief.why, _MAX_LINE_LENGTH)]
        )
    if is_open and message.kind is not ActionKind.NONE:
        if service.rollout_mode is RolloutMode.MANUAL:
            command = describe_manual_deployment(service, message.commit)
            yield paragraph([literal_text("\n"), bold_text("Deploy it yourself: "), *command])
        yield from (paragraph(row) for row in build_approval_rows(message))


def _build_proposal_elements(service: Service, message: Message) -> list[Element]:
    action = describe_action(message.kind, message.commit).partition(" `")[0]
    words = f": {format_effect(message.brief)}."
    if service.rollout_mode is not RolloutMode.MANUAL:
        words += f" {_capitalize(summarise_rollout(service, message.kind))}."
    return [
        bold_text(f"{action} "),
        inline_code(message.commit[:_SHORT_COMMIT_LENGTH]),
        *untrusted_line(words, _MAX_LINE_LENGTH),
        literal_text("\n"),
    ]


def _capitalize(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _build_last_line_elements(service: Service, message: Message, *, is_open: bool) -> Iterator[Element]:
    """What happens without a decision, and the link; since when, where no line above says why."""
    if not _says_why(message):
        yield from _build_since_elements(message)
    if is_open:
        yield from (literal_text("Without a decision until "), date(message.expires_at))
        yield literal_text(" nothing is deployed. ")
    if is_open and message.snoozed_until is not None:
        yield from (literal_text("No reminder before "), date(message.snoozed_until), literal_text(". "))
    if message.issue_url:
        yield link(message.issue_url, _issue_link_text(message))
    if service.runbook_url:
        if message.issue_url:
            yield literal_text(" · ")
        yield link(service.runbook_url, "Runbook")


def _says_why(message: Message) -> bool:
    return bool(message.brief.effect and message.brief.why) and message.kind is not ActionKind.NONE


def _build_since_elements(message: Message) -> Iterator[Element]:
    """Since when it fails, while a decision is awaited."""
    since = _parse_moment(message.brief.first_seen) if message.standing is ProposalStatus.OPEN else None
    if since is not None:
        yield from (literal_text("Since "), date(since), literal_text(". "))


def _parse_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _issue_link_text(message: Message) -> str:
    is_notice = message.standing is ProposalStatus.NOTICE
    return "Issue with the evidence and the log" if is_notice else "Issue with the full proof"


def build_detail_blocks(lines: Sequence[str]) -> tuple[str, list[Block]]:
    """What is below a message: the text of its notification, and a block for each line, within Slack's limits."""
    shown: list[Block] = []
    left = _MAX_DETAILS_LENGTH
    for number, line in enumerate(lines[:_MAX_DETAILS], 1):
        label, words = split_label(line)
        part = [*([bold_text(f"{label}: ")] if label else [])]
        part += untrusted_line(words, min(_MAX_DETAIL_LENGTH, left))
        left -= sum(len(str(element["text"])) for element in part)
        shown.append(block(f"detail{number}", [paragraph(part or [literal_text("\u2013")])]))
        if left < _MIN_DETAIL_LENGTH:
            break
    return escape_slack(truncate(lines[0], _MAX_TEXT_LENGTH)) or "Details", shown


def _build_proof_elements(lines: tuple[str, ...]) -> Iterator[Element]:
    """The lines of the proof as one list, every other line as a paragraph of its own."""
    read = [split_label(line) for line in lines]
    for together, group in groupby(read, key=lambda line: line[0] in PROOF_LABELS):
        rows = [
            [*([bold_text(f"{label}: ")] if label else []), *untrusted_line(words, _MAX_LINE_LENGTH)]
            for label, words in group
        ]
        if together:
            yield bullet_list(rows)
        else:
            yield from (paragraph([*row, literal_text("\n")]) for row in rows)


def _build_status_elements(service: Service, message: Message) -> Iterator[Element]:
    of_status = QUESTION_WORDS[message.standing]
    words: list[Element] = [bold_text(of_status.action or of_status.label)]
    if message.standing is ProposalStatus.DENIED:
        words += [*_build_user_elements([message.by] if message.by else []), *_build_time_elements(message.decided_at)]
    elif message.standing is ProposalStatus.APPROVED:
        words += [*_build_user_elements(_list_approvers(message)), *_build_time_elements(message.decided_at)]
    else:
        words += [*_build_time_elements(message.at), *_build_approval_elements(message)]
    meaning = of_status.meaning
    if message.standing is ProposalStatus.FAILED and service.rollout_mode is RolloutMode.COMMAND:
        meaning = COMMAND_NOT_UNDONE
    yield paragraph(
        [
            *words,
            literal_text(": "),
            *untrusted_line(f"{_describe_action(service, message)} {meaning}", _MAX_LINE_LENGTH),
        ]
    )
    if message.reason:
        yield paragraph([bold_text("Reason: "), *untrusted_line(message.reason, _MAX_LINE_LENGTH)])


def _list_approvers(message: Message) -> list[str]:
    return list(dict.fromkeys((*message.approvals[-_MAX_USERS:], *([message.by] if message.by else []))))


def _build_approval_elements(message: Message) -> list[Element]:
    """`(approved by @nora at …)`: what another user did, at another time."""
    people = _list_approvers(message)
    if not people:
        return []
    counted = "approved" if message.by else "approved so far"
    return [
        literal_text(f" ({counted}"),
        *_build_user_elements(people),
        *_build_time_elements(message.decided_at),
        literal_text(")"),
    ]


def _build_user_elements(people: Sequence[str]) -> list[Element]:
    named = [(literal_text(" and " if index else " by "), user_mention(user)) for index, user in enumerate(people)]
    return [part for pair in named for part in pair]


def _build_time_elements(moment: datetime | None) -> list[Element]:
    return [literal_text(" at "), date(moment)] if moment is not None else []


def _describe_action(service: Service, message: Message) -> str:
    """`redeploy chat-backend (production) from 0123456789ab.`"""
    where = f"{shorten_untrusted(service.name, 80)} ({shorten_untrusted(service.environment_name, 80)})"
    if message.kind is ActionKind.TRIAL:
        return f"try {message.commit[:12]} without traffic in {where}."
    if message.kind is ActionKind.ROLLBACK:
        return f"roll {where} back to {message.commit[:12]}."
    return f"redeploy {where} from {message.commit[:12]}."


def build_approval_rows(message: Message) -> Iterator[list[Element]]:
    """How many have approved so far, where several have to: in sight of all of them."""
    if message.quorum < _MIN_COUNTED_QUORUM:
        return
    counted = _build_approval_count_elements(message.approvals, message.quorum)
    yield [literal_text("\n"), bold_text("Approvals: "), *counted]
    if message.alternative is not None and message.alternative.approvals:
        counted = _build_approval_count_elements(message.alternative.approvals, message.quorum)
        yield [literal_text("\n"), bold_text("To go back: "), *counted]


def _build_approval_count_elements(people: tuple[str, ...], quorum: int) -> list[Element]:
    shown = [
        (literal_text(", " if index else ": "), user_mention(user)) for index, user in enumerate(people[-_MAX_USERS:])
    ]
    return [literal_text(f"{len(people)} of {quorum}"), *(part for pair in shown for part in pair)]
