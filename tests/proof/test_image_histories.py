"""Histories in which a module is in the tree and not in the image: what each commit's image holds, and what says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.loading.commit_tree import CommitTree, RecordingTree
from shared.proof.loading.image_contents import AbsenceKind, ImageContents, Presence
from shared.proof.loading.images import find_images
from shared.proof.model.missing_import import MissingImport
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

Files = Mapping[str, str | bytes | None]
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD uvicorn tide.main:app\n"
SHORT = DOCKERFILE.replace("COPY . .", "COPY tide/main.py tide/__init__.py tide/")
MAIN = "tide/main.py"
PACKAGE = "tide/meters/__init__.py"
START: Files = {"Dockerfile": DOCKERFILE, "tide/__init__.py": "", MAIN: "", "README.md": ""}
USE: Files = {MAIN: "from tide.meters import gauge\n"}
DEPLOY: Files = {"deploy.sh": "gcloud run deploy tide --source .\n"}


@dataclass(frozen=True, slots=True)
class Story:
    """Commits in their order, and what the image of the last but one lacks; the last one has it."""

    commits: tuple[tuple[str, Files], ...]
    kind: AbsenceKind
    responsible: tuple[str, int, str]
    """Path, line and text."""
    main: str = MAIN
    package: str = PACKAGE


STORIES = {
    "a line of the ignore file": Story(
        (
            ("start", START),
            ("add the package", {**USE, PACKAGE: "gauge = 1\n"}),
            ("break", {".dockerignore": ".git\n\n**/meters/\n"}),
            ("attempt", {PACKAGE: "gauge = 2\n"}),
            ("attempt 2", {MAIN: "from tide.meters import gauge\n\napp = gauge\n"}),
            ("fix", {".dockerignore": ".git\n"}),
        ),
        AbsenceKind.IGNORED,
        (".dockerignore", 3, "**/meters/"),
    ),
    "the ignore file of the Dockerfile": Story(
        (
            ("start", {**START, ".dockerignore": "docs\n", PACKAGE: "gauge = 1\n", **USE}),
            ("break", {"Dockerfile.dockerignore": "docs\ntide/m*\n!tide/main.py\n"}),
            ("attempt", {".dockerignore": "docs\n!tide/meters\n"}),
            ("fix", {"Dockerfile.dockerignore": "docs\n"}),
        ),
        AbsenceKind.IGNORED,
        ("Dockerfile.dockerignore", 2, "tide/m*"),
    ),
    "a file that was never added": Story(
        (
            ("start", {**START, ".gitignore": "*.log\nmeters/\n"}),
            ("break", USE),
            ("attempt", {"README.md": "Meters.\n"}),
            ("fix", {PACKAGE: "gauge = 1\n", ".gitignore": "*.log\n"}),
        ),
        AbsenceKind.NOT_IN_REPOSITORY,
        (".gitignore", 2, "meters/"),
    ),
    "a context one folder down": Story(
        (
            ("start", {f"backend/{path}": text for path, text in START.items()}),
            ("add the package", {"meters/__init__.py": "gauge = 1\n"}),
            ("break", {"backend/tide/main.py": "from meters import gauge\n"}),
            ("attempt", {"meters/__init__.py": "gauge = 2\n"}),
            (
                "fix",
                {
                    "backend/Dockerfile": DOCKERFILE.replace("COPY . .", "COPY backend meters ./"),
                    "cloudbuild.yaml": "steps:\n- name: docker\n  args: [build, -f, backend/Dockerfile, .]\n",
                },
            ),
        ),
        AbsenceKind.OUTSIDE_CONTEXT,
        ("backend/Dockerfile", 0, "backend"),
        "backend/tide/main.py",
        "meters/__init__.py",
    ),
    "gcloud's default": Story(
        (
            ("start", {**START, **DEPLOY, PACKAGE: "gauge = 1\n", **USE}),
            ("break", {".gitignore": "meters/\n"}),
            ("attempt", {PACKAGE: "gauge = 2\n"}),
            ("fix", {".gcloudignore": ".git\n"}),
        ),
        AbsenceKind.NOT_UPLOADED,
        (".gitignore", 1, "meters/"),
    ),
    "an included ignore file": Story(
        (
            ("start", {**START, **DEPLOY, ".gitignore": "meters/\n", ".gcloudignore": ".git\n", PACKAGE: "", **USE}),
            ("break", {".gcloudignore": ".git\n#!include:.gitignore\n"}),
            ("attempt", {PACKAGE: "gauge = 2\n"}),
            ("fix", {".gcloudignore": ".git\n#!include:.gitignore\n!meters/\n"}),
        ),
        AbsenceKind.NOT_UPLOADED,
        (".gitignore", 1, "meters/"),
    ),
    "copies without the folder": Story(
        (
            ("start", {**START, "Dockerfile": SHORT}),
            ("break", {**USE, PACKAGE: "gauge = 1\n"}),
            ("attempt", {PACKAGE: "gauge = 2\n"}),
            ("fix", {"Dockerfile": SHORT.replace("CMD", "COPY tide/meters tide/meters\nCMD")}),
        ),
        AbsenceKind.NOT_COPIED,
        ("Dockerfile", 3, ""),
    ),
}


@pytest.fixture(params=STORIES, ids=lambda name: name.replace(" ", "_"))
def told(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Story, HistoryBuilder]:
    story = STORIES[request.param]
    built = HistoryBuilder(tmp_path / "repo.git")
    for name, files in story.commits:
        built.commit(name, files)
    built.write_repository()
    return story, built


def ask(history: GitRepository, commit: str, story: Story) -> tuple[ImageContents, RecordingTree]:
    tree = RecordingTree(CommitTree(history, commit))
    image = next(find_images(tree, story.main))
    return ImageContents(image.files, image.path, (story.main,)), tree


def test_the_image_lacks_the_module_from_the_break_to_the_fix(told: tuple[Story, HistoryBuilder]) -> None:
    story, built = told
    names = [name for name, _ in story.commits]
    failing = names[names.index("break") : names.index("fix")]
    with GitRepository(str(built.path)) as history:
        for name in failing:
            reason = ask(history, built.ids[name], story)[0].explain_absence(story.package)
            assert reason is not None, name
            assert (reason.kind, (reason.path, reason.line, reason.text)) == (story.kind, story.responsible), name
        fixed = ask(history, built.ids["fix"], story)[0].holds(story.package)
        assert fixed.state is Presence.PRESENT, fixed.reason


def test_the_history_of_what_was_asked_holds_the_break_and_the_fix(told: tuple[Story, HistoryBuilder]) -> None:
    story, built = told
    with GitRepository(str(built.path)) as history:
        contents, tree = ask(history, built.ids["break"], story)
        contents.explain_absence(story.package)
        inputs = sorted(path for path in tree.recorded_paths if not path.endswith("/"))
        changed = {version.commit.id for version in history.file_versions([*inputs, story.main], [built.ids["fix"]])}
    assert {built.ids["break"], built.ids["fix"]} <= changed


@pytest.mark.parametrize(
    ("ignore", "gates"), [("**/meters/\n", ["missing_module"]), ("meters\n", ["missing_module"]), ("docs\n", [])]
)
def test_a_commit_that_leaves_an_imported_module_out_of_the_image_is_no_target(
    tmp_path: Path, compilers: LocalCompilers, ignore: str, gates: list[str]
) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    dockerfile = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n'
    main = "import relay\nfrom meters import gauge\n"
    package = {"meters/__init__.py": "gauge = 1\n"}
    story.commit("start", {"Dockerfile": dockerfile, "main.py": main, "relay.py": valid_source(), **package})
    story.commit("break", {"relay.py": broken_source(5)})
    story.commit("fix", {"relay.py": valid_source(1)})
    story.commit("ignore", {".dockerignore": ignore})
    story.write_repository()
    request = ProofRequest(deployed=story.ids["break"], fallback_python=running_python(), python=running_python())
    proof = prove_incident(story.path, make_incident("/app/relay.py", make_sighting(5)), compilers, request)
    assert [refused.gate for refused in proof.refused_commits] == gates
    assert proof.target is not None
    assert proof.target.commit.subject == ("fix" if gates else "ignore")
    assert [(entry.left_out_by, entry.line) for entry in find_missing(story)] == [(".dockerignore", 2)] * len(gates)


def find_missing(story: HistoryBuilder) -> list[MissingImport]:
    """What the last commit misses of the deployed one."""
    with GitRepository(str(story.path)) as history:
        loaded = LoadedFiles(history, "relay.py", (), (), story.ids["break"])
        return list(loaded.get_state(story.ids["ignore"]).closure.missing_imports)
