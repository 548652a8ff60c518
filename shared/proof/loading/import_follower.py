"""Follows the imports of files through an image, as Python's import system looks them up, without running anything.

Returns every file that the first modules and files can load from the import roots. Where Python chooses at run time,
it follows all choices: the answer may be too large, never too small.
"""

import posixpath
from collections.abc import Callable, Collection, Sequence

from shared.proof.loading.imports import Import, Imports, parse_imports
from shared.proof.loading.module_lookup import ModuleLocation, ModuleLookup
from shared.proof.loading.servers import find_migration_folder
from shared.proof.loading.start_command import FileLookup, StartCommand

MAX_LOADED_FILES = 20_000
_DJANGO_MODULES = (
    "apps",
    "models",
    "admin",
    "tasks",
    "signals",
    "checks",
    "translation",
    "celery",
    "receivers",
    "urls",
)


class ImportFollower:
    """`loaded` maps each image path that may be loaded to its repository path."""

    def __init__(
        self,
        files: FileLookup,
        roots: Sequence[str],
        load: Callable[[str], Imports],
        command_words: Collection[str] = (),
    ) -> None:
        self.files = files
        self.roots = tuple(dict.fromkeys(roots))
        self.loaded: dict[str, str] = {}
        self.added_paths: list[str] = []
        """Image paths that were taken as loaded without an import."""
        self.unresolved_imports: list[str] = []
        self.found_starts: list[StartCommand] = []
        self.failed_imports: dict[tuple[str, Import], None] = {}
        """By the image path of the file: imports of which some name was no module among the files."""
        self._load_imports = load
        self.command_words = command_words
        self._queue: list[str] = []
        self._modules = ModuleLookup(files)

    def follow_all(self) -> None:
        """Follow until nothing new is found; a file that changes the import path makes all be asked again."""
        for _ in range(4):
            roots = self.roots
            while self._queue:
                self._follow_file(self._queue.pop())
            if roots == self.roots:
                return
            self._queue = list(self.loaded)

    def add_file(self, path: str) -> bool:
        """Take a file as loaded; False where the image has none at that path."""
        origin = self.files.locate(path)
        if origin is None:
            return False
        if path not in self.loaded and len(self.loaded) < MAX_LOADED_FILES:
            self.loaded[path] = origin
            self._queue.append(path)
        return True

    def add_root(self, folder: str) -> None:
        """Another folder in which modules are looked up, after those before."""
        if folder not in self.roots and len(self.roots) < 100:
            self.roots = (*self.roots, folder)

    def add_with_packages(self, path: str) -> bool:
        """Take a file as loaded, with the packages that hold it."""
        self.added_paths.append(path)
        folder = posixpath.dirname(path)
        while folder not in {"", "/"} and folder not in self.roots:
            if not self.add_file(posixpath.join(folder, "__init__.py")) and not any(
                folder.startswith(root.rstrip("/") + "/") for root in self.roots
            ):
                break
            folder = posixpath.dirname(folder)
        return self.add_file(path)

    def add_module(self, name: str) -> bool:
        """Take a module as loaded by its dotted name; False where no root has all of it as a file."""
        location = self._resolve_module(name.split("."), self.roots)
        return bool(location and location[0])

    def add_start(self, start: StartCommand) -> bool:
        """Take what a start command loads as loaded; False where the image has none of it."""
        begun = [self.add_with_packages(path) for path in start.files]
        for folder in start.folders:
            self.add_folder_modules(folder)
        begun += [self.add_module(module) for module in start.modules]
        if start.code:
            self.follow_imports(parse_imports(start.code.encode()), posixpath.join(start.roots[0], "-c"))
            begun.append(bool(self.loaded))
        for path in start.optional_files if any(begun) else ():
            self.add_file(path)
        self.found_starts += [start] if any(begun) else []
        return any(begun)

    def find_scripts(self) -> frozenset[str]:
        """The repository's files that the followed starts run by their path."""
        paths = (path for start in self.found_starts if start.text.startswith("python ") for path in start.files)
        return frozenset(self.loaded[path] for path in paths if path in self.loaded)

    def add_folder_modules(self, folder: str, *, is_recursive: bool = False, depth: int = 0) -> None:
        """Take every module of a folder as loaded, and the packages in it; with their modules where `is_recursive`."""
        for name in sorted(self.files.list_entries(folder)):
            inner = posixpath.join(folder, name)
            if name.endswith(".py") and "{{" not in name:
                self.add_file(inner)
            elif self.add_file(posixpath.join(inner, "__init__.py")) and is_recursive and depth < 8:
                self.add_folder_modules(inner, is_recursive=True, depth=depth + 1)

    def follow_imports(self, imports: Imports, path: str) -> None:
        """Take as loaded what a file at an image path imports."""
        for imported in imports.imported:
            self._follow_import(imported, path)
        for imported in imports.whole_packages:
            location = self._resolve_module(_split_module(imported.module), self._find_bases(imported, path))
            for folder in location[1] if location else ():
                self.add_folder_modules(folder, is_recursive="**" in imported.names)
        for text in imports.mentioned_modules:
            self._follow_mention(text)
        for name in imports.django_applications:
            self._follow_application(name)
        for text in imports.scripts:
            self._follow_script(text, path)
        for text in imports.dynamic_targets:
            self._follow_dynamic_target(text, path)

    def find_import(self, imported: Import, path: str, name: str = "") -> tuple[tuple[str, ...], ModuleLocation | None]:
        """What an import of the file at an image path loads on its way, and its location; None where there is none.

        With `name` it is the module of that name in what is imported from.
        """
        met, location, remaining = self._walk_import(imported, path, name)
        return met, None if remaining else location

    def list_possible_locations(self, imported: Import, path: str, name: str = "") -> tuple[str, ...]:
        """The image paths, without the end of their names, at which what an import does not find could be."""
        _, location, remaining = self._walk_import(imported, path, name)
        if not remaining:
            return ()
        paths = [posixpath.join(base, *parts) for base in location[1] for parts in (remaining[:1], remaining)]
        return tuple(dict.fromkeys(paths))

    def _walk_import(
        self, imported: Import, path: str, name: str
    ) -> tuple[tuple[str, ...], ModuleLocation, Sequence[str]]:
        """The files met, the location of the last name that was found, and the names that remain."""
        parts = [*_split_module(imported.module), *([name] if name else [])]
        location: ModuleLocation = (None, self._find_bases(imported, path))
        met: list[str] = []
        for count, part in enumerate(parts):
            step = self._modules.find_name(location[1], part)
            if step is None:
                return tuple(met), location, parts[count:]
            location = step
            met += [step[0]] if step[0] else []
        return tuple(met), location, ()

    def _follow_file(self, path: str) -> None:
        imports = self._load_imports(self.loaded[path])
        self.unresolved_imports += [f"{self.loaded[path]}: {reason}" for reason in imports.unresolved]
        if imports.changes_import_path:
            folder = posixpath.dirname(path)
            for _ in range(3):
                self.add_root(folder)
                folder = posixpath.dirname(folder)
            for root in self._list_possible_paths(imports.path_folders, path):
                self.add_root(root)
        self.follow_imports(imports, path)

    def _follow_import(self, imported: Import, path: str) -> None:
        if imported.module == "alembic.command" or (imported.module == "alembic" and "command" in imported.names):
            self._follow_migrations()
        location = self._resolve_module(_split_module(imported.module), self._find_bases(imported, path))
        if location is None:
            self.failed_imports[path, imported] = None
            return
        names: Sequence[str] = imported.names
        if "*" in names and location[0]:
            origin = self.files.locate(location[0])
            names = self._load_imports(origin).exported_names if origin else ()
        for name in names:
            if location[1] and self._resolve_module([name], location[1]) is None:
                self.failed_imports[path, imported] = None

    def _follow_mention(self, text: str) -> None:
        module, colon, _ = text.partition(":")
        parts = module.split(".")
        self._resolve_module(parts, self.roots, optional_names=0 if colon else 1)

    def _follow_migrations(self) -> None:
        for root in self.roots[:4]:
            folder = find_migration_folder(self.files.read_text, root)
            if self.add_file(posixpath.join(folder, "env.py")):
                self.add_folder_modules(posixpath.join(folder, "versions"))

    def _follow_script(self, text: str, path: str) -> None:
        """A path of a Python file, from the working directory or from beside the file that names it."""
        for base in dict.fromkeys((posixpath.dirname(path), *self.roots[:4])):
            if self.add_file(posixpath.normpath(posixpath.join(base, text))):
                return

    def _follow_dynamic_target(self, text: str, path: str) -> None:
        """A text that reaches a dynamic import: a module, or a package or folder of which any module may be meant."""
        location = self._resolve_module(text.split("."), self.roots) if "/" not in text else None
        for folder in location[1] if location else self._list_possible_paths([text], path):
            if location or self.files.is_folder(folder):
                self.add_folder_modules(folder)

    def _list_possible_paths(self, texts: Sequence[str], path: str) -> list[str]:
        """The image paths that such texts can mean, seen from a file."""
        beside = posixpath.dirname(path)
        bases = dict.fromkeys((beside, posixpath.dirname(beside), *self.roots[:4]))
        paths = [posixpath.normpath(posixpath.join(base, text)) for text in texts for base in bases]
        return [candidate for candidate in paths if candidate not in bases]

    def _follow_application(self, name: str) -> None:
        location = self._resolve_module(name.split("."), self.roots, optional_names=2)
        folders = (posixpath.dirname(location[0]),) if location and location[0] else location[1] if location else ()
        for folder in folders:  # `shop` and `shop.apps.ShopConfig` both name the package `shop`
            for inner in _DJANGO_MODULES:
                self._resolve_module([inner], (folder,))
            self.add_folder_modules(posixpath.join(folder, "templatetags"))
            if "migrate" in self.command_words:
                self.add_folder_modules(posixpath.join(folder, "migrations"))
            for word in self.command_words:
                self.add_with_packages(posixpath.join(folder, "management/commands", f"{word}.py"))

    def _find_bases(self, imported: Import, path: str) -> tuple[str, ...]:
        """Where the first name of an import is looked up: the roots, or the folder of the package that is meant."""
        if not imported.level:
            return self.roots
        folder = posixpath.dirname(path)
        for _ in range(imported.level - 1):
            folder = posixpath.dirname(folder)
        self.add_file(posixpath.join(folder, "__init__.py"))
        return (folder, *(other for other in self._find_portions(folder) if other != folder))

    def _find_portions(self, folder: str) -> tuple[str, ...]:
        """The other folders of a namespace package that `folder` is a part of."""
        for root in self.roots:
            prefix = root.rstrip("/") + "/"
            if folder.startswith(prefix):
                location = self._resolve_module(folder[len(prefix) :].split("/"), self.roots)
                return location[1] if location else ()
        return ()

    def _resolve_module(
        self, parts: Sequence[str], bases: tuple[str, ...], optional_names: int = 0
    ) -> ModuleLocation | None:
        """Look a dotted name up and take what is met on the way as loaded; the last `optional_names` need not exist."""
        location: ModuleLocation = (None, bases)
        met: list[str] = []
        for count, part in enumerate(parts):
            step = self._modules.find_name(location[1], part)
            if step is None:
                if count == 0 or len(parts) - count > optional_names:
                    # What is before the missing name is loaded before Python finds that it is missing.
                    self._add_files(met if optional_names == 0 else ())
                    return None
                break
            location = step
            met += [step[0]] if step[0] else []
        self._add_files(met)
        return location

    def _add_files(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.add_file(path)


def _split_module(module: str) -> list[str]:
    return module.split(".") if module else []
