"""Errors of which the log tells only the handler, through real histories: the place, the deployed commit, the rest."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.raised_exception import read_raised
from shared.detection.signal import SignalKind, SkipReason
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofContext, ProofRequest
from shared.proof.prove_exception import prove_exception
from tests.support.history_builder import START, HistoryBuilder, commit_names, running_python

HANDLER = """import logging
from quay.ropes import Rope, pull

logger = logging.getLogger(__name__)


def moor(berth):
    try:
        {body}
    except Exception as error:
        logger.error(f"Mooring failed for {{berth}}: {{error}}")
"""
LINE = 11
ROPES = """import time


class Rope:
    def tie(self, knot):
        return knot


def pull():
    return time.time()
"""


def write_desk(body: str) -> str:
    return HANDLER.format(body=body)


def prove(history: HistoryBuilder, message: str, minute: int, line: int = LINE) -> Finding:
    at = START + timedelta(minutes=minute)
    text = f"Mooring failed for 7: {message}"
    entry = LogEntry(0, text, at, severity="ERROR", revision="r1", logged_at=f"quay.desk:{line} moor")
    raised = read_raised(entry, SkipReason.NO_SIGNAL)
    assert raised is not None
    incident = Incident(
        "0" * 16, SignalKind.CLOSE_1011, "desk", "test", "", "", (), (), at, at, 1, dated=True, raised=raised
    )
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        request = ProofRequest(fallback_python=running_python())
        branch = repository.branch(None)
        return prove_exception(ProofContext(incident, repository, compilers, request, branch, None, lambda _: None))


def start_history(path: Path, desk: str, ropes: str) -> HistoryBuilder:
    history = HistoryBuilder(path / "quay")
    sound = {"main.py": "import quay.desk\n", "quay/__init__.py": "", "quay/desk.py": write_desk("return 1")}
    history.commit("first", {**sound, "quay/ropes.py": ROPES, "Dockerfile": "FROM python:3.11\nCOPY . .\n"})
    history.commit("break", {"quay/desk.py": desk, "quay/ropes.py": ropes})
    history.commit("unrelated", {"Dockerfile": "FROM python:3.11\nCOPY . .\nCMD python main.py\n"})
    return history


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return tide + 1", "name 'tide' is not defined"),
        ("return Rope().tie_async()", "'Rope' object has no attribute 'tie_async'"),
        ("return Rope().tie(knot=1, depth=2)", "Rope.tie() got an unexpected keyword argument 'depth'"),
    ],
)
def test_the_failing_line_is_one_that_the_handler_guards(tmp_path: Path, body: str, message: str) -> None:
    history = start_history(tmp_path, write_desk(body), ROPES)
    history.commit("fix: say more", {"quay/desk.py": write_desk(body) + "# more\n"})
    history.commit("mend", {"quay/desk.py": write_desk("return 2")})
    history.write_repository()
    finding = prove(history, message, minute=2)
    assert finding.broken is not None
    assert (finding.broken.path, finding.broken.fault.line) == ("quay/desk.py", 9)
    assert finding.introduced is not None
    assert finding.introduced.commit.subject == "break"
    assert finding.fix is not None
    assert finding.fix.commit.subject == "mend"
    assert commit_names(finding.attempts) == ["fix: say more"]  # not what changed the Dockerfile alone


def test_an_undefined_name_is_found_in_the_imported_file_that_lacks_it(tmp_path: Path) -> None:
    desk = "import time\n" + write_desk("return pull() + time.time()")
    history = start_history(tmp_path, desk, ROPES.replace("import time\n", "\n"))
    history.commit("mend", {"quay/ropes.py": ROPES})
    history.write_repository()
    finding = prove(history, "name 'time' is not defined", minute=2, line=LINE + 1)
    assert finding.broken is not None
    assert finding.broken.path == "quay/ropes.py"
    assert finding.introduced is not None
    assert finding.introduced.commit.subject == "break"
    assert finding.fix is not None
    assert finding.fix.commit.subject == "mend"


@pytest.mark.parametrize(
    ("body", "message", "line"),
    [
        ("return berth.tie_async()", "name 'tide' is not defined", LINE),
        ("return tide + 1", "name 'tide' is not defined", LINE - 1),
        ("return pull()", "pull() missing 1 required positional argument: 'rope'", LINE),
    ],
)
def test_what_the_code_does_not_bear_out_is_not_proven(tmp_path: Path, body: str, message: str, line: int) -> None:
    history = start_history(tmp_path, write_desk(body), ROPES)
    history.write_repository()
    assert prove(history, message, minute=2, line=line).broken is None


def test_a_commit_of_a_side_branch_that_came_in_later_may_be_deployed(tmp_path: Path) -> None:
    history = start_history(tmp_path, write_desk("return 1"), ROPES)
    history.commit("side", {"quay/desk.py": write_desk("return tide")}, "first", minute=3)
    history.commit("main goes on", {"README.md": "quay\n"}, "unrelated", minute=4)
    history.commit("merge", {"quay/desk.py": write_desk("return tide")}, "main goes on", "side", minute=9)
    history.commit("mend", {"quay/desk.py": write_desk("return 2")}, minute=10)
    history.write_repository()
    finding = prove(history, "name 'tide' is not defined", minute=5)
    assert finding.deployed.commit is not None
    assert finding.deployed.commit.subject == "side"
    assert finding.introduced is not None
    assert finding.introduced.commit.subject == "side"
