"""Which image counts where a repository builds several, and what of the repository lies where in an image."""

import pytest

from shared.proof.loading.commit_tree import is_affected_by
from shared.proof.loading.import_closure import ImportClosure, find_import_closure
from tests.support.source_tree import FakeSourceTree

BROKEN = "def run(:\n"


def closure(
    failing: str, files: dict[str, str], traced: tuple[str, ...] = (), roots: tuple[str, ...] = ()
) -> ImportClosure:
    return find_import_closure(FakeSourceTree(files), failing, traced, roots)


def service(name: str, library: str = "") -> dict[str, str]:
    """A service of a monorepo, built from the top: its own folder and one library."""
    copies = f"COPY services/{name} /app\n" + (f"COPY libs/{library} /app/{library}\n" if library else "")
    uses = f"import {library}.core\n" if library else ""
    return {
        f"services/{name}/Dockerfile": f"FROM python:3.11\nWORKDIR /app\n{copies}CMD uvicorn main:app\n",
        f"services/{name}/main.py": f"import handlers\n{uses}",
        f"services/{name}/handlers.py": "",
        f"services/{name}/unused.py": BROKEN,
    }


MONOREPO = {
    **service("chat", "common"),
    **service("mail", "common"),
    **service("bill"),
    "libs/common/__init__.py": "",
    "libs/common/core.py": BROKEN,
    "libs/common/other.py": BROKEN,
}


def test_the_image_whose_closure_holds_the_failing_file_counts() -> None:
    found = closure("services/bill/handlers.py", MONOREPO)
    assert (found.image_path, found.ambiguous_images, found.is_exact) == ("services/bill/Dockerfile", (), True)
    assert found.files == {"services/bill/main.py", "services/bill/handlers.py"}


def test_a_shared_file_makes_the_other_images_ambiguous() -> None:
    found = closure("libs/common/core.py", MONOREPO)
    assert (found.image_path, found.ambiguous_images) == ("services/chat/Dockerfile", ("services/mail/Dockerfile",))
    assert "libs/common/__init__.py" in found.files
    assert "libs/common/other.py" not in found.files


def test_what_the_traceback_names_tells_the_image() -> None:
    found = closure("libs/common/core.py", MONOREPO, ("services/mail/main.py",))
    assert (found.image_path, found.ambiguous_images) == ("services/mail/Dockerfile", ("services/chat/Dockerfile",))


def test_unimported_file_belongs_to_the_nearest_copying_image() -> None:
    found = closure("services/mail/unused.py", MONOREPO)
    assert (found.image_path, found.is_exact, found.ambiguous_images) == ("services/mail/Dockerfile", True, ())
    assert {"services/mail/unused.py", "services/mail/main.py"} <= found.files
    assert found.rule != closure("services/mail/main.py", MONOREPO).rule


def test_dockerfile_folder_is_the_context_when_copies_exist_there() -> None:
    files = {
        "api/Dockerfile": "FROM python:3.11\nWORKDIR /srv\nCOPY requirements.txt .\nCOPY app app\nCMD python -m app\n",
        "api/requirements.txt": "",
        "api/app/__init__.py": "",
        "api/app/__main__.py": "from .inner import run",
        "api/app/inner.py": BROKEN,
        "app/__init__.py": "",
    }
    found = closure("api/app/inner.py", files)
    assert found.files == {"api/app/__init__.py", "api/app/__main__.py", "api/app/inner.py"}


def test_dockerfile_folder_is_no_context_below_the_project() -> None:
    lines = 'FROM python:3.11\nCOPY . /tmp/shop\nRUN pip install /tmp/shop[web]\nENTRYPOINT ["shop"]\n'
    found = closure("src/shop/cli.py", {**SRC_PROJECT, "docker/Dockerfile": lines})
    assert (found.image_path, found.is_exact) == ("docker/Dockerfile", True)


@pytest.mark.parametrize(
    "other", ["Dockerfile.dev", "Dockerfile.bak", "Dockerfile.backup", "backup_dockerfiles/app.Dockerfile"]
)
def test_a_dockerfile_for_development_or_put_aside_is_neither_taken_nor_told(other: str) -> None:
    lines = "FROM python:3.11\nCOPY . .\nCMD python main.py\n"
    found = closure("main.py", {"Dockerfile": lines, other: lines, "main.py": BROKEN})
    assert (found.image_path, found.ambiguous_images) == ("Dockerfile", ())


