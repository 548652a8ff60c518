"""A message of the domain comes in; what `chat.postMessage` and `chat.update` take goes out, inert and within limits.

The buttons are there only while a proposal is open; afterwards who, when and what take their place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from shared.adapters.slack.acting import FAILED_BY_COMMAND, by_command, by_hand
from shared.adapters.slack.interaction import APPROVE, DENY, ROLL_BACK, button_value
from shared.adapters.slack.rich_text import Block, Element, block, bullets, link, own, paragraph, person, prose, strong
from shared.proof.model.finding import ActionKind
from shared.proposal.proposal import Message, ProposalStatus
from shared.proposal.question import PROOF_LABELS, split_label
from shared.service import RolloutMode, Service
from shared.text.escaping import truncate, escape_slack, break_mentions_and_links, to_one_line
from shared.text.timestamps import format_rfc3339

_LONGEST_TITLE = 150
_LONGEST_LINE = 700
_LONGEST_TEXT = 300
_MOST_LINES = 12
_MOST_DETAILS = 40
_LONGEST_DETAIL = 1_500
_SHORTEST_DETAIL = 100
_LONGEST_DETAILS = 10_000
"""Characters of all details together: Slack takes 50 blocks, and some 13,000 characters of a message."""
_MOST_PEOPLE = 10

_STANDINGS = {
    ProposalStatus.OPEN: "Decision needed",
    ProposalStatus.APPROVED: "Approved",
    ProposalStatus.DENIED: "Denied",
    ProposalStatus.EXPIRED: "Expired",
    ProposalStatus.REFUSED: "Not deployed",
    ProposalStatus.FAILED: "Deployment failed",
    ProposalStatus.WATCHING: "Deployed, being watched",
    ProposalStatus.RESOLVED: "Resolved",
    ProposalStatus.ROLLED_BACK: "Rolled back",
    ProposalStatus.MUTED: "Stopped by a person",
    ProposalStatus.SUPERSEDED: "Superseded",
    ProposalStatus.INCONCLUSIVE: "Inconclusive",
}
_DEEDS = _STANDINGS | {
    ProposalStatus.WATCHING: "Deployed automatically",
    ProposalStatus.RESOLVED: "Resolved automatically",
    ProposalStatus.ROLLED_BACK: "Rolled back automatically",
    ProposalStatus.INCONCLUSIVE: "Ended without a proof",
}
"""What provenfix has done, or has seen, at the time that stands beside it; who approved it, and when, is told apart."""
_MEANINGS = {
    ProposalStatus.APPROVED: "It begins after everything has been checked once more.",
    ProposalStatus.DENIED: "Nothing is deployed.",
    ProposalStatus.EXPIRED: "Nobody decided in time. Nothing is deployed, and this can no longer be approved.",
    ProposalStatus.REFUSED: "It was approved, but what the approval stood on has changed. Nothing is deployed.",
    ProposalStatus.FAILED: "The new revision gets no traffic.",
    ProposalStatus.WATCHING: "The issue is closed once it has held for long enough.",
    ProposalStatus.RESOLVED: "The failure did not come back.",
    ProposalStatus.ROLLED_BACK: "The traffic is split as it was before the rollout.",
    ProposalStatus.MUTED: "No automation acts on this incident any more.",
    ProposalStatus.SUPERSEDED: "Something newer was deployed or proposed. This can no longer be approved.",
    ProposalStatus.INCONCLUSIVE: "Nothing proves that the failure is mended. A person has to look at it.",
}


def body(service: Service, message: Message) -> dict[str, object]:
    """`text` is what a notification shows, `blocks` are what the channel shows."""
    return {"text": notification(message), "blocks": list(blocks(service, message))}


def notification(message: Message) -> str:
    """One line of Slack's markup."""
    return escape_slack(truncate(f"{_STANDINGS[message.standing]}: {to_one_line(message.title)}", _LONGEST_TEXT))


