"""Finds the Python that the image of a Dockerfile runs, from its text alone.

Returns the minor version and the instruction that shows it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from shared.proof.declared.python_versions import parse_target_version

# Python of Debian's releases, which is what the distroless images carry.
_DEBIAN_PYTHONS = {"11": "3.9", "12": "3.11", "13": "3.13"}
MAX_EXPANDED = 8_000
"""Characters: `ENV A=$A$A` doubles with every line."""
_DIRECTIVE = re.compile(r"\s*#\s*escape\s*=\s*([\\`])\s*", re.IGNORECASE)
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*", re.IGNORECASE)
_ARG = re.compile(r"(\w+)(?:=(\"[^\"]*\"|'[^']*'|\S*))?")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})")
_COPY_FROM = re.compile(r"--from=(\S+)")
_INSTALLED_VERSION = re.compile(
    r"(?<![\w./-])(?:python-?=?=?|uv python install\s+|pyenv install\s+(?:-\S+\s+)*)(3\.\d{1,2})(?![\w]|-config)"
)
_BRINGS_PYTHON = re.compile(
    r"\b(?:uv|uvx|pyenv|conda|mamba|micromamba|poetry|pdm|hatch|rye|venv|virtualenv|nix|asdf|mise)\b|UV_PYTHON"
    r"|\bln\s+-|\bpython3?[.-]3\.\d|\bpython3\.\d"
)
"""In an instruction: what may run another Python than the one of the base image."""
_NAMED_VERSION = re.compile(r"(?:^|[-_.])py(?:thon)?[-_]?(3[.-]?\d{1,2})(?!\d)", re.IGNORECASE)
_TAGGED_VERSION = re.compile(r"(?:^|-)v?(3\.\d{1,2})(?!\d)")


@dataclass(frozen=True, slots=True)
class DockerfilePython:
    """`text` is the instruction with its variables filled in; `line` counts from 1."""

    version: str
    line: int
    text: str


@dataclass(slots=True)
class _Stage:
    image: str
    line: int
    name: str = ""
    copies_from: list[str] = field(default_factory=list)
    runs: list[tuple[int, str]] = field(default_factory=list)


@lru_cache(maxsize=512)  # a repository with many folders asks for the same files again and again
def find_dockerfile_python(text: str) -> DockerfilePython | None:
    """The Python of the final stage; None where the text does not show it."""
    stages = _parse_stages(text)
    return _find_stage_python(stages, len(stages) - 1) if stages else None


@lru_cache(maxsize=512)
def is_python_certain(text: str) -> bool:
    """Whether the image certainly runs the Python of its FROM lines, whatever the build is given and wherever it ends.

    Not with a variable or a digest in one of them, with several versions, or with a tool that brings a Python itself.
    """
    instructions = parse_instructions(text)
    images = [parts[1] for _, word, rest in instructions if word == "FROM" and (parts := _FROM.fullmatch(rest))]
    copied = [name for _, word, rest in instructions if word == "COPY" for name in _COPY_FROM.findall(rest)]
    if any("$" in image or "@" in image for image in (*images, *copied)):
        return False
    versions = {parse_image_python(image) for image in (*images, *copied)} - {None}
    return len(versions) == 1 and not any(_BRINGS_PYTHON.search(f"{word} {rest}") for _, word, rest in instructions)


def parse_image_python(image: str) -> str | None:
    """The minor version in an image's name: `python:3.11.7-slim`, `x/y:python3.12`, `ubi9/python-311`, …"""
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    distroless = re.fullmatch(r"python3-debian(\d+)", name)
    if distroless:
        return _DEBIAN_PYTHONS.get(distroless[1])
    for part in (tag, name):
        match = _NAMED_VERSION.search(part)
        if match:
            return parse_target_version(match[1].replace("-", "."))
    match = _TAGGED_VERSION.search(tag) if re.match(r"python\d?(?:[-_]|$)", name) else None
    return match[1] if match else None