def test_two_images_of_one_folder_are_told_apart_by_their_start() -> None:
    lines = "FROM python:3.11\nCOPY . .\nCMD python {}.py\n"
    files = {"Dockerfile": lines.format("main"), "worker.Dockerfile": lines.format("worker")}
    files |= {"main.py": "", "worker.py": "import jobs", "jobs.py": BROKEN}
    assert closure("jobs.py", files).image_path == "worker.Dockerfile"


SRC_PROJECT = {
    "pyproject.toml": "[project]\nname = 'shop'\n[project.scripts]\nshop = 'shop.cli:main'\n",
    "src/shop/__init__.py": "",
    "src/shop/cli.py": "from shop.deep import thing\n",
    "src/shop/deep/thing.py": BROKEN,
    "src/shop/unused.py": BROKEN,
}


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN pip install -e .\nCMD shop\n",
        "FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN pip install .\nCMD python -m shop.cli\n",
        "FROM python:3.11\nCOPY src /app\nWORKDIR /app\nCMD python -m shop.cli\n",
        "FROM python:3.11\nCOPY src/ /app/src/\nENV PYTHONPATH /app/src\nCMD python -m shop.cli\n",
        "FROM python:3.11 AS build\nWORKDIR /b\nCOPY . .\nRUN pip install --prefix=/out .\nFROM python:3.11-slim\n"
        'COPY --from=build /out /usr/local\nCMD ["python", "-m", "shop.cli"]\n',
        "FROM python:3.11 AS build\nCOPY src /b\nFROM python:3.11-slim\nCOPY --from=build /b /c\nWORKDIR /c\n"
        "CMD python -m shop.cli\n",
        "FROM python:3.11 AS one\nWORKDIR /app\nCOPY . .\nCMD python -m shop.cli\nFROM one AS two\nENV X=1\n",
        "FROM python:3.11\nWORKDIR /app\nCOPY pyproject.toml src ./\nCMD python shop/cli.py\n",
        'FROM python:3.11\nWORKDIR /app/src\nADD . /app\nENTRYPOINT ["python", "-m"]\nCMD ["shop.cli"]\n',
    ],
)
def test_a_layout_with_src_is_followed_wherever_it_is_copied(dockerfile: str) -> None:
    found = closure("src/shop/cli.py", {**SRC_PROJECT, "Dockerfile": dockerfile})
    assert found.is_exact
    assert found.files == {"src/shop/__init__.py", "src/shop/cli.py", "src/shop/deep/thing.py"}


def test_an_unreadable_start_leaves_what_the_image_copies_less_the_ignored() -> None:
    files = {
        "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY app /app/app\nCOPY *.py ./\nCMD ./binary\n",
        ".dockerignore": "app/skip*\n",
        "app/a.py": BROKEN,
        "app/skipped.py": BROKEN,
        "app/tests/test_a.py": "",
        "app/{{name}}.py": "",
        "top.py": "",
        "scripts/x.py": BROKEN,
    }
    found = closure("app/a.py", files)
    assert (found.is_exact, found.start_command, found.image_path) == (False, "", "Dockerfile")
    assert found.files == {"app/a.py", "top.py"}


def test_configured_roots_alone_decide() -> None:
    found = closure("services/chat/main.py", MONOREPO, roots=("services/chat",))
    assert found.files == {f"services/chat/{name}.py" for name in ("main", "handlers", "unused")}


@pytest.mark.parametrize(
    ("files", "image"),
    [
        ({"requirements.txt": "", "main.py": "import inner"}, ""),
        ({"requirements.txt": "", "app.py": "import inner"}, ""),
        ({"Procfile": "web: gunicorn --bind :$PORT core:app\n", "core.py": "import inner"}, "Procfile"),
        (
            {
                "project.toml": '[[build.env]]\nname = "GOOGLE_ENTRYPOINT"\nvalue = "python core.py"\n',
                "core.py": "import inner",
            },
            "project.toml",
        ),
    ],
)
def test_a_buildpack_starts_what_it_finds(files: dict[str, str], image: str) -> None:
    found = closure("inner.py", {**files, "inner.py": BROKEN, "scripts/x.py": BROKEN})
    assert (found.is_exact, found.image_path) == (True, image)
    assert len(found.files) == 2


