"""A service whose files are listed in a test, as `ServiceModules`: the top of the tree is the one import root."""

import sys
from collections.abc import Mapping

from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.ports import ImagePython
from shared.proof.loading.commit_tree import RecordingTree
from tests.support.source_tree import FakeSourceTree


class ListedModules:
    """Implements `shared.proof.claims.ports.ServiceModules`. `outside` are the modules that the image installs."""

    def __init__(
        self,
        files: Mapping[str, str | bytes],
        *,
        python: str = "3.11",
        outside: tuple[str, ...] = ("pydantic", "requests"),
    ) -> None:
        self.python = python
        self.tree = RecordingTree(FakeSourceTree(files))
        self._outside = frozenset((*outside, *sys.stdlib_module_names))

    @property
    def image_python(self) -> ImagePython:
        return ImagePython(self.python)

    def find_module(self, importing_path: str, module: str, level: int = 0) -> FoundModule:
        """By the rules of imports; nothing in the tree shadows the standard library here."""
        parts = module.split(".") if module else []
        if level:
            folder = importing_path.split("/")[:-1]
            parts = folder[: len(folder) - level + 1] + parts
        elif parts and parts[0] in self._outside:
            return FoundModule(ModuleKind.OUTSIDE)
        path = "/".join(parts)
        if not path:
            return FoundModule(ModuleKind.UNKNOWN, reason="a relative import outside of any package")
        if self.tree.blob(f"{path}/__init__.py") is not None:
            return FoundModule(ModuleKind.PACKAGE, f"{path}/__init__.py")
        if self.tree.blob(f"{path}.py") is not None:
            return FoundModule(ModuleKind.FILE, f"{path}.py")
        if self.tree.folder(path) is not None:
            return FoundModule(ModuleKind.NAMESPACE, path)
        return FoundModule(ModuleKind.MISSING, reason=f"nothing is the module {module}")
