"""Groups signals into incidents: one defect, one incident, whatever line, revision or import chain showed it.

Incidents have their sightings and are in the order of first sight. Memory is bounded: a storm of equal entries is one
sighting with a count.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.detection.close_code import CloseKind
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Sighting
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import Signal, SignalKind
from shared.text.escaping import truncate_middle

MAX_INCIDENTS = 200
MAX_SIGHTINGS = 100
MAX_CANDIDATES = 8
"""Exceptions one of which caused a close."""
_MAX_KEPT_LENGTH = 32 * 1024
_UNKNOWN_SERVICE = "unknown"
_DEFAULT_ENVIRONMENT = "default"
_KINDS_WITH_CLASS = frozenset((SignalKind.SYNTAX_ERROR, SignalKind.FAILED_START))

_CONTAINER_ROOT = re.compile(
    r"^(?:/app/|/workspace/|/usr/src/app/|/usr/src/|/srv/|/code/|/src/|/opt/app/|/var/task/|/function/|/home/[^/]+/|/root/)"
)
_PACKAGES = re.compile(r"^.*/(?:site|dist)-packages/|^.*/lib(?:64)?/(?=python\d)")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose incident it is: what was given, else what the platform's labels say."""

    service: str = ""
    environment: str = ""

    def resolve(self, entry: LogEntry) -> tuple[str, str]:
        """Service and environment of an entry."""
        return (
            self.service or entry.service or _UNKNOWN_SERVICE,
            self.environment or entry.project or _DEFAULT_ENVIRONMENT,
        )


def normalise_path(path: str) -> str:
    """The path as it may be in the repository: without the container's root directory or the library's place."""
    path = re.sub(r"/{2,}", "/", path.strip().replace("\\", "/").replace("/./", "/"))
    path = re.sub(r"^[A-Za-z]:(?=/)", "", path)
    while path.startswith("./"):
        path = path[2:]
    if _PACKAGES.match(path):
        return _PACKAGES.sub("", path, count=1)
    return _CONTAINER_ROOT.sub("", path, count=1)


def describe_close_variant(signal: Signal, raised: RaisedException | None = None) -> str:
    """What makes a close another defect: that the other end began it, or the exception to which it is tied."""
    if signal.close_kind is CloseKind.REMOTE_END:
        return f"{signal.kind.value} {CloseKind.REMOTE_END.value}"
    if raised is None:
        return ""
    error_class, path = raised.class_and_path
    return f"{signal.kind.value} {error_class} {normalise_path(path)}"


def describe_failure_class(signal: Signal, raised: RaisedException | None = None) -> str:
    """What separates two defects of one file: the error class, or the exception behind a close or a failed start."""
    if signal.kind is SignalKind.SYNTAX_ERROR:
        return signal.error_class
    if signal.kind in {SignalKind.FAILED_START, SignalKind.FOUND_BY_CHECK}:
        return f"{signal.kind.value} {signal.error_class}" if signal.error_class else ""
    return describe_close_variant(signal, raised)


def compute_fingerprint(service: str, environment: str, path: str, error_or_kind: str) -> str:
    """16 hex digits; `path` is normalised, `error_or_kind` is the error class, or the kind of a signal without one."""
    parts = (service, environment, path, error_or_kind)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def truncate_entry(entry: LogEntry) -> LogEntry:
    """The entry as it is kept for evidence: a very long text is cut."""
    return (
        entry
        if len(entry.text) <= _MAX_KEPT_LENGTH
        else replace(entry, text=truncate_middle(entry.text, _MAX_KEPT_LENGTH))
    )


@dataclass(slots=True)
class Tally:
    """Counts equal entries and remembers the earliest."""

    first: LogEntry
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    occurrences: int = 0
    dated: bool = True

    def add(self, entry: LogEntry) -> None:
        """Another one of them."""
        self.occurrences += 1
        moment = entry.timestamp
        if moment is None:
            return
        self.dated = self.dated and entry.dated
        if self.first_seen is None or moment < self.first_seen:
            self.first_seen, self.first = moment, truncate_entry(entry)
        if self.last_seen is None or moment > self.last_seen:
            self.last_seen = moment

    def merge(self, other: "Tally") -> None:
        """All of another tally."""
        self.occurrences += other.occurrences
        self.dated = self.dated and other.dated
        if other.first_seen is not None and (self.first_seen is None or other.first_seen < self.first_seen):
            self.first_seen, self.first = other.first_seen, other.first
        if other.last_seen is not None and (self.last_seen is None or other.last_seen > self.last_seen):
            self.last_seen = other.last_seen


@dataclass(slots=True)
class _SightingTally:
    tally: Tally
    source_text: str = ""
    python: str = ""

    def add_details(self, source_text: str, python: str) -> None:
        self.source_text = self.source_text or source_text
        self.python = self.python or python


_SightingKey = tuple[str, int | None, str]
_DefectKey = tuple[SignalKind, str, str, str, str]


