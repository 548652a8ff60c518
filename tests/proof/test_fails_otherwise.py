"""A version that fails in another way than was logged: the failure is not there yet, and it is no fix."""

from pathlib import Path

from shared.proof.model.recommendation import Reason
from tests.support.history_builder import HistoryBuilder
from tests.support.renamed_function import MAIN, START, prove_renamed


def test_a_version_that_fails_otherwise_does_not_hide_where_the_failure_came_from(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {**START, "main.py": "from quay.charts import flow\n"})
    history.commit("rename", {"main.py": MAIN, "quay/tides.py": "def current(): pass\n"})
    history.commit("fix", {"main.py": MAIN.replace("flow", "current")})
    history.write_repository()
    finding = prove_renamed(history)
    assert finding.introduced is not None
    assert history.name_of(finding.introduced.commit.id) == "rename"
    assert finding.fix is not None
    assert history.name_of(finding.fix.commit.id) == "fix"


def test_a_version_that_fails_otherwise_is_neither_fix_nor_rollback(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {**START, "main.py": "from quay.charts import flow\n"})
    history.commit("rename", {"main.py": MAIN, "quay/tides.py": "def current(): pass\n"})
    history.commit("back", {"main.py": "from quay.charts import flow\n"})
    history.write_repository()
    finding = prove_renamed(history)
    assert finding.fix is None
    assert finding.rollback is None
    assert finding.target is None


def test_a_history_that_is_there_but_undecided_is_not_called_missing(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {**START, "quay/tides.py": "for name in read_names():\n    globals()[name] = 1\n"})
    history.commit("rename", {"quay/tides.py": "def current(): pass\n"})
    history.write_repository()
    finding = prove_renamed(history)
    assert finding.introduced is None
    assert not finding.gaps
    assert finding.recommendation.reason is Reason.NO_FIX
