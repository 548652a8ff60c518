"""Chooses the best compiler of this machine for a minor version: a real interpreter, else ruff.

Implements `shared.proof.model.ports.Compilers`; the settings name where interpreters are installed.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

from shared.adapters.checkers import ty_checker
from shared.adapters.compilers import remote
from shared.adapters.compilers.cpython import CPython
from shared.adapters.compilers.interpreters import SUPPORTED_VERSIONS, find_interpreter
from shared.adapters.compilers.ruff import Ruff, RuffCompiler
from shared.errors import UsageError
from shared.proof.model.compilation import Compilation, Explanation, Source
from shared.proof.model.ports import Compiler, Explainer
from shared.secret import Secret


class LocalCompilers:
    """Implements `shared.proof.model.ports.Compilers`. `interpreters` maps a minor version to an interpreter's path.

    Use as a context manager, or call `close()`: interpreters keep running until then.
    """

    def __init__(self, interpreters: Mapping[str, str] | None = None) -> None:
        self._settings = dict(interpreters or {})
        self._interpreters: dict[str, CPython] = {}
        self._compilers: dict[str, Compiler] = {}
        self._ruff = Ruff()
        self._type_checker: ty_checker.TyChecker | None = None

    def compiler_for(self, python: str) -> Compiler:
        """The same one for the same version. Raises `UsageError` for a version that nobody here can judge."""
        self.require_compiler(python)
        if python not in self._compilers:
            interpreter = find_interpreter(python, self._settings)
            if interpreter is not None:
                self._interpreters[python] = interpreter
            self._compilers[python] = interpreter or RuffCompiler(self._ruff, python)
        return self._compilers[python]

    def require_compiler(self, python: str) -> None:
        """Raises `UsageError` for a version that nobody here can judge; starts nothing."""
        if python not in SUPPORTED_VERSIONS:
            raise UsageError(_describe_unsupported(python))

    def explainer(self) -> Ruff:
        """Ruff, for counts and explanations."""
        return self._ruff

    def type_checker(self) -> "ty_checker.TyChecker":
        """Ty; started for each question."""
        if self._type_checker is None:
            self._type_checker = ty_checker.TyChecker()
        return self._type_checker

    @property
    def processes_started(self) -> int:
        """By all that were found, ruff included; candidates that were refused are not counted."""
        return self._ruff.processes_started + sum(
            interpreter.processes_started for interpreter in self._interpreters.values()
        )

    def close(self) -> None:
        """End every interpreter, and remove what the checker has written."""
        for interpreter in self._interpreters.values():
            interpreter.close()
        if self._type_checker is not None:
            self._type_checker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _describe_unsupported(python: str) -> str:
    known = f"Python {SUPPORTED_VERSIONS[0]} to {SUPPORTED_VERSIONS[-1]} can be judged"
    if re.fullmatch(r"3\.(\d+)\.\d+\S*", python):
        return f"{python!r} is a patch level; name the minor version, such as {'.'.join(python.split('.')[:2])!r}."
    return f"{python!r} is not a minor version that can be judged: {known}, written like '3.11'."


class DeployedCompilers:
    """Implements `shared.proof.model.ports.Compilers`. Interpreters end with `close()`, or with the process."""

    def __init__(self, urls: Mapping[str, str], fetch_token: Callable[[str], Secret], local: LocalCompilers) -> None:
        self._urls = urls
        self._token = fetch_token
        self._local = local
        self._compilers: dict[str, Compiler] = {}
        self._explainer = _LockedExplainer(local.explainer())
        self._lock = Lock()

    def compiler_for(self, python: str) -> Compiler:
        """The same one for the same version. Raises UsageError for a version that nobody can judge."""
        with self._lock:
            if python not in self._compilers:
                best: Compiler = self._local.compiler_for(python)
                if python in self._urls:
                    best = remote.RemoteCompiler(python, self._urls[python], self._token, best)
                self._compilers[python] = _LockedCompiler(best)
            return self._compilers[python]

    def explainer(self) -> Explainer:
        """Ruff, for counts and explanations."""
        return self._explainer

    def type_checker(self) -> "ty_checker.TyChecker":
        """Ty; one question at a time."""
        return self._local.type_checker()

    def close(self) -> None:
        """End every interpreter."""
        self._local.close()


class _LockedCompiler:
    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._lock = Lock()
        self.python = compiler.python

    @property
    def checked_by(self) -> str:
        with self._lock:
            return self._compiler.checked_by

    def prepare(self, sources: Iterable[Source]) -> None:
        with self._lock:
            self._compiler.prepare(sources)

    def compile(self, source: Source) -> Compilation:
        with self._lock:
            return self._compiler.compile(source)


class _LockedExplainer:
    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer
        self._lock = Lock()

    @property
    def checked_by(self) -> str:
        return self._explainer.checked_by

    def explain(self, requests: Sequence[tuple[Source, str]]) -> Sequence[Explanation]:
        with self._lock:
            return self._explainer.explain(requests)
