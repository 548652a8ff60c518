"""What a buildpack starts, where no Dockerfile builds the service: a Procfile, a declared entry point, or its default.

Takes a commit's tree and a file; returns the start of the nearest folder above it that has one.
"""

import posixpath
import re
from dataclasses import dataclass

from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_search import list_folders_above
from shared.proof.loading.dockerfile_stages import BuildStage, CopyInstruction
from shared.proof.loading.image_files import ImageFiles
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.start_command import CommandEnvironment, StartCommand, parse_procfile, parse_shell

_WORKSPACE = "/workspace"
_REQUIREMENTS = ("requirements.txt", "pyproject.toml", "Pipfile", "poetry.lock", "uv.lock", "setup.py")
_ENTRY_POINT = re.compile(
    r"GOOGLE_ENTRYPOINT[\"']?[ \t]*+[:=][ \t]*+[\"']?([^\r\n\"']++)|"
    r"name[ \t]*+=[ \t]*+[\"']GOOGLE_ENTRYPOINT[\"'][^\"']{0,80}+[\"']([^\r\n\"']++)"
)


@dataclass(frozen=True, slots=True)
class BuildpackStart:
    """`path`: the Procfile that was read, "" for the default."""

    path: str
    files: ImageFiles
    starts: tuple[StartCommand, ...]
    roots: tuple[str, ...]


def find_buildpack_start(tree: RecordingTree, failing_path: str) -> BuildpackStart | None:
    """The start of the nearest folder above the failing file that has one."""
    for folder in list_folders_above(failing_path):
        files = ImageFiles(
            tree,
            (BuildStage(workdir=_WORKSPACE, copies=(CopyInstruction((".",), _WORKSPACE, is_into_folder=True),)),),
            folder,
        )
        projects = find_installed_projects(files, _WORKSPACE, ())
        path, starts = _find_starts(folder, files, projects.scripts)
        if starts:
            return BuildpackStart(path, files, starts, (_WORKSPACE, *projects.roots))
    return None


def _find_starts(folder: str, files: ImageFiles, scripts: dict[str, str]) -> tuple[str, tuple[StartCommand, ...]]:
    at = CommandEnvironment(files, _WORKSPACE, {}, console_scripts=scripts)
    for name in ("Procfile", "project.toml"):
        text = files.read_text(f"{_WORKSPACE}/{name}")
        command = _find_command(name, text)
        if command:
            return posixpath.join(folder, name), tuple(parse_shell(command, at))
    if not any(files.locate(f"{_WORKSPACE}/{name}") for name in _REQUIREMENTS):
        return "", ()
    for name in ("main.py", "app.py"):
        if files.locate(f"{_WORKSPACE}/{name}"):
            return "", (StartCommand(name, (_WORKSPACE,), files=(f"{_WORKSPACE}/{name}",)),)
    return "", ()


def _find_command(name: str, text: str) -> str:
    if name == "Procfile":
        commands = parse_procfile(text)
        return commands.get("web") or next(iter(commands.values()), "")
    match = _ENTRY_POINT.search(text)
    return (match[1] or match[2]) if match else ""
