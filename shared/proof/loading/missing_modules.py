"""Imports of a commit's loaded files that find nothing any more, where the deployed image had the module.

A module is one of the service's own if the same lookup finds its file among the deployed files. The search starts at
the names that the commit's imports did not find, so it costs nothing where none is missing. Where no start command is
followed, every folder that holds one of the files may be on the import path.
"""

import posixpath
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from shared.proof.loading.commit_tree import MAX_BYTES, RecordingTree, SourceTree
from shared.proof.loading.dockerfile_search import list_folders_above
from shared.proof.loading.dockerfile_stages import BuildStage, CopyInstruction
from shared.proof.loading.image_files import ImageFiles, build_docker_filter, read_docker_ignores
from shared.proof.loading.import_follower import ImportFollower
from shared.proof.loading.imports import Import, Imports
from shared.proof.loading.module_providers import VanishedModule, find_provider
from shared.proof.loading.startup_chain import StartupChain
from shared.proof.model.missing_import import ImportDoubt, MissingImport

_MAX_REPORTED = 20
_MAX_ABSENT_PATHS = 16
_MAX_FOLDERS = 1_000
_TOP = "/"
_MODULE_ENDINGS = (".py", "/__init__.py")
_STANDARD_LIBRARY = sys.stdlib_module_names | frozenset(
    [
        "asynchat",
        "asyncore",
        "cgi",
        "cgitb",
        "crypt",
        "distutils",
        "imghdr",
        "imp",
        "nntplib",
        "smtpd",
        "sndhdr",
        "telnetlib",
        "uu",
        "xdrlib",
    ]
)
"""With the modules that some Python since 3.8 has and the running one may not have."""


@dataclass(frozen=True, slots=True)
class DeployedTree:
    """The deployed commit, beside another one. `is_link`: whether a link is at a path of the other one."""

    tree: SourceTree
    get_loaded_paths: Callable[[], frozenset[str]]
    """What was loaded there; called only where no start command shows what is loaded."""
    is_link: Callable[[str], bool] = field(default=lambda _: False)


@dataclass(frozen=True, slots=True)
class FollowedImports:
    """What one commit loads, as its imports were followed."""

    tree: RecordingTree
    files: ImageFiles
    follower: ImportFollower
    get_imports: Callable[[str], Imports]
    dockerfile: str = ""
    """"" where there is none."""
    running_paths: tuple[str, ...] = ()
    """Files that a traceback names: they were loaded."""
    all_run: bool = False
    """Whether every file counts as loaded."""
    is_start_unread: bool = False
    """Whether no start command was read that shows which of them are."""


@dataclass(frozen=True, slots=True)
class _FailedLookup:
    """An import of the file at an image path that finds nothing; `name`: the one of its names that is no module."""

    path: str
    imported: Import
    name: str
    former_path: str

    @property
    def module(self) -> str:
        dot = "." if self.imported.module and self.name else ""
        return f"{'.' * self.imported.level}{self.imported.module}{dot}{self.name}"


def find_missing_imports(followed: FollowedImports, deployed: DeployedTree) -> tuple[MissingImport, ...]:
    """The missing modules, those without a doubt first; at most 20."""
    lookups = list(_find_failed_lookups(followed, deployed))
    if not lookups:
        return ()
    chain = StartupChain(
        followed.follower, followed.get_imports, followed.tree.read, followed.running_paths, all_run=followed.all_run
    )
    judged = (_judge_lookup(followed, deployed, lookup, chain) for lookup in lookups)
    missing = [missing_import for missing_import in judged if missing_import is not None]
    missing.sort(key=lambda entry: (entry.doubt is not None, entry.path, entry.line, entry.module))
    return tuple(dict.fromkeys(missing))[:_MAX_REPORTED]


def find_missing_in_folders(
    tree: RecordingTree,
    paths: Iterable[str],
    deployed: DeployedTree,
    get_imports: Callable[[str], Imports],
    *,
    is_start_unread: bool,
) -> tuple[MissingImport, ...]:
    """The missing modules where no start command is followed; reads only the files that have a vanished name in them.

    What a file would find in the folder of any other is not missing.
    """
    counted = frozenset(paths)
    vanished = [path for path in sorted(deployed.get_loaded_paths() - counted) if tree.blob(path) is None]
    names = {_get_module_name(path) for path in vanished}
    if not names:
        return ()
    folders = dict.fromkeys(folder for path in sorted({*counted, *vanished}) for folder in list_folders_above(path))
    stage = BuildStage(workdir=_TOP, copies=(CopyInstruction((".",), _TOP, is_into_folder=True),))
    files = ImageFiles(tree, (stage,), "")
    roots = [posixpath.join(_TOP, folder) for folder in folders][:_MAX_FOLDERS]
    follower = ImportFollower(files, roots, get_imports)
    for path in _select_naming_files(tree, counted, names):
        image_path = posixpath.join(_TOP, path)
        follower.loaded[image_path] = path
        for imported in get_imports(path).imported:
            if not names.isdisjoint((*imported.module.split("."), *imported.names)):
                follower.failed_imports[image_path, imported] = None
    followed = FollowedImports(tree, files, follower, get_imports, all_run=True, is_start_unread=is_start_unread)
    return find_missing_imports(followed, deployed)


