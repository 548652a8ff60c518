"""A start file that its bytes break, proven on real histories: refused by `python main.py`, accepted by an import."""

import json
import subprocess
from pathlib import Path

import pytest

from functions.cli.check import check
from functions.cli.investigate import investigate_log
from shared.proof.model.recommendation import ActionKind
from shared.proof.proof_context import ProofRequest
from shared.report.report import Report
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.log_samples import export_entry

STARTED = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD ["python","main.py"]\n'
IMPORTED = STARTED.replace('"python","main.py"', '"uvicorn","main:app"')
GOOD = "X = 1\nY = 2\n"
PAGE = "https://peps.python.org/pep-0263/"
UNDECLARED = (
    f"SyntaxError: Non-UTF-8 code starting with '\\xe9' in file /app/main.py on line 2, but no encoding declared; "
    f"see {PAGE} for details"
)
NULL = '  File "/app/main.py", line 2\n    \nSyntaxError: source code cannot contain null bytes'


def investigate(folder: Path, broken: bytes, text: str, dockerfile: str = STARTED) -> Report:
    story = HistoryBuilder(folder / "repository.git")
    story.commit("start", {"Dockerfile": dockerfile, "main.py": GOOD})
    story.commit("break", {"main.py": broken})
    story.commit("tidy", {"main.py": GOOD + "Q = 1\n"})
    story.write_repository()
    log = folder / "log.json"
    log.write_text(json.dumps([export_entry(text, at=86400)]), "utf-8")
    request = ProofRequest(fallback_python=running_python())
    (report,) = investigate_log(str(story.path), str(log), request, ("", ""), lambda _: None)
    return report


@pytest.mark.parametrize(
    ("broken", "text"),
    [(b"X = 1\n\0Y = 2\n", NULL), (b"X = 1\n# caf\xe9\nY = 2\n", UNDECLARED), (b"X = 1\nY = 'caf\xe9'\n", UNDECLARED)],
    ids=["NUL", "comment", "string"],
)
def test_start_file_is_proven_to_be_refused(tmp_path: Path, broken: bytes, text: str) -> None:
    report = investigate(tmp_path, broken, text)
    broken_file = report.proof.broken
    assert broken_file is not None
    assert (broken_file.path, broken_file.fault.line) == ("main.py", 2)
    assert report.proof.recommendation.kind is ActionKind.REDEPLOY


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (b"X = 1\nY = 2\n# caf\xe9\n", UNDECLARED),
        (b"X = 1\nY = 2\n\0\n", NULL),
        ("X = 1\n# café\nY = 2\n".encode(), UNDECLARED),
    ],
    ids=["another line", "another line of NUL", "UTF-8"],
)
def test_other_bytes_prove_nothing(tmp_path: Path, broken: bytes, text: str) -> None:
    assert investigate(tmp_path, broken, text).proof.broken is None


def commit_files(folder: Path, **files: bytes) -> Path:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    for name, content in files.items():
        (folder / name.replace("_py", ".py")).write_bytes(content)
    subprocess.run(["git", "-C", str(folder), "add", "."], check=True)
    return folder


def test_check_judges_the_start_file_as_it_is_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = b"X = 1\n# caf\xe9\n"
    started = commit_files(
        tmp_path / "started", Dockerfile=STARTED.encode(), main_py=b"import quay\n" + bad, quay_py=bad
    )
    assert check(repo=str(started)) == 1
    said = capsys.readouterr().out
    assert "main.py:3:" in said
    assert "quay.py" not in said
    imported = commit_files(tmp_path / "imported", Dockerfile=IMPORTED.encode(), main_py=bad)
    assert check(repo=str(imported)) == 0


def test_gate_refuses_a_target_whose_start_file_would_be_refused(tmp_path: Path) -> None:
    """The newest commit fixes what was logged, and its start file has a comment that nobody declared."""
    story = HistoryBuilder(tmp_path / "repository.git")
    story.commit("start", {"Dockerfile": STARTED, "main.py": "import quay\n", "quay.py": GOOD})
    story.commit("break", {"quay.py": "X = (\n"})
    story.commit("mend", {"quay.py": GOOD})
    story.commit("comment", {"main.py": b"import quay\n# caf\xe9\n"})
    story.write_repository()
    text = "  File \"/app/quay.py\", line 1\n    X = (\n        ^\nSyntaxError: '(' was never closed"
    log = tmp_path / "log.json"
    log.write_text(json.dumps([export_entry(text, at=86400)]), "utf-8")
    request = ProofRequest(fallback_python=running_python())
    (report,) = investigate_log(str(story.path), str(log), request, ("", ""), lambda _: None)
    target = report.proof.target
    assert target is not None
    assert target.commit.subject == "mend"
