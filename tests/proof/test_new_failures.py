"""What a commit newly breaks while it fixes: such a commit is no target, and its failure is looked for only once."""

from pathlib import Path

import pytest

from shared.proof.claims.regressions.new_failures import NewFailures
from shared.proof.gating.gates import GateFailure
from tests.support.history_builder import HistoryBuilder
from tests.support.renamed_function import MAIN, START, prove_renamed


@pytest.mark.parametrize(
    "broken",
    [
        "from .tides import ebb\n",
        "from quay.tides import ebb\n",
        "size = depth\n",
        "class Berth:\n    size: int = Field(ge=0)\n",
    ],
    ids=["relative import", "absolute import", "name", "name in a class"],
)
def test_a_commit_whose_start_fails_elsewhere_is_refused_and_the_fix_before_it_proposed(
    tmp_path: Path, broken: str
) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", START)
    history.commit("rename", {"quay/tides.py": "def current(): pass\n"})
    history.commit("fix", {"main.py": MAIN.replace("flow", "current")})
    history.commit("moved", {"quay/berths.py": broken})
    history.write_repository()
    finding = prove_renamed(history)
    assert finding.fix is not None
    assert finding.target is not None
    assert {history.name_of(finding.fix.commit.id), history.name_of(finding.target.commit.id)} == {"fix"}
    assert [(history.name_of(each.commit.id), each.gate) for each in finding.refused_commits] == [
        ("moved", "newly_failing")
    ]


def test_a_failure_that_refused_a_commit_is_asked_first_at_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", START)
    history.commit("rename", {"quay/tides.py": "def current(): pass\n"})
    history.commit("fix", {"main.py": MAIN.replace("flow", "current")})
    history.commit("moved", {"quay/berths.py": "from .tides import ebb\n"})
    for number in range(70):
        history.commit(f"later {number}", {"NOTES.md": str(number)})
    history.write_repository()
    judged: list[str] = []
    find = NewFailures.find

    def count(self: NewFailures, commit: str) -> GateFailure | None:
        judged.append(commit)
        return find(self, commit)

    monkeypatch.setattr(NewFailures, "find", count)
    finding = prove_renamed(history)
    assert finding.target is not None
    assert history.name_of(finding.target.commit.id) == "fix"
    assert [history.name_of(commit) for commit in judged] == ["later 69", "fix"]


def test_what_loads_a_failing_file_counts_where_that_was_moved_later(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {**START, "scripts/never.py": "print 'one'\n"})
    history.commit("rename", {"quay/tides.py": "def current(): pass\n"})
    mended = MAIN.replace("flow", "current")
    history.commit("fix", {"main.py": mended})
    moved = {name.replace("quay/", "harbor/quay/"): text for name, text in START.items() if name.startswith("quay/")}
    gone = dict.fromkeys((name for name in START if name.startswith("quay/")), None)
    dockerfile = "FROM python:3.11\nWORKDIR /app\nCOPY harbor .\nCMD python main.py\n"
    history.commit(
        "move",
        {**gone, **moved, "harbor/quay/tides.py": "def current(): pass\n", "main.py": None, "harbor/main.py": mended,
         "Dockerfile": dockerfile},
    )  # fmt: skip
    history.write_repository()
    finding = prove_renamed(history)
    assert finding.refused_commits == ()
    assert finding.target is not None
    assert history.name_of(finding.target.commit.id) == "move"
