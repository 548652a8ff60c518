"""Lays out the timeline as a drawing: lanes, a scale, marks, and labels that do not overlap.

Drawn to scale: within a stretch, distances are times. Where most of a stretch would be empty it is broken there, and
the break says how long it is; each stretch says how long it is, too, since each has a scale of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from functions.local.page.timeline import EventLook, Lane, TimelineEvent
from shared.text.timestamps import format_duration

WIDTH = 840
_LEFT = 92
_RIGHT = 120
_BREAK_WIDTH = 76
_MIN_STRETCH_WIDTH = 60
_TOP = 66
_ROW_HEIGHT = 17
_LANE_HEIGHT = 30
_CHARACTER_WIDTH = 6.3
_LABEL_GAP = 10
_MAX_STRETCHES = 5
_MAX_EMPTINESS = 0.55
"""A stretch is broken where one gap takes more of it than this."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One event: its dot, and its label, which hangs below it by a line."""

    happening: TimelineEvent
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `x` to `end` time runs evenly."""

    x: float
    end: float
    start: str
    span: str
    label_y: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Where nothing happened for long."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane's line."""

    lane: Lane
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """In units of a view box of `WIDTH` by `height`."""

    height: float
    left: float
    right: float
    rows: tuple[LaneRow, ...]
    stretches: tuple[Stretch, ...]
    gaps: tuple[Gap, ...]
    marks: tuple[Mark, ...]
    width: float = WIDTH


def draw_timeline(events: Sequence[TimelineEvent]) -> Drawing | None:
    """Returns None if there are no events. `events` are in the order of time."""
    if not events:
        return None
    parts = _split_stretches([event.at for event in events])
    places = list(_lay_out_stretches(parts))
    stretches = _label_stretches(parts, places)
    top = _TOP + _ROW_HEIGHT * round(
        (max(stretch.label_y for stretch in stretches) - min(stretch.label_y for stretch in stretches)) / _ROW_HEIGHT
    )
    rows, marks = [], []
    for lane in Lane:
        placed = [(event, _find_x(event.at, parts, places)) for event in events if event.lane is lane]
        levels = _assign_levels([(x, event.label) for event, x in placed])
        rows.append(LaneRow(lane, top))
        for (event, x), level in zip(placed, levels, strict=True):
            marks.append(Mark(event, x, top, _label_start(x, event.label), top + 22 + level * _ROW_HEIGHT))
        top += _LANE_HEIGHT + _ROW_HEIGHT * (max(levels, default=0) + 1)
    marks.sort(key=lambda mark: mark.happening.look is not EventLook.PLAIN)  # what matters is drawn over what does not
    gaps = tuple(
        Gap((before[1] + after[0]) / 2, format_duration(following[0] - earlier[-1]))
        for (before, after), (earlier, following) in zip(pairwise(places), pairwise(parts), strict=True)
    )
    return Drawing(top, _LEFT - 12, WIDTH - 8, tuple(rows), tuple(stretches), gaps, tuple(marks))


def _split_stretches(moments: Sequence[datetime]) -> list[list[datetime]]:
    """Splits where a gap is most of a stretch, the emptiest stretch first."""
    parts = [sorted(set(moments))]
    while len(parts) < _MAX_STRETCHES:
        emptiest = max(parts, key=_measure_emptiness)
        if _measure_emptiness(emptiest) <= _MAX_EMPTINESS:
            break
        at = max(range(1, len(emptiest)), key=lambda index: emptiest[index] - emptiest[index - 1])
        where = parts.index(emptiest)
        parts[where : where + 1] = [emptiest[:at], emptiest[at:]]
    return parts


def _measure_emptiness(part: Sequence[datetime]) -> float:
    """How much of it its largest gap takes; 0 for what cannot be split into something better."""
    if len(part) < 3:
        return 0.0
    largest = max(later - earlier for earlier, later in pairwise(part))
    return largest / (part[-1] - part[0])


def _lay_out_stretches(parts: Sequence[Sequence[datetime]]) -> Iterator[tuple[float, float]]:
    """Where each stretch begins and ends: as wide as it has moments to show, and as its own words need."""
    weights = [len(part) - 1 for part in parts]
    least = [_MIN_STRETCH_WIDTH if weight else 0 for weight in weights]
    free = WIDTH - _LEFT - _RIGHT - _BREAK_WIDTH * (len(parts) - 1) - sum(least)
    x = float(_LEFT)
    for weight, narrowest in zip(weights, least, strict=True):
        wide = narrowest + free * weight / (sum(weights) or 1)
        yield x, x + wide
        x += wide + _BREAK_WIDTH


def _find_x(at: datetime, parts: Sequence[Sequence[datetime]], places: Sequence[tuple[float, float]]) -> float:
    for part, (start, end) in zip(parts, places, strict=True):
        if part[0] <= at <= part[-1]:
            span = part[-1] - part[0]
            return start + (end - start) * ((at - part[0]) / span if span else 0.0)
    raise ValueError(f"{at} is in no stretch")


def _label_stretches(parts: Sequence[Sequence[datetime]], places: Sequence[tuple[float, float]]) -> list[Stretch]:
    """Each with its beginning; the date is shown where it changes."""
    texts, day = [], None
    for part in parts:
        label = part[0].strftime("%H:%M:%S" if part[0].date() == day else "%Y-%m-%d %H:%M:%S")
        texts.append(label)
        day = part[0].date()
    levels = _assign_levels([(start, text) for (start, _), text in zip(places, texts, strict=True)])
    lowest = 20 + _ROW_HEIGHT * max(levels)
    return [
        Stretch(
            start, end, text, format_duration(part[-1] - part[0]) if len(part) > 1 else "", lowest - _ROW_HEIGHT * level
        )
        for part, (start, end), text, level in zip(parts, places, texts, levels, strict=True)
    ]


def _assign_levels(labels: Sequence[tuple[float, str]]) -> list[int]:
    """For each label, by x, the first row on which it keeps clear of those to its right.

    From right to left, so that the line from a mark down to its label passes left of every label above it.
    """
    taken: list[float] = []
    levels = [0] * len(labels)
    for index in reversed(range(len(labels))):
        x, text = labels[index]
        if not text:
            continue
        start = _label_start(x, text)
        end = start + len(text) * _CHARACTER_WIDTH + _LABEL_GAP
        level = next((row for row, left in enumerate(taken) if end <= left), len(taken))
        taken[level : level + 1] = [start]
        levels[index] = level
    return levels


def _label_start(x: float, text: str) -> float:
    """Labels begin at their mark, and end within the drawing."""
    return min(x, WIDTH - 8 - len(text) * _CHARACTER_WIDTH)
