"""An import error that was logged by its message alone: placed where one loaded file fails like this, else unknown."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import HistoryBuilder, running_python

MESSAGE = "cannot import name 'flow' from 'quay.tides' (/app/quay/tides.py)"
START = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "main.py": "import quay.berths\nimport quay.locks\n",
    "quay/__init__.py": "",
    "quay/berths.py": "size = 1\nfrom quay.tides import flow\n",
    "quay/locks.py": "from quay.tides import ebb\n",
    "quay/tides.py": "def flow(): pass\ndef ebb(): pass\n",
    "tools/chart.py": "from quay.tides import flow\n",
}
RENAMED = {"quay/tides.py": "def current(): pass\ndef ebb(): pass\n"}


def prove_bare(
    path: Path, renamed: Mapping[str, str | None], deployed: str | None, message: str = MESSAGE
) -> tuple[Finding, HistoryBuilder]:
    history = HistoryBuilder(path / "repo")
    history.commit("start", START)
    history.commit("rename", renamed)
    history.commit("fix", {"quay/berths.py": "size = 1\nfrom quay.tides import current\n"})
    history.write_repository()
    seen_at = history.committed_at("rename") + timedelta(seconds=1)
    raised = RaisedException(LoggedException("ImportError", message), LogEntry(0, message, seen_at, revision="r1"))
    incident = Incident(
        "0" * 16, SignalKind.CLOSE_1011, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True, raised=raised,
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids[deployed] if deployed else None)
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None), history


@pytest.mark.parametrize("deployed", [None, "rename"])
def test_the_one_loaded_file_that_asks_in_vain_is_the_place(tmp_path: Path, deployed: str | None) -> None:
    finding, history = prove_bare(tmp_path, RENAMED, deployed)
    assert finding.claim is not None
    assert (finding.claim.path, finding.claim.line) == ("quay/berths.py", 2)
    assert finding.recommendation.kind is ActionKind.REDEPLOY
    assert finding.introduced is not None
    assert history.name_of(finding.introduced.commit.id) == "rename"
    assert finding.fix is not None
    assert history.name_of(finding.fix.commit.id) == "fix"


@pytest.mark.parametrize(
    ("renamed", "deployed", "message"),
    [
        ({**RENAMED, "quay/locks.py": "from quay.tides import flow\n"}, "rename", MESSAGE),
        (RENAMED, "start", MESSAGE),
        (
            {**RENAMED, "quay/locks.py": "def __getattr__(name): pass\nfrom quay.tides import *\nflow\n"},
            "start",
            MESSAGE,
        ),
        (RENAMED, "rename", MESSAGE.replace("/app/quay/tides.py", "unknown location")),
        (RENAMED, "rename", MESSAGE.replace("'quay.tides'", "partially initialized module 'quay.tides'")),
        ({"quay/tides.py": "def __getattr__(name): return name\ndef ebb(): pass\n"}, "rename", MESSAGE),
    ],
)
def test_two_places_or_none_are_no_proof(
    tmp_path: Path, renamed: Mapping[str, str | None], deployed: str, message: str
) -> None:
    finding, _ = prove_bare(tmp_path, renamed, deployed, message)
    assert finding.claim is None
    assert finding.recommendation.kind is ActionKind.NONE
