"""Modules of provenfix run when they are first used: what PEP 810 spells `lazy import`, for Pythons that lack it.

`from package import module` binds the module without running it; `module.anything` runs it, once, whatever number of
threads come at once. `from package.module import name` runs it at the import, as everywhere. So an import that must not
slow a start is written as any other at the top of a file, types and import contracts see it, and nothing else marks it.
Source: https://docs.python.org/3/library/importlib.html#importlib.util.LazyLoader, whose own class lets a second thread
see a half-run module before Python 3.12.3.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from threading import RLock
from types import ModuleType
from typing import Any

_READ_BY_IMPORTS = frozenset(
    {"__class__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__", "__cached__"}
)
"""Attributes that the import system itself reads; none of them needs the module's code."""

_RUNNING = RLock()
"""Held while a module runs; the modules that it runs in turn are run by the same thread."""


class _Module(ModuleType):
    """Bound, and not run. What the import system itself reads is answered without running it."""

    def __getattribute__(self, name: str) -> Any:
        if name not in _READ_BY_IMPORTS:
            with _RUNNING:
                loader = self.__loader__
                if type(self) is _Module and isinstance(loader, _Loader) and not loader.is_running:
                    loader.run(self)
        return ModuleType.__getattribute__(self, name)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str) -> None:
        super().__init__(name, path)
        self.is_running = False

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Waits for the first use."""

    def run(self, module: ModuleType) -> None:
        """Runs the module's code; where that fails, the next use runs it again."""
        self.is_running = True
        try:
            super().exec_module(module)
            module.__class__ = ModuleType
        finally:
            self.is_running = False


class _Finder:
    """Finds modules where Python finds them; only those of `packages` wait. A package itself runs at once."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._prefixes = tuple(f"{package}." for package in packages)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith(self._prefixes):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.origin and type(spec.loader) is SourceFileLoader and spec.submodule_search_locations is None:
            spec.loader = _Loader(name, spec.origin)
        return spec


def is_waiting(module: ModuleType) -> bool:
    """Whether a module is bound and has not run."""
    return type(module) is _Module


def install(*packages: str) -> None:
    """From now on the modules of these packages wait for their first use. A second call for them changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(packages))
