"""Attaches to incidents what a log holds beside them: what is tied to them as symptoms, the rest as nearby.

Symptoms are closes and errors that the log ties to an incident. Nearby is what the same revision logged from ten
minutes before the incident was first seen to ten minutes after it was last seen. Both are masked groups with counts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.detection.connections import find_request_ids
from shared.detection.entry import LogEntry
from shared.detection.exception_chain import is_chaining_sentence
from shared.detection.grouping import Scope, Tally, normalise_path, truncate_entry
from shared.detection.incident import Incident, Symptom
from shared.detection.raised_exception import EFFECT_KINDS, RaisedException
from shared.detection.signal import Signal, SignalKind, SkipReason
from shared.detection.syntax_errors import is_traceback_line
from shared.detection.ties import Tie
from shared.text.escaping import strip_markup

MAX_SYMPTOMS = 20
_MARGIN = timedelta(minutes=10)
_MAX_TEXT_LENGTH = 500

_SAYS_ERROR = re.compile(r"error|exception|fail(?:ed|ure|s|ing)\b|\bfatal\b|\bcritical\b", re.IGNORECASE)
_ERROR_SEVERITIES = frozenset(("ERROR", "CRITICAL", "ALERT", "EMERGENCY"))
_NO_SEVERITY = frozenset(("", "DEFAULT"))
_VARIABLE_PART = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|0x[0-9a-fA-F]{1,32}"
    r"|\b(?=[a-fA-F]{0,40}\d)[0-9a-fA-F]{8,64}\b|\d{1,64}"
)

_KINDS_WITH_NEARBY = frozenset((SignalKind.SYNTAX_ERROR, SignalKind.CLOSE_1011, SignalKind.FAILED_START))
"""Incidents beside which other entries are worth showing."""

_GroupKey = tuple[SignalKind, str, str]


@dataclass(slots=True)
class _RevisionWindow:
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
class _SymptomGroup:
    text: str
    tally: Tally


@dataclass(slots=True)
class _SymptomGroups:
    groups: dict[_GroupKey, _SymptomGroup] = field(default_factory=dict)
    last: _GroupKey | None = None


@dataclass(slots=True)
class _IncidentSymptoms:
    tied: _SymptomGroups = field(default_factory=_SymptomGroups)
    nearby: _SymptomGroups = field(default_factory=_SymptomGroups)
    requests: frozenset[str] = frozenset()


class SymptomCollector:
    """Takes the entries of a log, keeps those that belong to one of the incidents or are beside it."""

    def __init__(self, incidents: Sequence[Incident], scope: Scope) -> None:
        self._incidents = incidents
        self._scope = scope
        self._symptoms = [_IncidentSymptoms(requests=_find_incident_request_ids(incident)) for incident in incidents]
        self._windows: dict[tuple[str, str], list[_RevisionWindow]] = {}
        for number, incident in enumerate(incidents):
            if incident.kind in _KINDS_WITH_NEARBY:
                scope_key = (incident.service, incident.environment)
                self._windows.setdefault(scope_key, []).extend(_build_revision_windows(number, incident))

    def add_entry(self, entry: LogEntry, signal_or_skip: Signal | SkipReason, tie: Tie | None = None) -> None:
        """One entry; `tie` is that of a close or a failed start that has no incident of its own."""
        kind = _choose_symptom_kind(entry, signal_or_skip)
        if kind is None:
            return
        numbers = self._nearest_incidents(entry)
        if kind is SignalKind.FOLLOW_ON_ERROR:
            self._add_follow_on_error(entry, numbers)
            return
        owner = self.find_owner(entry, tie.raised) if tie is not None else None
        if owner is not None and tie is not None:
            _add_to_group(self._symptoms[owner].tied if tie.is_tied else self._symptoms[owner].nearby, kind, entry)
        for number in numbers:
            if number != owner and self._incidents[number].kind is SignalKind.SYNTAX_ERROR:
                _add_to_group(self._symptoms[number].nearby, kind, entry)

    def find_owner(self, entry: LogEntry, raised: RaisedException) -> int | None:
        """The incident to which an exception belongs; None where it has none."""
        scope_key = self._scope.resolve(entry)
        for number, incident in enumerate(self._incidents):
            if (incident.service, incident.environment) == scope_key and _belongs_to(incident, raised):
                return number
        return None

    def build_incidents(self) -> tuple[Incident, ...]:
        """The incidents, each with its symptoms in the order in which they were first seen."""
        return tuple(
            replace(
                incident,
                symptoms=tuple(sorted(_build_symptoms(symptoms.tied), key=_get_symptom_key)),
                nearby=tuple(sorted(_build_symptoms(symptoms.nearby), key=_get_symptom_key)),
                dated=_is_all_dated(incident, symptoms),
            )
            for incident, symptoms in zip(self._incidents, self._symptoms, strict=True)
        )

    def _add_follow_on_error(self, entry: LogEntry, numbers: Sequence[int]) -> None:
        """An error that is no close: tied by its request's id alone."""
        ids = find_request_ids(entry)
        tied = next((number for number in numbers if ids & self._symptoms[number].requests), None)
        if tied is not None and self._is_symptom(entry, self._incidents[tied]):
            _add_to_group(self._symptoms[tied].tied, SignalKind.FOLLOW_ON_ERROR, entry)
            return
        for number in numbers:
            raised = self._incidents[number].raised
            if raised is None or not (raised.exception.message and raised.exception.message in entry.text):
                _add_to_group(self._symptoms[number].nearby, SignalKind.FOLLOW_ON_ERROR, entry)

    @staticmethod
    def _is_symptom(entry: LogEntry, incident: Incident) -> bool:
        """Nothing follows from what is logged later."""
        before = entry.timestamp and incident.first_seen and entry.timestamp < incident.first_seen
        return incident.kind is SignalKind.SYNTAX_ERROR and not before

    def _nearest_incidents(self, entry: LogEntry) -> list[int]:
        """The incidents of the same revision, or of an unknown one, within ten minutes; the nearest first."""
        near: dict[int, float] = {}
        for window in self._windows.get(self._scope.resolve(entry), ()):
            if window.revision and entry.revision and window.revision != entry.revision:
                continue
            distance = window.distance(entry)
            if distance is not None:
                near[window.incident] = min(distance, near.get(window.incident, distance))
        return sorted(near, key=near.__getitem__)


