"""Finds the interpreters of this machine: candidates for a minor version, best first, each started to confirm it.

Returns a running `CPython` that reported the requested version. The settings may name further paths.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.adapters.compilers.cpython import CPython
from shared.adapters.compilers.pipe import InterpreterError
from shared.errors import UsageError

SUPPORTED_VERSIONS = tuple(f"3.{minor}" for minor in range(7, 16))

# `cpython-3.11.7-linux-x86_64-gnu` (uv), `3.11.7` and `3.14.0rc1` (pyenv).
_INSTALLATION_NAME = re.compile(r"(?:cpython-)?(3\.\d+)(?:\.(\d+)((?:a|b|rc)\d+)?)?(?:-.*)?")


def find_interpreter(python: str, configured: Mapping[str, str] | None = None) -> CPython | None:
    """A CPython of this minor version, already started, or None. Each candidate is started once.

    Raises `UsageError` where the settings name one and it is not that: a user who names one wants exactly that one.
    """
    named = (configured or {}).get(python)
    if named is not None:
        chosen = _verify_candidate(shutil.which(named) or named, python)
        if chosen is None:
            raise _build_version_error(python, named)
        return chosen
    return next(
        (
            interpreter
            for candidate in list_candidates(python, {})
            if (interpreter := _verify_candidate(candidate, python)) is not None
        ),
        None,
    )


def _verify_candidate(candidate: str, python: str) -> CPython | None:
    """The candidate, if it answers that it is this version of CPython."""
    interpreter = CPython(candidate)
    try:
        if interpreter.implementation == "cpython" and interpreter.python == python:
            return interpreter
    except InterpreterError:
        return None  # a name that promised an interpreter and is none: the next one may be
    interpreter.close()
    return None


def _build_version_error(python: str, named: str) -> UsageError:
    variable = f"PROVENFIX_PYTHON_{python.replace('.', '_')}"
    return UsageError(f"{variable}={named} is not a CPython {python} that can be started; correct it, or leave it out")


def find_installed_versions() -> tuple[str, ...]:
    """Every supported minor version for which this machine has a CPython, ascending."""
    versions = []
    for python in SUPPORTED_VERSIONS:
        interpreter = find_interpreter(python)
        if interpreter is not None:
            interpreter.close()
            versions.append(python)
    return tuple(versions)


def list_candidates(python: str, configured: Mapping[str, str]) -> Iterator[str]:
    """Paths of programs that should be this version, best first, each real file once."""
    seen: set[str] = set()
    for candidate in _list_candidate_paths(python, configured):
        if os.access(candidate, os.X_OK) and Path(candidate).is_file():
            real = os.path.realpath(candidate)
            if real not in seen:
                seen.add(real)
                yield candidate


def _list_candidate_paths(python: str, settings: Mapping[str, str]) -> Iterator[str]:
    if python in settings:
        yield shutil.which(settings[python]) or settings[python]
    if python == f"{sys.version_info[0]}.{sys.version_info[1]}" and sys.executable:
        yield sys.executable
    name = f"python{python}"
    for directory in os.get_exec_path():
        # A pyenv shim is a shell script that looks for a version of its own choice; its targets come below.
        if Path(directory).is_absolute() and Path(directory).name != "shims":
            yield str(Path(directory, name))
    for root in _list_installation_roots():
        for installed in _sort_installations(root, python):
            yield str(installed / "bin" / name)
    for directory in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"):
        yield str(Path(directory, name))
    yield from (str(path) for path in sorted(Path("/opt").glob(f"*/bin/{name}")))


def _list_installation_roots() -> Iterator[Path]:
    pyenv = os.environ.get("PYENV_ROOT")
    yield (Path(pyenv) if pyenv else Path("~/.pyenv").expanduser()) / "versions"
    uv = os.environ.get("UV_PYTHON_INSTALL_DIR")
    if uv:
        yield Path(uv)
    data = os.environ.get("XDG_DATA_HOME")
    yield (Path(data) if data else Path("~/.local/share").expanduser()) / "uv" / "python"


def _sort_installations(root: Path, python: str) -> list[Path]:
    """Installations of this minor version, by patch level; what is not released yet comes after what is."""
    ranked = []
    try:
        installed = list(root.iterdir())
    except OSError:
        return []  # the tool is not installed, or keeps its versions from us: nothing to offer
    for path in installed:
        match = _INSTALLATION_NAME.fullmatch(path.name)
        if match and match[1] == python:
            ranked.append((match[3] is None, int(match[2] or 0), path))
    return [path for *_, path in sorted(ranked, reverse=True)]
