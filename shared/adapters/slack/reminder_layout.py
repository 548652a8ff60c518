"""Lays a reminder out as the reply that Slack shows below the question and in the channel."""

from collections.abc import Iterator

from shared.adapters.slack.rich_text import (
    Block,
    Element,
    addressee_mention,
    block,
    bold_text,
    date,
    link,
    literal_text,
    paragraph,
    untrusted_line,
)
from shared.proposal.proposal import Reminder
from shared.service import PAGER, Service
from shared.text.escaping import escape_slack, to_one_line, truncate

_MAX_TITLE_LENGTH = 150
_MAX_TEXT_LENGTH = 300


def build_reminder_body(service: Service, reminder: Reminder) -> dict[str, object]:
    """`text` is what a notification shows, `blocks` are what the channel shows."""
    text = escape_slack(truncate(f"Still waiting for a decision: {to_one_line(reminder.title)}", _MAX_TEXT_LENGTH))
    shown: list[Block] = [
        block("reminder", [paragraph(_waiting_elements(service, reminder))]),
        block("reminder_links", [paragraph(list(_deadline_elements(service, reminder)))]),
    ]
    return {"text": text, "blocks": shown}


def _waiting_elements(service: Service, reminder: Reminder) -> list[Element]:
    is_addressed = service.escalate_to not in {"", PAGER}
    addressee = [addressee_mention(service.escalate_to), literal_text(" ")] if is_addressed else []
    title = untrusted_line(reminder.title, _MAX_TITLE_LENGTH) or [literal_text("an incident")]
    return [*addressee, bold_text("Still waiting for a decision: "), *title]


def _deadline_elements(service: Service, reminder: Reminder) -> Iterator[Element]:
    yield from (literal_text("Asked "), date(reminder.asked_at), literal_text(". Without a decision until "))
    yield from (date(reminder.expires_at), literal_text(" nothing is deployed. The buttons are above."))
    for url, words in ((reminder.issue_url, "Issue with the full proof"), (service.runbook_url, "Runbook")):
        if url:
            yield from (literal_text(" · "), link(url, words))
