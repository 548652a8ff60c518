"""The best compiler that this machine has for a minor version: a real interpreter, else ruff.

In: where the settings say that interpreters are. Out: `shared.ports.Compilers`.
"""

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from shared.adapters.compilers.cpython import CPython
from shared.adapters.compilers.interpreters import SUPPORTED_VERSIONS, find_interpreter
from shared.adapters.compilers.ruff import Ruff, RuffCompiler
from shared.errors import UsageError
from shared.proof.model.ports import Compiler


class LocalCompilers:
    """Implements `shared.ports.Compilers`. `interpreters` maps a minor version to the path of its interpreter.

    Use as a context manager, or call `close()`: interpreters keep running until then.
    """

    def __init__(self, interpreters: Mapping[str, str] | None = None) -> None:
        self._settings = dict(interpreters or {})
        self._interpreters: dict[str, CPython] = {}
        self._compilers: dict[str, Compiler] = {}
        self._ruff = Ruff()

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

    @property
    def processes_started(self) -> int:
        """By all that were found, ruff included; candidates that were refused are not counted."""
        return self._ruff.processes_started + sum(one.processes_started for one in self._interpreters.values())

    def close(self) -> None:
        """End every interpreter."""
        for interpreter in self._interpreters.values():
            interpreter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _describe_unsupported(python: str) -> str:
    known = f"Python {SUPPORTED_VERSIONS[0]} to {SUPPORTED_VERSIONS[-1]} can be judged"
    if re.fullmatch(r"3\.(\d+)\.\d+\S*", python):
        return f"{python!r} is a patch level; name the minor version, such as {'.'.join(python.split('.')[:2])!r}."
    return f"{python!r} is not a minor version that can be judged: {known}, written like '3.11'."
