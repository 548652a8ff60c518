"""What a Dockerfile builds: per stage its working directory, environment, copies, installations and start command.

Returns the stages, each with what it inherits from the stage that it is built on.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from shared.proof.declared.dockerfile_python import DockerfileInstruction, expand_variables, read_instructions

MAX_STAGES = 40
MAX_SPLIT = 20_000
MAX_COPIES = 400
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*", re.IGNORECASE)
_INSTALL = re.compile(
    r"(?:\b(?:pip[\d.]{0,6}|pipx|uv\s+pip)\s+(?:-[\w=.-]{1,40}\s+){0,4}install|\buv\s+pip\s+sync|\bpip-sync\b|\b(?:uv|pdm)\s+sync|\b(?:poetry|pdm)\s+install"
    r"|\bsetup\.py\s+(?:install|develop)"
    r"|\bpipenv\s+(?:install|sync)|\bhatch\s+env|\bpip3?\s+wheel)"
)


_NAMED_VARIABLE = re.compile(r"\$(?:(\w{1,200}+)|\{(\w{1,200}+)\})")
_OPAQUE_SOURCE = re.compile(r"://|^git@|^<<|\.(?:tar|tgz|tar\.\w{2,4}|tbz2?|txz)$")
"""An archive is unpacked by ADD; what is in it is not known."""


@dataclass(frozen=True, slots=True)
class StartInstruction:
    """`words` of the exec form, or the `shell` text of the shell form; `line` counts from 1."""

    words: tuple[str, ...] = ()
    shell: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class CopyInstruction:
    """`sources` are in the build context, or in the image of an earlier `stage`; `target` is an image path."""

    sources: tuple[str, ...]
    target: str
    is_into_folder: bool
    stage: int | None = None
    keeps_parents: bool = False
    excluded: tuple[str, ...] = ()
    """Patterns of `--exclude`."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class OpaqueInstruction:
    """What may bring, move or remove files: a `RUN`, or a copy of what is not in the repository.

    `target` is where a copy puts its files, "" for a `RUN`.
    """

    line: int
    text: str
    workdir: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class BuildStage:
    """One stage with what it inherits; `project_installs`: (working directory, command) of what installs a project."""

    name: str = ""
    image: str = ""
    """The image that the first of the stages below it begins with; "" where it is not known."""
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    copies: tuple[CopyInstruction, ...] = ()
    project_installs: tuple[tuple[str, str], ...] = ()
    opaque: tuple[OpaqueInstruction, ...] = ()
    entrypoint: StartInstruction | None = None
    command: StartInstruction | None = None
    has_own_command: bool = False
    has_start: bool = False
    """Whether it has a CMD or an ENTRYPOINT of its own."""


@lru_cache(maxsize=256)  # most commits of a history have the same ones
def parse_stages(text: str) -> tuple[BuildStage, ...]:
    """The stages of a Dockerfile, the one that is built last; () where it has none."""
    stages: list[BuildStage] = []
    arguments: dict[str, str] = {}
    for instruction in read_instructions(text):
        word, rest = instruction.word, instruction.rest
        if word == "FROM":
            if len(stages) < MAX_STAGES and (parts := _FROM.fullmatch(rest)):
                stages.append(_begin_stage(stages, expand_variables(parts[1], arguments), parts[2] or ""))
        elif word == "ARG":
            name, _, value = rest.partition("=")
            arguments.setdefault(name.strip(), value.strip().strip("\"'"))
        elif stages:
            stages[-1] = _apply_instruction(stages, instruction, arguments)
    return tuple(stages)


def _begin_stage(stages: Sequence[BuildStage], image: str, name: str) -> BuildStage:
    for stage in stages:
        if stage.name and stage.name.lower() == image.lower():
            return replace(stage, name=name, has_own_command=False, has_start=False)
    return BuildStage(name, image)


def _apply_instruction(
    stages: Sequence[BuildStage], instruction: DockerfileInstruction, arguments: Mapping[str, str]
) -> BuildStage:
    stage, word, rest = stages[-1], instruction.word, instruction.rest
    known = {**arguments, **stage.environment}
    if word == "WORKDIR":
        folder = expand_variables(rest.strip().strip("\"'"), known)
        return replace(stage, workdir=posixpath.normpath(posixpath.join(stage.workdir, folder)))
    if word == "ENV":
        return replace(stage, environment={**stage.environment, **_parse_environment(rest, known)})
    if word in {"COPY", "ADD"}:
        return _apply_copy(stages, instruction, known)
    if word == "RUN":
        return _apply_run(stage, instruction, known)
    return _apply_start(stage, instruction.line, word, rest)


