"""The fixtures of the proof."""

from pathlib import Path

import pytest

from tests.support.history_builder import HistoryBuilder


@pytest.fixture
def story(tmp_path: Path) -> HistoryBuilder:
    """An empty history."""
    return HistoryBuilder(tmp_path / "repo.git")
