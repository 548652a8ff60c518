"""Finds the image folders in which a service looks for its templates, as far as its code says.

Reads the file that asks for a template, and what it imports. A loader that is built from what is not known makes the
answer unknown; without any loader, a single folder `templates` is taken.
"""

import ast
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.proof.claims.attributes.expression_meaning import MeaningFinder
from shared.proof.claims.checking.checked_files import collect_files
from shared.proof.claims.claim import ModuleKind
from shared.proof.claims.files.image_places import ImagePlaces
from shared.proof.claims.files.path_expressions import PathReader
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes

_FOLDER_ARGUMENTS = {"Jinja2Templates": "directory", "FileSystemLoader": "searchpath"}
_FLASK = frozenset(("Flask", "Quart", "Blueprint"))
_NAME = "templates"
_MAX_FOLDERS = 600
_SKIPPED = frozenset(("node_modules", "tests", "test", "docs", "site-packages", ".git", "fixtures"))


@dataclass(frozen=True, slots=True)
class TemplateFolders:
    """`folders`: image paths. `is_certain`: whether the service looks into these and no others."""

    folders: tuple[str, ...]
    is_certain: bool


def find_template_folders(
    modules: ServiceModules, places: ImagePlaces, path: str, *, has_app_folders: bool
) -> TemplateFolders:
    """`path` asks for the template. `has_app_folders`: Django looks into the folder `templates` of every app."""
    loaders = [] if has_app_folders else list(_list_loaders(modules, places, path))
    if loaders:
        known = [folder for folder in loaders if folder]
        return TemplateFolders(tuple(dict.fromkeys(known)), is_certain=len(known) == len(loaders))
    folders = _list_named_folders(modules, places)
    return TemplateFolders(folders, is_certain=len(folders) == 1 or has_app_folders)


def _list_loaders(modules: ServiceModules, places: ImagePlaces, path: str) -> Iterator[str]:
    """The folder of each loader that the asking file and its imports make; "" where one is not known."""
    finder = MeaningFinder(modules, path)
    for other, content in collect_files(finder, path).contents.items():
        code = parse_module(content)
        image_path = places.find_image_path(other)
        if code is None or not image_path or not places.workdir:
            continue
        reader = PathReader(code.tree, image_path, places.workdir)
        for node in walk_nodes(code.tree):
            if isinstance(node, ast.Call):
                yield from _read_loader(modules, places, reader, node, other)


def _read_loader(
    modules: ServiceModules, places: ImagePlaces, reader: PathReader, call: ast.Call, path: str
) -> Iterator[str]:
    name = read_dotted_name(call.func).rpartition(".")[2]
    if name in _FOLDER_ARGUMENTS:
        given = call.args[:1] or [entry.value for entry in call.keywords if entry.arg == _FOLDER_ARGUMENTS[name]]
        values: Sequence[ast.expr] = given[0].elts if given and isinstance(given[0], ast.List | ast.Tuple) else given
        evaluated = [reader.evaluate(value) for value in values]
        yield from ("" if value is None else reader.anchor(value) for value in evaluated or [None])
    elif name in _FLASK and call.args:
        own = next((entry.value for entry in call.keywords if entry.arg == "template_folder"), None)
        folder = reader.evaluate(own) if own is not None else _NAME
        beside = posixpath.dirname(places.find_image_path(path))
        if name != "Blueprint" or own is not None:
            yield posixpath.normpath(posixpath.join(beside, folder)) if folder is not None else ""
    elif name == "PackageLoader" and call.args:
        package = reader.evaluate(call.args[0])
        folder = reader.evaluate(call.args[1]) if len(call.args) > 1 else _NAME
        module = modules.find_module(path, package) if package else None
        is_known = module is not None and module.kind is ModuleKind.PACKAGE and folder is not None
        beside = posixpath.dirname(places.find_image_path(module.path)) if module is not None and is_known else ""
        yield posixpath.join(beside, folder or "") if beside else ""


def _list_named_folders(modules: ServiceModules, places: ImagePlaces) -> tuple[str, ...]:
    """The image folders of all folders of the repository that are called `templates`."""
    named: list[str] = []
    waiting, seen = [""], 0
    while waiting and seen < _MAX_FOLDERS:
        folder = waiting.pop(0)
        seen += 1
        for name, kind in sorted((modules.tree.list_unrecorded(folder) or {}).items()):
            path = posixpath.join(folder, name)
            if kind == "folder" and name == _NAME:
                named.append(path)
            elif kind == "folder" and name not in _SKIPPED and not name.startswith("."):
                waiting.append(path)
    image_paths = (places.find_image_path(folder) for folder in named)
    return tuple(path for path in image_paths if path) if not waiting else ()
