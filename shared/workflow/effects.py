"""Everything that reaches the outside, each through the ledger, and what it writes on an issue, with its hidden marker.

Only this file and those named `…_effects` call an effect of a port.

Every key and every marker is made of the ids of incident and proposal alone, so that a second delivery computes the
same one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Reject
from shared.ports import Document, IssueRef
from shared.proposal.proposal import Message, Reminder
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.text.escaping import escape_markdown
from shared.text.timestamps import format_rfc3339
from shared.workflow import flow
from shared.workflow.context import Context
from shared.workflow.ledger import read_result, run_once
from shared.workflow.records import documents
from shared.workflow.records.incident_record import IncidentRecord


@dataclass(frozen=True, slots=True)
class IssueContent:
    """What an incident's issue says; `body` is Markdown, without the marker."""

    incident: str
    title: str
    body: str

    @property
    def body_with_marker(self) -> str:
        """The body with the marker before it."""
        return f"{format_marker(self.incident)}\n{self.body}"


@dataclass(frozen=True, slots=True)
class IssueStatusUpdate:
    """The state of an incident: the part of its issue's body, and its title; "" leaves the title as it is."""

    status_block: str
    title: str = ""


def format_marker(incident: str, comment_name: str = "") -> str:
    """Hidden in issues and comments, and found there again."""
    return f"<!-- provenfix:incident={incident}{f' part={comment_name}' if comment_name else ''} -->"


def publish_incident_opened(context: Context, record: IncidentRecord, repeat: int = 0) -> None:
    """Asks for an investigation; each higher `repeat` asks once more. A second copy of a message does no harm."""
    _publish(context, flow.INCIDENT_OPENED, {"incident": record.id}, f"{record.evidence_key}.{repeat}")


def publish_redeploy_approved(context: Context, proposal: str) -> None:
    """Asks for a redeployment."""
    _publish(context, flow.REDEPLOY_APPROVED, {"proposal": proposal}, proposal)


def _publish(context: Context, topic: str, message: dict[str, str], key: str) -> None:
    def do() -> Document:
        context.bus.publish(topic, message)
        return {}

    run_once(context, f"publish.{topic}.{key}", do)


def open_issue(context: Context, service: Service, content: IssueContent, labels: tuple[str, ...]) -> IssueRef:
    """The incident's issue."""
    mark = format_marker(content.incident)

    def do() -> Document:
        return _issue_to_document(context.issues.open(service, mark, content.title, content.body_with_marker, labels))

    def find() -> Document | None:
        issue = context.issues.find(service, mark)
        return _issue_to_document(issue) if issue else None

    result = run_once(context, f"issue.{content.incident}", do, find)
    return IssueRef(documents.read_number(result, "number"), documents.read_text(result, "url"))


def reuse_issue(context: Context, service: Service, issue: IssueRef, content: IssueContent) -> IssueRef:
    """An earlier incident's issue, as that of its regression: rewritten, and open again."""
    rewrite_issue(context, service, issue.number, content, content.incident)

    def do() -> Document:
        context.issues.reopen(service, issue.number)
        return {}

    def find() -> Document | None:
        return {} if context.issues.state(service, issue.number).is_open else None

    run_once(context, f"reopen.{content.incident}", do, find)
    return issue


def rewrite_issue(context: Context, service: Service, issue: int, content: IssueContent, evidence_key: str) -> None:
    """Other evidence has another report. Doing it twice is the same as once."""

    def do() -> Document:
        context.issues.replace_content(service, issue, content.title, content.body_with_marker)
        return {}

    run_once(context, f"rewrite.{evidence_key}", do)


def update_issue_status(
    context: Context,
    service: Service,
    record: IncidentRecord,
    step_id: str,
    build_update: Callable[[], IssueStatusUpdate | None],
) -> None:
    """Shows the incident's state; `build_update` is called last, so that no late attempt puts an older state back.

    It returns None where another process shows something newer.
    """
    if record.issue is None:
        return
    issue = record.issue.number

    def do() -> Document:
        shown = build_update()
        if shown is not None:
            context.issues.update_status_section(service, issue, shown.status_block, shown.title)
        return {}

    run_once(context, f"state.{record.id}.{step_id}", do)


def create_labels(context: Context, service: Service) -> None:
    """Makes the labels by which users act, once for a service. Where that is not allowed, users create them."""

    def do() -> Document:
        try:
            context.issues.create_labels(service)
        except Reject as refused:
            return {"refused": str(refused)}
        return {}

    run_once(context, f"labels.{service.id}", do)


