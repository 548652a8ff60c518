"""Limits the issues about incidents that no commit confirms: a few a day get their own, one collecting issue the rest.

Any client can cause log text, which must not be able to fill an issue tracker.
"""

from dataclasses import dataclass, replace

from shared.service import Service
from shared.text.escaping import format_code_span
from shared.text.phrases import quote_untrusted
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.effects import IssueContent
from shared.workflow.records.documents import Collection
from shared.workflow.records.incident_record import IncidentRecord

_KIND = "caps"
_MAX_LISTED = 100
_ALWAYS_UP_TO = 10
_THEN_EVERY = 50


@dataclass(frozen=True, slots=True)
class _Tally:
    """The uncorroborated incidents of one day of a service: those with an issue of their own, and all others."""

    own: tuple[str, ...] = ()
    collected: tuple[str, ...] = ()
    """`incident path`, the first 100 of them."""
    more: int = 0
    """Collected incidents beyond those listed."""

    @property
    def total(self) -> int:
        return len(self.collected) + self.more


TALLIES = Collection(_KIND, _Tally)


def may_open_own_issue(context: Context, service: Service, record: IncidentRecord) -> bool:
    """Whether an incident may have an issue of its own today; the same answer to the same incident again."""

    def add_own(tally: _Tally) -> _Tally:
        if record.id in tally.own or len(tally.own) >= service.uncorroborated_issues:
            return tally
        return replace(tally, own=(*tally.own, record.id))

    return record.id in TALLIES.change(context.store, _tally_key(context, service), add_own, _Tally()).own


def add_to_collecting_issue(context: Context, service: Service, record: IncidentRecord) -> None:
    """Lists an incident in the day's collecting issue, which its first incident opens."""
    tally = _add_to_tally(context, service, record)
    name = f"collected-{service.id}-{context.clock.now().date().isoformat()}"
    content = IssueContent(name, f"{service.name}: log entries that no commit confirms", _render_body(tally))
    issue = effects.open_issue(context, service, content, ())
    if tally.total <= _ALWAYS_UP_TO or tally.total % _THEN_EVERY == 0:
        effects.rewrite_issue(context, service, issue.number, content, f"{name}.{tally.total}")


def _add_to_tally(context: Context, service: Service, record: IncidentRecord) -> _Tally:
    line = f"{record.id} {record.path}"

    def added(tally: _Tally) -> _Tally:
        if line in tally.collected:
            return tally
        if len(tally.collected) < _MAX_LISTED:
            return replace(tally, collected=(*tally.collected, line))
        return tally if _is_counted(context, service, record) else replace(tally, more=tally.more + 1)

    tally = TALLIES.change(context.store, _tally_key(context, service), added, _Tally())
    if line not in tally.collected:
        context.store.create(_KIND, f"{_tally_key(context, service)}.{record.id}", {"counted": True})
    return tally


def _is_counted(context: Context, service: Service, record: IncidentRecord) -> bool:
    """Whether an incident beyond those listed is in the number of them already."""
    return context.store.read(_KIND, f"{_tally_key(context, service)}.{record.id}") is not None


def _render_body(tally: _Tally) -> str:
    """The list. Paths are log text: they are in code spans alone."""
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
