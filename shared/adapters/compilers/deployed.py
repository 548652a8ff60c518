"""The best compiler that a deployed function has for a minor version: its `compile` function, else one found here.

In: the URLs by version and whoever gives out identity tokens. Out: `shared.ports.Compilers` for all threads of a
process. An interpreter answers over one pipe, so threads take turns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock

from shared.adapters.compilers.found import LocalCompilers
from shared.adapters.compilers.remote import RemoteCompiler
from shared.proof.model.compilation import Compilation, Explanation, Source
from shared.proof.model.ports import Compiler, Explainer
from shared.secret import Secret


class DeployedCompilers:
    """Implements `shared.ports.Compilers`. Interpreters end with `close()`, or by themselves with the process."""

    def __init__(self, urls: Mapping[str, str], fetch_token: Callable[[str], Secret], local: LocalCompilers) -> None:
        self._urls = urls
        self._token = fetch_token
        self._local = local
        self._compilers: dict[str, Compiler] = {}
        self._explainer = _LockedExplainer(local.explainer())
        self._lock = Lock()

    def compiler_for(self, python: str) -> Compiler:
        """The same one for the same version. Raises Misused for a version that nobody can judge."""
        with self._lock:
            if python not in self._compilers:
                best: Compiler = self._local.compiler_for(python)
                if python in self._urls:
                    best = RemoteCompiler(python, self._urls[python], self._token, best)
                self._compilers[python] = _LockedCompiler(best)
            return self._compilers[python]

    def explainer(self) -> Explainer:
        """Ruff, for counts and explanations."""
        return self._explainer

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
