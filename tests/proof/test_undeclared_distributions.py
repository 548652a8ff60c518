"""A third-party module that nothing declares, through histories: the manifest that counts, and what fixes it."""

from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import BODY, HistoryBuilder, running_python

PATH = "backend/harbour/berths.py"
PLAIN = f"{BODY}berths = ()\n"
IMPORTING = f"{BODY}import sqlalchemy\n"
LINE = BODY.count("\n") + 1
PROJECT = '[project]\nname = "harbour"\nversion = "1"\ndependencies = ["httpx"{}]\n'
LOCK = """\
version = 1
[[package]]
name = "harbour"
source = {{ editable = "." }}
dependencies = [{{ name = "httpx" }}{}]
[[package]]
name = "httpx"
{}"""
LOCKED = '[[package]]\nname = "sqlalchemy"\n'


def prove_missing(history: HistoryBuilder, deployed: str, *, is_given: bool = True) -> Finding:
    """The finding of a start that failed for want of the module, as the deployed commit logs it."""
    seen_at = history.committed_at(deployed)
    message = "No module named 'sqlalchemy'"
    frames = (Frame("/app/harbour/berths.py", LINE, "<module>", "import sqlalchemy"),)
    exception = LoggedException("ModuleNotFoundError", message, frames)
    entry = LogEntry(0, f"ModuleNotFoundError: {message}", seen_at, revision="r1")
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=RaisedException(exception, entry),
    )  # fmt: skip
    request = ProofRequest(fallback_python=running_python(), deployed=history.ids[deployed] if is_given else None)
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None)


def name_result(history: HistoryBuilder, finding: Finding) -> tuple[str | None, str | None, str | None]:
    """The names of what introduced the failure, of its fix and of the target."""
    named = (finding.introduced, finding.fix, finding.target)
    introduced, fix, target = (history.name_of(part.commit.id) if part is not None else None for part in named)
    return introduced, fix, target


def write_project(folder: str, *, declares: bool) -> dict[str, str | bytes | None]:
    """A project with its lock file, with or without the distribution."""
    also = (', "sqlalchemy"', ', { name = "sqlalchemy" }', LOCKED) if declares else ("", "", "")
    return {f"{folder}pyproject.toml": PROJECT.format(also[0]), f"{folder}uv.lock": LOCK.format(also[1], also[2])}


def test_the_nearest_project_counts_where_no_dockerfile_says_what_is_installed(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit(
        "start", {PATH: PLAIN, "backend/harbour/__init__.py": "", **write_project("backend/", declares=False)}
    )
    history.commit("import", {PATH: IMPORTING})
    history.commit("notes", {"NOTES.md": "x"})
    history.commit("declare", write_project("backend/", declares=True))
    history.commit("later", {"NOTES.md": "y"})
    history.write_repository()
    for is_given in (True, False):
        finding = prove_missing(history, "notes", is_given=is_given)
        assert name_result(history, finding) == ("import", "declare", "later"), (
            is_given,
            finding.recommendation.detail,
        )
        assert finding.recommendation.kind is ActionKind.REDEPLOY


def test_a_manifest_that_is_new_is_the_fix_and_not_what_comes_after_it(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    history.commit("start", {PATH: PLAIN, "backend/harbour/__init__.py": ""})
    history.commit("import", {PATH: IMPORTING})
    history.commit("declare", {"backend/requirements.txt": "sqlalchemy\n"})
    history.commit("touch", {PATH: f"{IMPORTING}berths = 1\n"})
    history.write_repository()
    assert name_result(history, prove_missing(history, "import")) == ("import", "declare", "touch")
