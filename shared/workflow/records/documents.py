"""Reads, writes and changes stored documents: each kind of document is one frozen dataclass.

`Collection` holds everything that the records share. It turns a document into its dataclass and back by the types of
the dataclass (pydantic's `TypeAdapter`), and changes a document by compare-and-set, so that no change is lost to a
parallel one. The functions `read_...` read fields of documents that have no dataclass, such as a stored report.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Generic, NoReturn, TypeVar, cast, overload

from pydantic import BeforeValidator, TypeAdapter, ValidationError, WrapSerializer
from pydantic_core import CoreSchema, SchemaSerializer, SchemaValidator, core_schema

from shared.errors import Reject, Retry
from shared.ports import Document, Store
from shared.text.timestamps import format_rfc3339

_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=StrEnum)

MAX_ATTEMPTS = 200
"""How often a change is tried again because of parallel writes: a busy channel clicks more often than 20 times."""

EmptyForNone = Annotated[
    _Value | None,
    BeforeValidator(lambda value: value or None),
    WrapSerializer(lambda value, serialize: "" if value is None else serialize(value)),
]
"""A value that a document holds as "" where there is none."""


def _return_no_fields(_key: str, _value: object) -> Document:
    return {}


@dataclass(frozen=True, slots=True)
class Collection(Generic[_Value]):
    """The documents of one kind, each read into and written from a dataclass."""

    kind: str
    value_type: type[_Value]
    extra_fields: Callable[[str, _Value], Document] = _return_no_fields
    """Fields that are written for queries and for users, by key and value, and never read back."""

    @property
    def _schema_key(self) -> Hashable:
        return cast("Hashable", self.value_type)

    def decode(self, document: Document) -> _Value:
        """Raises `Reject("unreadable_document")` for a field of the wrong type; unknown fields are ignored."""
        try:
            return cast("_Value", _build_validator(self._schema_key).validate_python(document))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            raise Reject("unreadable_document", f"{self.kind}: field {path}: {first['msg']}") from None

    def encode(self, key: str, value: _Value) -> Document:
        """JSON values only; the reverse of `decode`."""
        fields = cast("Document", _build_serializer(self._schema_key).to_python(value, mode="json"))
        return {**fields, **self.extra_fields(key, value)}

    def read(self, store: Store, key: str) -> _Value | None:
        """The document as of now; None where there is none. Raises Retry, and Reject as `decode`."""
        stored = store.read(self.kind, key)
        return self.decode(stored.value) if stored is not None else None

    def create(self, store: Store, key: str, value: _Value) -> bool:
        """False where the document exists, which may be this caller's own write. Raises Retry."""
        return store.create(self.kind, key, self.encode(key, value))

    @overload
    def change(self, store: Store, key: str, update: Callable[[_Value | None], _Value]) -> _Value: ...

    @overload
    def change(self, store: Store, key: str, update: Callable[[_Value], _Value], default: _Value) -> _Value: ...

    def change(self, store: Store, key: str, update: Callable[[Any], _Value], default: _Value | None = None) -> _Value:
        """Applies `update` to the document as it is, again after a parallel write, and returns what is stored then.

        `update` gets `default` where there is no document; returning what it got writes nothing. Raises Retry, and
        Reject as `decode`.
        """
        for _ in range(MAX_ATTEMPTS):
            stored = store.read(self.kind, key)
            before = self.decode(stored.value) if stored is not None else default
            after = update(before)
            if after == before:
                return after
            document = self.encode(key, after)
            if (
                store.create(self.kind, key, document)
                if stored is None
                else store.replace(self.kind, key, document, stored.version)
            ):
                return after
        raise Retry(f"{self.kind}/{key} is being changed by too many at once")


@cache
def _build_validator(value_type: Hashable) -> SchemaValidator:
    return SchemaValidator(_build_schema(value_type))


@cache
def _build_serializer(value_type: Hashable) -> SchemaSerializer:
    return SchemaSerializer(_build_schema(value_type))


@cache
def _build_schema(value_type: Hashable) -> CoreSchema:
    """Built at the first use: a start of a function pays only for the documents that it touches."""
    return cast("CoreSchema", _forbid_coercion(TypeAdapter(cast("type", value_type)).core_schema))


def _forbid_coercion(schema: Any) -> Any:
    """The schema without pydantic's conversions: `"7"` is no number, 1 is no flag, and a time is RFC 3339 with a zone.

    Its own strict mode would refuse lists for tuples, and its JSON parser the halves of surrogate pairs that logs hold.
    """
    if isinstance(schema, list):
        return [_forbid_coercion(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in {"int", "bool"}:
        return {**schema, "strict": True}
    if schema.get("type") == "datetime":
        text = core_schema.plain_serializer_function_ser_schema(format_rfc3339)
        return core_schema.no_info_plain_validator_function(_parse_time, serialization=text)
    return {name: _forbid_coercion(part) for name, part in schema.items()}


def _parse_time(value: object) -> datetime:
    """Compared only as a time, never as text: a fraction of a second changes the order of texts."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else None
    if time is None or time.tzinfo is None:
        raise ValueError("not a time with a zone")
    return time


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
        return _parse_time(value)
    except ValueError:
        return _reject_field(name, value)


def _reject_field(name: str, value: object) -> NoReturn:
    raise Reject("unreadable_document", f"field {name} holds a {type(value).__name__} that it must not hold")
