"""In which package a file of an image is loaded, where its own folder is on the import path, too.

Takes one layout, and what a log shows of one file. Answers what a relative import of a file may count from.
"""

import posixpath

from shared.proof.claims.importing.image_layout import ImageLayout, Location, NameSearch, TracedFiles


class FilePackages:
    """Answers for one layout; paths and folders are of the image."""

    def __init__(self, layout: ImageLayout, names: NameSearch, traced: TracedFiles) -> None:
        self._layout = layout
        self._names = names
        self._packaged = traced.failing_path
        self._root = traced.package_root

    def is_top(self, folder: str, path: str) -> bool:
        """Whether a file's packages may begin below a folder: it is on the import path, and the log shows no other."""
        if folder not in self._layout.roots:
            return False
        is_shown = self._root in self._layout.roots and path in self._layout.files.image_paths(self._packaged)
        return not (is_shown and folder.startswith(self._root.rstrip("/") + "/") and self._is_started_below_root())

    def is_only_top(self, folder: str) -> bool:
        """Whether the packages below a folder of the import path have no other name: it is below no other one."""
        layout = self._layout
        others = (*layout.roots, *layout.installed_roots, *layout.possible_roots)
        return layout.is_start_known and not any(folder.startswith(other.rstrip("/") + "/") for other in others)

    def is_started_in(self, path: str, level: int) -> bool:
        """Whether the start command names a file by a package of so many levels, although its folder is a root."""
        for module in self._list_started_modules():
            package, dot, _ = module.rpartition(".")
            if package.count(".") + 1 < level:
                continue
            location = self._names.search(self._layout.roots, package.partition(".")[0]) if dot else None
            for part in package.split(".")[1:]:
                location = self._names.search(location.folders, part) if isinstance(location, Location) else None
            if isinstance(location, Location):
                file = self._names.search(location.folders, module.rpartition(".")[2])
                if isinstance(file, Location) and file.path == path:
                    return True
        return False

    def _is_started_below_root(self) -> bool:
        """Whether the start command names its modules by packages below the root that the log shows."""
        paths = [module.replace(".", "/") + ".py" for module in self._list_started_modules() if "." in module]
        return bool(paths) and all(self._layout.files.locate(posixpath.join(self._root, path)) for path in paths)

    def _list_started_modules(self) -> tuple[str, ...]:
        return tuple(self._layout.started.modules) if self._layout.started is not None else ()
