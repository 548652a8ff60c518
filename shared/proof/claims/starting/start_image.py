"""Reads how the image of one Dockerfile starts at one commit: its start targets, and the folders that Python searches.

Takes a commit's tree and the path of a Dockerfile or Procfile. A start that a variable of the environment may change is
no certain one: the platform sets variables that the repository does not show.
"""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.proof.claims.files.image_places import may_make_files
from shared.proof.claims.importing.image_layout import ImageLayout
from shared.proof.claims.starting.start_doubts import find_argument_doubt, find_folder_doubt, find_procfile_doubt
from shared.proof.claims.starting.start_targets import StartTarget, read_start_target
from shared.proof.loading.buildpack_start import find_buildpack_start
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_stages import BuildStage, OpaqueInstruction, StartInstruction
from shared.proof.loading.image_files import ImageFiles, build_docker_filter
from shared.proof.loading.image_starts import find_start_overrides, read_stage_starts
from shared.proof.loading.images import BuiltImage, list_project_installs, read_image
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.start_command import FileLookup, StartCommand

_VARIABLE = re.compile(r"\$(?!\{?(?:PWD|PATH|PYTHONPATH)\b)(?:[A-Za-z_]\w{0,200}|\{[A-Za-z_]\w{0,200}[^{}\n]{0,300}\})")
_UNKNOWN_VALUE = "0"
"""Neither the name of a module nor of a program; a folder of that name is another one."""
_NOWHERE = "/@/none"
_SCRIPT = re.compile(r"[\w./-]{1,300}")


@dataclass(frozen=True, slots=True)
class StartImage:
    """One image. `doubt`: why it is not known what it starts; "" where it is."""

    path: str
    """The Dockerfile or Procfile."""
    line: int
    """Where it says what is started, from 1."""
    files: ImageFiles
    stages: tuple[BuildStage, ...]
    targets: tuple[StartTarget, ...]
    scripts: tuple[str, ...]
    """The repository paths of the scripts that its start command names."""
    installed_roots: tuple[str, ...] = ()
    possible_roots: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def dockerfile(self) -> str:
        """The Dockerfile; "" for a Procfile."""
        return "" if is_procfile(self.path) else self.path

    def lay_out(self, target: StartTarget) -> ImageLayout:
        """The image as the import system of one start sees it."""
        known = {*target.roots, *self.installed_roots}
        possible = tuple(
            root for root in dict.fromkeys((*target.start.roots, *self.possible_roots)) if root not in known
        )
        started = _list_start_files(target)
        return ImageLayout(
            self.files, target.roots, self.installed_roots, possible, self.dockerfile, started, target.start
        )


def is_procfile(path: str) -> bool:
    """Whether a path is that of a Procfile."""
    return path.rpartition("/")[2] == "Procfile"


def open_start_images(tree: RecordingTree, path: str) -> list[StartImage]:
    """The image, once for each folder from which it may be built; [] where the file is gone or builds none."""
    if tree.blob(path) is None:
        return []
    if is_procfile(path):
        return _open_procfile(tree, path)
    return [_open_image(image) for image in read_image(tree, path)]


def _open_image(image: BuiltImage) -> StartImage:
    files, stage = image.files, image.stage
    files.is_left_out = build_docker_filter(files, image.path, ())
    installs = list_project_installs(image.stages)
    projects = find_installed_projects(files, stage.workdir, installs)
    is_own_start = all(override.is_none for override in find_start_overrides(files.tree))
    starts = read_stage_starts(files, stage, projects.scripts) if is_own_start else ()  # else a deployment says it
    masked = read_stage_starts(_MaskedFiles(files), _mask_stage(stage), projects.scripts)
    roots = find_installed_projects(files, _NOWHERE, installs).roots if installs else ()
    installed = tuple(root for root in roots if not root.startswith(_NOWHERE))
    targets = tuple(target for start in starts if (target := read_start_target(start)) is not None)
    scripts = _list_scripts(files, stage)
    instruction = stage.entrypoint if _names_start(stage.entrypoint, targets) else stage.command or stage.entrypoint
    return StartImage(
        image.path,
        instruction.line if instruction is not None else 0,
        files,
        image.stages,
        targets,
        scripts,
        installed,
        _list_possible_roots(image.stages, projects.roots),
        _describe_doubt(image.path, starts, masked, targets) or _find_text_doubt(image, scripts),
    )


def _find_text_doubt(image: BuiltImage, scripts: Sequence[str]) -> str:
    """What the words of the Dockerfile and of its scripts leave open."""
    stage, tree = image.stage, image.files.tree
    instructions = [entry for entry in (stage.entrypoint, stage.command) if entry is not None]
    texts = [" ".join((*entry.words, entry.shell)) for entry in instructions] + [
        tree.read_text(path) for path in scripts
    ]
    return find_folder_doubt(image.path, texts) or find_argument_doubt(image.path, tree.read_text(image.path))


