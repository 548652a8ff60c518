"""A message of the domain comes in; what `chat.postMessage` and `chat.update` take goes out, inert and within limits.

The buttons are there only while a proposal is open; afterwards who, when and what take their place.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from shared.adapters.slack.interaction import APPROVE, DENY, ROLL_BACK, button_value
from shared.adapters.slack.rich_text import Block, Element, block, bullets, link, own, paragraph, person, prose, strong
from shared.domain.escaping import cut, for_slack, literal, one_line
from shared.domain.finding import Kind
from shared.domain.moment import rfc3339
from shared.domain.proposal import Message, Standing
from shared.domain.question import PROOF, labelled
from shared.domain.service import Service

_LONGEST_TITLE = 150
_LONGEST_LINE = 700
_LONGEST_TEXT = 300
_MOST_LINES = 12

_STANDINGS = {
    Standing.OPEN: "Decision needed",
    Standing.APPROVED: "Approved",
    Standing.DENIED: "Denied",
    Standing.EXPIRED: "Expired",
    Standing.REFUSED: "Not deployed",
    Standing.FAILED: "Deployment failed",
    Standing.WATCHING: "Deployed, being watched",
    Standing.RESOLVED: "Resolved",
    Standing.ROLLED_BACK: "Rolled back",
    Standing.MUTED: "Stopped by a person",
    Standing.SUPERSEDED: "Superseded",
    Standing.INCONCLUSIVE: "Inconclusive",
}
_MEANINGS = {
    Standing.APPROVED: "It begins after everything has been checked once more.",
    Standing.DENIED: "Nothing is deployed.",
    Standing.EXPIRED: "Nobody decided in time. Nothing is deployed, and this can no longer be approved.",
    Standing.REFUSED: "It was approved, but what the approval stood on has changed. Nothing is deployed.",
    Standing.FAILED: "The new revision gets no traffic.",
    Standing.WATCHING: "The issue is closed once it has held for long enough.",
    Standing.RESOLVED: "The failure did not come back.",
    Standing.ROLLED_BACK: "The revision that served before has its traffic back.",
    Standing.MUTED: "No automation acts on this incident any more.",
    Standing.SUPERSEDED: "Something newer was deployed or proposed. This can no longer be approved.",
    Standing.INCONCLUSIVE: "Nothing proves that the failure is mended. A person has to look at it.",
}


def body(service: Service, message: Message) -> dict[str, object]:
    """`text` is what a notification shows, `blocks` are what the channel shows."""
    return {"text": notification(message), "blocks": list(blocks(service, message))}


def notification(message: Message) -> str:
    """One line of Slack's markup."""
    return for_slack(cut(f"{_STANDINGS[message.standing]}: {one_line(message.title)}", _LONGEST_TEXT))


def blocks(service: Service, message: Message) -> Iterator[Block]:
    """At most ten blocks."""
    title = cut(literal(one_line(message.title)), _LONGEST_TITLE) or "Incident"
    yield {"type": "header", "block_id": "title", "text": _plain(title)}
    if message.standing is not Standing.OPEN:
        yield block("standing", list(_standing(service, message)))
    if message.lines:
        yield block("lines", list(_lines(message.lines[:_MOST_LINES])))
    if message.issue_url:
        yield block("issue", [paragraph([link(message.issue_url, "Issue with the whole proof")])])
    if message.standing is Standing.OPEN:
        yield {"type": "actions", "block_id": "decision", "elements": list(_buttons(service, message))}
        yield block("expiry", [paragraph(_expiry(message))])


def _lines(lines: tuple[str, ...]) -> Iterator[Element]:
    """The lines of the proof as one list, every other line as a paragraph of its own."""
    read = [labelled(line) for line in lines]
    for together, group in groupby(read, key=lambda line: line[0] in PROOF):
        rows = [[*([strong(f"{label}: ")] if label else []), *prose(words, _LONGEST_LINE)] for label, words in group]
        if together:
            yield bullets(rows)
        else:
            yield from (paragraph([*row, own("\n")]) for row in rows)


def _standing(service: Service, message: Message) -> Iterator[Element]:
    words: list[Element] = [strong(_STANDINGS[message.standing])]
    if message.by:
        words += [own(" by "), person(message.by)]
    if message.decided_at is not None:
        words.append(own(f" at {rfc3339(message.decided_at.replace(microsecond=0))}"))
    meaning = _MEANINGS.get(message.standing, "")
    yield paragraph([*words, own(": "), *prose(f"{_what(service, message)} {meaning}", _LONGEST_LINE)])
    if message.reason:
        yield paragraph([strong("Reason: "), *prose(message.reason, _LONGEST_LINE)])


def _what(service: Service, message: Message) -> str:
    """`redeploy chat-backend (production) from 0123456789ab.`"""
    where = f"{_short(service.name, 80)} ({_short(service.told_environment, 80)})"
    if message.kind is Kind.ROLLBACK:
        return f"roll {where} back to {message.commit[:12]}."
    return f"redeploy {where} from {message.commit[:12]}."


def _expiry(message: Message) -> list[Element]:
    until = rfc3339(message.expires_at.replace(microsecond=0))
    return prose(f"Open until {until}. Only this service's approvers count, and only in this channel.", _LONGEST_LINE)


def _buttons(service: Service, message: Message) -> Iterator[dict[str, object]]:
    verb = "Roll back" if message.kind is Kind.ROLLBACK else "Redeploy"
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
    return cut(literal(one_line(text)), longest)
