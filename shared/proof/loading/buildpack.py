"""How a buildpack starts a folder without a Dockerfile: its Procfile, else `main.py`, else `app.py`.

In: the recorded tree, the failing file. Out: the starts of the nearest folder above it that a buildpack can build.
"""

import posixpath
import re
from dataclasses import dataclass

from shared.proof.loading.image import Copy, Stage
from shared.proof.loading.image_files import ImageFiles
from shared.proof.loading.images import folders_above
from shared.proof.loading.project import read_projects
from shared.proof.loading.start import Situation, Start, procfile_commands, read_shell
from shared.proof.loading.tree import RecordedTree

_FOLDER = "/workspace"
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
    starts: tuple[Start, ...]
    roots: tuple[str, ...]


def find_buildpack_start(tree: RecordedTree, failing: str) -> BuildpackStart | None:
    """The start of the nearest folder above the failing file that has one."""
    for folder in folders_above(failing):
        files = ImageFiles(tree, (Stage(workdir=_FOLDER, copies=(Copy((".",), _FOLDER, into_folder=True),)),), folder)
        projects = read_projects(files, _FOLDER, ())
        path, starts = _starts(folder, files, projects.scripts)
        if starts:
            return BuildpackStart(path, files, starts, (_FOLDER, *projects.roots))
    return None


def _starts(folder: str, files: ImageFiles, scripts: dict[str, str]) -> tuple[str, tuple[Start, ...]]:
    at = Situation(files, _FOLDER, {}, scripts=scripts)
    for name in ("Procfile", "project.toml"):
        text = files.text(f"{_FOLDER}/{name}")
        command = _command(name, text)
        if command:
            return posixpath.join(folder, name), tuple(read_shell(command, at))
    if not any(files.locate(f"{_FOLDER}/{name}") for name in _REQUIREMENTS):
        return "", ()
    for name in ("main.py", "app.py"):
        if files.locate(f"{_FOLDER}/{name}"):
            return "", (Start(name, (_FOLDER,), files=(f"{_FOLDER}/{name}",)),)
    return "", ()


def _command(name: str, text: str) -> str:
    if name == "Procfile":
        commands = procfile_commands(text)
        return commands.get("web") or next(iter(commands.values()), "")
    match = _ENTRY_POINT.search(text)
    return (match[1] or match[2]) if match else ""
