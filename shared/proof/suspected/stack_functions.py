"""The functions that a traceback leads to: the one that failed, its callers, and those that the failing line calls."""

import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from shared.proof.suspected.deployed_state import DeployedState
from shared.proof.suspected.earlier_place import get_bare_name
from shared.proof.suspected.source_outline import Outlines, SourceOutline
from shared.proof.suspected.statements import Statement

_MAX_CALLED = 3
_CALL = re.compile(r"(?<!\w)([A-Za-z_]\w{1,80})\(")
_NAME = re.compile(r"(?<![\w'\"])[A-Za-z_]\w{0,80}")
_COMMON_NAMES = frozenset(keyword.kwlist) | {"self", "cls", "str", "len", "dict", "list", "print", "log"}


class StackRole(IntEnum):
    """How near a function is to the failure; the lower, the nearer."""

    FAILED = 0
    CALLER = 1
    CALLED = 2
    """What it returned is used on the failing line; the traceback does not name it, as it had returned."""


@dataclass(frozen=True, slots=True)
class StackFunction:
    """One function of the deployed state, with the statement that the traceback names in it."""

    path: str
    function: str
    role: StackRole
    depth: int
    """How many frames of own files are below its own."""
    outline: SourceOutline
    position: int | None
    """Of the named statement among those of the function; None where the traceback names none in it."""

    @property
    def statements(self) -> Sequence[Statement]:
        return self.outline.list_statements(self.function)

    @property
    def failing_text(self) -> str:
        """The statement that the traceback names; "" where it names none."""
        return self.statements[self.position].text if self.position is not None else ""


def list_stack_functions(state: DeployedState, outlines: Outlines) -> Sequence[StackFunction]:
    """Each function once, the failing one first."""
    functions: list[StackFunction] = []
    for depth, frame in enumerate(state.frames):
        outline = outlines.read(state.blobs[frame.path])
        if outline is None:
            continue
        name = outline.find_function(frame.line)
        role = StackRole.CALLER if depth else StackRole.FAILED
        position = _find_statement(outline.list_statements(name), frame.line)
        functions.append(StackFunction(frame.path, name, role, depth, outline, position))
    functions += [*_list_enclosing(functions[0]), *_list_called(functions)] if functions else []
    return list({(entry.path, entry.function): entry for entry in reversed(functions)}.values())[::-1]


def _list_enclosing(at: StackFunction) -> Iterator[StackFunction]:
    """The functions in which the failing one is defined: it uses their names."""
    name = at.function.rpartition(".")[0]
    while name and at.outline.has_function(name):
        yield StackFunction(at.path, name, StackRole.CALLER, at.depth + 1, at.outline, None)
        name = name.rpartition(".")[0]


def _find_statement(statements: Sequence[Statement], line: int) -> int | None:
    """The narrowest statement around a line."""
    around = [number for number, entry in enumerate(statements) if entry.first <= line <= entry.last]
    return min(around, key=lambda number: statements[number].last - statements[number].first, default=None)


def _list_called(functions: Sequence[StackFunction]) -> Iterator[StackFunction]:
    """Functions of the same files that are called for the failing line, by a name that only one of them has."""
    called = dict.fromkeys(_CALL.findall(" ".join(_list_feeding(functions[0]))))
    outlines = {entry.path: entry.outline for entry in functions}
    count = 0
    for name in called:
        places = [
            (path, function.name)
            for path, outline in outlines.items()
            for function in outline.functions
            if get_bare_name(function.name) == name
        ]
        if len(places) == 1 and count < _MAX_CALLED:
            count += 1
            path, function_name = places[0]
            yield StackFunction(path, function_name, StackRole.CALLED, 0, outlines[path], None)


def _list_feeding(at: StackFunction) -> Iterator[str]:
    """The failing statement, and those before it that give its names their values."""
    yield at.failing_text
    names = list_names(at.failing_text)
    for statement in reversed(at.statements[: at.position or 0]):
        target, equals, _ = statement.text.partition(" = ")
        if equals and list_names(target) & names:
            yield statement.text


def list_names(text: str) -> frozenset[str]:
    """The names that a statement speaks of, without those that every statement has."""
    return frozenset(_NAME.findall(text)) - _COMMON_NAMES
