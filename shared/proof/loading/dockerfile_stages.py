"""What a Dockerfile builds: per stage its working directory, environment, copies, installations and start command.

Returns the stages, each with what it inherits from the stage that it is built on.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.proof.declared.dockerfile_python import expand_variables, parse_instructions

MAX_STAGES = 40
MAX_SPLIT = 20_000
MAX_COPIES = 400
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*", re.IGNORECASE)
_INSTALL = re.compile(
    r"(?:\b(?:pip3?|uv pip|pipx)\s+install|\b(?:uv|pdm)\s+sync|\b(?:poetry|pdm)\s+install"
    r"|\bsetup\.py\s+(?:install|develop)"
    r"|\bpipenv\s+(?:install|sync)|\bhatch\s+env|\bpip3?\s+wheel)"
)


@dataclass(frozen=True, slots=True)
class StartInstruction:
    """`words` of the exec form, or the `shell` text of the shell form; `line` counts from 1."""

    words: tuple[str, ...] = ()
    shell: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class CopyInstruction:
    """`sources` lie in the build context, or in the image of an earlier `stage`; `target` is an image path."""

    sources: tuple[str, ...]
    target: str
    is_into_folder: bool
    stage: int | None = None
    keeps_parents: bool = False


@dataclass(frozen=True, slots=True)
class BuildStage:
    """One stage with what it inherits; `project_installs`: (working directory, command) of what installs a project."""

    name: str = ""
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    copies: tuple[CopyInstruction, ...] = ()
    project_installs: tuple[tuple[str, str], ...] = ()
    entrypoint: StartInstruction | None = None
    command: StartInstruction | None = None
    has_own_command: bool = False
    has_start: bool = False
    """Whether it has a CMD or an ENTRYPOINT of its own."""


def parse_stages(text: str) -> tuple[BuildStage, ...]:
    """The stages of a Dockerfile, the one that is built last; () where it has none."""
    stages: list[BuildStage] = []
    arguments: dict[str, str] = {}
    for line, word, rest in parse_instructions(text):
        if word == "FROM":
            if len(stages) < MAX_STAGES and (parts := _FROM.fullmatch(rest)):
                stages.append(_begin_stage(stages, expand_variables(parts[1], arguments), parts[2] or ""))
        elif word == "ARG":
            name, _, value = rest.partition("=")
            arguments.setdefault(name.strip(), value.strip().strip("\"'"))
        elif stages:
            stages[-1] = _apply_instruction(stages, line, word, rest, arguments)
    return tuple(stages)


def _begin_stage(stages: Sequence[BuildStage], image: str, name: str) -> BuildStage:
    for stage in stages:
        if stage.name and stage.name.lower() == image.lower():
            return replace(stage, name=name, has_own_command=False, has_start=False)
    return BuildStage(name)


def _apply_instruction(
    stages: Sequence[BuildStage], line: int, word: str, rest: str, arguments: Mapping[str, str]
) -> BuildStage:
    stage = stages[-1]
    known = {**arguments, **stage.environment}
    if word == "WORKDIR":
        folder = expand_variables(rest.strip().strip("\"'"), known)
        return replace(stage, workdir=posixpath.normpath(posixpath.join(stage.workdir, folder)))
    if word == "ENV":
        return replace(stage, environment={**stage.environment, **_parse_environment(rest, known)})
    if word in {"COPY", "ADD"}:
        copied = _parse_copy(stages, expand_variables(rest, known))
        return replace(stage, copies=(*stage.copies, copied)) if copied and len(stage.copies) < MAX_COPIES else stage
    if word == "RUN" and _INSTALL.search(rest):
        return replace(
            stage, project_installs=(*stage.project_installs, (stage.workdir, expand_variables(rest, known)[:4000]))
        )
    return _apply_start(stage, line, word, rest)


def _apply_start(stage: BuildStage, line: int, word: str, rest: str) -> BuildStage:
    """An ENTRYPOINT forgets the CMD that was inherited, as in Docker; one of the stage's own stays."""
    if word == "ENTRYPOINT":
        command = stage.command if stage.has_own_command else None
        return replace(stage, entrypoint=_parse_command(rest, line), command=command, has_start=True)
    if word == "CMD":
        return replace(stage, command=_parse_command(rest, line), has_own_command=True, has_start=True)
    return stage


def _parse_environment(rest: str, known: Mapping[str, str]) -> dict[str, str]:
    words = split_words(rest)
    if words and "=" not in words[0]:  # the old form: ENV NAME the rest
        name, _, value = rest.partition(" ")
        return {name: expand_variables(value.strip(), known)}
    pairs = (word.partition("=") for word in words)
    return {name: expand_variables(value, known) for name, equals, value in pairs if equals}


def _parse_copy(stages: Sequence[BuildStage], rest: str) -> CopyInstruction | None:
    words = _parse_exec_form(rest) or split_words(rest)
    options = [word for word in words if word.startswith("--")]
    paths = [word for word in words if not word.startswith("--")]
    if len(paths) < 2 or paths[0].startswith("<<"):
        return None
    origin = next((option[7:] for option in options if option.startswith("--from=")), "")
    index = _find_stage(stages, origin)
    if origin and index is None:  # out of another image: nothing of the repository
        return None
    target = posixpath.normpath(posixpath.join(stages[-1].workdir, paths[-1]))
    into = paths[-1].endswith(("/", "/.")) or paths[-1] == "." or len(paths) > 2
    sources = tuple(posixpath.normpath(path.lstrip("/") or ".") for path in paths[:-1] if "://" not in path)
    return CopyInstruction(sources, target, into, index, "--parents" in options)


def _find_stage(stages: Sequence[BuildStage], origin: str) -> int | None:
    names = [stage.name.lower() for stage in stages[:-1]]
    if origin.isdigit():
        return int(origin[:4]) if int(origin[:4]) < len(names) else None
    return names.index(origin.lower()) if origin and origin.lower() in names else None


def _parse_command(rest: str, line: int) -> StartInstruction:
    words = _parse_exec_form(rest)
    return StartInstruction(tuple(words), line=line) if words is not None else StartInstruction(shell=rest, line=line)


def _parse_exec_form(rest: str) -> list[str] | None:
    try:
        words = json.loads(rest) if rest.startswith("[") else None
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def split_words(text: str) -> list[str]:
    """The words of a line with its quotes taken off; a quote that never closes is a letter."""
    text = text[:MAX_SPLIT]
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
