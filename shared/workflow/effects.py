"""Everything that reaches the outside, each through the ledger: the only file that calls an effect of a port.

In: a world and what is wanted. Out: what the other side knows it by. Every key and every marker is made of the ids of
incident and proposal alone, so that whoever comes second arrives at the same one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Reject
from shared.ports import CHANGED_BY_HAND, Document, IssueRef
from shared.proposal.proposal import Message, Proposal
from shared.service import Service
from shared.text.escaping import escape_markdown
from shared.workflow import flow
from shared.workflow.context import World
from shared.workflow.ledger import once, result_of
from shared.workflow.records import documents
from shared.workflow.records.incident_record import Case


def marker(incident: str, part: str = "") -> str:
    """Hidden in issues and comments, and found there again."""
    return f"<!-- provenfix:incident={incident}{f' part={part}' if part else ''} -->"


@dataclass(frozen=True, slots=True)
class Paper:
    """What an incident's issue says; `body` is Markdown, without the marker."""

    incident: str
    title: str
    body: str

    @property
    def text(self) -> str:
        """The body with the marker before it."""
        return f"{marker(self.incident)}\n{self.body}"


def publish_opened(world: World, case: Case, nudge: int = 0) -> None:
    """Asks for an investigation; each higher `nudge` asks once more. A second copy of a message does no harm."""
    _publish(world, flow.INCIDENT_OPENED, {"incident": case.id}, f"{case.evidence}.{nudge}")


def publish_approved(world: World, proposal: str) -> None:
    """Asks for a redeployment."""
    _publish(world, flow.REDEPLOY_APPROVED, {"proposal": proposal}, proposal)


def _publish(world: World, topic: str, message: dict[str, str], key: str) -> None:
    def do() -> Document:
        world.bus.publish(topic, message)
        return {}

    once(world, f"publish.{topic}.{key}", do)


def open_issue(world: World, service: Service, paper: Paper, labels: tuple[str, ...]) -> IssueRef:
    """The incident's issue."""
    mark = marker(paper.incident)

    def do() -> Document:
        return _reference(world.issues.open(service, mark, paper.title, paper.text, labels))

    def find() -> Document | None:
        found = world.issues.find(service, mark)
        return _reference(found) if found else None

    result = once(world, f"issue.{paper.incident}", do, find)
    return IssueRef(documents.number(result, "number"), documents.text(result, "url"))


def take_issue(world: World, service: Service, issue: IssueRef, paper: Paper) -> IssueRef:
    """An earlier incident's issue, as that of its regression: rewritten, and open again."""
    rewrite_issue(world, service, issue.number, paper, paper.incident)

    def do() -> Document:
        world.issues.reopen(service, issue.number)
        return {}

    def find() -> Document | None:
        return {} if world.issues.state(service, issue.number).is_open else None

    once(world, f"reopen.{paper.incident}", do, find)
    return issue


def rewrite_issue(world: World, service: Service, issue: int, paper: Paper, evidence: str) -> None:
    """Other evidence has another report. Doing it twice is the same as once."""

    def do() -> Document:
        world.issues.rewrite(service, issue, paper.title, paper.text)
        return {}

    once(world, f"rewrite.{evidence}", do)


@dataclass(frozen=True, slots=True)
class Revised:
    """How an incident stands: the part of its issue's body, and its title; "" leaves the title as it is."""

    part: str
    title: str = ""


def revise_issue(world: World, service: Service, case: Case, step: str, wanted: Callable[[], Revised | None]) -> None:
    """Shows how things stand; `wanted` is asked at the last moment, so that no late attempt puts an older state back.

    None of it: somebody else shows what is newer.
    """
    if case.issue is None:
        return
    issue = case.issue.number

    def do() -> Document:
        shown = wanted()
        if shown is not None:
            world.issues.revise(service, issue, shown.part, shown.title)
        return {}

    once(world, f"state.{case.id}.{step}", do)


