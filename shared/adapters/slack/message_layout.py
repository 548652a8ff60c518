"""A message of the domain comes in; what `chat.postMessage` and `chat.update` take goes out, inert and within limits.

The buttons are there only while a proposal is open; afterwards who, when and what take their place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from shared.adapters.slack.deploy_commands import (
    COMMAND_NOT_UNDONE,
    describe_command_deployment,
    describe_manual_deployment,
)
from shared.adapters.slack.interaction import APPROVE, DENY, ROLL_BACK, button_value
from shared.adapters.slack.rich_text import (
    Block,
    Element,
    block,
    bold_text,
    bullet_list,
    link,
    literal_text,
    paragraph,
    untrusted_line,
    user_mention,
)
from shared.proof.model.finding import ActionKind
from shared.proposal.labels import PROOF_LABELS, split_label
from shared.proposal.proposal import Message
from shared.proposal.states import QUESTION_WORDS, ProposalStatus
from shared.proposal.trial import REQUIRED_ROUNDS
from shared.service import RolloutMode, Service
from shared.text.escaping import break_mentions_and_links, escape_slack, to_one_line, truncate
from shared.text.timestamps import format_rfc3339

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
TRY_LABEL = "Try without traffic"
"""The button that approves a trial."""


def message_body(service: Service, message: Message) -> dict[str, object]:
    """`text` is what a notification shows, `message_blocks` are what the channel shows."""
    return {"text": notification_text(message), "blocks": list(message_blocks(service, message))}


def notification_text(message: Message) -> str:
    """One line of Slack's markup."""
    label = QUESTION_WORDS[message.standing].label if message.kind is not ActionKind.NONE else "Nothing to decide"
    return escape_slack(truncate(f"{label}: {to_one_line(message.title)}", _MAX_TEXT_LENGTH))


def message_blocks(service: Service, message: Message) -> Iterator[Block]:
    """At most ten blocks: the public way from a message to what Slack, or a page that knows Block Kit, shows of it."""
    title = truncate(break_mentions_and_links(to_one_line(message.title)), _MAX_TITLE_LENGTH) or "Incident"
    yield {"type": "header", "block_id": "title", "text": _plain_text(title)}
    if message.standing not in {ProposalStatus.OPEN, ProposalStatus.NOTICE}:
        yield block("standing", list(_status_elements(service, message)))
    if message.lines:
        yield block("lines", list(_proof_elements(message.lines[:_MAX_LINES])))
    if message.issue_url:
        yield block("issue", [paragraph([link(message.issue_url, _issue_link_text(message))])])
    if message.kind is ActionKind.NONE:
        return
    if message.standing is ProposalStatus.OPEN:
        yield block("then", [paragraph(row) for row in _consequence_rows(service, message)])
    if message.standing is ProposalStatus.OPEN and service.rollout_mode is not RolloutMode.MANUAL:
        yield {"type": "actions", "block_id": "decision", "elements": list(_build_buttons(service, message))}
        yield block("expiry", [paragraph(_expiry_elements(service, message))])


def _issue_link_text(message: Message) -> str:
    is_notice = message.standing is ProposalStatus.NOTICE
    return "Issue with the evidence and the log" if is_notice else "Issue with the full proof"


def detail_blocks(lines: Sequence[str]) -> tuple[str, list[Block]]:
    """What stands below a message: the text of its notification, and a block for each line, within Slack's limits."""
    shown: list[Block] = []
    left = _MAX_DETAILS_LENGTH
    for number, line in enumerate(lines[:_MAX_DETAILS], 1):
        part = untrusted_line(line, min(_MAX_DETAIL_LENGTH, left))
        left -= sum(len(str(element["text"])) for element in part)
        shown.append(block(f"detail{number}", [paragraph(part or [literal_text("\u2013")])]))
        if left < _MIN_DETAIL_LENGTH:
            break
    return escape_slack(truncate(lines[0], _MAX_TEXT_LENGTH)) or "Details", shown


def _proof_elements(lines: tuple[str, ...]) -> Iterator[Element]:
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


def _status_elements(service: Service, message: Message) -> Iterator[Element]:
    of_status = QUESTION_WORDS[message.standing]
    words: list[Element] = [bold_text(of_status.action or of_status.label)]
    if message.standing is ProposalStatus.DENIED:
        words += [*_by_elements([message.by] if message.by else []), *_at_elements(message.decided_at)]
    elif message.standing is ProposalStatus.APPROVED:
        words += [*_by_elements(_list_approvers(message)), *_at_elements(message.decided_at)]
    else:
        words += [*_at_elements(message.at), *_approval_elements(message)]
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


def _approval_elements(message: Message) -> list[Element]:
    """`(approved by @nora at …)`: somebody else's deed, at another time."""
    people = _list_approvers(message)
    if not people:
        return []
    counted = "approved" if message.by else "approved so far"
    return [literal_text(f" ({counted}"), *_by_elements(people), *_at_elements(message.decided_at), literal_text(")")]


def _by_elements(people: Sequence[str]) -> list[Element]:
    named = [(literal_text(" and " if index else " by "), user_mention(user)) for index, user in enumerate(people)]
    return [part for pair in named for part in pair]


def _at_elements(moment: datetime | None) -> list[Element]:
    return [literal_text(f" at {format_rfc3339(moment.replace(microsecond=0))}")] if moment is not None else []