def _find_failed_lookups(followed: FollowedImports, deployed: DeployedTree) -> Iterator[_FailedLookup]:
    """Those whose module was a file at the deployed commit and is no file of the tree any more."""
    follower = followed.follower
    deployed_files = ImageFiles(RecordingTree(deployed.tree), followed.files.stages, followed.files.context)
    if followed.dockerfile:
        deployed_files.is_left_out = build_docker_filter(deployed_files, followed.dockerfile, followed.running_paths)
    deployed_follower = ImportFollower(deployed_files, follower.roots, _load_nothing)
    for path, imported in list(follower.failed_imports):
        if not imported.level and imported.module.partition(".")[0] in _STANDARD_LIBRARY:
            continue
        for name in _list_missing_names(follower, path, imported):
            location = deployed_follower.find_import(imported, path, name)[1]
            former_path = deployed_files.locate(location[0]) if location and location[0] else None
            if former_path is not None and _is_gone(followed, former_path):
                yield _FailedLookup(path, imported, name, former_path)
            if former_path is not None and not name:
                break


def _is_gone(followed: FollowedImports, path: str) -> bool:
    """Whether a file of the deployed commit is no more, or is now left out of the image."""
    return followed.tree.blob(path) is None or bool(followed.dockerfile and followed.files.is_left_out(path))


def _list_missing_names(follower: ImportFollower, path: str, imported: Import) -> Iterator[str]:
    """The names of an import that are no modules; before them "" where what it imports from is none."""
    location = follower.find_import(imported, path)[1]
    if location is None:
        yield ""
    if location is None or location[1]:  # nothing but a package holds modules
        for name in imported.names:
            if name != "*" and follower.find_import(imported, path, name)[1] is None:
                yield name


def _judge_lookup(
    followed: FollowedImports, deployed: DeployedTree, lookup: _FailedLookup, chain: StartupChain
) -> MissingImport | None:
    """None where the statement expects an import that fails, or is none."""
    statements = [entry for entry in chain.get_statements(lookup.path) if entry.imported == lookup.imported]
    statements.sort(key=lambda entry: (not entry.always_runs, entry.line))
    if not statements:
        return None
    runs = statements[0].always_runs and chain.is_always_run(lookup.path)
    doubt = None if runs else ImportDoubt.MAY_NOT_RUN
    ignores = read_docker_ignores(followed.files, followed.dockerfile) if followed.dockerfile else None
    ignoring = ignores.find_line(lookup.former_path) if ignores else None
    left_out = ignoring.path if ignoring and followed.tree.blob(lookup.former_path) is not None else ""
    return MissingImport(
        followed.follower.loaded[lookup.path],
        statements[0].line,
        lookup.module,
        lookup.former_path,
        doubt or _find_doubt(followed, deployed, lookup, chain),
        () if left_out else _list_absent_paths(followed, lookup),
        left_out,
    )


def _find_doubt(
    followed: FollowedImports, deployed: DeployedTree, lookup: _FailedLookup, chain: StartupChain
) -> ImportDoubt | None:
    """What may let the import succeed all the same."""
    met, location = followed.follower.find_import(lookup.imported, lookup.path)
    is_top_level = not lookup.imported.level and not met and location is None
    module = VanishedModule(lookup.imported.module.partition(".")[0] or lookup.name, lookup.former_path)
    if followed.is_start_unread:
        return ImportDoubt.START_UNREAD
    if any(deployed.is_link(path) for path in _list_link_paths(lookup.former_path)):
        return ImportDoubt.LINK
    if any(followed.get_imports(path).changes_import_path for path in followed.follower.loaded.values()):
        return ImportDoubt.PATH_CHANGED
    if chain.has_import_hook([lookup.path, *met]):
        return ImportDoubt.IMPORT_HOOK
    package = location[0] if location and lookup.name else None
    if package and chain.may_define(package, lookup.name, is_imported=package != lookup.path):
        return ImportDoubt.ATTRIBUTE
    return find_provider(followed.tree, followed.dockerfile, module, is_top_level=is_top_level)


def _list_link_paths(path: str) -> Iterator[str]:
    """Where a link may replace a module: at its file, and at each folder above, also for a folder in its place."""
    yield path
    yield path.removesuffix(".py")
    parts = path.split("/")
    yield from ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _list_absent_paths(followed: FollowedImports, lookup: _FailedLookup) -> tuple[str, ...]:
    """Every path at which a file would be the module; () where these are too many to be asked for."""
    paths: dict[str, None] = {lookup.former_path: None}
    for base in followed.follower.list_possible_locations(lookup.imported, lookup.path, lookup.name):
        for ending in _MODULE_ENDINGS:
            paths |= dict.fromkeys(followed.files.list_origin_paths(base + ending))
    return tuple(paths) if len(paths) <= _MAX_ABSENT_PATHS else ()


def _get_module_name(path: str) -> str:
    folder, name = posixpath.split(path)
    return posixpath.basename(folder) if name == "__init__.py" else name.removesuffix(".py")


def _select_naming_files(tree: RecordingTree, paths: Iterable[str], names: Iterable[str]) -> list[str]:
    """The files in whose bytes one of the names is at all."""
    encoded = [name.encode() for name in names]
    texts = ((path, (tree.read(path) or b"")[:MAX_BYTES]) for path in sorted(paths))
    return [path for path, text in texts if any(name in text for name in encoded)]


def _load_nothing(path: str) -> Imports:
    del path
    return Imports()
