"""A file outside of every package is moved into one: only then does its relative import fail as it was logged."""

from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import HistoryBuilder, running_python

DESK = "import json\n\nfrom .tides import flow\n\n\ndef ask() -> str:\n    return json.dumps(flow)\n"
DOCKERFILE = "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD uvicorn {}:app\n"


def prove_desk(history: HistoryBuilder) -> Finding:
    seen_at = history.committed_at("move")
    message = "No module named 'quay.tides'"
    frame = Frame("/app/quay/desk.py", 3, "<module>", "from .tides import flow")
    exception = LoggedException("ModuleNotFoundError", message, (frame,))
    raised = RaisedException(exception, LogEntry(0, f"ModuleNotFoundError: {message}", seen_at, revision="r1"))
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=raised,
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids["move"])
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None)


def test_the_move_into_the_package_introduced_the_failure(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {"Dockerfile": DOCKERFILE.format("desk"), "desk.py": DESK})
    moved = {"desk.py": None, "quay/__init__.py": "", "quay/desk.py": DESK}
    history.commit("move", {"Dockerfile": DOCKERFILE.format("quay.desk"), **moved})
    history.commit("fix", {"quay/tides.py": "flow = 1\n"})
    history.write_repository()
    finding = prove_desk(history)
    assert finding.introduced is not None
    assert history.name_of(finding.introduced.commit.id) == "move"
    assert finding.fix is not None
    assert history.name_of(finding.fix.commit.id) == "fix"


def test_a_file_that_another_folder_of_the_path_may_load_by_its_package_is_not_known_to_fail_otherwise(
    tmp_path: Path,
) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    both = "FROM python:3.11\nWORKDIR /app\nENV PYTHONPATH=/app:/app/old\nCOPY . .\nCMD uvicorn old.desk:app\n"
    history.commit("start", {"Dockerfile": both, "old/__init__.py": "", "old/desk.py": DESK, "old/main.py": ""})
    history.commit("move", {"Dockerfile": DOCKERFILE.format("quay.desk"), "old/desk.py": None, "quay/desk.py": DESK})
    history.write_repository()
    finding = prove_desk(history)
    assert finding.introduced is None or history.name_of(finding.introduced.commit.id) == "start"
