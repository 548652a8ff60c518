"""Lays measurements out: rows go in, one markdown table comes out."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. `ratio` and `goal` are in words; `met` is None where there is no goal."""

    measure: str
    value: str
    baseline: str = "–"
    ratio: str = "–"
    goal: str = "–"
    met: bool | None = None


HEADINGS = ("measure", "value", "baseline", "ratio", "goal", "met")


def render_markdown(rows: Iterable[Row]) -> str:
    """A table whose columns line up as text, too."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "".join(f"| {line} |\n" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    met = {None: "–", True: "yes", False: "no"}[row.met]
    return (row.measure, row.value, row.baseline, row.ratio, row.goal, met)