def _describe_action(service: Service, message: Message) -> str:
    """`redeploy chat-backend (production) from 0123456789ab.`"""
    where = f"{_shorten(service.name, 80)} ({_shorten(service.environment_name, 80)})"
    if message.kind is ActionKind.TRIAL:
        return f"try {message.commit[:12]} without traffic in {where}."
    if message.kind is ActionKind.ROLLBACK:
        return f"roll {where} back to {message.commit[:12]}."
    return f"redeploy {where} from {message.commit[:12]}."


def _consequence_rows(service: Service, message: Message) -> Iterator[list[Element]]:
    """What a click leads to: nobody should have to remember that at night."""
    if service.rollout_mode is RolloutMode.MANUAL:
        yield [bold_text("Deploy it yourself: "), *describe_manual_deployment(service, message.commit)]
        return
    if message.kind is ActionKind.TRIAL:
        yield from _trial_rows(message)
        return
    steps = ", ".join(map(str, service.traffic_steps[:-1]))
    traffic = f"gets its traffic in steps ({steps}, 100 %)" if steps else "gets all of the traffic"
    probed = "probed at its own address, " if service.probe_url else ""
    kind = "The earlier commit is" if message.kind is ActionKind.ROLLBACK else "The commit is"
    deployed = (
        f"{kind} deployed without traffic, {probed}then {traffic}, is watched for a day, and is rolled back "
        "automatically if the failure recurs."
    )
    consequence = describe_command_deployment(service) if service.rollout_mode is RolloutMode.COMMAND else deployed
    yield [bold_text("Approve: "), literal_text(f"all checks above run again. {consequence}\n")]
    yield [bold_text("Deny: "), literal_text("nothing is deployed. You are asked for a reason.")]
    yield from _quorum_rows(message)
    if message.quorum > 1 and message.alternative is not None and message.alternative.approvals:
        yield [
            literal_text("\n"),
            bold_text("To go back: "),
            *_approval_count_elements(message.alternative.approvals, message.quorum),
        ]


def _trial_rows(message: Message) -> Iterator[list[Element]]:
    """What a trial does, and what it does not."""
    yield [
        bold_text(f"{TRY_LABEL}: "),
        literal_text(
            "all checks above run again. The commit is deployed without traffic, and probed at its own address "
            f"{REQUIRED_ROUNDS} times beside the serving revision. Only if it holds and the serving one fails, each "
            "time, another question asks for the traffic.\n"
        ),
    ]
    yield [bold_text("Deny: "), literal_text("nothing is deployed. You are asked for a reason.")]
    yield from _quorum_rows(message)


def _quorum_rows(message: Message) -> Iterator[list[Element]]:
    if message.quorum > 1:
        yield [
            literal_text("\n"),
            bold_text("Approvals: "),
            *_approval_count_elements(message.approvals, message.quorum),
        ]


def _approval_count_elements(people: tuple[str, ...], quorum: int) -> list[Element]:
    shown = [
        (literal_text(", " if index else ": "), user_mention(user)) for index, user in enumerate(people[-_MAX_USERS:])
    ]
    return [literal_text(f"{len(people)} of {quorum}"), *(part for pair in shown for part in pair)]


def _expiry_elements(service: Service, message: Message) -> list[Element]:
    until = format_rfc3339(message.expires_at.replace(microsecond=0))
    whose = "Only this service's approvers can decide, and only in this channel"
    needs = f"; {message.quorum} approvals by different users are needed" if message.quorum > 1 else ""
    is_author_excluded = service.not_author and message.kind is not ActionKind.ROLLBACK
    author = "; the author of the fix cannot approve it" if is_author_excluded else ""
    return untrusted_line(f"Open until {until}. {whose}{needs}{author}.", _MAX_LINE_LENGTH)


def _build_buttons(service: Service, message: Message) -> Iterator[dict[str, object]]:
    verb = {ActionKind.ROLLBACK: "Roll back", ActionKind.TRIAL: TRY_LABEL}.get(message.kind, "Redeploy")
    approve, of = TRY_LABEL if message.kind is ActionKind.TRIAL else "Approve", button_value(message)
    yield _build_button(APPROVE, approve, of, "primary") | {"confirm": _confirm_dialog(service, verb, message.commit)}
    yield _build_button(DENY, "Deny", of, "danger")
    if message.alternative is not None:
        other = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
        instead = _build_button(ROLL_BACK, "Roll back instead", button_value(other))
        yield instead | {"confirm": _confirm_dialog(service, "Roll back", other.commit)}


def _build_button(action: str, words: str, value: str, style: str | None = None) -> dict[str, object]:
    shown: dict[str, object] = {"type": "button", "action_id": action, "text": _plain_text(words), "value": value}
    return {**shown, "style": style} if style else shown


def _confirm_dialog(service: Service, verb: str, commit: str) -> dict[str, object]:
    """Repeats what the click is about, so that nobody approves the message above or below."""
    lines = (
        f"Service: {_shorten(service.name, 80)}",
        f"Environment: {_shorten(service.environment_name, 80)}",
        f"Commit: {_shorten(commit, 64)}",
    )
    return {
        "title": _plain_text("Try without traffic?" if verb == TRY_LABEL else f"{verb} this service?"),
        "text": _plain_text("\n".join(lines)),
        "confirm": _plain_text(verb),
        "deny": _plain_text("Cancel"),
        "style": "danger" if verb == "Roll back" else "primary",
    }


def _plain_text(words: str) -> dict[str, object]:
    return {"type": "plain_text", "text": words, "emoji": False}


def _shorten(text: str, longest: int) -> str:
    return truncate(break_mentions_and_links(to_one_line(text)), longest)