def blocks(service: Service, message: Message) -> Iterator[Block]:
    """At most ten blocks: the public way from a message to what Slack, or a page that knows Block Kit, shows of it."""
    title = truncate(break_mentions_and_links(to_one_line(message.title)), _LONGEST_TITLE) or "Incident"
    yield {"type": "header", "block_id": "title", "text": _plain(title)}
    if message.standing is not ProposalStatus.OPEN:
        yield block("standing", list(_standing(service, message)))
    if message.lines:
        yield block("lines", list(_lines(message.lines[:_MOST_LINES])))
    if message.issue_url:
        yield block("issue", [paragraph([link(message.issue_url, "Issue with the whole proof")])])
    if message.standing is ProposalStatus.OPEN:
        yield block("then", [paragraph(row) for row in _then(service, message)])
    if message.standing is ProposalStatus.OPEN and service.acting is not RolloutMode.BY_HAND:
        yield {"type": "actions", "block_id": "decision", "elements": list(_buttons(service, message))}
        yield block("expiry", [paragraph(_expiry(service, message))])


def details(lines: Sequence[str]) -> tuple[str, list[Block]]:
    """What stands below a message: the text of its notification, and a block for each line, within Slack's limits."""
    shown: list[Block] = []
    left = _LONGEST_DETAILS
    for number, line in enumerate(lines[:_MOST_DETAILS], 1):
        part = prose(line, min(_LONGEST_DETAIL, left))
        left -= sum(len(str(element["text"])) for element in part)
        shown.append(block(f"detail{number}", [paragraph(part or [own("\u2013")])]))
        if left < _SHORTEST_DETAIL:
            break
    return escape_slack(truncate(lines[0], _LONGEST_TEXT)) or "Details", shown


def _lines(lines: tuple[str, ...]) -> Iterator[Element]:
    """The lines of the proof as one list, every other line as a paragraph of its own."""
    read = [split_label(line) for line in lines]
    for together, group in groupby(read, key=lambda line: line[0] in PROOF_LABELS):
        rows = [[*([strong(f"{label}: ")] if label else []), *prose(words, _LONGEST_LINE)] for label, words in group]
        if together:
            yield bullets(rows)
        else:
            yield from (paragraph([*row, own("\n")]) for row in rows)


def _standing(service: Service, message: Message) -> Iterator[Element]:
    words: list[Element] = [strong(_DEEDS[message.standing])]
    if message.standing is ProposalStatus.DENIED:
        words += [*_by([message.by] if message.by else []), *_at(message.decided_at)]
    elif message.standing is ProposalStatus.APPROVED:
        words += [*_by(_approvers(message)), *_at(message.decided_at)]
    else:
        words += [*_at(message.at), *_approval(message)]
    meaning = _MEANINGS.get(message.standing, "")
    if message.standing is ProposalStatus.FAILED and service.acting is RolloutMode.COMMAND:
        meaning = FAILED_BY_COMMAND
    yield paragraph([*words, own(": "), *prose(f"{_what(service, message)} {meaning}", _LONGEST_LINE)])
    if message.reason:
        yield paragraph([strong("Reason: "), *prose(message.reason, _LONGEST_LINE)])


def _approvers(message: Message) -> list[str]:
    return list(dict.fromkeys((*message.approvals[-_MOST_PEOPLE:], *([message.by] if message.by else []))))


def _approval(message: Message) -> list[Element]:
    """`(approved by @nora at …)`: somebody else's deed, at another time."""
    people = _approvers(message)
    if not people:
        return []
    counted = "approved" if message.by else "approved so far"
    return [own(f" ({counted}"), *_by(people), *_at(message.decided_at), own(")")]


def _by(people: Sequence[str]) -> list[Element]:
    named = [(own(" and " if place else " by "), person(each)) for place, each in enumerate(people)]
    return [part for pair in named for part in pair]


def _at(moment: datetime | None) -> list[Element]:
    return [own(f" at {format_rfc3339(moment.replace(microsecond=0))}")] if moment is not None else []


