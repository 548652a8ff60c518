"""Puts `reveal_type(…)` around values of a source, so that the checker says whether it knows their types.

Nothing else of the source changes, and no line moves; each probe is found again by its line and column.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PREFIX, _SUFFIX = "reveal_type(", ")"
_WRAPPED = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Await, ast.NamedExpr, ast.BoolOp, ast.IfExp)


@dataclass(frozen=True, slots=True)
class ProbedSource:
    """`positions`: where the checker will name each value: line and column, from 1, in characters."""

    content: bytes
    positions: Mapping[ast.expr, tuple[int, int]]


def insert_probes(content: bytes, values: Iterable[ast.expr]) -> ProbedSource:
    """Probes around those values that can be wrapped; a source that is no UTF-8 stays as it is."""
    wrapped = [value for value in dict.fromkeys(values) if isinstance(value, _WRAPPED)]
    try:
        lines = content.decode("utf-8").splitlines(keepends=True)
    except UnicodeDecodeError:
        return ProbedSource(content, {})
    if content.startswith(b"\xef\xbb\xbf") or any(ending in content for ending in (b"\x0c", b"\r")):
        return ProbedSource(content, {})  # here lines or columns are counted in more than one way
    starts = {value: _locate(lines, value.lineno, value.col_offset) for value in wrapped}
    ends = {value: _locate(lines, value.end_lineno or 1, value.end_col_offset or 0) for value in wrapped}
    outermost_first = sorted(wrapped, key=lambda value: (starts[value], [-part for part in ends[value]]))
    insertions: list[tuple[tuple[int, int], int, str]] = []
    positions: dict[ast.expr, tuple[int, int]] = {}
    for rank, value in enumerate(outermost_first):
        insertions.append((starts[value], rank, _PREFIX))
        insertions.append((ends[value], -rank - 1, _SUFFIX))
    insertions.sort(key=lambda insertion: (insertion[0], insertion[2] == _PREFIX, insertion[1]))
    for value in outermost_first:
        line, column = starts[value]
        before = [text for position, _, text in insertions if position[0] == line and position[1] < column]
        before += [_SUFFIX for position, _, text in insertions if position == (line, column) and text == _SUFFIX]
        same = [other for other in outermost_first if starts[other] == (line, column)]
        shift = sum(map(len, before)) + len(_PREFIX) * (same.index(value) + 1)
        positions[value] = (line + 1, column + shift + 1)
    return ProbedSource(_apply(lines, insertions).encode(), positions)


def _locate(lines: list[str], line: int, offset: int) -> tuple[int, int]:
    """Line and column from 0, in characters, of a position that the parser gives in bytes."""
    return line - 1, len(lines[line - 1].encode()[:offset].decode("utf-8", "replace"))


def _apply(lines: list[str], insertions: list[tuple[tuple[int, int], int, str]]) -> str:
    changed = list(lines)
    for (line, column), _, text in reversed(insertions):
        changed[line] = changed[line][:column] + text + changed[line][column:]
    return "".join(changed)
