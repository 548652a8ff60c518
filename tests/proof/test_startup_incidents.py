"""The two incidents of a service that does not start are what they say: each commit's image is started for real."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from functions.demo import Role, Shape, StartupRepository, StartupStoryName, build_startup_incident, write_startup_log
from functions.demo.fast_import import run_git
from functions.local.platform.revision_files import prepare_files
from shared.adapters.git.repository import GitRepository
from shared.adapters.standins.process_platform import RevisionSource
from shared.proof.loading.commit_tree import CommitTree, RecordingTree
from shared.proof.loading.image_contents import AbsenceKind, ImageContents, Presence
from shared.proof.loading.images import find_images

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
FAILING = (Role.INTRODUCED, Role.CLAIMED_FIX, Role.REFACTORING)


@pytest.fixture(scope="module", params=StartupStoryName)
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StartupRepository:
    return build_startup_incident(tmp_path_factory.mktemp("startup") / "repository.git", request.param, python=PYTHON)


def start(repository: StartupRepository, role: Role, folder: Path) -> str:
    """The last line that Python prints when the image of a commit loads its application; "" where that works."""
    files = prepare_files(str(repository.path), RevisionSource(repository.commits[role]), folder / role)
    done = subprocess.run(
        [sys.executable, "-c", "import chat.main"], cwd=files, capture_output=True, text=True, check=False
    )
    return done.stderr.strip().rpartition("\n")[2].replace(str(files), "/app")


def test_it_fails_from_the_break_to_the_fix_with_the_logged_error(
    repository: StartupRepository, tmp_path: Path
) -> None:
    roles = (role for role in repository.commits if role not in {Role.FIRST, Role.TESTS})
    errors = {role: start(repository, role, tmp_path) for role in roles}
    failing = {role: error for role, error in errors.items() if error}
    assert tuple(failing) == FAILING
    assert all(error.startswith(repository.story.error) for error in failing.values())


def test_the_failing_line_is_that_of_the_import_while_it_fails(repository: StartupRepository) -> None:
    for role in FAILING:
        main = run_git([f"--git-dir={repository.path}", "show", f"{repository.commits[role]}:chat/main.py"]).decode()
        assert main.splitlines()[repository.story.failing_line - 1] == repository.story.source


def test_the_claimed_fix_changes_no_line_that_the_fix_changes(repository: StartupRepository) -> None:
    changed = {}
    for role in (Role.INTRODUCED, Role.CLAIMED_FIX, Role.FIX):
        commit = repository.commits[role]
        paths = run_git([f"--git-dir={repository.path}", "diff", "--name-only", f"{commit}^", commit]).decode().split()
        changed[role] = set(paths)
    assert repository.story.broken_path in changed[Role.FIX]
    if repository.story.name is StartupStoryName.IMAGE:
        assert changed[Role.CLAIMED_FIX] == {"chat/monitoring/__init__.py"}
        assert changed[Role.INTRODUCED] == changed[Role.FIX] == {".dockerignore"}
    else:
        assert changed[Role.CLAIMED_FIX] == changed[Role.FIX] == {"chat/main.py"}
        assert "chat/main.py" not in changed[Role.INTRODUCED]


def test_the_image_says_which_line_keeps_the_package_out(tmp_path: Path) -> None:
    repository = build_startup_incident(tmp_path / "r.git", StartupStoryName.IMAGE)
    path = "chat/monitoring/__init__.py"
    states = {}
    with GitRepository(str(repository.path)) as history:
        for role in list(repository.commits)[1:]:
            tree = RecordingTree(CommitTree(history, repository.commits[role]))
            image = next(find_images(tree, "chat/main.py"))
            states[role] = ImageContents(image.files, image.path, ("chat/main.py",)).holds(path)
    absent = {role: presence.absence for role, presence in states.items() if presence.state is Presence.ABSENT}
    assert tuple(absent) == FAILING
    assert {(reason.kind, reason.path, reason.text) for reason in absent.values() if reason} == {
        (AbsenceKind.IGNORED, ".dockerignore", "**/monitoring/")
    }
    assert all(states[role].state is Presence.PRESENT for role in states.keys() - absent.keys())


@pytest.mark.parametrize("shape", Shape)
def test_the_log_names_line_and_error_in_every_shape(
    repository: StartupRepository, tmp_path: Path, shape: Shape
) -> None:
    text = write_startup_log(repository, tmp_path / "log.json", shape).read_text("utf-8")
    if shape is not Shape.PLAIN:
        entries = [json.loads(line) for line in text.splitlines()] if shape is Shape.JSON_LINES else json.loads(text)
        assert len({entry["insertId"] for entry in entries}) == len(entries)
        text = "\n".join(entry["textPayload"] for entry in entries)
    assert text.count(repository.story.error) == 3
    assert text.count(f'File "/app/chat/main.py", line {repository.story.failing_line}, in <module>') == 3


def test_the_same_arguments_give_the_same_commits(repository: StartupRepository, tmp_path: Path) -> None:
    again = build_startup_incident(tmp_path / "again.git", repository.story.name, python=PYTHON)
    assert again.commits == repository.commits
