"""The wheel as a user installs it: the checkout is built, and put into a virtual environment with what it needs."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from functions.local.server_process import CODE_ROOT

CHECKOUT_PARTS = ("functions", "shared", "terraform", "pyproject.toml", "README.md", "LICENSE")
COLLIDING_PACKAGE = "shared"
"""A package of another project that the same environment holds."""


def install_wheel(folder: Path) -> Path:
    """The folder of the environment's programs. The dependencies are those of this interpreter."""
    environment = folder / "installed"
    venv.create(environment, with_pip=False)
    programs = environment / "bin"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, _source(folder))
    _run(*pip, "--python", programs / "python", "install", "--no-deps", "--no-index", *folder.glob("*.whl"))
    packages = next((environment / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    (programs / "ruff").symlink_to(Path(sysconfig.get_path("scripts")) / "ruff")
    return programs


def install_colliding_package(programs: Path, sprung: Path) -> None:
    """Another project's `shared` and `functions`, which say so where they are imported."""
    packages = next((programs.parent / "lib").glob("python*/site-packages"))
    for name in (COLLIDING_PACKAGE, "functions"):
        assert not (packages / name).exists(), "the wheel puts nothing under this name"
        (packages / name).mkdir()
        (packages / name / "__init__.py").write_text(trap_module(sprung, f"site-packages/{name}"), "utf-8")


def trap_module(sprung: Path, name: str) -> str:
    """A module that notes that it was executed."""
    return f"with open({str(sprung)!r}, 'a') as file:\n    file.write({name!r} + '\\n')\n"


def _source(folder: Path) -> Path:
    """A copy: a build leaves files behind where it is done."""
    source = folder / "source"
    for name in CHECKOUT_PARTS:
        if (CODE_ROOT / name).is_dir():
            shutil.copytree(CODE_ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(CODE_ROOT / name, source / name)
    return source


def _run(*words: str | Path) -> None:
    ended = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
