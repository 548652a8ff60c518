"""Looks one name up in folders of an image, as Python's import system does; links and built files stop it."""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.proof.loading.image_files import ImageFiles

_BUILT_FILES = (".so", ".pyd", ".pyc", ".pyx")


@dataclass(frozen=True, slots=True)
class Location:
    """What one name means: a file (image path), folders that hold its submodules, or both."""

    path: str = ""
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the meaning of a name is unknown."""

    reason: str


class NameSearch:
    """Searches the files of one image."""

    def __init__(self, files: ImageFiles, is_link: Callable[[str], bool]) -> None:
        self._files = files
        self._tree = files.tree
        self._is_link = is_link

    def search(self, folders: Sequence[str], name: str) -> Location | Obstacle | None:
        """One name in some folders: a package, else a module, else the parts of a namespace package."""
        portions: list[str] = []
        for folder in folders:
            path = posixpath.join(folder, name)
            if built := self._find_built_file(folder, name):
                return Obstacle(f"{built} is built, not read")
            if self._files.locate(f"{path}/__init__.py") is not None:
                return Location(f"{path}/__init__.py", (path,))
            if self._files.locate(f"{path}.py") is not None:
                return Location(f"{path}.py")
            if link := self._find_link(path):
                return Obstacle(f"{link} is a link")
            if self._is_folder(path):
                portions.append(path)
        return Location("", tuple(portions)) if portions else None

    def _find_built_file(self, folder: str, name: str) -> str:
        """An extension module or a compiled file of a name; Python takes it for the module."""
        for origin in self._files.list_origin_paths(folder):
            for entry in self._tree.list_unrecorded(origin) or ():
                if entry.startswith(f"{name}.") and entry.endswith(_BUILT_FILES):
                    path = posixpath.join(origin, entry)
                    self._tree.blob(path)  # an input: without it the answer is another one
                    return path
        return ""

    def _find_link(self, path: str) -> str:
        origins = [*self._files.list_origin_paths(path), *self._files.list_origin_paths(f"{path}.py")]
        return next((origin for origin in origins if self._is_link(origin)), "")

    def _is_folder(self, path: str) -> bool:
        """Whether the image has a folder; one that is left out counts where something in it is not."""
        if not self._files.is_folder(path):
            return False
        origins = [origin for origin in self._files.list_origin_paths(path) if self._tree.has_folder(origin)]
        if not origins or any(not self._files.is_left_out(origin) for origin in origins):
            return True
        entries = [posixpath.join(origin, name) for origin in origins for name in self._tree.folder(origin) or ()]
        return any(not self._files.is_left_out(entry) for entry in entries)
