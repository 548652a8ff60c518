"""The best compiler that a deployed function has for a minor version: its `compile` function, else one found here.

In: the URLs by version and whoever gives out identity tokens. Out: `shared.ports.Compilers`.
"""

from collections.abc import Callable, Mapping

from shared.adapters.compilers.found import FoundCompilers
from shared.adapters.compilers.remote import RemoteCompiler
from shared.adapters.compilers.ruff import Ruff
from shared.ports import Compiler
from shared.secret import Secret


class DeployedCompilers:
    """Implements `shared.ports.Compilers`."""

    def __init__(self, urls: Mapping[str, str], token: Callable[[str], Secret], found: FoundCompilers) -> None:
        self._urls = urls
        self._token = token
        self._found = found
        self._remote: dict[str, RemoteCompiler] = {}

    def compiler(self, python: str) -> Compiler:
        """The same one for the same version. Raises Misused for a version that nobody can judge."""
        instead = self._found.compiler(python)
        if python not in self._urls:
            return instead
        if python not in self._remote:
            self._remote[python] = RemoteCompiler(python, self._urls[python], self._token, instead)
        return self._remote[python]

    def explainer(self) -> Ruff:
        """Ruff, for counts and explanations."""
        return self._found.explainer()
