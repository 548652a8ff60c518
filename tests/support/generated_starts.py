"""Random small services with a Dockerfile and a start command: what our rules say of a start, and what a real one does.

The image is built by copying, as Docker does, and the command runs in it with the real servers.
"""

import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.proof.claims.claim import ClaimVerdict
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.service_modules import open_service_modules
from shared.proof.claims.starting.start_judge import StartJudge, build_start_claim
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.model.ignore_rules import parse_docker_ignore
from shared.proof.model.paths import AppliedIgnores
from tests.support.history_builder import running_python
from tests.support.simulated_build import build, make_context
from tests.support.source_tree import FakeSourceTree

_HEAD = "FROM python:3.11-slim\nRUN pip install uvicorn gunicorn\n"
_MODULES = (
    "app = 1\n",
    "application = 1\n",
    "def create_app():\n    return 1\n",
    "from quay.tides import app\n",
    "from quay import tides\nfrom quay.tides import *\n",
    "if len('x') > 2:\n    app = 1\n",
    "app = 1\ndel app\n",
    "try:\n    import nothing_of_that_name\n    app = 1\nexcept ImportError:\n    application = 2\n",
    "def __getattr__(name):\n    return 1\n",
    "globals()['app'] = 1\n",
    "",
)
_PACKAGES = ("", "app = 1\n", "from . import main\n", "import sys\nsys.path.append('src')\n", None)
_COPIES = (
    ("COPY . .",),
    ("COPY . .",),
    ("COPY quay quay",),
    ("COPY quay ./quay/", "COPY src src"),
    ("COPY src/ .",),
    ("COPY quay .",),
    ("COPY main.py ./", "COPY quay/ quay/"),
)
_IGNORES = (
    "",
    "",
    "",
    "*.md\n",
    "quay\n",
    "**/main.py\n",
    "main.py\n",
    "src\n",
    "*\n!quay\n",
    "quay/*\n!quay/main.py\n",
)
_WORKDIRS = ("/srv", "/srv", "/srv", "/srv/quay", "/srv/src")
_TARGETS = (
    "quay.main:app",
    "quay.main:app",
    "main:app",
    "quay:app",
    "quay.main:create_app",
    "quay.tides:app",
    "quay:main",
)
_COMMANDS = (
    "uvicorn {target}",
    "python -m uvicorn {target}",
    "uvicorn --app-dir src {target}",
    "python -m uvicorn --app-dir src {target}",
    "cd src && uvicorn {target}",
    "gunicorn {target}",
    "gunicorn {module}",
    "gunicorn --chdir src {target}",
    "gunicorn --pythonpath src {target}",
    "PYTHONPATH=src uvicorn {target}",
    "PYTHONPATH=src gunicorn {target}",
    "python -m {module}",
    "python {path}.py",
    "python {path}",
)
_MISSING = (
    "Could not import module", "No module named 'quay", "No module named 'main'", "No module named quay",
    "No module named main", "not found in module", "Failed to find attribute", "can't open file",
    "can't find '__main__' module", "is a package and cannot be directly executed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GeneratedStart:
    """A service. `files` are those of the repository."""

    files: Mapping[str, str]
    stage: tuple[str, ...]
    command: str
    ignores: str


@dataclass(frozen=True, slots=True)
class RealStart:
    """`is_missing`: the server says that its target is not there; `fails`: that, or a file of the service raises."""

    is_missing: bool
    fails: bool
    said: str


def generate_start(seed: int) -> GeneratedStart:
    """One service; the same for the same seed."""
    draw = random.Random(seed)  # no secret
    files: dict[str, str] = {"readme.md": "", "src/lamps.py": "", "quay/lamps.py": "", "main.py": "app = 1\n"}
    for folder in ("quay", "src/quay", "src", "") if draw.random() < 0.8 else ("src/quay",):
        if folder and draw.random() < 0.25:
            continue
        prefix = f"{folder}/" if folder else ""
        files[f"{prefix}main.py"] = draw.choice(_MODULES)
        files[f"{prefix}tides.py"] = draw.choice(("app = 2\n", "lamp = 1\n"))
        package = draw.choice(_PACKAGES)
        if package is not None and folder.endswith("quay"):
            files[f"{prefix}__init__.py"] = package
    for path in [path for path in files if path != "readme.md" and "lamps" not in path]:
        if draw.random() < 0.15:
            del files[path]
    target = draw.choice(_TARGETS)
    module = target.partition(":")[0]
    command = draw.choice(_COMMANDS).format(target=target, module=module, path=module.replace(".", "/"))
    ignores, workdir = draw.choice(_IGNORES), draw.choice(_WORKDIRS)
    stage = (f"WORKDIR {workdir}", *draw.choice(_COPIES))
    dockerfile = f"{_HEAD}{chr(10).join(stage)}\nCMD {command}\n"
    files |= {"Dockerfile": dockerfile} | ({".dockerignore": ignores} if ignores else {})
    return GeneratedStart(files, stage, command, ignores)


def judge_start(start: GeneratedStart) -> ClaimVerdict:
    """What our rules say, with the image itself as the witness of what it installs."""
    modules = open_service_modules(
        RecordingTree(FakeSourceTree(start.files)), TracedFiles("Dockerfile"), running_python()
    )
    claim = build_start_claim("Dockerfile", 0, "", "", "")
    return StartJudge().with_witness(modules).judge(claim, modules)


def run_start(start: GeneratedStart, folder: Path) -> RealStart | None:
    """What a real start does; None where the image cannot be built."""
    ignores = AppliedIgnores("", parse_docker_ignore(".dockerignore", start.ignores))
    context = make_context(
        sorted(start.files), lambda path: bool(start.ignores) and ignores.find_line(path) is not None
    )
    image = build(context, [start.stage])
    if image is None:
        return None
    for path in image.folders:
        (folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for path, origin in image.files.items():
        (folder / path.lstrip("/")).write_text(start.files[origin], encoding="utf-8")
    command = start.command.replace("uvicorn ", "uvicorn --uds /nowhere/at/all ").replace(
        "gunicorn ", "gunicorn --preload --bind unix:/nowhere/at/all "
    )
    if "-m uvicorn" in start.command:
        command = start.command.replace("-m uvicorn ", "-m uvicorn --uds /nowhere/at/all ")
    bin_folder = str(Path(sys.executable).parent)
    environment = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder)}
    workdir = start.stage[0].split()[1].lstrip("/")
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder / workdir,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    has_run = (
        f'File "{folder}/' in said or f"({folder}/" in said
    )  # a file of the service raised it: then its target was found
    is_missing = not has_run and any(sentence in said for sentence in _MISSING)
    return RealStart(is_missing, is_missing or has_run, said)
