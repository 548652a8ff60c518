"""The modules of a service, from a dict of files: answers `ServiceModules` with its top folder as the only root."""

from collections.abc import Mapping

from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.ports import ImagePython
from shared.proof.loading.commit_tree import RecordingTree
from tests.support.source_tree import FakeSourceTree

OUTSIDE = frozenset(
    [
        "abc",
        "asyncio",
        "builtins",
        "collections",
        "contextlib",
        "dataclasses",
        "enum",
        "functools",
        "gettext",
        "importlib",
        "json",
        "logging",
        "os",
        "random",
        "re",
        "sys",
        "time",
        "types",
        "typing",
        "fastapi",
        "pydantic",
        "requests",
    ]
)


class FakeServiceModules:
    """Finds packages before modules, and folders without `__init__.py` last."""

    def __init__(self, files: Mapping[str, str | bytes], python: str = "3.11") -> None:
        self.python = python
        self.tree = RecordingTree(FakeSourceTree(files))

    @property
    def image_python(self) -> ImagePython:
        return ImagePython(self.python)

    def find_module(self, importing_path: str, module: str, level: int = 0) -> FoundModule:
        base = importing_path.split("/")[:-level] if level else []
        path = "/".join([*base, *(module.split(".") if module else [])])
        if self.tree.blob(f"{path}/__init__.py") is not None:
            return FoundModule(ModuleKind.PACKAGE, f"{path}/__init__.py")
        if self.tree.blob(f"{path}.py") is not None:
            return FoundModule(ModuleKind.FILE, f"{path}.py")
        if self.tree.has_folder(path):
            return FoundModule(ModuleKind.NAMESPACE, path)
        if not level and module.partition(".")[0] in OUTSIDE:
            return FoundModule(ModuleKind.OUTSIDE)
        return FoundModule(ModuleKind.MISSING, reason=f"no module {module}")