def _issue_to_document(issue: IssueRef) -> Document:
    return {"number": issue.number, "url": issue.url}


def post_comment(
    context: Context, service: Service, record: IncidentRecord, comment_name: str, sentences: tuple[str, ...]
) -> None:
    """A comment of plain sentences on the incident's issue; nothing where it has none."""
    if record.issue is None:
        return
    issue, mark = record.issue.number, format_marker(record.id, comment_name)
    body = "\n\n".join([mark, *(escape_markdown(sentence) for sentence in sentences)])

    def do() -> Document:
        context.issues.comment(service, issue, mark, body)
        return {}

    run_once(
        context,
        f"comment.{record.id}.{comment_name}",
        do,
        lambda: {} if context.issues.has_comment(service, issue, mark) else None,
    )


def is_comment_posted(context: Context, record: IncidentRecord, part: str) -> bool:
    """Whether the ledger holds the comment as posted."""
    return read_result(context, f"comment.{record.id}.{part}") is not None


def close_issue(context: Context, service: Service, issue: int, incident: str) -> None:
    """Closing a closed issue changes nothing."""

    def do() -> Document:
        context.issues.close(service, issue)
        return {}

    run_once(
        context, close_effect_key(incident), do, lambda: None if context.issues.state(service, issue).is_open else {}
    )


def close_effect_key(incident: str) -> str:
    """The ledger's key of the close, which distinguishes it from a close by hand."""
    return f"close.{incident}"


def post_question(context: Context, service: Service, message: Message) -> str:
    """The proposal's message; its reference."""
    return _post_message(context, service, message, f"ask.{message.proposal}")


def post_notice(context: Context, service: Service, message: Message) -> None:
    """The message about an incident for which nothing is proposed; nobody is asked anything."""
    _post_message(context, service, message, f"notify.{message.incident}")


def _post_message(context: Context, service: Service, message: Message, key: str) -> str:
    def do() -> Document:
        return {"reference": context.chat.post(service, message.proposal, message)}

    def find() -> Document | None:
        reference = context.chat.find(service, message.proposal)
        return {"reference": reference} if reference else None

    return documents.read_text(run_once(context, key, do, find), "reference")


def post_details(
    context: Context, service: Service, reference: str, proposal: str, paragraphs: tuple[str, ...]
) -> None:
    """The details of a proposal, in the thread of its message; nothing where there are none."""
    if not paragraphs:
        return

    def do() -> Document:
        context.chat.reply(service, reference, proposal, paragraphs)
        return {}

    run_once(
        context, f"explain.{proposal}", do, lambda: {} if context.chat.has_reply(service, reference, proposal) else None
    )


def update_message(context: Context, service: Service, reference: str, message: Message, turn: int = 0) -> None:
    """Replaces the proposal's message by the present state; doing it twice is the same as once.

    `turn` counts what is shown while its state is as before.
    """

    def do() -> Document:
        context.chat.update(service, reference, message)
        return {}

    snoozed = message.snoozed_until if message.standing is ProposalStatus.OPEN else None
    version = f"{f'.{turn}' if turn else ''}{f'.snoozed-{format_rfc3339(snoozed)}' if snoozed else ''}"
    run_once(context, f"tell.{message.proposal}.{message.standing.value}{version}", do)


def remind_channel(
    context: Context, service: Service, reference: str, reminder: Reminder, is_awaited: Callable[[], bool]
) -> None:
    """Reminds the channel. `is_awaited` is called last: no late attempt reminds of what was decided meanwhile."""

    def do() -> Document:
        if not is_awaited():
            return {"skipped": True}
        context.chat.remind(service, reference, reminder)
        return {}

    def find() -> Document | None:
        return {} if context.chat.has_reply(service, reference, reminder.marker) else None

    run_once(context, f"remind.{reminder.marker}", do, find)


def alert_pager(context: Context, service: Service, reminder: Reminder, is_awaited: Callable[[], bool]) -> None:
    """Alerts the user on call; twice is the same as once."""

    def do() -> Document:
        if not is_awaited():
            return {"skipped": True}
        context.pager.alert(service, reminder)
        return {}

    run_once(context, f"alert.{reminder.marker}", do)


def resolve_alert(context: Context, service: Service, marker: str) -> None:
    """Ends an alert; twice is the same as once."""

    def do() -> Document:
        context.pager.resolve(service, marker)
        return {}

    run_once(context, f"resolve.{marker}", do)
