"""Puts together an entry that Cloud Logging split because it had more than 256 KB.

Takes the JSON objects of a log one by one, in any order, and returns each whole one: the parts of one entry have the
same `split.uid`, and the text of the first part goes on in the next
(https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logsplit). What waits is bounded: of too many or
too large parts each is returned as it came.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.text.escaping import MAX_TEXT_LENGTH

_MAX_WAITING = 64
_MAX_PARTS = 1_000
_MAX_CHARACTERS = 32_000_000
"""Of all texts that wait."""


@dataclass(slots=True)
class _Parts:
    """What has come of one entry."""

    total: int
    objects: dict[int, Mapping[str, object]] = field(default_factory=dict)


class SplitEntries:
    """The parts of one log that wait for others of the same entry."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Parts] = {}
        self._characters = 0

    def add(self, value: object) -> Iterator[object]:
        """What is whole by now: the object itself, the entry of which it was the last part, or nothing yet."""
        part = _read_part(value)
        if part is None or not isinstance(value, Mapping):
            yield value
            return
        uid, index, total = part
        parts = self._waiting.setdefault(uid, _Parts(total))
        if index not in parts.objects:  # a part that comes again says nothing new
            parts.objects[index] = _shorten(value)
            self._characters += len(str(parts.objects[index]["textPayload"]))
        if len(parts.objects) == parts.total:
            yield self._release(uid)
        while len(self._waiting) > _MAX_WAITING or self._characters > _MAX_CHARACTERS:
            yield self._release(next(iter(self._waiting)))

    def finish(self) -> Iterator[object]:
        """Entries of which a part never came: the parts that did."""
        while self._waiting:
            yield self._release(next(iter(self._waiting)))

    def _release(self, uid: str) -> Mapping[str, object]:
        parts = self._waiting.pop(uid)
        self._characters -= sum(len(str(value["textPayload"])) for value in parts.objects.values())
        return _join(parts)


def _read_part(value: object) -> tuple[str, int, int] | None:
    """The entry's id, which part of it this is, and how many there are; None for an entry that is whole."""
    split = value.get("split") if isinstance(value, Mapping) else None
    if (
        not isinstance(split, Mapping)
        or not isinstance(value, Mapping)
        or not isinstance(value.get("textPayload"), str)
    ):
        return None
    uid, index, total = split.get("uid"), split.get("index", 0), split.get("totalSplits")
    if not isinstance(uid, str) or not uid or not isinstance(index, int) or not isinstance(total, int):
        return None
    return (uid, index, total) if 0 <= index < total <= _MAX_PARTS and total > 1 else None


def _shorten(value: Mapping[str, object]) -> Mapping[str, object]:
    """A part with so much of its text at both ends as is kept of any text."""
    text = value["textPayload"]
    if not isinstance(text, str) or len(text) <= 2 * MAX_TEXT_LENGTH:
        return value
    return {**value, "textPayload": f"{text[:MAX_TEXT_LENGTH]}\n{text[-MAX_TEXT_LENGTH:]}"}


def _join(parts: _Parts) -> Mapping[str, object]:
    """The first part, with the texts of all."""
    objects = [parts.objects[index] for index in sorted(parts.objects)]
    return {**objects[0], "textPayload": "".join(str(value["textPayload"]) for value in objects)}