def _list_possible_roots(stages: Sequence[BuildStage], roots: Sequence[str]) -> tuple[str, ...]:
    """Folders of a project that a command of the build may install without saying so."""
    return tuple(dict.fromkeys(roots)) if any(list_unclear_commands(stages)) else ()


def list_unclear_commands(stages: Sequence[BuildStage]) -> list[OpaqueInstruction]:
    """The commands of a build that may make files which no word of them names."""
    return [step for stage in stages for step in stage.opaque if not step.target and may_make_files(step)]


def _open_procfile(tree: RecordingTree, path: str) -> list[StartImage]:
    """What a buildpack starts by a Procfile."""
    start = find_buildpack_start(tree, path)
    if start is None or start.path != path:
        return []
    lines = tree.read_text(path).splitlines()
    web = [number for number, line in enumerate(lines, 1) if line.startswith("web:")]
    targets = tuple(target for command in start.starts if (target := read_start_target(command)) is not None)
    doubt = find_procfile_doubt(tree, path) or find_folder_doubt(path, lines)
    doubt = doubt or _describe_doubt(path, start.starts, start.starts, targets)
    if len(web) != 1 or _VARIABLE.search(re.sub(r"\$\{?PORT\b", "", lines[web[0] - 1])):
        doubt = doubt or f"{path} has no one web process without variables"
    line = web[0] if web else 0
    files, folder = start.files, start.files.stages[-1].workdir
    projects = ("pyproject.toml", "setup.py", "setup.cfg")
    is_project = any(files.locate(posixpath.join(folder, name)) is not None for name in projects)
    named = find_installed_projects(files, _NOWHERE, [(folder, "pip install -r requirements.txt")]).roots
    installed = tuple(root for root in named if not root.startswith(_NOWHERE))
    possible = start.roots if is_project else ()
    return [StartImage(path, line, files, tuple(files.stages), targets, (), installed, possible, doubt)]


def _names_start(instruction: StartInstruction | None, targets: Sequence[StartTarget]) -> bool:
    words = " ".join(instruction.words) + instruction.shell if instruction is not None else ""
    return any(target.text and target.text in words for target in targets)


def _describe_doubt(
    path: str, starts: Sequence[StartCommand], masked: Sequence[StartCommand], targets: Sequence[StartTarget]
) -> str:
    if not targets:
        return f"{path} starts no program that is known to load an application"
    shapes, others = (
        [(start.roots, start.modules, start.files) for start in commands] for commands in (starts, masked)
    )
    if shapes != others:
        return f"what {path} starts depends on variables of the environment"
    return next((f"{path}: {target.doubt}" for target in targets if target.doubt), "")


def _list_scripts(files: ImageFiles, stage: BuildStage) -> tuple[str, ...]:
    """The files of the repository that the words of the start command name and that are no Python."""
    instructions = [entry for entry in (stage.entrypoint, stage.command) if entry is not None]
    words = [word for entry in instructions for word in (*entry.words, *_SCRIPT.findall(entry.shell))]
    paths = [posixpath.normpath(posixpath.join(stage.workdir, word)) for word in words if word.strip("./")]
    located = [files.locate(path) for path in paths]
    return tuple(dict.fromkeys(path for path in located if path and not path.endswith(".py")))


def _list_start_files(target: StartTarget) -> tuple[str, ...]:
    """The image paths whose code runs before, or while, the target is looked up."""
    paths = [target.path, *target.start.optional_files]
    parts = target.module.split(".") if target.module else []
    for root in target.roots:
        paths += [f"{root}/{'/'.join(parts[:count])}/__init__.py" for count in range(1, len(parts) + 1)]
        paths += [f"{root}/{'/'.join(parts)}.py"] if parts else []
    return tuple(dict.fromkeys(path for path in paths if path))


class _MaskedFiles(FileLookup):
    """The files of an image, with every variable in a script replaced by a value that names nothing."""

    def __init__(self, files: ImageFiles) -> None:
        self._files = files

    def locate(self, path: str) -> str | None:
        return self._files.locate(path)

    def is_folder(self, path: str) -> bool:
        return self._files.is_folder(path)

    def list_entries(self, path: str) -> set[str]:
        return self._files.list_entries(path)

    def read_text(self, path: str) -> str:
        return _mask(self._files.read_text(path))


def _mask_stage(stage: BuildStage) -> BuildStage:
    return replace(stage, entrypoint=_mask_instruction(stage.entrypoint), command=_mask_instruction(stage.command))


def _mask_instruction(instruction: StartInstruction | None) -> StartInstruction | None:
    if instruction is None:
        return None
    return replace(instruction, words=tuple(map(_mask, instruction.words)), shell=_mask(instruction.shell))


def _mask(text: str) -> str:
    return _VARIABLE.sub(_UNKNOWN_VALUE, text)