def test_without_a_start_the_repository_counts_less_tests_and_ignored() -> None:
    files = {"lib/a.py": BROKEN, "lib/b.py": "", "tests/test_a.py": "", "old/c.py": "", ".gcloudignore": "old/\n"}
    found = closure("lib/a.py", files)
    assert (found.is_exact, found.image_path) == (False, "")
    assert found.files == {"lib/a.py", "lib/b.py"}


def test_cycles_and_missing_modules_end() -> None:
    files = {
        "Dockerfile": "FROM python:3.11\nCOPY . .\nCMD python a.py",
        "a.py": "import b, gone, b.gone\nfrom . import c",
        "b.py": "import a",
        "c.py": "from ..... import x",
    }
    assert closure("b.py", files).files == {"a.py", "b.py", "c.py"}


def test_a_script_that_calls_itself_ends() -> None:
    files = {
        "Dockerfile": "FROM x\nCOPY . .\nCMD ./a.sh",
        "a.sh": "./b.sh; ./b.sh",
        "b.sh": "./a.sh; ./a.sh",
        "m.py": "",
    }
    assert not closure("m.py", files).is_exact


def test_a_later_copy_hides_an_earlier_one() -> None:
    files = {"Dockerfile": "FROM x\nWORKDIR /app\nCOPY old /app\nCOPY new /app\nCMD python main.py\n"}
    files |= {"old/main.py": "", "new/main.py": BROKEN, "old/more.py": ""}
    assert closure("new/main.py", files).files == {"new/main.py"}
    assert closure("new/main.py", {**files, "new/main.py": "import more"}).files == {"new/main.py", "old/more.py"}


def test_a_namespace_package_that_is_not_there_yet_is_asked_for() -> None:
    files = {"Dockerfile": "FROM x\nCOPY . .\nCMD python main.py\n", "main.py": "import late.part"}
    assert is_affected_by(closure("main.py", files).recorded_paths, "late/part.py")
    assert "late/part.py" in closure("main.py", {**files, "late/part.py": ""}).files


STAGES = (
    "FROM python:3.11 AS base\nWORKDIR /app\nCOPY . .\nFROM base AS web\nCMD uvicorn web:app\n"
    "FROM base AS dev\nCMD python dev.py\nFROM base AS worker\nCMD python worker.py\n"
)
STAGED = {
    "Dockerfile": STAGES, "web.py": "import pages, shared\n", "pages.py": "", "worker.py": "import jobs, shared\n",
    "jobs.py": "", "shared.py": "", "dev.py": "import shared, pages\n",
}  # fmt: skip


@pytest.mark.parametrize(
    ("failing", "files", "ambiguous"),
    [
        ("pages.py", {"web.py", "pages.py", "shared.py"}, ()),
        ("jobs.py", {"worker.py", "jobs.py", "shared.py"}, ()),
        ("shared.py", {"worker.py", "jobs.py", "shared.py"}, ("Dockerfile (stage web)",)),
    ],
)
def test_the_stage_that_loads_the_failing_file_is_the_one_that_is_built(
    failing: str, files: set[str], ambiguous: tuple[str, ...]
) -> None:
    found = closure(failing, STAGED)
    assert (set(found.files), found.ambiguous_images, found.image_path) == (files, ambiguous, "Dockerfile")


def test_the_traceback_tells_the_stage() -> None:
    found = closure("shared.py", STAGED, ("web.py",))
    assert (set(found.files), found.ambiguous_images) == ({"web.py", "pages.py", "shared.py"}, ("Dockerfile",))


def test_an_earlier_stage_is_not_guessed_where_the_last_one_cannot_be_read() -> None:
    files = {**STAGED, "Dockerfile": STAGES.replace("CMD python worker.py", "CMD ./binary")}
    assert not closure("pages.py", files).is_exact


def test_what_docker_leaves_out_is_not_loaded_unless_it_is_known_to_run() -> None:
    files = {
        "Dockerfile": "FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD python main.py\n",
        ".dockerignore": "kept/secret.py\n",
        "main.py": "try:\n    import kept.secret\nexcept ImportError:\n    pass\n",
        "kept/secret.py": BROKEN,
    }
    assert "kept/secret.py" not in closure("main.py", files).files
    assert {"main.py", "kept/secret.py"} <= closure("kept/secret.py", files).files
