"""What a commit newly breaks while it mends: such a commit is no target, and its failure is looked for only once."""

from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.signal import SignalKind
from shared.detection.ties import RaisedException
from shared.proof.claims.regressions.new_failures import NewFailures
from shared.proof.gating.gates import GateFailure
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import HistoryBuilder, running_python

MAIN = "from quay import berths\nfrom quay.tides import flow\n"
START = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "main.py": MAIN,
    "quay/__init__.py": "",
    "quay/berths.py": "size = 1\n",
    "quay/tides.py": "def flow(): pass\n",
}


def prove_renamed(history: HistoryBuilder) -> Finding:
    """The finding at the commit `rename`, where `flow` is gone."""
    seen_at = history.committed_at("rename")
    message = "cannot import name 'flow' from 'quay.tides' (/app/quay/tides.py)"
    exception = LoggedException(
        "ImportError", message, (Frame("/app/main.py", 2, "<module>", "from quay.tides import flow"),)
    )
    raised = RaisedException(exception, LogEntry(0, f"ImportError: {message}", seen_at, revision="r1"))
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=raised,
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids["rename"])
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None)


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
