"""A generated history with planted breaks of every family: each is seen at its commit, and none where there is none."""

from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.compare_services import ComparisonRequest, ServiceComparison
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.planted_breaks import KINDS, build_history


def test_every_break_is_seen_at_its_commit(tmp_path: Path, compilers: LocalCompilers) -> None:
    history = HistoryBuilder(tmp_path / "harbor.git")
    planted = {entry.commit: entry for entry in build_history(history, 3 * len(KINDS), seed=7)}
    history.write_repository()
    names = list(history.ids)
    with GitRepository(str(history.path)) as repository:
        comparison = ServiceComparison(repository, compilers)
        for before, name in zip(names, names[1:], strict=False):
            request = ComparisonRequest(history.ids[before], history.ids[name], python=running_python())
            [service] = comparison.compare(request)
            alarms = {(alarm.family, alarm.path) for alarm in service.alarms}
            entry = planted.get(name)
            assert bool(alarms) == (entry is not None), (name, service.alarms)
            if entry is not None:
                assert {family for family, _ in alarms} <= entry.families, (name, service.alarms)
                assert {path for _, path in alarms} == {entry.path}, (name, service.alarms)
