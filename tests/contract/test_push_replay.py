"""A generated history, pushed commit by commit: each planted break is red at its commit, and nothing else is."""

from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.compare_services import list_families
from tests.support.history_builder import HistoryBuilder
from tests.support.planted_breaks import KINDS, build_history
from tests.support.push_checks import open_push_outside
from tests.support.push_replay import replay_pushes

MAX_REQUESTS = 20


def test_every_planted_break_is_red_at_its_commit_and_nothing_else_is(
    tmp_path: Path, compilers: LocalCompilers
) -> None:
    built = HistoryBuilder(tmp_path / "harbor.git")
    planted = build_history(built, 3 * len(KINDS), seed=11)
    built.write_repository()
    with open_push_outside(built, compilers) as outside:
        *_, replay = replay_pushes(outside, planted)
    assert replay.wrong == []
    assert (replay.commits, replay.red_breaks) == (len(built.ids) - 1, len(planted))
    assert {family for kind in KINDS.values() for family in kind.families} == set(list_families())
    assert replay.most_requests <= MAX_REQUESTS
