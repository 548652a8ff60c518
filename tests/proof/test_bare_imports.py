"""An import error that was logged by its message alone: placed where one loaded file fails like this, else unknown."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
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
    path: Path,
    renamed: Mapping[str, str | None],
    deployed: str | None,
    message: str = MESSAGE,
    *,
    start: Mapping[str, str] = START,
    fix: Mapping[str, str | None] = MappingProxyType({"quay/berths.py": "size = 1\nfrom quay.tides import current\n"}),
    error_class: str = "ImportError",
) -> tuple[Finding, HistoryBuilder]:
    history = HistoryBuilder(path / "repo")
    history.commit("start", start)
    history.commit("rename", renamed)
    history.commit("fix", fix)
    history.write_repository()
    seen_at = history.committed_at("rename") + timedelta(seconds=1)
    raised = RaisedException(LoggedException(error_class, message), LogEntry(0, message, seen_at, revision="r1"))
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


NO_MODULE = "No module named 'quay.tides'"
ONE_IMPORTER = {**START, "quay/locks.py": "depth = 4\n"}
MOVED = {"quay/tides.py": None, "quay/currents.py": "def flow(): pass\n"}
FOLLOWED = {"quay/berths.py": "size = 1\nfrom quay.currents import flow\n"}


def prove_missing(
    path: Path, start: Mapping[str, str], moved: Mapping[str, str | None] = MOVED, message: str = NO_MODULE
) -> tuple[Finding, HistoryBuilder]:
    return prove_bare(path, moved, "rename", message, start=start, fix=FOLLOWED, error_class="ModuleNotFoundError")


@pytest.mark.parametrize(
    "start",
    [
        ONE_IMPORTER,
        {key: text for key, text in ONE_IMPORTER.items() if key != "Dockerfile"}
        | {"requirements.txt": "", "Procfile": "web: python main.py\n"},
        {**ONE_IMPORTER, "Dockerfile": ONE_IMPORTER["Dockerfile"].replace("python main.py", "gunicorn main:app")},
        {
            **ONE_IMPORTER,
            "main.py": "try:\n    import quay.berths\nexcept Exception as e:\n    print(e)\n    exit(1)\n",
        },
    ],
    ids=["dockerfile", "procfile", "gunicorn", "handed on"],
)
def test_the_one_statement_that_asks_for_a_missing_module_is_the_place(
    tmp_path: Path, start: Mapping[str, str]
) -> None:
    finding, history = prove_missing(tmp_path, start)
    assert finding.claim is not None, finding.recommendation
    assert (finding.claim.path, finding.claim.line) == ("quay/berths.py", 2)
    assert finding.recommendation.kind is ActionKind.REDEPLOY
    assert finding.introduced is not None
    assert history.name_of(finding.introduced.commit.id) == "rename"
    assert finding.fix is not None
    assert history.name_of(finding.fix.commit.id) == "fix"


def test_several_statements_that_fail_alike_are_named_and_nothing_is_proposed(tmp_path: Path) -> None:
    finding, _ = prove_missing(tmp_path, START)
    assert finding.claim is None
    assert finding.recommendation.kind is ActionKind.NONE
    assert finding.recommendation.reason is Reason.AMBIGUOUS
    assert "quay/berths.py, line 2; quay/locks.py, line 1" in finding.recommendation.detail


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (
            {**ONE_IMPORTER, "quay/locks.py": "import importlib, os\nimportlib.import_module(os.environ['Q'])\n"},
            NO_MODULE,
        ),
        ({**ONE_IMPORTER, "quay/locks.py": "PLUGINS = ['quay.tides']\n"}, NO_MODULE),
        (
            {
                **ONE_IMPORTER,
                "quay/locks.py": "try:\n    import quay.tides\nexcept OSError:\n    raise\nexcept Bad:\n    pass\n",
            },
            NO_MODULE,
        ),
        (
            {**ONE_IMPORTER, "main.py": "try:\n    import quay.berths\nexcept ImportError as e:\n    print(e)\n"},
            NO_MODULE,
        ),
        ({**ONE_IMPORTER, "Dockerfile": ONE_IMPORTER["Dockerfile"].replace("main.py", "$START")}, NO_MODULE),
        (ONE_IMPORTER, "No module named 'quay.tides.ebb'"),
        (ONE_IMPORTER, "No module named 'tides'"),
        (ONE_IMPORTER, "No module named 'redis'"),
    ],
    ids=["dynamic", "text", "unclear", "caught", "start", "below", "other", "package"],
)
def test_a_missing_module_that_something_else_may_ask_for_is_no_proof(
    tmp_path: Path, start: Mapping[str, str], message: str
) -> None:
    finding, _ = prove_missing(tmp_path, start, message=message)
    assert finding.claim is None
    assert finding.recommendation.kind is ActionKind.NONE


def test_a_message_without_the_path_of_the_module_is_placed_from_the_start_file(tmp_path: Path) -> None:
    finding, _ = prove_bare(tmp_path, RENAMED, "rename", MESSAGE.partition(" (")[0])
    assert finding.claim is not None
    assert (finding.claim.path, finding.claim.line) == ("quay/berths.py", 2)


@pytest.mark.parametrize(("has_file", "is_proven"), [(False, True), (True, False)])
def test_an_unknown_location_is_that_of_a_folder_without_a_file(
    tmp_path: Path, *, has_file: bool, is_proven: bool
) -> None:
    start = {key: text for key, text in START.items() if has_file or key != "quay/__init__.py"}
    start |= {"quay/berths.py": "size = 1\nfrom quay import tides\n", "quay/locks.py": ""}
    message = "cannot import name 'tides' from 'quay' (unknown location)"
    finding, _ = prove_bare(tmp_path, MOVED, "rename", message, start=start)
    assert (finding.claim is not None) is is_proven


@pytest.mark.parametrize(
    ("importing", "is_proven"), [("import redis\n", True), ("def moor():\n    import redis\n", False)]
)
def test_a_package_that_an_installed_one_may_ask_for_needs_a_statement_that_runs(
    tmp_path: Path, importing: str, *, is_proven: bool
) -> None:
    installing = "FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python main.py\n"
    start = {"Dockerfile": installing, "main.py": "import berths\n", "berths.py": importing,
             "requirements.txt": "redis==5.0.1\nuvicorn==0.30.1\nclick==8.1.7\nh11==0.14.0\n"}  # fmt: skip
    start["Dockerfile"] = installing.replace("-r req", "--no-deps -r req")
    dropped = {"requirements.txt": start["requirements.txt"].partition("\n")[2]}
    fix = {"requirements.txt": start["requirements.txt"]}
    finding, _ = prove_bare(
        tmp_path, dropped, "rename", "No module named 'redis'", start=start, fix=fix, error_class="ModuleNotFoundError"
    )
    assert (finding.claim is not None) is is_proven, finding.recommendation.detail
