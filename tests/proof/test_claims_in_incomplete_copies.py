"""Failures beyond syntax in copies that lack a part of the history: what cannot be looked at is said, never guessed."""

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
from shared.errors import UsageError
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.git_copies import clone_repository, hide_objects
from tests.support.history_builder import HistoryBuilder, running_python

Files = Mapping[str, str | bytes | None]
START: Mapping[str, str] = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
    "main.py": "import tides, conf\nfrom tides import flow\nprint(conf.limit)\nconf.moor(deck=1)\nprint(depth)\n",
    "tides.py": "def flow(): pass\n",
    "conf.py": "limit = 1\ndef moor(deck): pass\n",
}
SOUND = "depth = 1\n" + START["main.py"]
CLAIMS: dict[str, tuple[Files, Files, int, str, str, str]] = {
    "name": ({"tides.py": "def ebb(): pass\n"}, {"tides.py": "flow = 1\n"}, 3, "from tides import flow",
             "ImportError", "cannot import name 'flow' from 'tides' (/app/tides.py)"),
    "module": ({"tides.py": None}, {"tides.py": "flow = 2\n"}, 2, "import tides, conf",
               "ModuleNotFoundError", "No module named 'tides'"),
    "attribute": ({"conf.py": "def moor(deck): pass\n"}, {"conf.py": "limit = 2\ndef moor(deck): pass\n"}, 4,
                  "print(conf.limit)", "AttributeError", "module 'conf' has no attribute 'limit'"),
    "call": ({"conf.py": "limit = 1\ndef moor(): pass\n"}, {"conf.py": "limit = 3\ndef moor(deck): pass\n"}, 5,
             "conf.moor(deck=1)", "TypeError", "moor() got an unexpected keyword argument 'deck'"),
    "global": ({"main.py": f"# sound\n{START['main.py']}"}, {"main.py": f"depth = 2\n{START['main.py']}"}, 6,
               "print(depth)", "NameError", "name 'depth' is not defined"),
}  # fmt: skip
"""What breaks, what fixes it, the failing line, its text, the class and the message."""


@pytest.fixture(params=list(CLAIMS))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def build(path: Path, family: str) -> HistoryBuilder:
    """`start`, two others, `break`, two others, `fix`, one more."""
    breaking, mending, *_ = CLAIMS[family]
    history = HistoryBuilder(path / "repo")
    history.commit("start", {**START, "main.py": SOUND})
    for number in range(2):
        history.commit(f"before {number}", {"NOTES.md": f"{number}\n"})
    history.commit("break", breaking)
    for number in range(2, 4):
        history.commit(f"between {number}", {"NOTES.md": f"{number}\n"})
    history.commit("fix", mending)
    history.commit("after", {"NOTES.md": "9\n"})
    history.write_repository()
    return history


def prove_copy(copy: Path, history: HistoryBuilder, family: str) -> Finding:
    *_, line, text, error_class, message = CLAIMS[family]
    seen_at = history.committed_at("between 3")
    exception = LoggedException(error_class, message, (Frame("/app/main.py", line, "<module>", text),))
    entry = LogEntry(0, f"{error_class}: {message}", seen_at, revision="r1")
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=RaisedException(exception, entry),
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids["between 3"])
    with GitRepository(str(copy)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None)


def name_results(history: HistoryBuilder, finding: Finding) -> tuple[str | None, str | None]:
    """The names of what introduced the failure and of its fix."""
    introduced, fix = (part.commit.id if part is not None else None for part in (finding.introduced, finding.fix))
    return history.name_of(introduced), history.name_of(fix)


def test_a_whole_history_names_both(tmp_path: Path, family: str) -> None:
    history = build(tmp_path, family)
    assert name_results(history, prove_copy(history.path, history, family)) == ("break", "fix")


@pytest.mark.parametrize(("depth", "introduced"), [(6, "break"), (5, None), (4, None), (3, None)])
def test_a_shallow_copy_never_calls_its_boundary_the_introduction(
    tmp_path: Path, family: str, depth: int, introduced: str | None
) -> None:
    history = build(tmp_path, family)
    copy = clone_repository(history, tmp_path / "copy", f"--depth={depth}")
    hide_objects(history)
    finding = prove_copy(copy, history, family)
    assert name_results(history, finding) == (introduced, "fix")
    assert finding.recommendation.kind is ActionKind.REDEPLOY
    assert bool(finding.gaps) is (introduced is None)


def test_a_shallow_copy_without_the_deployed_commit_is_refused_or_proves_nothing(tmp_path: Path, family: str) -> None:
    history = build(tmp_path, family)
    copy = clone_repository(history, tmp_path / "copy", "--depth=2")
    with pytest.raises(UsageError):
        prove_copy(copy, history, family)


@pytest.mark.parametrize("options", [("--filter=blob:none",), ("--filter=blob:none", "--single-branch")])
def test_a_copy_without_old_contents_says_so_and_guesses_nothing(
    tmp_path: Path, family: str, options: tuple[str, ...]
) -> None:
    history = build(tmp_path, family)
    copy = clone_repository(history, tmp_path / "copy", *options)
    hide_objects(history)
    finding = prove_copy(copy, history, family)
    introduced, fix = name_results(history, finding)
    assert introduced in {None, "break"}
    assert fix in {None, "fix"}
    assert finding.gaps or (introduced, fix) == ("break", "fix")
    assert finding.recommendation.kind is not ActionKind.ROLLBACK
