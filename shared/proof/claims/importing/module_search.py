"""Looks a module up in one image, by the rules of Python's import system.

Returns where an import of a file finds it; unknown where a file that runs before may change what imports find.
"""

import posixpath
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.importing.file_packages import FilePackages
from shared.proof.claims.importing.image_layout import ImageLayout, Location, NameSearch, Obstacle, TracedFiles
from shared.proof.claims.importing.started_modules import StartStep
from shared.proof.claims.source.module_table import changes_module_table
from shared.proof.claims.source.standard_library import is_standard_module
from shared.proof.loading.image_contents import ImageContents
from shared.proof.loading.module_providers import VanishedModule, find_provider
from shared.proof.loading.source_text import split_source
from shared.proof.model.missing_import import ImportDoubt

_PACKAGE_PATH = re.compile(r"(?<!\w)(?:extend_path|(?<!iter_modules\()(?<!walk_packages\()__path__)")
_PATH_CHANGE = re.compile(r"(?<!\w)(?:sys\s*\.\s*path(?!_|\w)|addsitedir|sys[ \t]+import[^\n]*\bpath\b)")
_FOLLOWED_STARTS = frozenset(("python", "uvicorn", "gunicorn", "hypercorn", "fastapi"))
_ALSO_INSTALLED = frozenset(
    ("common", "config", "docs", "examples", "lib", "scripts", "test", "tests", "tools", "utils")
)
"""Packages of a repository whose names distributions install, too."""
_SERVER_MODULES = frozenset(("click", "gunicorn", "h11", "httptools", "hypercorn", "uvicorn", "uvloop", "websockets"))
"""Loaded by servers before they put the service's folder on the import path."""


ProvidersLookup = Callable[[str], FoundModule]