def _what(service: Service, message: Message) -> str:
    """`redeploy chat-backend (production) from 0123456789ab.`"""
    where = f"{_short(service.name, 80)} ({_short(service.told_environment, 80)})"
    if message.kind is ActionKind.ROLLBACK:
        return f"roll {where} back to {message.commit[:12]}."
    return f"redeploy {where} from {message.commit[:12]}."


def _then(service: Service, message: Message) -> Iterator[list[Element]]:
    """What a click leads to: nobody should have to remember that at night."""
    if service.acting is RolloutMode.BY_HAND:
        yield [strong("Deploy it yourself: "), *by_hand(service, message.commit)]
        return
    steps = ", ".join(map(str, service.traffic_steps[:-1]))
    traffic = f"gets its traffic in steps ({steps}, 100 %)" if steps else "gets all of the traffic"
    probed = "probed at its own address, " if service.probe_url else ""
    kind = "The earlier commit is" if message.kind is ActionKind.ROLLBACK else "The commit is"
    deployed = (
        f"{kind} deployed without traffic, {probed}then {traffic}, is watched for a day, and is taken back by itself "
        "if the failure returns."
    )
    told = by_command(service) if service.acting is RolloutMode.COMMAND else deployed
    yield [strong("Approve: "), own(f"everything above is checked once more. {told}\n")]
    yield [strong("Deny: "), own("nothing is deployed; you are asked why.")]
    if message.quorum > 1:
        yield [own("\n"), strong("Approvals: "), *_votes(message.approvals, message.quorum)]
    if message.quorum > 1 and message.alternative is not None and message.alternative.approvals:
        yield [own("\n"), strong("To go back: "), *_votes(message.alternative.approvals, message.quorum)]


def _votes(people: tuple[str, ...], quorum: int) -> list[Element]:
    shown = [(own(", " if place else ": "), person(each)) for place, each in enumerate(people[-_MOST_PEOPLE:])]
    return [own(f"{len(people)} of {quorum}"), *(part for pair in shown for part in pair)]


def _expiry(service: Service, message: Message) -> list[Element]:
    until = format_rfc3339(message.expires_at.replace(microsecond=0))
    whose = "Only this service's approvers count, and only in this channel"
    needs = f"; {message.quorum} different ones are needed" if message.quorum > 1 else ""
    author = "; who wrote the fix may not approve it" if service.not_author and message.kind is ActionKind.REDEPLOY else ""
    return prose(f"Open until {until}. {whose}{needs}{author}.", _LONGEST_LINE)


def _buttons(service: Service, message: Message) -> Iterator[dict[str, object]]:
    verb = "Roll back" if message.kind is ActionKind.ROLLBACK else "Redeploy"
    of = button_value(message)
    yield _button(APPROVE, "Approve", of, "primary") | {"confirm": _confirm(service, verb, message.commit)}
    yield _button(DENY, "Deny", of, "danger")
    if message.alternative is not None:
        other = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
        instead = _button(ROLL_BACK, "Roll back instead", button_value(other))
        yield instead | {"confirm": _confirm(service, "Roll back", other.commit)}


def _button(action: str, words: str, value: str, style: str | None = None) -> dict[str, object]:
    shown: dict[str, object] = {"type": "button", "action_id": action, "text": _plain(words), "value": value}
    return {**shown, "style": style} if style else shown


def _confirm(service: Service, verb: str, commit: str) -> dict[str, object]:
    """Repeats what the click is about, so that nobody approves the message above or below."""
    lines = (
        f"Service: {_short(service.name, 80)}",
        f"Environment: {_short(service.told_environment, 80)}",
        f"Commit: {_short(commit, 64)}",
    )
    return {
        "title": _plain(f"{verb} this service?"),
        "text": _plain("\n".join(lines)),
        "confirm": _plain(verb),
        "deny": _plain("Cancel"),
        "style": "primary" if verb == "Redeploy" else "danger",
    }


def _plain(words: str) -> dict[str, object]:
    return {"type": "plain_text", "text": words, "emoji": False}


def _short(text: str, longest: int) -> str:
    return truncate(break_mentions_and_links(to_one_line(text)), longest)
