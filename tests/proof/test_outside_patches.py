"""What a loaded file sets on a module or a class of another one: the attribute is then not known to be missing.

Each service is run, too: where Python finds the attribute, no verdict may say that it fails.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.claims.claim import ClaimState
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.judges import build_judges
from shared.proof.claims.read_claim import read_claim
from shared.proof.claims.service_modules import open_service_modules
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import HistoryBuilder, running_python

START: Mapping[str, str] = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "quay/__init__.py": "",
    "quay/conf.py": "maximum = 1\ndef moor(): pass\n",
    "quay/berths.py": "class Berth:\n    size = 1\nclass Lock:\n    pass\n",
    "quay/alias.py": "from quay import conf\nharbour = object()\n",
}
MODULE = ("AttributeError", "module 'quay.conf' has no attribute 'limit'", "from quay import conf\nconf.limit")
CLASS = ("AttributeError", "'Berth' object has no attribute 'limit'", "from quay.berths import Berth\nBerth().limit")
ON_TYPE = (
    "AttributeError",
    "type object 'Berth' has no attribute 'limit'",
    "from quay.berths import Berth\nBerth.limit",
)
NAME = ("ImportError", "cannot import name 'limit' from 'quay.conf' (/app/quay/conf.py)", "from quay.conf import limit")
GLOBAL = ("NameError", "name 'limit' is not defined", "print(limit)")
CALL = ("TypeError", "moor() got an unexpected keyword argument 'deck'", "from quay import conf\nconf.moor(deck=1)")


def judge(path: Path, patch: str, claimed: tuple[str, str, str]) -> tuple[ClaimState, bool]:
    """The verdict on the last line of `quay/desk.py`, with the patch loaded before it; and whether it really fails."""
    error_class, message, source = claimed
    history = HistoryBuilder(path / "repo")
    files = {
        **START,
        "quay/patch.py": patch,
        "quay/desk.py": source + "\n",
        "main.py": "import quay.patch\nimport quay.desk\n",
    }
    history.commit("start", files)
    history.write_repository()
    line = source.count("\n") + 1
    frame = Frame("quay/desk.py", line, "<module>", source.splitlines()[-1])
    claim = read_claim(LoggedException(error_class, message, (frame,)))
    assert claim is not None
    commit = history.ids["start"]
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        judges, confirming = build_judges(compilers, repository, [commit])
        loaded = LoadedFiles(repository, "quay/desk.py")
        verdicts = ClaimVerdicts(
            repository,
            claim,
            judges[claim.family],
            lambda tree, importing: open_service_modules(tree, TracedFiles(importing), "3.11"),
            confirming.get(claim.family),
            list_loaded=lambda oid: loaded.get_state(oid).closure.files,
        )
        return verdicts.confirm_commit(commit).state, _is_raised(path / "tree", files, error_class)


def _is_raised(folder: Path, files: Mapping[str, str], error_class: str) -> bool:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run = subprocess.run([sys.executable, "main.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0 or error_class in run.stderr.splitlines()[-1], run.stderr
    return run.returncode != 0


@pytest.mark.parametrize(
    ("claimed", "patch"),
    [
        (MODULE, "from quay import conf\nconf.limit = 1\n"),
        (MODULE, "import quay.conf\nquay.conf.limit = 1\n"),
        (MODULE, "import quay.conf as c\nsetattr(c, 'limit', 1)\n"),
        (MODULE, "from quay import conf\nfor name in ('limit', 'depth'):\n    setattr(conf, name, 1)\n"),
        (MODULE, "import importlib\nconf = importlib.import_module('quay.conf')\nconf.limit = 1\n"),
        (MODULE, "import sys, quay.conf\nsys.modules['quay.conf'].limit = 1\n"),
        (MODULE, "from quay.alias import conf\ndef install():\n    conf.limit = 1\ninstall()\n"),
        (MODULE, "from quay import conf\nfor module in (conf,):\n    module.limit = 1\n"),
        (CLASS, "from quay.berths import Berth\nBerth.limit = 1\n"),
        (CLASS, "from quay import berths\nberths.Berth.limit = property(lambda berth: 1)\n"),
        (CLASS, "import quay.berths\nsetattr(quay.berths.Berth, 'limit', 1)\n"),
        (CLASS, "from quay.berths import Berth\nsetattr(Berth, 'li' + 'mit', 1)\n"),
        (ON_TYPE, "from quay.berths import Berth\nBerth.limit = 1\n"),
        (NAME, "from quay import conf\nconf.limit = 1\n"),
        (NAME, "import quay.conf as c\nsetattr(c, 'limit', 1)\n"),
        (GLOBAL, "import builtins\nbuiltins.limit = 1\n"),
        (CALL, "from quay import conf\nconf.moor = lambda **given: None\n"),
    ],
)
def test_what_another_loaded_file_sets_is_never_said_to_be_missing(
    tmp_path: Path, claimed: tuple[str, str, str], patch: str
) -> None:
    state, is_raised = judge(tmp_path, patch, claimed)
    assert not is_raised
    assert state is not ClaimState.FAILS


@pytest.mark.parametrize(
    ("claimed", "patch"),
    [
        (MODULE, ""),
        (MODULE, "import quay\nquay.limit = 1\n"),
        (MODULE, "from quay.berths import Lock\nlock = Lock()\nlock.limit = 1\n"),
        (MODULE, "from quay.alias import harbour\ndef later():\n    harbour.limit = 1\n"),
        (MODULE, "class Buoy:\n    def __init__(self):\n        self.limit = 1\n"),
        (MODULE, "class Buoy: ...\nbuoy = Buoy()\nfor name in ('limit',):\n    setattr(buoy, name, 1)\n"),
        (CLASS, ""),
        (CLASS, "from quay import conf\nconf.limit = 1\n"),
        (CLASS, "from quay.berths import Lock\nlock = Lock()\nlock.limit = 1\n"),
        (CLASS, "class Buoy:\n    def __init__(self):\n        self.limit = 1\n"),
        (NAME, ""),
        (GLOBAL, ""),
        (GLOBAL, "from quay import conf\nconf.limit = 1\n"),
        (CALL, ""),
        (CALL, "class Buoy:\n    def __init__(self):\n        self.moor = 1\n"),
    ],
)
def test_what_is_set_on_something_else_is_missing_all_the_same(
    tmp_path: Path, claimed: tuple[str, str, str], patch: str
) -> None:
    assert judge(tmp_path, patch, claimed) == (ClaimState.FAILS, True)


def prove_attribute(path: Path, *steps: Mapping[str, str | None]) -> tuple[Finding, HistoryBuilder]:
    history = HistoryBuilder(path / "repo")
    patch = "from quay import conf\nconf.limit = 1\n"
    desk = "from quay import conf\nconf.limit\n"
    start = {**START, "quay/patch.py": patch, "quay/desk.py": desk, "main.py": "import quay.patch\nimport quay.desk\n"}
    history.commit("start", start)
    for number, files in enumerate(steps):
        history.commit(f"step {number}", files)
    history.write_repository()
    seen_at = history.committed_at("step 0")
    frame = Frame("/app/quay/desk.py", 2, "<module>", "conf.limit")
    exception = LoggedException(*MODULE[:2], (frame,))
    entry = LogEntry(0, f"AttributeError: {exception.message}", seen_at, revision="r1")
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=RaisedException(exception, entry),
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids["step 0"])
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None), history


def test_the_commit_that_takes_the_patch_away_is_not_hidden_by_an_earlier_one(tmp_path: Path) -> None:
    """At the commits before it the module lacks the attribute as well, and nothing fails."""
    finding, history = prove_attribute(
        tmp_path, {"quay/patch.py": "depth = 1\n"}, {"quay/conf.py": "maximum = 1\nlimit = 1\n"}
    )
    assert finding.claim is not None
    named = history.name_of(finding.introduced.commit.id) if finding.introduced is not None else None
    assert named in {None, "step 0"}
    assert finding.fix is not None
    assert history.name_of(finding.fix.commit.id) == "step 1"


def test_where_a_patch_is_loaded_the_log_is_the_witness(tmp_path: Path) -> None:
    late = {"main.py": "import quay.desk\nimport quay.patch\n"}
    finding, history = prove_attribute(tmp_path, late, {"quay/conf.py": "maximum = 1\nlimit = 1\n"})
    assert finding.claim is not None
    assert finding.claim.is_witnessed_by_log
    assert finding.fix is not None
    assert history.name_of(finding.fix.commit.id) == "step 1"
