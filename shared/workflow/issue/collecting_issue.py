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
from shared.workflow.context import World
from shared.workflow.records import documents
from shared.workflow.records.incident_record import Case

_KIND = "caps"
_MOST_ATTEMPTS = 20
_MOST_LISTED = 100
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


def count_uncorroborated(world: World, service: Service, case: Case) -> bool:
    """Whether an incident may have an issue of its own today; the same answer to the same incident again."""
    for _ in range(_MOST_ATTEMPTS):
        stored = world.store.read(_KIND, _key(world, service))
        tally = _read(stored.value if stored else {})
        if case.id in tally.own:
            return True
        if len(tally.own) >= service.uncorroborated_issues:
            return False
        value = _document(_Tally((*tally.own, case.id), tally.collected, tally.more))
        if stored is None:
            world.store.create(_KIND, _key(world, service), value)
        else:
            world.store.replace(_KIND, _key(world, service), value, stored.version)
    raise Retry(f"the issues of {service.id} are being counted by too many at once")


def collect_uncorroborated(world: World, service: Service, case: Case) -> None:
    """Puts an incident into the day's collecting issue, which is opened with its first one."""
    tally = _add(world, service, case)
    name = f"collected-{service.id}-{world.clock.now().date().isoformat()}"
    paper = effects.Paper(name, f"{service.name}: log entries that no commit bears out", _body(tally))
    issue = effects.open_issue(world, service, paper, ())
    if tally.total <= _ALWAYS_UP_TO or tally.total % _THEN_EVERY == 0:
        effects.rewrite_issue(world, service, issue.number, paper, f"{name}.{tally.total}")


def _add(world: World, service: Service, case: Case) -> _Tally:
    line = f"{case.id} {case.path}"
    for _ in range(_MOST_ATTEMPTS):
        stored = world.store.read(_KIND, _key(world, service))
        tally = _read(stored.value if stored else {})
        listed = len(tally.collected) < _MOST_LISTED
        if line in tally.collected or (not listed and _was_counted(world, service, case)):
            return tally
        added = _Tally(
            tally.own, (*tally.collected, line) if listed else tally.collected, tally.more + (0 if listed else 1)
        )
        value = _document(added)
        if stored is None:
            world.store.create(_KIND, _key(world, service), value)
        elif world.store.replace(_KIND, _key(world, service), value, stored.version):
            if not listed:
                world.store.create(_KIND, f"{_key(world, service)}.{case.id}", {"counted": True})
            return added
    raise Retry(f"the issues of {service.id} are being counted by too many at once")


def _was_counted(world: World, service: Service, case: Case) -> bool:
    """Whether an incident beyond those listed is in the number of them already."""
    return world.store.read(_KIND, f"{_key(world, service)}.{case.id}") is not None


def _body(tally: _Tally) -> str:
    """The list. Paths are log text: they stand in code spans alone."""
    head = (
        "These incidents name files of this repository, but no version of them fails as the log says. Anything that "
        "can make the service log a line can cause them. Nothing is proposed for any of them."
    )
    rows = [
        f"- {format_code_span(quote_untrusted(path or '(no file)', 200))} (incident {incident})"
        for incident, path in map(_split, tally.collected)
    ]
    return "\n".join([head, "", *rows, *([f"\nMore of them, not listed: {tally.more}."] if tally.more else [])])


def _split(line: str) -> tuple[str, str]:
    incident, _, path = line.partition(" ")
    return incident, path


def _key(world: World, service: Service) -> str:
    return f"{service.id}.{world.clock.now().date().isoformat()}.uncorroborated"


def _document(tally: _Tally) -> Document:
    return {"own": list(tally.own), "collected": list(tally.collected), "more": tally.more}


def _read(value: Document) -> _Tally:
    if not value:
        return _Tally((), (), 0)
    return _Tally(documents.texts(value, "own"), documents.texts(value, "collected"), documents.number(value, "more"))
