"""What followed from a syntax error is attached to its incident, as masked groups with counts.

In: incidents, then the log's entries once more. Out: the incidents with their symptoms: close codes 1011 and errors of
the same revision, from ten minutes before the incident was first seen to ten minutes after it was last seen.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.entry import LogEntry
from shared.domain.grouping import Scope, Tally, kept
from shared.domain.incident import Incident, Symptom
from shared.domain.markup import plain
from shared.domain.signal import Refusal, Signal, SignalKind
from shared.domain.traceback import is_traceback_part

MOST_SYMPTOMS = 20
_MARGIN = timedelta(minutes=10)
_LONGEST_TEXT = 500

_SAYS_ERROR = re.compile(r"error|exception|fail(?:ed|ure|s|ing)\b|\bfatal\b|\bcritical\b", re.IGNORECASE)
_ERRORS = frozenset(("ERROR", "CRITICAL", "ALERT", "EMERGENCY"))
_NO_SEVERITY = frozenset(("", "DEFAULT"))
_VARIABLE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|0x[0-9a-fA-F]{1,32}"
    r"|\b(?=[a-fA-F]{0,40}\d)[0-9a-fA-F]{8,64}\b|\d{1,64}"
)
_TRACEBACK_TALK = ("During handling of the above exception", "The above exception was the direct cause")

_Key = tuple[SignalKind, str, str]


@dataclass(slots=True)
class _Case:
    """One incident in one revision, from when to when."""

    incident: int
    revision: str
    first_seen: datetime | None
    last_seen: datetime | None
    position: int

    def distance(self, entry: LogEntry) -> float | None:
        """Seconds between entry and incident (lines of the log where there is no time); None where it is too far."""
        moment = entry.timestamp
        if moment is None or self.first_seen is None or self.last_seen is None:
            return float(abs(entry.position - self.position))
        if moment < self.first_seen - _MARGIN or moment > self.last_seen + _MARGIN:
            return None
        outside = max(self.first_seen - moment, moment - self.last_seen, timedelta())
        return outside.total_seconds()


@dataclass(slots=True)
class _Group:
    text: str
    tally: Tally


@dataclass(slots=True)
class _Found:
    groups: dict[_Key, _Group] = field(default_factory=dict)
    last: _Key | None = None


class Symptoms:
    """Takes the entries of a log, keeps those that followed from one of the syntax errors."""

    def __init__(self, incidents: Sequence[Incident], scope: Scope) -> None:
        self._incidents = incidents
        self._scope = scope
        self._found = [_Found() for _ in incidents]
        self._cases: dict[tuple[str, str], list[_Case]] = {}
        for number, incident in enumerate(incidents):
            if incident.kind is SignalKind.SYNTAX_ERROR:
                place = (incident.service, incident.environment)
                self._cases.setdefault(place, []).extend(_cases(number, incident))

    def take(self, entry: LogEntry, read: Signal | Refusal) -> bool:
        """True where the entry was attached to an incident as its symptom."""
        kind = _kind(entry, read)
        if kind is None:
            return False
        number = self._nearest(entry)
        if number is None:
            return False
        _count(self._found[number], kind, entry)
        return True

    def attached(self) -> tuple[Incident, ...]:
        """The incidents, each with its symptoms in the order in which they were first seen."""
        return tuple(
            replace(incident, symptoms=tuple(sorted(_symptoms(found), key=_sighted)), dated=_dated(incident, found))
            for incident, found in zip(self._incidents, self._found, strict=True)
        )

    def _nearest(self, entry: LogEntry) -> int | None:
        near: tuple[float, int] | None = None
        for case in self._cases.get(self._scope.of(entry), ()):
            if case.revision and entry.revision and case.revision != entry.revision:
                continue
            distance = case.distance(entry)
            if distance is not None and (near is None or distance < near[0]):
                near = (distance, case.incident)
        return None if near is None else near[1]


def _cases(number: int, incident: Incident) -> list[_Case]:
    cases: dict[str, _Case] = {}
    for sighting in incident.sightings:
        case = cases.get(sighting.revision)
        if case is None:
            cases[sighting.revision] = _Case(
                number, sighting.revision, sighting.first_seen, sighting.last_seen, sighting.first.position
            )
        elif sighting.first_seen and sighting.last_seen:
            case.first_seen = min(case.first_seen or sighting.first_seen, sighting.first_seen)
            case.last_seen = max(case.last_seen or sighting.last_seen, sighting.last_seen)
    return list(cases.values())


def _kind(entry: LogEntry, read: Signal | Refusal) -> SignalKind | None:
    if isinstance(read, Signal):
        return read.kind if read.kind in {SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT} else None
    if read in {Refusal.NO_TEXT, Refusal.AUDIT_LOG, Refusal.NO_FAILING_FILE} or not entry.text:
        return None
    return SignalKind.FOLLOWER if _is_error(entry) else None


def _is_error(entry: LogEntry) -> bool:
    if entry.severity not in _ERRORS and (
        entry.severity not in _NO_SEVERITY or not _SAYS_ERROR.search(entry.text, 0, 2000)
    ):
        return False
    return not is_traceback_part(entry.text) and not entry.text.startswith(_TRACEBACK_TALK)


def masked(text: str) -> str:
    """The text without what differs from one entry to the next: ids, addresses, numbers."""
    return _VARIABLE.sub("#", text[:_LONGEST_TEXT])


def _count(found: _Found, kind: SignalKind, entry: LogEntry) -> None:
    text = plain(entry.text[: 4 * _LONGEST_TEXT]).strip()[:_LONGEST_TEXT]
    key = (kind, entry.revision, masked(text))
    group = found.groups.get(key)
    if group is None and len(found.groups) >= MOST_SYMPTOMS and found.last is not None:
        group = found.groups[found.last]
    if group is None:
        group = found.groups[key] = _Group(text, Tally(kept(entry)))
        found.last = key
    group.tally.add(entry)


def _symptoms(found: _Found) -> list[Symptom]:
    return [
        Symptom(
            kind=kind,
            text=group.text,
            revision=revision,
            first_seen=group.tally.first_seen,
            last_seen=group.tally.last_seen,
            occurrences=group.tally.occurrences,
            first=group.tally.first,
        )
        for (kind, revision, _), group in found.groups.items()
    ]


def _sighted(symptom: Symptom) -> tuple[bool, float, int]:
    moment = symptom.first_seen
    return moment is None, moment.timestamp() if moment else 0.0, symptom.first.position


def _dated(incident: Incident, found: _Found) -> bool:
    return incident.dated and all(group.tally.dated for group in found.groups.values())
