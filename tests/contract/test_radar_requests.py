"""The radar through GitHub's API, by the function `check`: what it finds, and how many requests that costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.workflow.commit_checks.check_radar import MAX_REQUESTS
from tests.support.history_builder import HistoryBuilder
from tests.support.push_checks import PushOutside, open_push_outside
from tests.support.radar_history import RADAR_SERVICE, build_radar_history, look_by_radar


@pytest.fixture
def outside(tmp_path: Path, compilers: LocalCompilers) -> Iterator[PushOutside]:
    with open_push_outside(
        build_radar_history(HistoryBuilder(tmp_path / "repo.git")), compilers, RADAR_SERVICE
    ) as opened:
        yield opened


def test_the_fix_is_found_within_the_requests_of_one_look_by_radar(outside: PushOutside) -> None:
    radar, count = look_by_radar(outside, "broken")
    assert radar.reason == ""
    (entry,) = radar.entries
    assert outside.story.name_of(entry.fix) == "fixed"
    assert (entry.commits_shipped, radar.commits_ahead) == (16, 31)
    assert count <= MAX_REQUESTS
    again, cost = look_by_radar(outside, "broken")
    assert again.entries == radar.entries
    assert cost <= 3, "nothing has changed: the head is asked for, and no file"


def test_what_is_fixed_already_is_nothing(outside: PushOutside) -> None:
    radar, count = look_by_radar(outside, "fixed")
    assert (radar.entries, radar.reason) == ((), "")
    assert count <= MAX_REQUESTS


def test_a_look_that_costs_too_much_ends_and_says_so(outside: PushOutside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.workflow.commit_checks.check_radar.MAX_REQUESTS", 4)
    radar, count = look_by_radar(outside, "broken")
    assert (radar.entries, count) == ((), 4)
    assert "4 requests" in radar.reason
