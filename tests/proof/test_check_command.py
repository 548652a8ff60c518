"""`provenfix check` on real repositories: what is checked, what is printed, how it ends."""

import re
import subprocess
from pathlib import Path

import pytest

from functions.cli.check import check
from shared.errors import UsageError

GOOD = "x = 1\n"
BROKEN = "import json\n\n\ndef stream(x):\n    yield f\"data: {json.dumps({\n        'a': x,\n    })}\\n\\n\"\n"


def git(repo: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.test", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repo), *identity, *arguments], check=True, capture_output=True)


def write(repo: Path, **files: str) -> None:
    for name, text in files.items():
        path = repo / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One commit: a Dockerfile of 3.11, a good file, and a file that only 3.12 accepts."""
    root = tmp_path / "chat"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    write(root, Dockerfile="FROM python:3.11-slim\n", app__good_py=GOOD, app__broken_py=BROKEN)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=first")
    monkeypatch.chdir(root)
    return root


def numbers(line: str) -> list[str]:
    """The counts and the versions in a line of output, in their order."""
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)*(?![\w.]*\w)", line)


def test_a_file_that_only_3_12_accepts_is_shown_with_caret_and_explanation(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(repo=str(repo)) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("app/broken.py:5:")
    assert lines[0].split(": ")[1] == "SyntaxError"
    assert lines[1] == f"    {BROKEN.splitlines()[4]}"
    assert lines[2].strip() == "^"
    assert lines[2].index("^") - 4 == int(lines[0].split(":")[2]) - 1
    assert (lines[3].startswith("    "), "3.11" in numbers(lines[3])) == (True, True), "explained, with the version"
    assert lines[3].strip() not in lines[0]
    assert numbers(lines[-1])[:3] == ["1", "2", "3.11"], "failing files, files, version"
    assert all(each in said.err for each in ("3.11", "Dockerfile", "FROM python:3.11-slim"))
    assert said.err.count("\n") == 1


def test_the_same_file_passes_on_3_12(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(repo=str(repo), python="3.12") == 0
    said = capsys.readouterr()
    assert (numbers(said.out)[:2], said.out.count("\n")) == (["2", "3.12"], 1)
    assert ("3.12" in said.err, "--python" in said.err, "Dockerfile" in said.err) == (True, True, False)
    assert said.err.count("\n") == 1


def test_without_arguments_the_files_on_disk_count(repo: Path) -> None:
    write(repo, app__broken_py=GOOD, app__untracked_py=BROKEN)
    assert check() == 0
    (repo / "app" / "broken.py").unlink()
    assert check() == 0


def test_a_commit_counts_as_it_was(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repo, Dockerfile="FROM python:3.12\n", app__broken_py=GOOD)
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "--message=second")
    assert check(ref="HEAD") == 0
    assert check(ref="HEAD~1") == 1
    assert "Python 3.11 (Dockerfile" in capsys.readouterr().err


def test_staged_means_what_would_be_committed(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(staged=True) == 0
    unchecked = capsys.readouterr()
    assert ("staged" in unchecked.out, numbers(unchecked.out), unchecked.out.count("\n"), unchecked.err) == (
        True, [], 1, "",
    )  # fmt: skip
    write(repo, app__good_py=BROKEN)
    assert check(staged=True) == 0
    git(repo, "add", "app/good.py")
    write(repo, app__good_py=GOOD)
    assert check(staged=True) == 1
    assert "app/good.py:5:" in capsys.readouterr().out


def test_staged_works_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, Dockerfile="FROM python:3.11\n", main_py=BROKEN)
    git(tmp_path, "add", ".")
    assert check(repo=str(tmp_path), staged=True) == 1


def test_named_files_and_folders_are_checked(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repo, script="return 1\n", lib__ok_py=GOOD)
    git(repo, "add", ".")
    assert check(["app/good.py"]) == 0
    assert check(["app"]) == 1
    assert check(["lib", str(repo / "app" / "good.py")]) == 0
    assert check(["script"]) == 1  # a user who names a file means it, whatever it is called
    assert "script:1:1: SyntaxError: " in capsys.readouterr().out


def test_a_named_file_that_is_not_python_is_skipped(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "notes.md").write_text("# Not (Python\n")
    (repo / "tool.run").write_text("#!/usr/bin/env python3\nreturn 1\n")
    assert check(["notes.md"]) == 0
    assert "notes.md" in capsys.readouterr().err
    assert check(["notes.md", "app/broken.py"]) == 1
    assert check(["tool.run"]) == 1


def test_names_are_also_understood_from_the_root(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check(["app/good.py"], repo=str(repo)) == 0


def test_files_outside_are_refused_and_links_to_them_are_not_followed(
    repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("secret = (\n")
    for argument in ("../outside.py", str(outside), "/etc/passwd"):
        with pytest.raises(UsageError) as refused:
            check([argument])
        assert all(each in str(refused.value) for each in (repr(argument), str(repo), "--repo"))
    (repo / "app" / "broken.py").unlink()
    (repo / "app" / "broken.py").symlink_to(outside)
    assert check() == 0
    assert "secret" not in capsys.readouterr().out


@pytest.mark.parametrize("argument", ["gone.py", "--upload-pack=x", "a\0b", "x" * 5000])
def test_names_of_nothing_are_refused(repo: Path, argument: str) -> None:
    assert repo.is_dir()
    with pytest.raises(UsageError) as refused:
        check([argument])
    assert all(each in str(refused.value) for each in (repr(argument), str(repo)))
    assert "--repo" not in str(refused.value), "it would not be there either"


def test_what_to_check_is_said_once(repo: Path) -> None:
    assert repo.is_dir()
    for arguments in (
        {"ref": "HEAD", "staged": True},
        {"paths": ["app"], "staged": True},
        {"paths": ["a"], "ref": "b"},
    ):
        with pytest.raises(UsageError) as refused:
            check(**arguments)
        assert all(each in str(refused.value) for each in ("PATHS", "--ref", "--staged"))


def test_a_bare_repository_is_checked_at_its_head(repo: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(repo, "clone", "--quiet", "--bare", str(repo), str(bare))
    assert check(repo=str(bare)) == 1
    assert check(repo=str(bare), python="3.12") == 0


def test_no_python_file_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    write(tmp_path, README="hello\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    assert check(repo=str(tmp_path)) == 0
    unchecked = capsys.readouterr()
    assert ("staged" in unchecked.out, numbers(unchecked.out), unchecked.out.count("\n"), unchecked.err) == (
        False, [], 1, "",
    )  # fmt: skip


def test_names_and_lines_cannot_write_to_the_terminal(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "app/a\x1b[31m\nb.py"
    (repo / name).write_text("x = '\x1b]0;title\x07' ( \n")
    assert check([name]) == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out


def test_a_very_long_line_is_shown_around_its_fault(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repo, app__long_py="x = [" + "1, " * 500 + ")\n")
    assert check(["app/long.py"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines[1]) <= 164
    assert lines[1][lines[2].index("^")] == ")"