class ModuleSearch:
    """Answers for one layout. `find_outside` is asked for a dotted module that is not of the repository."""

    def __init__(
        self,
        layout: ImageLayout,
        python: str,
        traced: TracedFiles,
        find_outside: ProvidersLookup,
    ) -> None:
        self._layout = layout
        self._files = layout.files
        self._tree = layout.files.tree
        self._python = python
        self._running = tuple(traced.running_paths)
        self._names = NameSearch(layout.files, traced.is_link)
        self._find_outside = find_outside
        self._packages = FilePackages(layout, self._names, traced)
        self._contents = ImageContents(layout.files, layout.dockerfile, self._running)
        self._hooks: dict[str, str] = {}
        self._absolute: dict[tuple[tuple[str, ...], str], FoundModule] = {}

    def is_outside(self, importing_path: str, name: str) -> bool:
        """Whether no folder that may be on the import path has a top-level name."""
        roots = [root for path in self._files.image_paths(importing_path) for root in self._list_roots(path, name)]
        return self._names.search((*self._layout.roots, *roots, *self._list_further_roots()), name) is None

    def list_start_steps(self) -> tuple[StartStep, ...]:
        """What the start runs, in its order; () where that is not one plain command."""
        start = self._layout.started
        if start is None or start.code or start.text.split()[0] not in _FOLLOWED_STARTS:
            return ()
        modules = [StartStep(module, is_script=False) for module in start.modules]
        scripts = [StartStep(path, is_script=True) for path in map(self._files.locate, start.files) if path]
        if not start.text.startswith("python -m"):
            return (*scripts, *modules)
        module = start.modules[0]  # run as `__main__`, when the packages above it are imported
        paths = [f"{root}/{module.replace('.', '/')}.py" for root in start.roots]
        run = [StartStep(path, is_script=True) for path in map(self._files.locate, paths) if path]
        above = module.rpartition(".")[0]
        return (*([StartStep(above, is_script=False)] if above else []), *run[:1]) if run else ()

    def find_module(self, importing_path: str, module: str, level: int) -> FoundModule:
        """What an import of the file at a repository path finds."""
        image_paths = [path for path in self._files.image_paths(importing_path) if self._files.locate(path) is not None]
        if not image_paths:
            return _build_unknown(f"{importing_path} is not seen to be in the image")
        results = dict.fromkeys(self._find_from(path, module, level) for path in image_paths[:4])
        return next(iter(results)) if len(results) == 1 else _build_unknown(f"{importing_path} is in the image twice")

    def find_started(self, module: str) -> FoundModule:
        """What a program finds that imports a dotted module before any file of the service runs."""
        roots = tuple(dict.fromkeys((*self._layout.roots, *self._layout.installed_roots)))
        return self._find_absolute(roots, module.split("."))

    def _find_from(self, path: str, module: str, level: int) -> FoundModule:
        parts = module.split(".") if module else []
        if not level:
            key = (self._list_roots(path, parts[0]), module)
            if key not in self._absolute:  # most files of a service ask for the same modules by the same names
                self._absolute[key] = self._find_absolute(key[0], parts)
            return self._absolute[key]
        folder = posixpath.dirname(path)
        for _ in range(level - 1):
            if self._packages.is_top(folder, path) or folder == "/":
                return self._describe_above(folder, "the import leads above the outermost package")
            folder = posixpath.dirname(folder)
        if self._packages.is_top(folder, path) and not self._packages.is_started_in(path, level):
            return self._describe_above(folder, "a relative import outside of any package")
        package = self._files.locate(f"{folder}/__init__.py")
        if reason := self._find_hook(f"{folder}/__init__.py" if package else ""):
            return _build_unknown(reason)
        start = Location(f"{folder}/__init__.py" if package else "", (folder,))
        return self._walk(start, parts, "." * level)

    def _describe_above(self, folder: str, reason: str) -> FoundModule:
        """A relative import that Python refuses, unless the file is loaded by a name below another folder."""
        return replace(_build_unknown(reason), fails_otherwise=self._packages.is_only_top(folder))

    def _find_absolute(self, roots: Sequence[str], parts: Sequence[str]) -> FoundModule:
        name = parts[0]
        if name in sys.builtin_module_names:  # before anything on the path
            return FoundModule(ModuleKind.OUTSIDE)
        first = self._names.search(roots, name)
        if isinstance(first, Obstacle):
            return _build_unknown(first.reason)
        if first is not None and first.path:
            if is_standard_module(name, self._python) is not False or name in _SERVER_MODULES:
                return _build_unknown(
                    f"{self._name_origin(first)} has the name of a module that may be loaded before it"
                )
            return self._walk(first, parts[1:], name)
        standard = is_standard_module(name, self._python)
        if standard is not False:
            return FoundModule(ModuleKind.OUTSIDE) if standard else _build_unknown(f"not every Python has {name}")
        return self._find_namespace(first, parts) if first is not None else self._find_off_path(parts)

    def _find_uncopied(self, name: str) -> FoundModule | None:
        """Missing, where a package beside the service has the name, and is known not to be in the image."""
        path = posixpath.join(self._files.context, f"{name}/__init__.py")
        is_own = name not in _ALSO_INSTALLED and self._tree.blob(path) is not None
        absence = self._contents.explain_absence(path) if is_own else None
        return FoundModule(ModuleKind.MISSING, reason=absence.sentence, absence=absence) if absence else None

    def _find_namespace(self, location: Location, parts: Sequence[str]) -> FoundModule:
        """A folder without `__init__.py`: a regular package of its name anywhere on the path comes before it."""
        other = self._names.search(self._list_further_roots(), parts[0])
        if other is not None or self._find_outside(parts[0]).kind is ModuleKind.OUTSIDE:
            return _build_unknown(f"the folder {self._name_origin(location)} and a package share the name {parts[0]}")
        return self._walk(location, parts[1:], parts[0])

    def _find_off_path(self, parts: Sequence[str]) -> FoundModule:
        """A name that no folder of the import path has."""
        name = parts[0]
        other = self._names.search(self._list_further_roots(), name)
        if other is not None:
            reason = other.reason if isinstance(other, Obstacle) else f"{self._name_origin(other)} may be on the path"
            return _build_unknown(reason)
        outside = self._find_outside(".".join(parts))
        if outside.kind is ModuleKind.OUTSIDE:
            return outside
        changing = self._find_running(_changes_path) or self._find_running(_is_hook)
        if changing:
            return _build_unknown(f"{changing} changes what imports find")
        left_out = [path for root in self._layout.roots for path in self._list_left_out(root, name)]
        if left_out:
            return self._explain_left_out(left_out, left_out, name)
        return self._find_uncopied(name) or outside

    def _list_roots(self, path: str, name: str) -> tuple[str, ...]:
        """The import path, and behind it what the loaded packages of a file at an image path show of it."""
        folder = posixpath.dirname(path)
        while folder != "/" and self._files.locate(f"{folder}/__init__.py") is not None:
            above = posixpath.dirname(folder)
            is_outermost = self._files.locate(f"{above}/__init__.py") is None
            if posixpath.basename(folder) == name and is_outermost and above not in self._layout.roots:
                return (*self._layout.roots, *self._layout.installed_roots, above)
            folder = above
        return tuple(dict.fromkeys((*self._layout.roots, *self._layout.installed_roots)))

    def _list_further_roots(self) -> tuple[str, ...]:
        known = {*self._layout.roots, *self._layout.installed_roots}
        return tuple(root for root in self._layout.possible_roots if root not in known)

    def _walk(self, location: Location, parts: Sequence[str], name: str) -> FoundModule:
        """Follow the rest of a dotted name; every package on the way may change what its submodules are."""
        for part in parts:
            if reason := self._find_hook(location.path):
                return _build_unknown(reason)
            step = self._names.search(location.folders, part) if location.folders else None
            if isinstance(step, Obstacle):
                return _build_unknown(step.reason)
            name = f"{name}{'' if name.endswith('.') else '.'}{part}"
            if step is None:
                return self._describe_missing(location, part, name)
            location = step
        return self._describe(location)

    def _describe(self, location: Location) -> FoundModule:
        if not location.path:
            return FoundModule(ModuleKind.NAMESPACE, self._name_origin(location))
        kind = ModuleKind.PACKAGE if location.path.endswith("/__init__.py") else ModuleKind.FILE
        return FoundModule(kind, self._files.locate(location.path) or "")

    def _describe_missing(self, location: Location, part: str, name: str) -> FoundModule:
        if not location.folders:
            return FoundModule(ModuleKind.MISSING, reason=f"{self._name_origin(location)} is no package")
        origins = [origin for folder in location.folders for origin in self._list_origins(folder, part)]
        left_out = [path for folder in location.folders for path in self._list_left_out(folder, part)]
        sources = [origin for origin in origins if origin.endswith(".py")]
        beside = self._name_origin(location)
        uncopied = [f"{beside}/{part}{ending}" for ending in ("/__init__.py", ".py")] if beside else []
        left_out = left_out or [path for path in uncopied if self._is_in_tree(path)]
        if left_out:
            return self._explain_left_out(left_out, sources, part)
        return self._judge_missing(sources, f"nothing in the image is the module {name}", part)

    def _explain_left_out(self, left_out: Sequence[str], sources: Sequence[str], name: str) -> FoundModule:
        """Missing, with the line that keeps the module out of the image."""
        absence = self._contents.explain_absence(left_out[0]) or self._contents.explain_ignored(left_out[0])
        reason = f"{left_out[0]} is in the tree, but an ignore file leaves it out of the image"
        answer = self._judge_missing(sources, absence.sentence if absence is not None else reason, name)
        return replace(answer, absence=absence) if answer.kind is ModuleKind.MISSING else answer

    def _list_origins(self, folder: str, name: str) -> list[str]:
        """The repository paths at which a name of an image folder would be."""
        paths = [posixpath.join(folder, name + ending) for ending in ("/__init__.py", ".py", "")]
        return [origin for path in paths for origin in self._files.list_origin_paths(path)]

    def _list_left_out(self, folder: str, name: str) -> list[str]:
        origins = self._list_origins(folder, name)
        return [path for path in origins if self._is_in_tree(path) and self._files.is_left_out(path)]

    def _judge_missing(self, paths: Sequence[str], reason: str, name: str) -> FoundModule:
        """Missing, unless the build makes the file at one of the paths."""
        if changing := self._find_running(_is_hook):
            return _build_unknown(f"{changing} changes what its imports find")
        for path in dict.fromkeys(paths):
            module = VanishedModule(name, path)
            doubt = find_provider(self._tree, self._layout.dockerfile, module, is_top_level=False)
            if doubt is ImportDoubt.GENERATED and self._tree.blob(path) is None:
                return _build_unknown(f"the build may make {path}")
        return FoundModule(ModuleKind.MISSING, reason=reason)

    def _is_in_tree(self, path: str) -> bool:
        return self._tree.blob(path) is not None or self._tree.has_folder(path)

    def _name_origin(self, location: Location) -> str:
        """The repository path of what was found."""
        if location.path:
            return self._files.locate(location.path) or location.path
        origins = (origin for folder in location.folders for origin in self._files.list_origin_paths(folder))
        return next((origin for origin in origins if self._tree.has_folder(origin)), location.folders[0])

    def _find_hook(self, path: str) -> str:
        """Why the code of a package may change what its submodules are; "" where it does not."""
        if path not in self._hooks:
            origin = self._files.locate(path) if path else None
            is_hook = origin and _is_hook(self._tree.read(origin) or b"")
            self._hooks[path] = f"{origin} changes what its imports find" if is_hook else ""
        return self._hooks[path]

    def _find_running(self, is_met: Callable[[bytes], bool]) -> str:
        """A file that is known to run and whose source meets a condition."""
        started = [origin for path in self._layout.start_files if (origin := self._files.locate(path))]
        for path in dict.fromkeys((*started, *self._running)):
            if is_met(self._tree.read(path) or b""):
                return path
        return ""


@lru_cache(maxsize=256)
def _changes_path(source: bytes) -> bool:
    return _PATH_CHANGE.search(split_source(source).code) is not None


def _is_hook(source: bytes) -> bool:
    """Whether a file may change what imports find, be it the table of modules or the folders of its package."""
    return changes_module_table(source) or _has_package_path(source)


@lru_cache(maxsize=256)
def _has_package_path(source: bytes) -> bool:
    return _PACKAGE_PATH.search(split_source(source).code) is not None


def _build_unknown(reason: str) -> FoundModule:
    return FoundModule(ModuleKind.UNKNOWN, reason=reason)
