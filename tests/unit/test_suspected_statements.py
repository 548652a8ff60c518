"""Statements and outlines: what a formatter changes is no change, and a source that does not parse is read by lines."""

import ast

import pytest

from shared.proof.suspected.source_outline import MODULE, StatementCache, read_outline
from shared.proof.suspected.statements import Statement, match_statements, measure_likeness

ROOM = '''\
"""Rooms."""
import os

LIMIT = 3


class Room:
    """One room."""

    size: int = 1

    @property
    def free(self) -> int:
        return LIMIT - self.size

    @free.setter
    def free(self, value: int) -> None:
        self.size = LIMIT - value

    async def join(self, guest: str, *, late: bool = False) -> str:
        """Lets somebody in."""
        if guest and not late:  # in time
            with open(os.devnull) as log:
                log.write(guest)
        elif late:
            raise ValueError("too late")
        try:
            return self.greet(guest)
        except KeyError as missing:
            return str(missing)

    def greet(self, guest):
        def loud(text):
            return text.upper()

        match guest:
            case "x" if self.size:
                return loud(guest)
        return guest
'''
JOIN = [
    "async def join(self, guest, *, late=False)",
    "if guest and (not late)",
    "with open(os.devnull) as log",
    "log.write(guest)",
    "if late",
    "raise ValueError('too late')",
    "try",
    "return self.greet(guest)",
    "except KeyError as missing",
    "return str(missing)",
]
OTHER_LAYOUT = (
    ROOM.replace('"', "'").replace("'''", '"""').replace("guest: str, *", "\n        guest: 'str',\n        *")
)


def texts(source: str, name: str) -> list[str]:
    return [statement.text for statement in read_outline(source.encode()).list_statements(name)]


def test_functions_carry_the_names_around_them() -> None:
    names = [function.name for function in read_outline(ROOM.encode()).functions]
    assert names == ["Room.free", "Room.free#2", "Room.join", "Room.greet", "Room.greet.loud"]


def test_statements_stand_in_the_order_of_the_source_without_layout_annotations_and_docstrings() -> None:
    assert texts(ROOM, "Room.join") == JOIN


@pytest.mark.parametrize("name", ["Room.join", "Room.greet", "Room.free#2", MODULE])
def test_another_layout_is_the_same(name: str) -> None:
    assert OTHER_LAYOUT != ROOM
    ast.parse(OTHER_LAYOUT)
    assert texts(OTHER_LAYOUT, name) == texts(ROOM, name) != []


def test_module_level_holds_nothing_of_functions() -> None:
    held = texts(ROOM, MODULE)
    assert held == ["import os", "LIMIT = 3", "class Room()", "size = 1"]


def test_every_line_of_code_belongs_to_the_statement_that_stands_there() -> None:
    outline = read_outline(ROOM.encode())
    line = next(number for number, text in enumerate(ROOM.splitlines(), 1) if "self.greet(guest)" in text)
    assert outline.find_function(line) == "Room.join"
    assert Statement("return self.greet(guest)", line, line) in outline.list_statements("Room.join")
    assert outline.find_function(4) == MODULE


def test_what_does_not_parse_leaves_the_other_functions_readable() -> None:
    outline = read_outline(ROOM.replace("text.upper()", "text.upper(").encode())
    assert {name: outline.can_parse(name) for name in ("Room.join", "Room.greet", "Room.greet.loud", MODULE)} == {
        "Room.join": True,
        "Room.greet": False,
        "Room.greet.loud": False,
        MODULE: True,
    }
    assert outline.list_statements("Room.greet") == ()
    assert [statement.text for statement in outline.list_statements("Room.join")] == JOIN


def test_lines_are_read_instead_where_that_is_asked() -> None:
    outline = read_outline((ROOM + "\nbroken = = 1\n").encode(), by_lines=True)
    held = [statement.text for statement in outline.list_statements("Room.greet")]
    assert held[0] == "def greet(self, guest):"
    assert held[-1] == "return guest"
    assert "broken = = 1" in [statement.text for statement in outline.list_statements(MODULE)]


def test_the_same_function_is_parsed_once_in_all_versions() -> None:
    cache = StatementCache()
    for mark in range(5):
        outline = read_outline((f"mark = {mark}\n" * mark + ROOM).encode(), cache=cache)
        [line] = [entry.first for entry in outline.list_statements("Room.join") if entry.text == "log.write(guest)"]
        assert outline.lines[line - 1].strip() == "log.write(guest)"
    assert len(cache.functions) == 1


def test_a_comment_at_the_margin_and_a_bracket_that_closes_there_end_no_function() -> None:
    source = "@wrap(\n    1,\n)\ndef load(\n    a,\n):\n    first = a\n# margin\n    return first\n\n\nafter = 1\n"
    assert texts(source, "load") == ["@wrap(1) def load(a)", "first = a", "return first"]
    assert texts(source, MODULE) == ["after = 1"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"\xff\xfe", b"x = 1\r\ny = 2\r", b"# coding: no-such\nx = 1", b"(" * 2_000, b"-" * 5_000 + b"1"],
)
def test_no_content_raises(content: bytes) -> None:
    outline = read_outline(content)
    assert outline.find_function(1) == MODULE
    assert len(outline.list_statements(MODULE)) <= 3


def test_what_both_have_is_matched_also_where_it_moved() -> None:
    older = ["def f()", "first = 1", "second = 2", "third = 3", "return"]
    newer = ["def f()", "second = 2", "new = 0", "first = 1", "third = 3", "return"]
    matched = match_statements(older, newer)
    assert {newer[right]: older[left] for right, left in matched.items()} == {
        text: text for text in newer if text != "new = 0"
    }


def test_each_statement_is_used_once() -> None:
    matched = match_statements(["value = load()"], ["value = load()"] * 3)
    assert len(matched) == 1


def test_likeness_counts_common_statements_wherever_they_stand() -> None:
    assert measure_likeness(["a", "b"], ["b", "a"]) == 1.0
    assert measure_likeness(["a", "b", "c", "d"], ["a"]) == 0.25
    assert measure_likeness([], []) == 0.0
