"""Chooses command and environment of a revision from its files, or says why it cannot start.

The interpreter is of the Python that the files declare, found as the compilers are; the command is that of the
Dockerfile or the Procfile. Nothing of this process's environment is passed on: a service does not get its secrets.
"""

import importlib.util
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.compilers.interpreters import find_interpreter
from shared.errors import InputError
from shared.proof.declared.deployed_python import find_deployed_python, select_declaring_files
from shared.service import Service

LOOPBACK = "127.0.0.1"
_INSTRUCTION = re.compile(r"^[ \t]*+(ENTRYPOINT|CMD)[ \t]+(\[.*\])[ \t]*$", re.MULTILINE | re.IGNORECASE)
_WORKDIR = re.compile(r"^[ \t]*+WORKDIR[ \t]+\"?(/[^\s\"]*?)/?\"?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_WEB = re.compile(r"^web:\s*(.+)$", re.MULTILINE)
_PORT = re.compile(r"\$(?:PORT\b|\{PORT(?::-\d+)?\})")
_SERVER_PACKAGES = ("uvicorn", "click", "h11", "websockets")
"""What serves an application needs nothing compiled, so that every interpreter can use what is installed here."""
_RUNNING_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start, in the folder of the files."""

    command: Sequence[str]
    environment: Mapping[str, str]
    workdir: str
    """What the folder is called in the image: a log of the platform names files by it."""


@dataclass(frozen=True, slots=True)
class Launcher:
    """`interpreters` are those that the settings name, by version; `packages` is a folder of its own."""

    interpreters: Mapping[str, str]
    packages: Path

    def plan_launch(self, service: Service, revision: str, files: Path, port: int) -> Launch:
        """Raises InputError with one sentence if it cannot be started here."""
        texts = _read_texts(files)
        declared = find_deployed_python(texts, "Dockerfile")
        python = declared[0] if declared else service.python or _RUNNING_PYTHON
        interpreter = self._find_interpreter(python, declared[1] if declared else "its configuration")
        command = _build_command(_read_command_words(texts), interpreter, port)
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ},
            "K_SERVICE": service.name,
            "K_REVISION": revision,
            "K_CONFIGURATION": service.name,
            "PORT": str(port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
        }
        if interpreter != sys.executable:
            environment["PYTHONPATH"] = str(self._link_packages())
        return Launch(command, environment, _find_workdir(texts))

    def _find_interpreter(self, python: str, source: str) -> str:
        if python == _RUNNING_PYTHON and python not in self.interpreters:
            return sys.executable
        compiler = find_interpreter(python, self.interpreters)
        if compiler is None:
            name = f"PROVENFIX_PYTHON_{python.replace('.', '_')}"
            raise InputError(
                f"Python {python} ({source}) was not found on this machine: install it, or name it with {name}"
            )
        compiler.close()
        return compiler.interpreter

    def _link_packages(self) -> Path:
        """A folder that holds nothing but what serves an application."""
        self.packages.mkdir(parents=True, exist_ok=True)
        for name in _SERVER_PACKAGES:
            spec, link = importlib.util.find_spec(name), self.packages / name
            if spec is not None and spec.submodule_search_locations and not link.exists():
                link.symlink_to(spec.submodule_search_locations[0])
        return self.packages


def _read_texts(files: Path) -> dict[str, str]:
    """The files that may declare the Python or the command, by path."""
    names = [path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()]
    paths = {*select_declaring_files(names), *(name for name in ("Dockerfile", "Procfile") if name in names)}
    return {name: (files / name).read_text("utf-8", "replace") for name in paths}


def _read_command_words(texts: Mapping[str, str]) -> list[str]:
    """The command as it is written; empty where none is."""
    commands = {match[1].upper(): match[2] for match in _INSTRUCTION.finditer(texts.get("Dockerfile", ""))}
    words: list[str] = []
    for name in ("ENTRYPOINT", "CMD"):
        try:
            words += [str(word) for word in json.loads(commands.get(name, "[]"))]
        except ValueError:
            raise InputError(f"{name} of the Dockerfile is not a JSON array of words: {commands[name][:100]}") from None
    web = _WEB.search(texts.get("Procfile", ""))
    return words or (shlex.split(web[1]) if web else [])


def _find_workdir(texts: Mapping[str, str]) -> str:
    """The last absolute one of the Dockerfile, else that of buildpacks."""
    folders = _WORKDIR.findall(texts.get("Dockerfile", ""))
    return str(folders[-1]) if folders else "/workspace" if "Procfile" in texts else "/app"


def _build_command(words: Sequence[str], interpreter: str, port: int) -> list[str]:
    words = [_PORT.sub(str(port), word) for word in words]
    name = Path(words[0]).name if words else ""
    if name == "uvicorn":
        options = ["--host", LOOPBACK, "--port", str(port), "--no-use-colors"]
        return [interpreter, "-m", "uvicorn", *_drop_address_options(words[1:]), *options]
    if re.fullmatch(r"python(3(\.\d+)?)?", name):
        return [interpreter, *words[1:]]
    problem = (
        f"its command is {' '.join(words)[:100]!r}" if words else "neither Dockerfile nor Procfile names a command"
    )
    raise InputError(f"{problem}; what can be started here is uvicorn, or a Python program that listens on $PORT")


def _drop_address_options(words: Sequence[str]) -> list[str]:
    """Uvicorn's arguments but for where it listens."""
    remaining: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in {"--host", "--port"}:
            next(rest, None)
        elif not word.startswith(("--host=", "--port=")):
            remaining.append(word)
    return remaining
