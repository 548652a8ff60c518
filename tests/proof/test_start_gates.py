"""A commit whose start command newly names what its image lacks: no target, an alarm of the check, and an incident."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from functions.cli.arguments import OutputFormat
from functions.cli.check import check
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.detection.entry import CHECK_LOG, LogEntry
from shared.detection.incident import Incident, Sighting
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import HistoryBuilder, make_incident, make_sighting, prove_incident, running_python

Files = Mapping[str, str | bytes | None]
DOCKERFILE = (
    "FROM python:3.11-slim\nWORKDIR /srv\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
    "CMD uvicorn ferry.main:app\n"
)
LINE = 6
MAIN = "from ferry import berths\n\napp = berths.berth\n"
BERTHS = "berth = 1\n" + "".join(f"berth_{number} = {number}\n" for number in range(20))
START: Files = {
    "Dockerfile": DOCKERFILE,
    "requirements.txt": "uvicorn==0.30.0\n",
    "ferry/__init__.py": "",
    "ferry/main.py": MAIN,
    "ferry/berths.py": BERTHS,
}
BROKEN_STARTS: Mapping[str, Files] = {
    "mistyped module": {"Dockerfile": DOCKERFILE.replace("ferry.main", "ferry.mian")},
    "mistyped package": {"Dockerfile": DOCKERFILE.replace("ferry.main", "fery.main")},
    "another name": {"Dockerfile": DOCKERFILE.replace(":app", ":application")},
    "removed name": {"ferry/main.py": MAIN.replace("app =", "application =")},
    "renamed module": {"ferry/main.py": None, "ferry/server.py": MAIN},
    "ignored module": {".dockerignore": "ferry/main.py\n"},
    "moved package": {
        **dict.fromkeys(("ferry/__init__.py", "ferry/main.py", "ferry/berths.py")),
        "lib/ferry/__init__.py": "",
        "lib/ferry/main.py": MAIN,
        "lib/ferry/berths.py": BERTHS,
    },
    "a file that is not there": {"Dockerfile": DOCKERFILE.replace("uvicorn ferry.main:app", "python serve.py")},
}
UNCERTAIN_STARTS: Mapping[str, Files] = {
    "a variable": {"Dockerfile": DOCKERFILE.replace("ferry.main:app", "$TARGET")},
    "a base image": {"Dockerfile": DOCKERFILE.replace("python:3.11-slim", "ferry/base:2").replace("main:app", "x:app")},
    "a package of that name": {
        "Dockerfile": DOCKERFILE.replace("ferry.main", "tugboat.main"),
        "requirements.txt": "uvicorn==0.30.0\ntugboat==2\n",
    },
    "a command that makes it": {
        "Dockerfile": DOCKERFILE.replace("CMD", "RUN make sources\nCMD").replace("main:app", "made:app")
    },
    "no command": {"Dockerfile": DOCKERFILE.replace("uvicorn ferry.main:app", "sleep 3")},
}


def prove_syntax_error(path: Path, compilers: LocalCompilers, newest: Files) -> Finding:
    """An incident of another kind: a file that does not compile is fixed, and a later commit changes the start."""
    history = HistoryBuilder(path / "repo")
    history.commit("start", START)
    history.commit("break", {"ferry/berths.py": BERTHS.replace("berth_3 = 3", "oops = = 3")})
    history.commit("fix", {"ferry/berths.py": BERTHS})
    history.commit("newest", newest)
    history.write_repository()
    request = ProofRequest(deployed=history.ids["break"], fallback_python=running_python(), python=running_python())
    incident = make_incident("/srv/ferry/berths.py", make_sighting(5))
    return prove_incident(history.path, incident, compilers, request)


@pytest.mark.parametrize("name", BROKEN_STARTS, ids=lambda name: name.replace(" ", "_"))
def test_a_target_that_starts_nothing_is_refused(tmp_path: Path, compilers: LocalCompilers, name: str) -> None:
    proof = prove_syntax_error(tmp_path, compilers, BROKEN_STARTS[name])
    assert proof.target is not None
    assert proof.target.commit.subject == "fix"
    [refused] = proof.refused_commits
    assert refused.gate == "newly_failing"
    assert "Dockerfile" in refused.detail


@pytest.mark.parametrize("name", UNCERTAIN_STARTS, ids=lambda name: name.replace(" ", "_"))
def test_what_is_not_certain_refuses_no_target(tmp_path: Path, compilers: LocalCompilers, name: str) -> None:
    proof = prove_syntax_error(tmp_path, compilers, UNCERTAIN_STARTS[name])
    assert proof.target is not None
    assert proof.target.commit.subject == "newest"


def compare(path: Path, changes: Files, capsys: pytest.CaptureFixture[str]) -> list[str]:
    history = HistoryBuilder(path / "repo")
    history.commit("start", START)
    history.commit("changed", changes)
    history.write_repository()
    code = check(
        repo=str(history.path),
        baseline=history.ids["start"],
        rev="main",
        python=running_python(),
        output=OutputFormat.JSON,
    )
    found = json.loads(capsys.readouterr().out)
    assert code == int(bool(found["alarms"]))
    return [f"{alarm['family']} {alarm['path']}:{alarm['line']}" for alarm in found["alarms"]]


@pytest.mark.parametrize("name", BROKEN_STARTS, ids=lambda name: name.replace(" ", "_"))
def test_the_check_against_a_baseline_reports_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert compare(tmp_path, BROKEN_STARTS[name], capsys) == [f"start_target Dockerfile:{LINE}"]


def test_a_start_that_moves_with_its_module_is_no_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved = {"Dockerfile": DOCKERFILE.replace("ferry.main", "ferry.server"), **BROKEN_STARTS["renamed module"]}
    assert compare(tmp_path, moved, capsys) == []


def test_what_a_check_has_found_is_proven_before_anybody_meets_it(tmp_path: Path, compilers: LocalCompilers) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", START)
    history.commit("break", BROKEN_STARTS["renamed module"])
    history.commit("fix", {"Dockerfile": DOCKERFILE.replace("ferry.main", "ferry.server")})
    history.write_repository()
    seen_at = history.committed_at("fix")
    entry = LogEntry(0, "found", seen_at, log_name=CHECK_LOG, revision="r2")
    frame = Frame("Dockerfile", LINE, "<module>", "CMD uvicorn ferry.main:app")
    message = "No module named 'ferry.main'"
    raised = RaisedException(LoggedException("ModuleNotFoundError", message, (frame,)), entry)
    sighting = Sighting("r2", LINE, message, "", "", seen_at, seen_at, 1, entry)
    incident = Incident(
        "0" * 16, SignalKind.FOUND_BY_CHECK, "ferry", "test", "ModuleNotFoundError", "Dockerfile", (sighting,), (),
        seen_at, seen_at, 1, dated=True, raised=raised,
    )  # fmt: skip
    request = ProofRequest(deployed=history.ids["break"], fallback_python=running_python())
    proof = prove_incident(history.path, incident, compilers, request)
    assert proof.claim is not None
    assert (proof.claim.family, proof.claim.is_found_early) == ("start_target", True)
    assert proof.fix is not None
    assert history.name_of(proof.fix.commit.id) == "fix"
    assert proof.recommendation.kind is ActionKind.REDEPLOY
