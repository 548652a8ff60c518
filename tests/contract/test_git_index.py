"""What is about to be committed, in every form that git keeps it in: `check --staged` looks at that alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.adapters.git.repository import GitRepository
from tests.support.cli_runs import (
    IDENTITY_OPTIONS,
    CommandResult,
    create_blob,
    run_plumbing,
    run_provenfix,
    snapshot_files,
)
from tests.support.history_builder import running_python

BROKEN = "x = = 1\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """One commit of two good files."""
    root = tmp_path / "work"
    run_plumbing(tmp_path, "init", "--quiet", "--initial-branch=main", str(root))
    for name in ("a.py", "lib/b.py"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x = 1\n")
    run_plumbing(root, "add", ".")
    run_plumbing(root, "commit", "--quiet", "-m", "start")
    return root


def staged(repo: Path) -> CommandResult:
    before = snapshot_files(repo)
    ended = run_provenfix("check", "--repo", str(repo), "--staged", "--python", running_python())
    assert snapshot_files(repo) == before
    return ended


def broken_files(ended: CommandResult) -> list[str]:
    return [line.split(":")[0] for line in ended.out.splitlines() if "SyntaxError" in line]


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_index_of_any_version_is_read(repo: Path, version: str) -> None:
    run_plumbing(repo, "update-index", "--index-version", version)
    (repo / "lib" / "b.py").write_text(BROKEN)
    assert broken_files(staged(repo)) == []
    run_plumbing(repo, "add", ".")
    assert broken_files(staged(repo)) == ["lib/b.py"]


def test_split_index_is_read(repo: Path) -> None:
    run_plumbing(repo, "update-index", "--split-index")
    (repo / "a.py").write_text(BROKEN)
    run_plumbing(repo, "add", ".")
    assert list(repo.glob(".git/sharedindex.*"))
    assert broken_files(staged(repo)) == ["a.py"]


def test_sparse_index_is_read(repo: Path) -> None:
    run_plumbing(repo, "sparse-checkout", "init", "--cone", "--sparse-index")
    (repo / "a.py").write_text(BROKEN)
    run_plumbing(repo, "add", "a.py")
    assert b"040000" in run_plumbing(repo, "ls-files", "--sparse", "--stage").encode()
    assert broken_files(staged(repo)) == ["a.py"]
    with GitRepository(str(repo)) as repository:
        assert {path: entry.path for path, entry in repository.index_files().items()} == {
            "a.py": "a.py",
            "lib/b.py": "lib/b.py",
        }


def test_conflicts_links_and_intent_to_add_entries_are_handled(repo: Path) -> None:
    good, bad = create_blob(repo, b"x = 1\n"), create_blob(repo, BROKEN.encode())
    entries = [
        *(f"100644 {bad} {stage}\tconflict.py" for stage in (1, 2, 3)),
        f"120000 {bad} 0\tlink.py",
        f"160000 {run_plumbing(repo, 'rev-parse', 'HEAD')} 0\tmodule.py",
        f"100755 {good} 0\trun.py",
    ]
    run_plumbing(repo, "update-index", "--index-info", stdin="\n".join(entries).encode() + b"\n")
    (repo / "later.py").write_text(BROKEN)
    run_plumbing(repo, "add", "--intent-to-add", "later.py")
    ended = staged(repo)
    assert broken_files(ended) == []
    assert "run.py" not in ended.out
    with GitRepository(str(repo)) as repository:
        assert {"conflict.py", "link.py", "module.py"}.isdisjoint(repository.index_files())


@pytest.mark.parametrize("content", [b"", b"DIRC", b"DIRC\0\0\0\2\0\0\0\1short", b"\xff" * 500])
def test_a_damaged_index_is_told(repo: Path, content: bytes) -> None:
    (repo / ".git" / "index").write_bytes(content)
    ended = staged(repo)
    assert ended.exit_code == 3
    assert str(repo) in ended.error_line
    assert " index " in ended.error_line


@pytest.mark.parametrize("arguments", [["-a"], ["a.py"], ["--include", "a.py"], []])
def test_a_hook_looks_at_what_will_be_committed(repo: Path, arguments: list[str]) -> None:
    """`git commit -a` and `git commit FILE` prepare another index than the one that lies there."""
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    command = "from provenfix.command import main; main()"
    start = f'PYTHONPATH="{Path.cwd()}" exec "{sys.executable}" -c "{command}"'
    hook.write_text(f"#!/bin/sh\n{start} check --staged --python {running_python()}\n")
    hook.chmod(0o755)
    (repo / "a.py").write_text(BROKEN)
    if not arguments:
        run_plumbing(repo, "add", "a.py")
    committing = ["git", "-C", str(repo), *IDENTITY_OPTIONS, "commit", "--quiet", "-m", "broken", *arguments]
    ended = subprocess.run(committing, capture_output=True, check=False, text=True, timeout=60)
    assert ended.returncode == 1
    assert "a.py:1:5: SyntaxError: " in ended.stdout + ended.stderr
    (repo / "a.py").write_text("x = 2\n")
    if not arguments:
        run_plumbing(repo, "add", "a.py")
    assert subprocess.run(committing, capture_output=True, check=False, timeout=60).returncode == 0


def test_an_index_that_lies_elsewhere_is_not_believed(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "index"
    (repo / "a.py").write_text(BROKEN)
    with monkeypatch.context() as patched:
        patched.setenv("GIT_INDEX_FILE", str(elsewhere))
        subprocess.run(["git", "-C", str(repo), "add", "a.py"], check=True, env=os.environ)
        assert elsewhere.is_file()
        assert broken_files(staged(repo)) == []