def prepare_labels(world: World, service: Service) -> None:
    """Makes the labels by which people act, once for a service. Where that is not allowed, people make them."""

    def do() -> Document:
        try:
            world.issues.prepare(service)
        except Reject as refused:
            return {"refused": str(refused)}
        return {}

    once(world, f"labels.{service.id}", do)


def _reference(issue: IssueRef) -> Document:
    return {"number": issue.number, "url": issue.url}


def comment(world: World, service: Service, case: Case, part: str, sentences: tuple[str, ...]) -> None:
    """A comment of plain sentences on the incident's issue; nothing where it has none."""
    if case.issue is None:
        return
    issue, mark = case.issue.number, marker(case.id, part)
    body = "\n\n".join([mark, *(escape_markdown(sentence) for sentence in sentences)])

    def do() -> Document:
        world.issues.comment(service, issue, mark, body)
        return {}

    once(world, f"comment.{case.id}.{part}", do, lambda: {} if world.issues.commented(service, issue, mark) else None)


def commented(world: World, case: Case, part: str) -> bool:
    """Whether that comment is known to be there."""
    return result_of(world, f"comment.{case.id}.{part}") is not None


def close_issue(world: World, service: Service, issue: int, incident: str) -> None:
    """Closing a closed issue changes nothing."""

    def do() -> Document:
        world.issues.close(service, issue)
        return {}

    def find() -> Document | None:
        return None if world.issues.state(service, issue).is_open else {}

    once(world, close_key(incident), do, find)


def close_key(incident: str) -> str:
    """The ledger's key of the close, by which it is told from a close by hand."""
    return f"close.{incident}"


def ask(world: World, service: Service, message: Message) -> str:
    """The proposal's message; its reference."""

    def do() -> Document:
        return {"reference": world.chat.post(service, message.proposal, message)}

    def find() -> Document | None:
        found = world.chat.find(service, message.proposal)
        return {"reference": found} if found else None

    return documents.text(once(world, f"ask.{message.proposal}", do, find), "reference")


def explain(world: World, service: Service, reference: str, proposal: str, lines: tuple[str, ...]) -> None:
    """The details of a proposal, in the thread of its message; nothing where there are none."""
    if not lines:
        return

    def do() -> Document:
        world.chat.reply(service, reference, proposal, lines)
        return {}

    once(world, f"explain.{proposal}", do, lambda: {} if world.chat.replied(service, reference, proposal) else None)


def tell(world: World, service: Service, reference: str, message: Message, turn: int = 0) -> None:
    """Replaces the proposal's message by how things stand now; doing it twice is the same as once.

    `turn` counts what is shown while it still stands as before.
    """

    def do() -> Document:
        world.chat.update(service, reference, message)
        return {}

    once(world, f"tell.{message.proposal}.{message.standing.value}{f'.{turn}' if turn else ''}", do)


def deploy(world: World, service: Service, proposal: Proposal, etag: str, objection: Callable[[], str]) -> Document:
    """`{"operation": name}`, or `{"refused": why}`: a refusal is a result as well, the same one for everybody.

    `objection` is asked at the last moment: an earlier worker may have died before this, and long ago.
    """

    def find() -> Document | None:
        found = world.deployer.find(service, proposal.id)
        return {"operation": found} if found else None

    def do() -> Document:
        late = objection()
        if late:
            return {"refused": late, "reason": late}
        try:
            return {"operation": world.deployer.start(service, proposal.id, proposal.commit, etag)}
        except Reject as refused:
            # An attempt before this one may be what has changed the service.
            return find() or {"refused": str(refused)}

    return once(world, f"deploy.{proposal.id}", do, find)


def shift(world: World, service: Service, proposal: str, revision: str, percent: int) -> str:
    """Gives a revision a share of the traffic; doing it twice is the same as once.

    Why it was refused, where somebody has changed the service by hand since the rollout began; "" otherwise.
    """

    def do() -> Document:
        try:
            world.deployer.shift(service, revision, percent)
        except Reject as refused:
            if refused.reason == CHANGED_BY_HAND:
                return {"refused": refused.detail}
            raise
        return {}

    return documents.text(once(world, f"shift.{proposal}.{revision}.{percent}", do), "refused")
