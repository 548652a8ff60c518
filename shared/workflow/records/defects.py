"""Which defect a signal shows: one of those that are known by its file's name, or a new one; never two for one.

In: a signal of a service. Out: a fingerprint and its current generation. All defects of one file name lie in one
document, written by compare-and-set, so that `handlers.py` and `/app/chat/handlers.py`, arriving at the same moment,
cannot become two.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.detection.grouping import compute_fingerprint, describe_close_variant, normalise_path
from shared.detection.signal import Signal, SignalKind
from shared.errors import Reject, Retry
from shared.ports import Document
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records import documents

_KIND = "defects"
_MAX_DEFECTS_PER_NAME = 200
_MAX_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Defect:
    """One failing file (or one kind of failure) of one service."""

    path: str
    """Normalised; "" where the kind has none."""
    whole: bool
    """Whether the log named the path from the root, so that nothing can stand before it."""
    fingerprint: str
    generation: int

    @property
    def incident_id(self) -> str:
        """The id of its current incident."""
        return f"{self.fingerprint}-{self.generation}"


def fingerprint_path(signal: Signal) -> str:
    """The path that counts for the fingerprint."""
    return "" if signal.kind is SignalKind.NOT_PYTHON else normalise_path(signal.path)


def failure_class(signal: Signal) -> str:
    """The error class, or the kind of what is no error of its own."""
    return (
        signal.error_class
        if signal.kind is SignalKind.SYNTAX_ERROR
        else describe_close_variant(signal) or signal.kind.value
    )


def find_or_create_defect(context: Context, service: Service, signal: Signal) -> Defect:
    """The defect that a signal shows; a new one is stored. Reject where one file name has too many of them."""
    mine = _build_defect(service, signal)

    def with_mine(known: tuple[Defect, ...]) -> tuple[Defect, ...]:
        found = _find_match(known, mine)
        if found is None:
            return (*_drop_oldest_defect(known, mine), mine)
        longer = mine.whole > found.whole or len(mine.path) > len(found.path)
        told = replace(found, path=mine.path, whole=mine.whole) if longer and not found.whole else found
        return tuple(told if each is found else each for each in known)

    found = _find_match(_update_defects(context, _defects_key(service, signal), with_mine), mine)
    return found or mine


def _drop_oldest_defect(known: tuple[Defect, ...], new: Defect) -> tuple[Defect, ...]:
    """Without the oldest one that never came back, where there are too many: with the same path it gets the same id."""
    if len(known) < _MAX_DEFECTS_PER_NAME:
        return known
    place = next((place for place, each in enumerate(known) if each.generation == 1), None)
    if place is None:
        raise Reject("too_many_defects", f"{new.path}: {len(known)} files of this name have failed already")
    return (*known[:place], *known[place + 1 :])


def start_next_generation(context: Context, service: Service, signal: Signal, defect: Defect) -> Defect:
    """The defect with a new, later incident; where somebody else has moved it on already, with theirs."""

    def moved(known: tuple[Defect, ...]) -> tuple[Defect, ...]:
        return tuple(
            replace(each, generation=defect.generation + 1)
            if (each.fingerprint, each.generation) == (defect.fingerprint, defect.generation)
            else each
            for each in known
        )

    known = _update_defects(context, _defects_key(service, signal), moved)
    return next((each for each in known if each.fingerprint == defect.fingerprint), defect)


def _build_defect(service: Service, signal: Signal) -> Defect:
    path = fingerprint_path(signal)
    whole = signal.path.startswith(("/", "\\")) or signal.path[1:2] == ":"
    return Defect(
        path, whole, compute_fingerprint(service.name, service.environment_name, path, failure_class(signal)), 1
    )


def _defects_key(service: Service, signal: Signal) -> str:
    name = fingerprint_path(signal).rpartition("/")[2]
    return compute_fingerprint(service.id, "", name, f"{signal.kind.value} {failure_class(signal)}")


def _find_match(known: tuple[Defect, ...], wanted: Defect) -> Defect | None:
    """The same path, else the newest of those that the shorter of two paths may stand for."""
    for each in known:
        if each.path == wanted.path:
            return each
    for each in reversed(known):
        if not wanted.whole and each.path.endswith("/" + wanted.path):
            return each
        if not each.whole and wanted.path.endswith("/" + each.path):
            return each
    return None


def _update_defects(
    context: Context, key: str, update: Callable[[tuple[Defect, ...]], tuple[Defect, ...]]
) -> tuple[Defect, ...]:
    for _ in range(_MAX_ATTEMPTS):
        stored = context.store.read(_KIND, key)
        before = _defects_from_document(stored.value) if stored else ()
        after = update(before)
        if after == before:
            return after
        value = {"defects": [_defect_to_document(each) for each in after]}
        if stored is None:
            context.store.create(_KIND, key, value)  # whether it was oneself or another one, the document now says
        elif context.store.replace(_KIND, key, value, stored.version):
            return after
    raise Retry(f"the defects under {key} are being changed by too many at once")


def _defect_to_document(defect: Defect) -> Document:
    return {name: getattr(defect, name) for name in Defect.__slots__}


def _defects_from_document(value: Document) -> tuple[Defect, ...]:
    return tuple(
        Defect(
            path=documents.read_text(each, "path"),
            whole=documents.read_flag(each, "whole"),
            fingerprint=documents.read_text(each, "fingerprint"),
            generation=documents.read_number(each, "generation"),
        )
        for each in documents.read_parts(value, "defects")
    )
