"""A service whose start file takes a function that another commit renamed, and what a proof says of it."""

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

MAIN = "from quay import berths\nfrom quay.tides import flow\n"
START = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "main.py": MAIN,
    "quay/__init__.py": "",
    "quay/berths.py": "size = 1\n",
    "quay/tides.py": "def flow(): pass\n",
}


def prove_renamed(history: HistoryBuilder, *outer_frames: Frame) -> Finding:
    """The finding at the commit `rename`, where `flow` is gone; `outer_frames` stand above the start file's."""
    message = "cannot import name 'flow' from 'quay.tides' (/app/quay/tides.py)"
    frames = (*outer_frames, Frame("/app/main.py", 2, "<module>", "from quay.tides import flow"))
    return prove_failed_start(history, LoggedException("ImportError", message, frames), "rename")


def prove_failed_start(history: HistoryBuilder, exception: LoggedException, deployed: str) -> Finding:
    """The finding of an exception that ended the start of a commit."""
    seen_at = history.committed_at(deployed)
    text = f"{exception.error_class}: {exception.message}"
    raised = RaisedException(exception, LogEntry(0, text, seen_at, revision="r1"))
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=raised,
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids[deployed])
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None)
