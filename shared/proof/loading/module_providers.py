"""Whether anything but a commit's own files may provide a module that vanished.

Returns the doubt that a declared dependency, a build command or an ignore file raises, or None.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.proof.declared.dockerfile_python import parse_instructions
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_search import list_folders_above
from shared.proof.model.missing_import import ImportDoubt
from shared.proof.model.paths import build_ignore_filter
from shared.text.toml import parse_toml

_LOCK_FILES = (
    "requirements.txt", "requirements.in", "Pipfile", "Pipfile.lock", "poetry.lock", "pdm.lock", "environment.yml",
)  # fmt: skip
_SETUP_FILES = ("setup.cfg", "setup.py")
_REQUIREMENTS_FOLDER = "requirements"
_MAX_REQUIREMENTS = 40
_DISTRIBUTION = re.compile(r"(?<![\w./-])[A-Za-z][A-Za-z0-9]{0,80}+(?:[._-][A-Za-z0-9]{1,80}+){0,20}+")
_WRITTEN_FILE = re.compile(r"(?:write_to|version[_-]file|build-file)[^\n]{0,200}+")
_INSTALL_COMMAND = re.compile(r"\b(?:install|add|sync)\b")
_PYTHON_FILE = re.compile(r"(?<![\w-])[\w-]{1,200}+\.py(?!\w)")
_SEPARATORS = re.compile(r"[._-]{1,200}+")
_PROTOBUF_SUFFIXES = ("_pb2", "_pb2_grpc")


@dataclass(frozen=True, slots=True)
class VanishedModule:
    """A module that a commit no longer has: its first name as imported, and the file that it was."""

    name: str
    former_path: str

    @property
    def file_name(self) -> str:
        """The name of the file, or of the package."""
        folder, name = posixpath.split(self.former_path)
        return name if name != "__init__.py" else posixpath.basename(folder)


def find_provider(
    tree: RecordingTree, dockerfile: str, module: VanishedModule, *, is_top_level: bool
) -> ImportDoubt | None:
    """What may provide the module; `dockerfile` is "" where there is none.

    `is_top_level`: its first name is found nowhere, so that an installed package may have it.
    """
    instructions = parse_instructions(tree.read_text(dockerfile)) if dockerfile else []
    commands = [arguments for _, word, arguments in instructions if word == "RUN"]
    installed = [
        *(command for command in commands if _INSTALL_COMMAND.search(command)),
        *_read_dependencies(tree, module.former_path),
    ]
    if is_top_level and any(_names_distribution(text, module.name) for text in installed):
        return ImportDoubt.DEPENDENCY
    build_texts = (*commands, *_read_written_files(tree, module.former_path))
    if any(_is_written_by(text, module) for text in build_texts) or _is_git_ignored(tree, module.former_path):
        return ImportDoubt.GENERATED
    return None


def is_made_by_build(tree: RecordingTree, dockerfile: str, path: str) -> bool:
    """Whether a command of the build, or the build of a project, may write a file; `dockerfile` as above."""
    module = VanishedModule("", path)
    instructions = parse_instructions(tree.read_text(dockerfile)) if dockerfile else []
    commands = [arguments for _, word, arguments in instructions if word == "RUN"]
    return any(_is_written_by(text, module) for text in (*commands, *_read_written_files(tree, path)))


def _read_dependencies(tree: RecordingTree, path: str) -> Iterator[str]:
    """The texts in the folders above a path that declare what is to be installed."""
    for folder in list_folders_above(path):
        yield from (tree.read_text(posixpath.join(folder, name)) for name in _LOCK_FILES)
        setups = (tree.read_text(posixpath.join(folder, name)) for name in _SETUP_FILES)
        yield from (text.partition("install_requires")[2] for text in setups)
        yield from _read_project_dependencies(tree.read_text(posixpath.join(folder, "pyproject.toml")))
        below = posixpath.join(folder, _REQUIREMENTS_FOLDER)
        names = sorted(tree.folder(below) or ())[:_MAX_REQUIREMENTS]
        yield from (tree.read_text(posixpath.join(below, name)) for name in names if name.endswith((".txt", ".in")))


def _read_project_dependencies(project: str) -> Iterator[str]:
    """The dependencies in a `pyproject.toml`, whatever tool reads them; not the project's own name."""
    try:
        queue: list[tuple[str, object]] = list(parse_toml(project).items())
    except ValueError:
        yield project
        return
    while queue:
        key, value = queue.pop()
        if "dependenc" in key:
            yield repr(value)
        elif isinstance(value, Mapping):
            queue += value.items()


def _read_written_files(tree: RecordingTree, path: str) -> Iterator[str]:
    """What the project files in the folders above a path say that their build writes."""
    for folder in list_folders_above(path):
        for name in ("pyproject.toml", *_SETUP_FILES):
            yield "\n".join(_WRITTEN_FILE.findall(tree.read_text(posixpath.join(folder, name))))


def _names_distribution(text: str, name: str) -> bool:
    """Whether a text names a distribution that is called like the module: PyYAML gives `yaml`."""
    bare = normalise_name(name)
    likely = {bare, f"py{bare}", f"py-{bare}", f"python-{bare}", f"{bare}-py", f"{bare}-python"}
    return any(normalise_name(distribution) in likely for distribution in _DISTRIBUTION.findall(text))


def normalise_name(name: str) -> str:
    """A distribution's name as the package index compares it."""
    return _SEPARATORS.sub("-", name).lower()


def _is_written_by(text: str, module: VanishedModule) -> bool:
    """Whether a build's text names the file, or makes modules of its kind."""
    if module.file_name in _PYTHON_FILE.findall(text):
        return True
    is_protobuf = module.file_name.removesuffix(".py").endswith(_PROTOBUF_SUFFIXES)
    return is_protobuf and ("protoc" in text or "grpc" in text)


def _is_git_ignored(tree: RecordingTree, path: str) -> bool:
    names = [posixpath.join(folder, ".gitignore") for folder in list_folders_above(path)]
    ignore_files = {name: text for name in names if (text := tree.read_text(name))}
    return bool(ignore_files) and build_ignore_filter(ignore_files, ())(path)
