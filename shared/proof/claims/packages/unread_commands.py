"""Which commands of an image's build may install distributions that no manifest names.

Takes the stages that reach the image. Returns a sentence for each command that is neither known to install nothing nor
one that `installed_distributions` reads, and for each copy out of another image.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

from shared.proof.loading.dockerfile_stages import BuildStage, OpaqueInstruction, is_install
from shared.proof.loading.shell import split_assignments, split_commands

_MOUNT = re.compile(r"--mount=(\S+)")
_HARMLESS = frozenset((
    ":", "[", "addgroup", "adduser", "apk", "apt", "apt-get", "cat", "cd", "chgrp", "chmod", "chown", "chsh", "cp",
    "curl", "date", "deluser", "dpkg", "dpkg-reconfigure", "echo", "exit", "export", "fc-cache", "find", "getent",
    "gpg", "grep", "groupadd", "groupmod", "head", "id", "install", "ldconfig", "ln", "locale-gen", "ls", "mkdir", "mv",
    "printf", "pwd", "rm", "rmdir", "sed", "set", "sleep", "strip", "tail", "tee", "test", "touch", "tr", "true",
    "uname", "update-ca-certificates", "update-locale", "useradd", "usermod", "wc", "wget", "which", "whoami",
))  # fmt: skip
"""What Debian's and Alpine's own packages bring is not on the import path of the official image's Python."""
_READ = re.compile(r"pip[\d.]*|pip-sync|uv|poetry|pipenv|pdm|hatch|conda|mamba|micromamba")
_QUIET_ACTIONS = frozenset((
    ("uv", "venv"), ("uv", "cache"), ("poetry", "config"), ("poetry", "self"), ("pip", "config"), ("pip", "cache"),
    ("pip", "check"), ("pip", "list"), ("pip", "freeze"), ("pip", "--version"), ("uv", "--version"),
))  # fmt: skip
_QUIET_MODULES = frozenset(("venv", "compileall", "pip", "pipenv", "poetry", "uv"))


def list_unread_commands(stages: Sequence[BuildStage]) -> Iterator[str]:
    """A sentence for each, without a full stop."""
    for stage in stages:
        for instruction in stage.opaque:
            if not instruction.target:
                yield from _list_unread(instruction)
            elif "bin" not in instruction.target.split("/"):
                yield f"line {instruction.line} copies what is not in the tree to {instruction.target}"


def _list_unread(instruction: OpaqueInstruction) -> Iterator[str]:
    is_read = is_install(instruction.text)
    for words in split_commands(_MOUNT.sub("", instruction.text), {}):
        _, command = split_assignments(words)
        if command and not _installs_nothing(command, is_read=is_read):
            yield f"line {instruction.line} runs {command[0]}, which may install more"


def _installs_nothing(command: Sequence[str], *, is_read: bool) -> bool:
    """Whether a command brings no distribution, or is read by itself where its instruction is."""
    name, rest = posixpath.basename(command[0]), command[1:]
    if _READ.fullmatch(name):
        return is_read or (name.rstrip("0123456789."), next(iter(rest), "")) in _QUIET_ACTIONS
    if re.fullmatch(r"(?:python|pypy)[\d.]*", name):
        return _runs_own_code(rest, is_read=is_read)
    return name in _HARMLESS


def _runs_own_code(words: Sequence[str], *, is_read: bool) -> bool:
    if words[:1] == ("-m",):
        module = next(iter(words[1:]), "")
        return module in _QUIET_MODULES and (is_read or module in {"venv", "compileall"})
    return words[:1] in {("-c",), ("--version",), ("-V",), ("manage.py",)}
