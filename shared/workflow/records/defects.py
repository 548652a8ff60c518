"""Finds the defect that a signal shows, or stores a new one: never two for one.

All defects of one file name are in one document, changed by compare-and-set, so that `handlers.py` and
`/app/chat/handlers.py`, arriving at the same moment, cannot become two.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.detection.grouping import compute_fingerprint, describe_failure_class, normalise_path
from shared.detection.raised_exception import CLOSE_KINDS, RaisedException
from shared.detection.signal import Signal, SignalKind
from shared.errors import Reject
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records.documents import Collection

_MAX_DEFECTS_PER_NAME = 200


@dataclass(frozen=True, slots=True)
class Defect:
    """One failing file (or one kind of failure) of one service."""

    path: str
    """Normalised; "" where the kind has none."""
    whole: bool
    """Whether the log named the path from the root, so that nothing can be before it."""
    fingerprint: str
    generation: int

    @property
    def incident_id(self) -> str:
        """The id of its current incident."""
        return f"{self.fingerprint}-{self.generation}"


@dataclass(frozen=True, slots=True)
class _DefectList:
    """All defects of one file name, or of one kind of failure, of a service; oldest first."""

    defects: tuple[Defect, ...] = ()


DEFECTS = Collection("defects", _DefectList)


def normalise_fingerprint_path(signal: Signal) -> str:
    """The path that counts for the fingerprint. A close has none of its own: its exception's is in its class."""
    return "" if signal.kind is SignalKind.NOT_PYTHON or signal.kind in CLOSE_KINDS else normalise_path(signal.path)


def find_failure_class(signal: Signal, raised: RaisedException | None = None) -> str:
    """The error class, or the kind of what is no error of its own; `raised` is what closed a connection."""
    return describe_failure_class(signal, raised) or signal.kind.value


def find_or_create_defect(
    context: Context, service: Service, signal: Signal, raised: RaisedException | None = None
) -> Defect:
    """The defect that a signal shows; a new one is stored. Reject where one file name has too many of them."""
    shown = _build_defect(service, signal, raised)

    def with_shown(known: tuple[Defect, ...]) -> tuple[Defect, ...]:
        match = _find_match(known, shown)
        if match is None:
            return (*_drop_oldest_defect(known, shown), shown)
        is_longer = shown.whole > match.whole or len(shown.path) > len(match.path)
        merged = replace(match, path=shown.path, whole=shown.whole) if is_longer and not match.whole else match
        return tuple(merged if defect is match else defect for defect in known)

    return (
        _find_match(_update_defects(context, _build_defects_key(service, signal, raised), with_shown), shown) or shown
    )


def _drop_oldest_defect(known: tuple[Defect, ...], new: Defect) -> tuple[Defect, ...]:
    """Without the oldest one that never came back, where there are too many: with the same path it gets the same id."""
    if len(known) < _MAX_DEFECTS_PER_NAME:
        return known
    oldest = next((index for index, defect in enumerate(known) if defect.generation == 1), None)
    if oldest is None:
        raise Reject("too_many_defects", f"{new.path}: {len(known)} files of this name have failed already")
    return (*known[:oldest], *known[oldest + 1 :])


def start_next_generation(
    context: Context, service: Service, signal: Signal, defect: Defect, raised: RaisedException | None = None
) -> Defect:
    """The defect with a new, later incident; where a parallel caller has started one already, with that one."""

    def moved(known: tuple[Defect, ...]) -> tuple[Defect, ...]:
        return tuple(
            replace(other, generation=defect.generation + 1)
            if (other.fingerprint, other.generation) == (defect.fingerprint, defect.generation)
            else other
            for other in known
        )

    known = _update_defects(context, _build_defects_key(service, signal, raised), moved)
    return next((other for other in known if other.fingerprint == defect.fingerprint), defect)


def _build_defect(service: Service, signal: Signal, raised: RaisedException | None) -> Defect:
    path = normalise_fingerprint_path(signal)
    whole = signal.path.startswith(("/", "\\")) or signal.path[1:2] == ":"
    fingerprint = compute_fingerprint(service.name, service.environment_name, path, find_failure_class(signal, raised))
    return Defect(path, whole, fingerprint, 1)


def _build_defects_key(service: Service, signal: Signal, raised: RaisedException | None) -> str:
    name = normalise_fingerprint_path(signal).rpartition("/")[2]
    return compute_fingerprint(service.id, "", name, f"{signal.kind.value} {find_failure_class(signal, raised)}")


def _find_match(known: tuple[Defect, ...], shown: Defect) -> Defect | None:
    """The same path, else the newest of those that the shorter of two paths may stand for."""
    for defect in known:
        if defect.path == shown.path:
            return defect
    for defect in reversed(known):
        if not shown.whole and defect.path.endswith("/" + shown.path):
            return defect
        if not defect.whole and shown.path.endswith("/" + defect.path):
            return defect
    return None


def _update_defects(
    context: Context, key: str, update: Callable[[tuple[Defect, ...]], tuple[Defect, ...]]
) -> tuple[Defect, ...]:
    def updated(known: _DefectList) -> _DefectList:
        return _DefectList(update(known.defects))

    return DEFECTS.change(context.store, key, updated, _DefectList()).defects
