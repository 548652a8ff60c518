"""Stored documents are read with care: a value of the wrong kind is named, and never travels any further.

In: a document and the name of a field. Out: the value in its type, or `Reject("unreadable_document")`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, TypeVar

from shared.detection.entry import LogEntry
from shared.errors import Reject
from shared.ports import Document
from shared.text.timestamps import format_rfc3339

_Choice = TypeVar("_Choice", bound=StrEnum)


def read_text(document: Document, name: str) -> str:
    """A string; "" where the field is not there."""
    value = document.get(name, "")
    return value if isinstance(value, str) else _reject_field(name, value)


def read_choice(document: Document, name: str, choices: type[_Choice]) -> _Choice:
    """A member of an enumeration of strings."""
    try:
        return choices(read_text(document, name))
    except ValueError:
        return _reject_field(name, document.get(name))


def read_number(document: Document, name: str) -> int:
    """A whole number; 0 where the field is not there."""
    value = document.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else _reject_field(name, value)


def read_flag(document: Document, name: str) -> bool:
    """True or False; False where the field is not there."""
    value = document.get(name, False)
    return value if isinstance(value, bool) else _reject_field(name, value)


def read_texts(document: Document, name: str) -> tuple[str, ...]:
    """Strings; none where the field is not there."""
    values = document.get(name, ())
    if not isinstance(values, Sequence) or isinstance(values, str):
        return _reject_field(name, values)
    return tuple(value if isinstance(value, str) else _reject_field(name, value) for value in values)


def read_part(document: Document, name: str) -> Document:
    """A document within the document; an empty one where the field is not there."""
    value = document.get(name) or {}
    return value if isinstance(value, Mapping) else _reject_field(name, value)


def read_parts(document: Document, name: str) -> tuple[Document, ...]:
    """Documents within the document; none where the field is not there."""
    values = document.get(name, ())
    if not isinstance(values, Sequence) or isinstance(values, str):
        return _reject_field(name, values)
    return tuple(value if isinstance(value, Mapping) else _reject_field(name, value) for value in values)


def read_time(document: Document, name: str) -> datetime:
    """A time; its text is compared only once it is a time again, because a fraction of a second changes its order."""
    value = document.get(name)
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        read = None
    return read if read is not None and read.tzinfo is not None else _reject_field(name, value)


def _reject_field(name: str, value: object) -> NoReturn:
    raise Reject("unreadable_document", f"field {name} holds a {type(value).__name__} that it must not hold")


_ENTRY_TEXTS = ("text", "severity", "log_name", "insert_id", "project", "service", "revision", "instance")
_OPTIONAL_TEXTS = ("trace", "span", "request", "commit", "build")
"""Not in the documents of earlier versions."""


def entry_to_document(entry: LogEntry) -> Document:
    """A log entry as it is kept with its incident."""
    value: dict[str, object] = {field.name: getattr(entry, field.name) for field in fields(entry)}
    value["timestamp"] = format_rfc3339(entry.timestamp) if entry.timestamp else None
    return value


def entry_from_document(document: Document) -> LogEntry:
    """The reverse of `entry_to_document`."""
    return LogEntry(
        position=read_number(document, "position"),
        timestamp=read_time(document, "timestamp") if document.get("timestamp") else None,
        dated=read_flag(document, "dated"),
        **{name: read_text(document, name) for name in _ENTRY_TEXTS},
        **{name: read_text(document, name) for name in _OPTIONAL_TEXTS if name in document},
    )