@dataclass(slots=True)
class _Defect:
    total: Tally
    path: str = ""
    close_kind: CloseKind | None = None
    error_class: str = ""
    raised: RaisedException | None = None
    candidates: dict[tuple[str, str], RaisedException] = field(default_factory=dict)
    seen: dict[_SightingKey, _SightingTally] = field(default_factory=dict)

    def add(self, signal: Signal) -> None:
        self.total.add(signal.entry)
        self.path = max(self.path, signal.path, key=len)
        key = (signal.entry.revision, signal.line, signal.message)
        seen = self._find_sighting(key, signal.entry)
        if seen is not None:
            seen.tally.add(signal.entry)
            seen.add_details(signal.source_text, signal.python)

    def merge(self, other: "_Defect") -> None:
        self.total.merge(other.total)
        self.path = max(self.path, other.path, key=len)
        for key, theirs in other.seen.items():
            seen = self._find_sighting(key, theirs.tally.first)
            if seen is not None:
                seen.tally.merge(theirs.tally)
                seen.add_details(theirs.source_text, theirs.python)

    def _find_sighting(self, key: _SightingKey, entry: LogEntry) -> _SightingTally | None:
        seen = self.seen.get(key)
        if seen is None and len(self.seen) < MAX_SIGHTINGS:
            seen = self.seen[key] = _SightingTally(Tally(truncate_entry(entry)))
        return seen


class IncidentGrouper:
    """Takes signals, gives incidents."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._defects: dict[_DefectKey, _Defect] = {}
        self.dropped_signals = 0
        """Signals of further defects, where there are more than `MAX_INCIDENTS`."""

    def add(
        self, signal: Signal, raised: RaisedException | None = None, candidates: Sequence[RaisedException] = ()
    ) -> None:
        """One more signal, in any order; `raised` is the exception to which a close or a failed start is tied."""
        service, environment = self._scope.resolve(signal.entry)
        path = "" if signal.kind is SignalKind.NOT_PYTHON else normalise_path(signal.path)
        key = (signal.kind, service, environment, describe_failure_class(signal, raised), path)
        defect = self._defects.get(key)
        if defect is None:
            if len(self._defects) >= MAX_INCIDENTS:
                self.dropped_signals += 1
                return
            closed = signal.close_kind if signal.close_kind is not CloseKind.KEEPALIVE else None
            defect = self._defects[key] = _Defect(
                Tally(truncate_entry(signal.entry)),
                close_kind=closed,
                error_class=signal.error_class if signal.kind in _KINDS_WITH_CLASS else "",
                raised=raised,
            )
        elif defect.close_kind is not signal.close_kind:
            defect.close_kind = None
        for candidate in candidates[:MAX_CANDIDATES]:
            defect.candidates.setdefault(candidate.class_and_path, candidate)
        defect.add(signal)

    def incidents(self) -> tuple[Incident, ...]:
        """Everything so far, in the order of first sight; what has no time comes last, in the order of the log."""
        joined = _merge_bare_names(self._defects)
        return sort_by_first_seen(_build_incident(key, defect) for key, defect in joined.items())


def sort_by_first_seen(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    """By first sight; what has no time comes last, in the order of the log."""
    return tuple(sorted(incidents, key=_get_first_seen_key))


def _get_first_seen_key(incident: Incident) -> tuple[bool, float, int]:
    moment = incident.first_seen
    return moment is None, moment.timestamp() if moment else 0.0, incident.sightings[0].first.position


def _merge_bare_names(defects: dict[_DefectKey, _Defect]) -> dict[_DefectKey, _Defect]:
    """A bare name joins the one full path that it may stand for; of several, the one that failed on the same line."""
    joined: dict[_DefectKey, _Defect] = {}
    for key, defect in sorted(defects.items(), key=lambda item: -len(item[1].path)):
        target = None if _is_absolute(defect.path) else _find_merge_target(joined, key, defect)
        if target is None:
            own = joined[key] = replace(defect, total=Tally(defect.total.first), path="", seen={})
            own.merge(defect)
        else:
            target.merge(defect)
    return joined


def _find_merge_target(joined: dict[_DefectKey, _Defect], key: _DefectKey, defect: _Defect) -> _Defect | None:
    if key[0] is not SignalKind.SYNTAX_ERROR or not key[4]:
        return None
    fits = [other for theirs, other in joined.items() if theirs[:4] == key[:4] and _is_path_suffix(other.path, key[4])]
    if len(fits) > 1:
        lines = {(line, message) for _, line, message in defect.seen}
        fits = [other for other in fits if any((line, message) in lines for _, line, message in other.seen)]
    return fits[0] if len(fits) == 1 else None


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or path[1:2] == ":"


def _is_path_suffix(path: str, name: str) -> bool:
    return ("/" + path.replace("\\", "/")).endswith("/" + name)


def _build_incident(key: _DefectKey, defect: _Defect) -> Incident:
    kind, service, environment, failure_class, path = key
    sightings = sorted((_build_sighting(key, seen) for key, seen in defect.seen.items()), key=_get_sighting_key)
    return Incident(
        fingerprint=compute_fingerprint(service, environment, path, failure_class or kind.value),
        kind=kind,
        service=service,
        environment=environment,
        error_class=defect.error_class,
        path=defect.path,
        sightings=tuple(sightings),
        symptoms=(),
        first_seen=defect.total.first_seen,
        last_seen=defect.total.last_seen,
        occurrences=defect.total.occurrences,
        dated=defect.total.dated,
        close_kind=defect.close_kind,
        raised=defect.raised,
        candidates=tuple(defect.candidates.values())[:MAX_CANDIDATES],
    )


def _build_sighting(key: _SightingKey, seen: _SightingTally) -> Sighting:
    revision, line, message = key
    return Sighting(
        revision=revision,
        line=line,
        message=message,
        source_text=seen.source_text,
        python=seen.python,
        first_seen=seen.tally.first_seen,
        last_seen=seen.tally.last_seen,
        occurrences=seen.tally.occurrences,
        first=seen.tally.first,
    )


def _get_sighting_key(sighting: Sighting) -> tuple[bool, float, int]:
    moment = sighting.first_seen
    return moment is None, moment.timestamp() if moment else 0.0, sighting.first.position