def _belongs_to(incident: Incident, raised: RaisedException) -> bool:
    """Whether an exception is the incident's own: the file that does not compile, or what its effects are tied to."""
    if incident.kind is SignalKind.SYNTAX_ERROR:
        frame = raised.exception.location
        if not raised.is_syntax_error or frame is None or raised.exception.error_class != incident.error_class:
            return False
        ours, theirs = normalise_path(incident.path), normalise_path(frame.path)
        return ours == theirs or ours.endswith("/" + theirs) or theirs.endswith("/" + ours)
    return incident.raised is not None and incident.raised.class_and_path == raised.class_and_path


def _find_incident_request_ids(incident: Incident) -> frozenset[str]:
    return frozenset().union(*(find_request_ids(sighting.first) for sighting in incident.sightings))


def _build_revision_windows(number: int, incident: Incident) -> list[_RevisionWindow]:
    windows: dict[str, _RevisionWindow] = {}
    for sighting in incident.sightings:
        window = windows.get(sighting.revision)
        if window is None:
            windows[sighting.revision] = _RevisionWindow(
                number, sighting.revision, sighting.first_seen, sighting.last_seen, sighting.first.position
            )
        elif sighting.first_seen and sighting.last_seen:
            window.first_seen = min(window.first_seen or sighting.first_seen, sighting.first_seen)
            window.last_seen = max(window.last_seen or sighting.last_seen, sighting.last_seen)
    return list(windows.values())


def _choose_symptom_kind(entry: LogEntry, read: Signal | SkipReason) -> SignalKind | None:
    if isinstance(read, Signal):
        return read.kind if read.kind in EFFECT_KINDS else None
    if (
        read in {SkipReason.NO_TEXT, SkipReason.AUDIT_LOG, SkipReason.NO_FAILING_FILE, SkipReason.ONLY_MENTIONED}
        or not entry.text
    ):
        return None
    return SignalKind.FOLLOW_ON_ERROR if _is_error(entry) else None


def _is_error(entry: LogEntry) -> bool:
    if entry.severity not in _ERROR_SEVERITIES and (
        entry.severity not in _NO_SEVERITY or not _SAYS_ERROR.search(entry.text, 0, 2000)
    ):
        return False
    return not is_traceback_line(entry.text) and not is_chaining_sentence(entry.text)


def mask_variables(text: str) -> str:
    """The text without what differs from one entry to the next: ids, addresses, numbers."""
    return _VARIABLE_PART.sub("#", text[:_MAX_TEXT_LENGTH])


def _add_to_group(symptoms: _SymptomGroups, kind: SignalKind, entry: LogEntry) -> None:
    text = strip_markup(entry.text[: 4 * _MAX_TEXT_LENGTH]).strip()[:_MAX_TEXT_LENGTH]
    key = (kind, entry.revision, mask_variables(text))
    group = symptoms.groups.get(key)
    if group is None and len(symptoms.groups) >= MAX_SYMPTOMS and symptoms.last is not None:
        group = symptoms.groups[symptoms.last]
    if group is None:
        group = symptoms.groups[key] = _SymptomGroup(text, Tally(truncate_entry(entry)))
        symptoms.last = key
    group.tally.add(entry)


def _build_symptoms(symptoms: _SymptomGroups) -> list[Symptom]:
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
        for (kind, revision, _), group in symptoms.groups.items()
    ]


def _get_symptom_key(symptom: Symptom) -> tuple[bool, float, int]:
    moment = symptom.first_seen
    return moment is None, moment.timestamp() if moment else 0.0, symptom.first.position


def _is_all_dated(incident: Incident, symptoms: _IncidentSymptoms) -> bool:
    groups = (*symptoms.tied.groups.values(), *symptoms.nearby.groups.values())
    return incident.dated and all(group.tally.dated for group in groups)
