"""The generated history of the bench has the answers that it claims to have."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.generated_history import GeneratedHistory, generate_history
from tests.support.generated_large_tree import Size, generate_large


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> GeneratedHistory:
    return generate_history(tmp_path_factory.mktemp("bench") / "repository.git", commits=600, touching=50)


def git(generated: GeneratedHistory, *arguments: str) -> str:
    command = ["git", f"--git-dir={generated.path}", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def first_error(generated: GeneratedHistory, commit: str) -> int | None:
    try:
        compile(git(generated, "show", f"{commit}:{generated.file}"), "engine.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.lineno
    return None


def test_it_has_the_wanted_size(generated: GeneratedHistory) -> None:
    assert int(git(generated, "rev-list", "--count", "main")) == 600
    assert int(git(generated, "rev-list", "--count", "main", "--", generated.file)) == 50 == generated.versions
    assert int(git(generated, "rev-list", "--count", "--merges", "main")) == 12
    assert len(git(generated, "ls-tree", "-r", "--name-only", "main").splitlines()) > 36


def test_its_file_breaks_once_and_is_mended_in_steps(generated: GeneratedHistory) -> None:
    made = git(generated, "rev-list", "--reverse", "main", "--", generated.file).splitlines()
    lines = {commit: first_error(generated, commit) for commit in made}
    broken = [commit for commit in made if lines[commit] is not None]
    start, end = made.index(generated.introduced), made.index(generated.fix)
    assert broken == made[start:end]
    changes = [now for before, now in pairwise(broken) if lines[before] != lines[now]]
    assert tuple(changes) == generated.attempts
    assert lines[generated.deployed] == generated.line
    assert made[0] == generated.first
    assert generated.fix != made[-1]


def test_it_is_the_same_every_time(generated: GeneratedHistory, tmp_path: Path) -> None:
    assert generate_history(tmp_path / "again.git", commits=600, touching=50).head == generated.head


def test_the_large_tree_has_the_answers_that_it_claims_to_have(tmp_path: Path) -> None:
    size = Size(commits=400, touching=40, following=150, folders=5, files_in_each=4, never_compile=3)
    large = generate_large(tmp_path / "large.git", size)
    sides = {"first": True, "introduced": False, "deployed": False, "fix": True, "head": True}
    for name, compiles in sides.items():
        content = git(large, "cat-file", "blob", f"{getattr(large, name)}:{large.file}")
        assert compiles_here(content) is compiles
    assert int(git(large, "rev-list", "--count", f"{large.fix}..{large.head}")) == size.following
    listed = git(large, "ls-tree", "-r", "--name-only", large.head).split()
    assert len([path for path in listed if path.startswith("scripts/")]) == size.never_compile


def compiles_here(content: str) -> bool:
    try:
        compile(content, "source", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def test_what_is_printed_while_it_is_measured_is_not_in_the_table() -> None:
    program = (
        "import subprocess\nfrom tests.bench.process import send_stdout_to_stderr\n"
        "with send_stdout_to_stderr():\n    print('own')\n    subprocess.run(['echo', 'child'], check=True)\n"
        "print('table')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["table"]
    assert sorted(done.stderr.split()) == ["child", "own"]
