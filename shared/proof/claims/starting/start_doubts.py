"""Why it is not certain what an image starts, from where, or out of which files: read from the texts that say so.

Each answer is one sentence without a full stop; "" where nothing speaks against it.
"""

import posixpath
import re
from collections.abc import Iterable

from shared.proof.declared.dockerfile_python import parse_instructions
from shared.proof.loading.commit_tree import RecordingTree

_RUNNER = re.compile(
    r"(?:^|[\s;&|\"'(])(?:uv|poetry|pdm|hatch|pixi|env|sudo|su|runuser|conda|mamba|micromamba|start-stop-daemon)"
    r"\s[^;&|\n]{0,300}"
)
_OTHER_FOLDER = re.compile(r"\s(?:--directory|--chdir|--cwd|--root|--login|-[CDl]|-)(?=[\s=]|$)")
_MANAGER = re.compile(r"(?:^|[\s;&|\"'(/])(?:supervisord|chroot|honcho|foreman|forego|circusd)(?=\s|$)")
_VARIABLE_NAME = re.compile(r"\$\{?(\w{1,200})")
_PLACING = frozenset(("COPY", "ADD", "WORKDIR"))


def find_folder_doubt(path: str, texts: Iterable[str]) -> str:
    """A program that runs the start in another folder, or with a configuration of its own."""
    for text in texts:
        runs = _RUNNER.finditer(text)
        if _MANAGER.search(text) or any(_OTHER_FOLDER.search(run.group()) for run in runs):
            return f"in which folder {path} starts its program is not plain"
    return ""


def find_argument_doubt(path: str, text: str) -> str:
    """An argument of the build that decides what a Dockerfile copies, or to where."""
    arguments: set[str] = set()
    for _, word, rest in parse_instructions(text):
        named = set(_VARIABLE_NAME.findall(rest))
        if word == "ARG":
            arguments.add(rest.partition("=")[0].strip())
        elif word == "ENV" and named & arguments:
            arguments |= {entry.partition("=")[0] for entry in rest.split() if _VARIABLE_NAME.search(entry)}
        elif word in _PLACING and named & arguments:
            return f"what the image of {path} holds depends on an argument of the build"
    return ""


def find_procfile_doubt(tree: RecordingTree, path: str) -> str:
    """A Dockerfile beside a Procfile: then the platform builds that, and reads no Procfile."""
    dockerfile = posixpath.join(posixpath.dirname(path), "Dockerfile")
    return f"{dockerfile} is there, too" if tree.blob(dockerfile) is not None else ""