def is_install(text: str) -> bool:
    """Whether a `RUN` instruction is one of those in `project_installs`."""
    return _INSTALL.search(text) is not None


def _apply_run(stage: BuildStage, instruction: DockerfileInstruction, known: Mapping[str, str]) -> BuildStage:
    text = "\n".join((expand_variables(instruction.rest, known), *instruction.bodies))[:MAX_SPLIT]
    if len(stage.opaque) < MAX_COPIES:
        stage = replace(stage, opaque=(*stage.opaque, OpaqueInstruction(instruction.line, text, stage.workdir)))
    if not is_install(text):
        return stage
    return replace(stage, project_installs=(*stage.project_installs, (stage.workdir, text[:4000])))


def _apply_copy(
    stages: Sequence[BuildStage], instruction: DockerfileInstruction, known: Mapping[str, str]
) -> BuildStage:
    """What comes out of the repository, and what of the copy does not: another image, a URL, a here-document."""
    stage, line = stages[-1], instruction.line
    text = expand_variables(instruction.rest, known)
    words = _parse_exec_form(text) or split_words(text)
    copied = _parse_copy(stages, words, line)
    if copied and len(stage.copies) < MAX_COPIES:
        stage = replace(stage, copies=(*stage.copies, copied))
    if len(stage.opaque) < MAX_COPIES and (target := _find_opaque_target(words, copied, instruction, known)):
        target = posixpath.normpath(posixpath.join(stage.workdir, target))
        brought = OpaqueInstruction(line, f"{instruction.word} {instruction.rest}", stage.workdir, target)
        return replace(stage, opaque=(*stage.opaque, brought))
    return stage


def _find_opaque_target(
    words: Sequence[str], copied: CopyInstruction | None, instruction: DockerfileInstruction, known: Mapping[str, str]
) -> str:
    """Where a copy puts what is not known; "" where all of it is a part of the repository."""
    paths = [word for word in words if not word.startswith("--")]
    names = {match[1] or match[2] for match in _NAMED_VARIABLE.finditer(instruction.rest)}
    if any(not known.get(name) for name in names):
        *_, last = split_words(instruction.rest)
        return "/" if any(f"{brace}{name}" in last for name in names for brace in "${") else last
    is_known = copied is not None and not any(_OPAQUE_SOURCE.search(path) for path in paths[:-1])
    return paths[-1] if len(paths) > 1 and not is_known else ""


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


def _parse_copy(stages: Sequence[BuildStage], words: Sequence[str], line: int) -> CopyInstruction | None:
    options = [word for word in words if word.startswith("--")]
    paths = [word for word in words if not word.startswith("--")]
    if len(paths) < 2 or paths[0].startswith("<<"):
        return None
    origin = next((option[7:] for option in options if option.startswith("--from=")), "")
    index = _find_stage(stages, origin)
    if origin and index is None:  # out of another image: nothing of the repository
        return None
    target = posixpath.normpath(posixpath.join(stages[-1].workdir, paths[-1]))
    into = paths[-1].endswith(("/", "/.")) or paths[-1] == "." or len(paths) > 2 or _is_folder(stages[-1], target)
    sources = tuple(posixpath.normpath(path.lstrip("/") or ".") for path in paths[:-1] if "://" not in path)
    excluded = tuple(option[10:] for option in options if option.startswith("--exclude="))
    keeps_parents = any(option in {"--parents", "--parents=true"} for option in options)
    return CopyInstruction(sources, target, into, index, keeps_parents, excluded, line)


def _is_folder(stage: BuildStage, path: str) -> bool:
    """Whether a folder is seen to be at an image path before a copy to it."""
    targets = (copy.target if copy.is_into_folder else posixpath.dirname(copy.target) for copy in stage.copies)
    inside = [stage.workdir, *targets]
    return any(known == path or known.startswith(path.rstrip("/") + "/") for known in inside)


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
