"""The buttons of an open question, each with its dialog of confirmation."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shared.adapters.slack.interaction import APPROVE, DENY, PROPOSE, ROLL_BACK, SNOOZE, build_button_value
from shared.adapters.slack.rich_text import plain_text, shorten_untrusted
from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import Message
from shared.report.facts.fix_history import UNKNOWN_LOSS
from shared.service import Service
from shared.text.escaping import truncate
from shared.text.phrases import short_sha

_MAX_CONFIRM_LENGTH = 300
SNOOZE_LABEL = "Snooze 1 h"
TRY_LABEL = "Try without traffic"
"""The button that approves a trial."""


def build_buttons(service: Service, message: Message) -> Iterator[dict[str, object]]:
    """Approve is the one that stands out, going back changes production as well, Deny changes nothing."""
    is_rollback = message.kind is ActionKind.ROLLBACK
    verb = {ActionKind.ROLLBACK: "Roll back", ActionKind.TRIAL: TRY_LABEL}.get(message.kind, "Redeploy")
    approve, of = TRY_LABEL if message.kind is ActionKind.TRIAL else "Approve", build_button_value(message)
    shipped = [words for words in (message.brief.ships, message.brief.checks) if words]
    confirm = _build_confirm_dialog(service, verb, message.commit, message.brief.subject, shipped)
    yield _build_button(APPROVE, approve, of, "danger" if is_rollback else "primary") | {"confirm": confirm}
    yield _build_button(DENY, "Deny", of)
    if message.alternative is not None:
        other = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
        instead = _build_button(ROLL_BACK, "Roll back instead", build_button_value(other), "danger")
        lost = [message.alternative.ships or UNKNOWN_LOSS]
        back = _build_confirm_dialog(service, "Roll back", other.commit, message.alternative.subject, lost)
        yield instead | {"confirm": back}
    if service.remind_after:
        yield _build_button(SNOOZE, SNOOZE_LABEL, of)


def build_proposal_button(message: Message) -> dict[str, object]:
    """Asks for the question: it changes nothing, and needs no confirmation."""
    return _build_button(PROPOSE, "Prove and propose it", build_button_value(message))


def _build_button(action: str, words: str, value: str, style: str | None = None) -> dict[str, object]:
    shown: dict[str, object] = {"type": "button", "action_id": action, "text": plain_text(words), "value": value}
    return {**shown, "style": style} if style else shown


def _build_confirm_dialog(
    service: Service, verb: str, commit: str, subject: str, shipped: Sequence[str]
) -> dict[str, object]:
    """Repeats what the click is about, so that nobody approves the message above or below."""
    named = f" ({shorten_untrusted(subject, 80)})" if subject else ""
    lines = [
        f"{shorten_untrusted(service.name, 60)} in {shorten_untrusted(service.environment_name, 60)}",
        f"Commit: {shorten_untrusted(short_sha(commit), 64)}{named}",
        *([f"With it: {', '.join(shipped)}"] if shipped else []),
    ]
    if verb == "Roll back":
        lines[-1:] = [lines[-1].replace("With it: ", "This changes production: ")]
    return {
        "title": plain_text("Try without traffic?" if verb == TRY_LABEL else f"{verb} this service?"),
        "text": plain_text(truncate("\n".join(lines), _MAX_CONFIRM_LENGTH)),
        "confirm": plain_text(verb),
        "deny": plain_text("Cancel"),
        "style": "danger" if verb == "Roll back" else "primary",
    }
