"""Looks one name up in some folders of an image, as Python's import system does."""

import posixpath

from shared.proof.loading.start_command import FileLookup

ModuleLocation = tuple[str | None, tuple[str, ...]]
"""The file of a module or package, None for a namespace package; and the folders of what is imported below it."""


class ModuleLookup:
    """Remembers what it found: many files import the same names."""

    def __init__(self, files: FileLookup) -> None:
        self._files = files
        self._locations: dict[tuple[tuple[str, ...], str], ModuleLocation | None] = {}

    def find_name(self, folders: tuple[str, ...], name: str) -> ModuleLocation | None:
        """A package, else a module, else the parts of a namespace package; None where there is none of that name."""
        if (folders, name) not in self._locations:
            self._locations[folders, name] = self._search_name(folders, name)
        return self._locations[folders, name]

    def _search_name(self, folders: tuple[str, ...], name: str) -> ModuleLocation | None:
        if not name.isidentifier():
            return None
        portions: list[str] = []
        for folder in folders:
            path = posixpath.join(folder, name)
            if self._files.locate(f"{path}/__init__.py"):
                return f"{path}/__init__.py", (path,)
            if self._files.locate(f"{path}.py"):
                return f"{path}.py", ()
            if self._files.is_folder(path):
                portions.append(path)
        return (None, tuple(portions)) if portions else None
