"""An import that fails, in a history that GitHub's API gives: the proof of git, and a bounded number of requests."""

from datetime import datetime
from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.adapters.github.history import open_history
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.github.clients import open_client
from tests.support.github.git_backend import GitBackend
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.history_builder import HistoryBuilder, commit_names

MAX_REQUESTS = 20
STATEMENT = "from kiln.glazes import mix_glaze"
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn kiln.main:app\n"


def write_history(path: Path) -> HistoryBuilder:
    """Sixty commits: a function is renamed at the 20th, said to be fixed at the 30th, fixed at the 45th."""
    history = HistoryBuilder(path)
    stones = {f"kiln/stones/s{number}.py": "" for number in range(30)}
    history.commit(
        "first",
        {
            "Dockerfile": DOCKERFILE,
            "kiln/__init__.py": "",
            "kiln/main.py": f"{STATEMENT}\nfrom kiln.stones import s3\n\napp = mix_glaze\n",
            "kiln/glazes.py": "def mix_glaze(): ...\n",
            "kiln/stones/__init__.py": "",
            **stones,
        },
    )
    for number in range(1, 60):
        files: dict[str, str | bytes | None] = {f"kiln/stones/s{number % 30}.py": f"WEIGHT = {number}\n"}
        if number == 20:
            files["kiln/glazes.py"] = "def blend_glaze(): ...\n"
        elif number == 30:
            files["kiln/glazes.py"] = "def blend_glaze(): ...  # the import was wrong\n"
        elif number == 45:
            files["kiln/main.py"] = "from kiln.glazes import blend_glaze\n\napp = blend_glaze\n"
        history.commit("fix the import" if number == 30 else f"c{number}", files)
    history.write_repository()
    return history


def make_failed_start(seen_at: datetime) -> Incident:
    message = "cannot import name 'mix_glaze' from 'kiln.glazes' (/srv/kiln/glazes.py)"
    frames = (Frame("/srv/kiln/main.py", 1, "<module>", STATEMENT),)
    entry = LogEntry(0, f"ImportError: {message}", seen_at, revision="kiln-1")
    raised = RaisedException(LoggedException("ImportError", message, frames), entry)
    return Incident(
        "0" * 16, SignalKind.FAILED_START, "kiln", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=raised,
    )  # fmt: skip


def test_an_import_takes_at_most_twenty_requests(compilers: LocalCompilers, tmp_path: Path) -> None:
    story = write_history(tmp_path / "repo.git")
    failing = make_failed_start(story.committed_at("c25"))
    request = ProofRequest(fallback_python="3.11")
    fake = FakeGitHub(GitBackend(story.path))
    with serve_fake(fake), GitRepository(str(story.path)) as local:
        expected = prove(failing, local, compilers, request, lambda _: None)
        with open_history(open_client(fake.address), REPOSITORY) as remote:
            assert prove(failing, remote, compilers, request, lambda _: None) == expected
    assert expected.introduced is not None
    assert expected.introduced.commit.subject == "c20"
    assert commit_names(expected.attempts)[-1:] == ["fix the import"]
    assert expected.fix is not None
    assert expected.fix.commit.subject == "c45"
    assert len(fake.requests) <= MAX_REQUESTS, [(each.path, str(each.body)[:200]) for each in fake.requests]
