"""What a Dockerfile builds: per stage its working directory, environment, copies, installations and start command.

In: the text of a Dockerfile. Out: its stages, each with what it inherits from the stage that it stands on.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.proof.declared.dockerfile import expand_variables, instructions

MOST_STAGES = 40
MOST_SPLIT = 20_000
MOST_COPIES = 400
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*", re.IGNORECASE)
_INSTALL = re.compile(
    r"(?:\b(?:pip3?|uv pip|pipx)\s+install|\b(?:uv|pdm)\s+sync|\b(?:poetry|pdm)\s+install"
    r"|\bsetup\.py\s+(?:install|develop)"
    r"|\bhatch\s+env|\bpip3?\s+wheel)"
)


@dataclass(frozen=True, slots=True)
class Command:
    """`words` of the exec form, or the `shell` text of the shell form; `line` counts from 1."""

    words: tuple[str, ...] = ()
    shell: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """`sources` lie in the build context, or in the image of an earlier `stage`; `target` is an image path."""

    sources: tuple[str, ...]
    target: str
    into_folder: bool
    stage: int | None = None
    parents: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage with what it inherits; `installs` are (working directory, command) of what installs a project."""

    name: str = ""
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    copies: tuple[Copy, ...] = ()
    installs: tuple[tuple[str, str], ...] = ()
    entrypoint: Command | None = None
    command: Command | None = None
    own_command: bool = False
    starts: bool = False
    """Whether it has a CMD or an ENTRYPOINT of its own."""


def read_image(text: str) -> tuple[Stage, ...]:
    """The stages of a Dockerfile, the one that is built last; () where it has none."""
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for line, word, rest in instructions(text):
        if word == "FROM":
            if len(stages) < MOST_STAGES and (parts := _FROM.fullmatch(rest)):
                stages.append(_begin(stages, expand_variables(parts[1], arguments), parts[2] or ""))
        elif word == "ARG":
            name, _, value = rest.partition("=")
            arguments.setdefault(name.strip(), value.strip().strip("\"'"))
        elif stages:
            stages[-1] = _apply(stages, line, word, rest, arguments)
    return tuple(stages)


def _begin(stages: Sequence[Stage], image: str, name: str) -> Stage:
    for stage in stages:
        if stage.name and stage.name.lower() == image.lower():
            return replace(stage, name=name, own_command=False, starts=False)
    return Stage(name)


def _apply(stages: Sequence[Stage], line: int, word: str, rest: str, arguments: Mapping[str, str]) -> Stage:
    stage = stages[-1]
    known = {**arguments, **stage.environment}
    if word == "WORKDIR":
        folder = expand_variables(rest.strip().strip("\"'"), known)
        return replace(stage, workdir=posixpath.normpath(posixpath.join(stage.workdir, folder)))
    if word == "ENV":
        return replace(stage, environment={**stage.environment, **_environment(rest, known)})
    if word in {"COPY", "ADD"}:
        copied = _copy(stages, expand_variables(rest, known))
        return replace(stage, copies=(*stage.copies, copied)) if copied and len(stage.copies) < MOST_COPIES else stage
    if word == "RUN" and _INSTALL.search(rest):
        return replace(stage, installs=(*stage.installs, (stage.workdir, expand_variables(rest, known)[:4000])))
    return _start(stage, line, word, rest)


def _start(stage: Stage, line: int, word: str, rest: str) -> Stage:
    """An ENTRYPOINT forgets the CMD that was inherited, as in Docker; one of the stage's own stays."""
    if word == "ENTRYPOINT":
        command = stage.command if stage.own_command else None
        return replace(stage, entrypoint=_command(rest, line), command=command, starts=True)
    if word == "CMD":
        return replace(stage, command=_command(rest, line), own_command=True, starts=True)
    return stage


def _environment(rest: str, known: Mapping[str, str]) -> dict[str, str]:
    words = split_words(rest)
    if words and "=" not in words[0]:  # the old form: ENV NAME the rest
        name, _, value = rest.partition(" ")
        return {name: expand_variables(value.strip(), known)}
    pairs = (word.partition("=") for word in words)
    return {name: expand_variables(value, known) for name, equals, value in pairs if equals}


def _copy(stages: Sequence[Stage], rest: str) -> Copy | None:
    words = _exec_form(rest) or split_words(rest)
    options = [word for word in words if word.startswith("--")]
    paths = [word for word in words if not word.startswith("--")]
    if len(paths) < 2 or paths[0].startswith("<<"):
        return None
    origin = next((option[7:] for option in options if option.startswith("--from=")), "")
    index = _stage_index(stages, origin)
    if origin and index is None:  # out of another image: nothing of the repository
        return None
    target = posixpath.normpath(posixpath.join(stages[-1].workdir, paths[-1]))
    into = paths[-1].endswith(("/", "/.")) or paths[-1] == "." or len(paths) > 2
    sources = tuple(posixpath.normpath(path.lstrip("/") or ".") for path in paths[:-1] if "://" not in path)
    return Copy(sources, target, into, index, "--parents" in options)


def _stage_index(stages: Sequence[Stage], origin: str) -> int | None:
    names = [stage.name.lower() for stage in stages[:-1]]
    if origin.isdigit():
        return int(origin[:4]) if int(origin[:4]) < len(names) else None
    return names.index(origin.lower()) if origin and origin.lower() in names else None


def _command(rest: str, line: int) -> Command:
    words = _exec_form(rest)
    return Command(tuple(words), line=line) if words is not None else Command(shell=rest, line=line)


def _exec_form(rest: str) -> list[str] | None:
    try:
        words = json.loads(rest) if rest.startswith("[") else None
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def split_words(text: str) -> list[str]:
    """The words of a line with its quotes taken off; a quote that never closes is a letter."""
    text = text[:MOST_SPLIT]
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
