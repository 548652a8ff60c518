"""The timeline is drawn to scale, whatever happened when, and its labels can be read."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions.local.page.drawing import WIDTH, Drawing, draw_timeline
from functions.local.page.incident_view import IncidentReader
from functions.local.page.timeline import EventLook, Lane, TimelineEvent, build_timeline
from shared.text.timestamps import format_duration
from tests.support.harness import Harness
from tests.support.page_client import propose_on_one_machine

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
_CHARACTER = 5.5
"""Narrower than what is reckoned with: labels that touch in the drawing must not touch here."""
seconds = st.one_of(st.integers(0, 30), st.integers(0, 10_000), st.integers(0, 10**8))
found = st.lists(
    st.builds(
        lambda at, lane, look, label: TimelineEvent(NOON + timedelta(seconds=at), lane, look, label, label),
        seconds, st.sampled_from(Lane), st.sampled_from(EventLook), st.text("abcdef 0123", max_size=34),
    ),
    min_size=1, max_size=25,
).map(lambda several: sorted(several, key=lambda each: each.at))  # fmt: skip


def made(several: list[TimelineEvent]) -> Drawing:
    drawing = draw_timeline(several)
    assert drawing is not None
    return drawing


def test_nothing_is_not_drawn() -> None:
    assert draw_timeline([]) is None


@given(found)
def test_within_a_stretch_distances_are_times(several: list[TimelineEvent]) -> None:
    drawing = made(several)
    assert len(drawing.marks) == len(several)
    for stretch in drawing.stretches:
        inside = [mark for mark in drawing.marks if stretch.x - 0.01 <= mark.x <= stretch.end + 0.01]
        first, last = min(mark.happening.at for mark in inside), max(mark.happening.at for mark in inside)
        for mark in inside if last > first else ():
            part = (mark.happening.at - first) / (last - first)
            assert abs(mark.x - stretch.x - part * (stretch.end - stretch.x)) < 0.01


@given(found)
def test_what_comes_later_stands_further_right_and_everything_within(several: list[TimelineEvent]) -> None:
    drawing = made(several)
    marks = sorted(drawing.marks, key=lambda mark: mark.happening.at)
    assert all(before.x <= after.x + 0.01 for before, after in pairwise(marks))
    for mark in drawing.marks:
        assert 0 <= mark.x <= WIDTH
        assert mark.label_y <= drawing.height
        assert mark.label_x + len(mark.happening.label) * _CHARACTER <= WIDTH


@given(found)
def test_no_two_labels_stand_on_each_other(several: list[TimelineEvent]) -> None:
    rows = defaultdict(list)
    for mark in made(several).marks:
        if mark.happening.label:
            rows[mark.label_y].append((mark.label_x, mark.label_x + len(mark.happening.label) * _CHARACTER))
    for labels in rows.values():
        assert all(one[1] <= two[0] or two[1] <= one[0] for one, two in combinations(labels, 2))


def test_a_long_silence_is_broken_and_told() -> None:
    several = [NOON, NOON + timedelta(minutes=1), NOON + timedelta(days=9), NOON + timedelta(days=9, minutes=2)]
    drawing = made([TimelineEvent(at, Lane.COMMITS, EventLook.GOOD, "x", "x") for at in several])
    assert [gap.text for gap in drawing.gaps] == ["8 d 23 h"]
    assert [stretch.span for stretch in drawing.stretches] == ["1 min", "2 min"]


def test_an_incident_is_told_from_its_detection_on() -> None:
    harness = Harness()
    dossier = IncidentReader(harness.store, harness.services).read_incident(propose_on_one_machine(harness))
    assert dossier is not None
    told = {each.label: each for each in build_timeline(dossier)}
    assert {"detected", "proposed"} <= set(told)
    assert any(each.look is EventLook.ERROR and "line 7" in each.label for each in told.values())
    assert any(each.look is EventLook.TARGET for each in told.values())
    assert any("deployed" in each.text for each in told.values())


def test_durations_are_told_in_two_units() -> None:
    told = {
        0.04: "0.0 s", 4.26: "4.3 s", 42: "42 s", 60: "1 min", 200: "3 min 20 s", 3_600: "1 h", 7_500: "2 h 5 min",
        86_400: "1 d", 273_900: "3 d 4 h",
    }  # fmt: skip
    assert {time: format_duration(timedelta(seconds=time)) for time in told} == told