def _find_stage_python(stages: list[_Stage], index: int) -> DockerfilePython | None:
    """What one stage shows: its image, else what it installs, else the stages that it copies from."""
    stage = stages[index]
    earlier = {other.name.lower(): position for position, other in enumerate(stages[:index]) if other.name}
    earlier |= {str(position): position for position in range(index)}
    named = earlier.get(stage.image.lower()) if not stage.image.isdigit() else None
    version = parse_image_python(stage.image) if named is None else None
    if version:
        return DockerfilePython(version, stage.line, f"FROM {stage.image}")
    for line, run in stage.runs:
        match = _INSTALLED_VERSION.search(run)
        if match:
            return DockerfilePython(match[1], line, f"RUN {run}"[:200])
    sources = [named] if named is not None else [earlier[name] for name in stage.copies_from if name in earlier]
    for source in sources:
        inherited = _find_stage_python(stages, source)
        if inherited:
            return inherited
    # Copied straight out of an image, as `COPY --from=python:3.12-slim /usr/local /usr/local`.
    for name in stage.copies_from:
        version = parse_image_python(name) if name not in earlier and "uv" not in name else None
        if version:
            return DockerfilePython(version, stage.line, f"COPY --from={name}")
    return None


def _parse_stages(text: str) -> list[_Stage]:
    stages: list[_Stage] = []
    arguments: dict[str, str] = {}
    for line, word, rest in parse_instructions(text):
        if word == "ARG" and not stages:
            for match in _ARG.finditer(rest):
                arguments[match[1]] = expand_variables((match[2] or "").strip("\"'"), arguments)
        elif word == "FROM":
            parts = _FROM.fullmatch(rest)
            if parts:
                stages.append(_Stage(expand_variables(parts[1].strip("\"'"), arguments), line, parts[2] or ""))
        elif word == "COPY" and stages:
            stages[-1].copies_from += [name.lower() for name in _COPY_FROM.findall(rest)]
        elif word == "RUN" and stages:
            stages[-1].runs.append((line, " ".join(rest.split())))
    return stages


def expand_variables(text: str, arguments: Mapping[str, str]) -> str:
    """A text with `$NAME`, `${NAME}`, `${NAME:-default}` filled in; the unknown is empty, the too long cut."""

    def value(match: re.Match[str]) -> str:
        known = arguments.get(match[1] or match[2], "")
        if match[3] and match[3].endswith("-"):
            return known or match[4]
        return (match[4] if known else "") if match[3] else known

    return _VARIABLE.sub(value, text[:MAX_EXPANDED])[:MAX_EXPANDED]


@dataclass(frozen=True, slots=True)
class DockerfileInstruction:
    """One instruction: its first line (from 1), its word in capitals, the rest, its here-documents."""

    line: int
    word: str
    rest: str
    bodies: tuple[str, ...] = ()


def parse_instructions(text: str) -> list[tuple[int, str, str]]:
    """(line, WORD, rest) of each instruction: comments and here-documents gone, continuation lines joined."""
    return [(read.line, read.word, read.rest) for read in read_instructions(text)]


# Own reader: dockerfile-parse 2.0.1 takes the lines of a here-document for instructions, and `dockerfile` 3.4.0 brings
# a Go runtime for these thirty lines. Neither follows variables and stages as the rest of this file does.
def read_instructions(text: str) -> list[DockerfileInstruction]:
    """The instructions with their here-documents: comments gone, continuation lines joined."""
    instructions: list[DockerfileInstruction] = []
    escape, joined, start = "\\", "", 0
    lines = enumerate(text.removeprefix("\ufeff").splitlines(), 1)
    for number, line in lines:
        directive = _DIRECTIVE.fullmatch(line)
        if directive and not instructions and not joined:
            escape = directive[1]
        if line.lstrip().startswith("#") or (joined and not line.strip()):
            continue
        start = start if joined else number
        joined += line.rstrip()
        if joined.endswith(escape):
            joined = joined[:-1] + " "
            continue
        match = _INSTRUCTION.fullmatch(joined)
        joined = ""
        if match:
            word = match[1].upper()
            ends = [end for _, end in _HEREDOC.findall(match[2])] if word in {"RUN", "COPY", "ADD"} else []
            bodies = tuple(_read_body(lines, end) for end in ends)
            instructions.append(DockerfileInstruction(start, word, match[2].strip(), bodies))
    return instructions


def _read_body(lines: Iterator[tuple[int, str]], end: str) -> str:
    """The lines of a here-document up to its end."""
    body: list[str] = []
    for _, line in lines:
        if line.strip() == end:
            break
        body.append(line)
    return "\n".join(body)
