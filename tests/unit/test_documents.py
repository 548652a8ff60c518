"""Fields of stored documents: a document in, the value out, and whatever is not of its kind refused with a reason."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from shared.errors import Reject
from shared.ports import Document
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents

READ: dict[str, tuple[Callable[[Document, str], object], object]] = {
    "text": (documents.read_text, "adrift"),
    "number": (documents.read_number, 7),
    "flag": (documents.read_flag, True),
    "part": (documents.read_part, {"a": 1}),
    "texts": (documents.read_texts, ["a", "b"]),
    "parts": (documents.read_parts, [{"a": 1}]),
    "moment": (documents.read_time, "2026-04-07T08:00:00Z"),
    "choice": (lambda value, name: documents.read_choice(value, name, IncidentState), "opened"),
}
OTHERS: dict[str, tuple[object, ...]] = {
    "text": (7, True, ["a"], {}),
    "number": ("7", True, 7.5, [7]),
    "flag": ("true", 1, [True]),
    "part": ("a", 7, [{}]),
    "texts": ("ab", 7, [7], ["a", None], {"a": "b"}),
    "parts": ("ab", 7, [7], [{}, "a"]),
    "moment": ("", "soon", "2026-04-07T08:00:00", 7, None),
    "choice": ("adrift", 7, None, ""),
}


@pytest.mark.parametrize("kind", READ)
def test_what_is_of_its_kind_is_read(kind: str) -> None:
    read, value = READ[kind]
    found = read({"field": value}, "field")
    expected = {
        "texts": ("a", "b"),
        "parts": ({"a": 1},),
        "moment": datetime(2026, 4, 7, 8, tzinfo=UTC),
        "choice": IncidentState.OPENED,
    }.get(kind, value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in OTHERS.items() for value in values])
def test_what_is_not_is_refused(kind: str, value: object) -> None:
    read, _ = READ[kind]
    with pytest.raises(Reject) as refused:
        read({"field": value}, "field")
    assert refused.value.reason == "unreadable_document"


def test_a_field_that_is_not_there_is_empty() -> None:
    readers = (documents.read_text, documents.read_number, documents.read_flag, documents.read_part)
    assert [read({}, "field") for read in readers] == ["", 0, False, {}]
    assert (documents.read_texts({}, "field"), documents.read_parts({}, "field")) == ((), ())
