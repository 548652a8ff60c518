"""A generated history with planted breaks of every family: each is seen at its commit, and none where there is none."""

from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.compare_services import list_families
from tests.support.history_builder import HistoryBuilder
from tests.support.planted_breaks import build_history
from tests.support.planted_replay import replay_history

COMMITS = 1_000


def test_every_break_is_seen_at_its_commit(tmp_path: Path, compilers: LocalCompilers) -> None:
    built = HistoryBuilder(tmp_path / "harbor.git")
    planted = build_history(built, COMMITS, seed=7)
    built.write_repository()
    with GitRepository(str(built.path)) as history:
        *_, replay = replay_history(built, planted, history, compilers)
    assert replay.wrong == []
    assert replay.commits == len(built.ids) - 1 >= COMMITS
    assert set(replay.alarms) == set(list_families())
