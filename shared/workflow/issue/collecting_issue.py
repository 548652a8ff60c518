"""Issues about incidents that no commit bears out: a few a day get their own, one collecting issue has the rest.

In: an incident without corroboration. Out: whether it may have an issue of its own; or the day's collecting issue, with
the incident in its list. Log text is anybody's: it must not be able to fill an issue tracker.
"""

from dataclasses import dataclass

from shared.errors import Retry
from shared.ports import Document
from shared.service import Service
from shared.text.escaping import format_code_span
from shared.text.phrases import quote_untrusted
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.records import documents
from shared.workflow.records.incident_record import IncidentRecord

_KIND = "caps"
_MAX_ATTEMPTS = 20
_MAX_LISTED = 100
_ALWAYS_UP_TO = 10
_THEN_EVERY = 50


@dataclass(frozen=True, slots=True)
class _Tally:
    """What one day has brought a service: the incidents with an issue of their own, and all the others."""

    own: tuple[str, ...]
    collected: tuple[str, ...]
    """`incident path`, the first 100 of them."""
    more: int
    """Collected incidents beyond those listed."""

    @property
    def total(self) -> int:
        return len(self.collected) + self.more


def may_open_own_issue(context: Context, service: Service, record: IncidentRecord) -> bool:
    """Whether an incident may have an issue of its own today; the same answer to the same incident again."""
    for _ in range(_MAX_ATTEMPTS):
        stored = context.store.read(_KIND, _tally_key(context, service))
        tally = _tally_from_document(stored.value if stored else {})
        if record.id in tally.own:
            return True
        if len(tally.own) >= service.uncorroborated_issues:
            return False
        value = _tally_to_document(_Tally((*tally.own, record.id), tally.collected, tally.more))
        if stored is None:
            context.store.create(_KIND, _tally_key(context, service), value)
        else:
            context.store.replace(_KIND, _tally_key(context, service), value, stored.version)
    raise Retry(f"the issues of {service.id} are being counted by too many at once")


def add_to_collecting_issue(context: Context, service: Service, record: IncidentRecord) -> None:
    """Puts an incident into the day's collecting issue, which is opened with its first one."""
    tally = _add_to_tally(context, service, record)
    name = f"collected-{service.id}-{context.clock.now().date().isoformat()}"
    paper = effects.IssueContent(name, f"{service.name}: log entries that no commit confirms", _render_body(tally))
    issue = effects.open_issue(context, service, paper, ())
    if tally.total <= _ALWAYS_UP_TO or tally.total % _THEN_EVERY == 0:
        effects.rewrite_issue(context, service, issue.number, paper, f"{name}.{tally.total}")


def _add_to_tally(context: Context, service: Service, record: IncidentRecord) -> _Tally:
    line = f"{record.id} {record.path}"
    for _ in range(_MAX_ATTEMPTS):
        stored = context.store.read(_KIND, _tally_key(context, service))
        tally = _tally_from_document(stored.value if stored else {})
        listed = len(tally.collected) < _MAX_LISTED
        if line in tally.collected or (not listed and _is_counted(context, service, record)):
            return tally
        added = _Tally(
            tally.own, (*tally.collected, line) if listed else tally.collected, tally.more + (0 if listed else 1)
        )
        value = _tally_to_document(added)
        if stored is None:
            context.store.create(_KIND, _tally_key(context, service), value)
        elif context.store.replace(_KIND, _tally_key(context, service), value, stored.version):
            if not listed:
                context.store.create(_KIND, f"{_tally_key(context, service)}.{record.id}", {"counted": True})
            return added
    raise Retry(f"the issues of {service.id} are being counted by too many at once")


def _is_counted(context: Context, service: Service, record: IncidentRecord) -> bool:
    """Whether an incident beyond those listed is in the number of them already."""
    return context.store.read(_KIND, f"{_tally_key(context, service)}.{record.id}") is not None


def _render_body(tally: _Tally) -> str:
    """The list. Paths are log text: they stand in code spans alone."""
    head = (
        "These incidents name files of this repository, but no version of them fails as the log says. Anything that "
        "can make the service log a line can cause them. Nothing is proposed for any of them."
    )
    rows = [
        f"- {format_code_span(quote_untrusted(path or '(no file)', 200))} (incident {incident})"
        for incident, path in map(_split_line, tally.collected)
    ]
    return "\n".join([head, "", *rows, *([f"\nMore of them, not listed: {tally.more}."] if tally.more else [])])


def _split_line(line: str) -> tuple[str, str]:
    incident, _, path = line.partition(" ")
    return incident, path


def _tally_key(context: Context, service: Service) -> str:
    return f"{service.id}.{context.clock.now().date().isoformat()}.uncorroborated"


def _tally_to_document(tally: _Tally) -> Document:
    return {"own": list(tally.own), "collected": list(tally.collected), "more": tally.more}


def _tally_from_document(value: Document) -> _Tally:
    if not value:
        return _Tally((), (), 0)
    return _Tally(
        documents.read_texts(value, "own"),
        documents.read_texts(value, "collected"),
        documents.read_number(value, "more"),
    )
