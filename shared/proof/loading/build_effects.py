"""Finds what the commands of a build may do to files of the image, as far as their words show.

For an image path it returns the instruction, other than a plain copy, that may have removed, moved, changed or added
it.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise

from shared.proof.loading.dockerfile_stages import OpaqueInstruction
from shared.proof.loading.shell import get_shell_arguments, split_assignments, split_commands

_REMOVING = frozenset({"rm", "mv", "sed", "truncate", "unlink", "rmdir", "tee"})
_BRINGING = frozenset({"mv", "cp", "ln", "rsync", "install"})
_HARMLESS = frozenset({"chmod", "chown", "chgrp", "touch", "ls", "echo", "stat", "grep"})
_UNPACKING = frozenset({"tar", "unzip", "bsdtar", "7z"})
_FETCHING = frozenset({"curl", "wget"})
_CLOUD_COPIES = frozenset({"gsutil", "aws", "gcloud", "az", "rclone"})
_FOLDER_OPTIONS = frozenset({"-C", "-d", "--directory", "-o", "-O", "--output", "-P", "--directory-prefix"})
_PREFIXES = frozenset({"sudo", "exec", "env", "nice", "time", "command"})
_MOUNT = re.compile(r"(?:--(?:mount|network|security)=\S+\s+)+")
_GLOBS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class _Effect:
    """A path, perhaps with patterns, that a command touches with all that is below it.

    `brings`: whether files may come to be there, not only change or go. `names`: of what is below it, only what has
    such a name, or is below one.
    """

    path: str
    brings: bool = False
    names: tuple[str, ...] = ()

    def touches(self, path: str) -> bool:
        if not _is_below(path, self.path):
            return False
        return not self.names or any(fnmatchcase(part, name) for part in path.split("/") for name in self.names)


def find_touching(instructions: Sequence[OpaqueInstruction], paths: Sequence[str]) -> OpaqueInstruction | None:
    """The first instruction that may change, move or remove what is at one of some image paths."""
    touching = (
        instruction
        for instruction in instructions
        if any(effect.touches(path) for effect in _list_effects(instruction) for path in paths)
    )
    return next(touching, None)


def find_bringing(
    instructions: Sequence[OpaqueInstruction], folders: Sequence[str], name: str
) -> OpaqueInstruction | None:
    """The first instruction that may bring a file of that name, or a folder with it, into or above one of some folders.

    A file that is brought under another name is another file.
    """
    for instruction in instructions:
        for effect in _list_effects(instruction):
            last = posixpath.basename(effect.path)
            is_other_file = "." in last and last != name and not _GLOBS & set(last)
            if effect.brings and any(
                _is_below(folder, effect.path) or (not is_other_file and _is_below(effect.path, folder))
                for folder in folders
            ):
                return instruction
    return None


@lru_cache(maxsize=256)
def _list_effects(instruction: OpaqueInstruction) -> tuple[_Effect, ...]:
    if instruction.target:
        return (_Effect(instruction.target, brings=True),)
    return tuple(_read_effects(_MOUNT.sub("", instruction.text), instruction.workdir, 0))


def _read_effects(text: str, workdir: str, depth: int) -> Iterator[_Effect]:
    if text.startswith("["):
        text = " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    for words in split_commands(text, {}):
        name, arguments = _split_command(words)
        if name == "cd" and arguments:
            workdir = posixpath.normpath(posixpath.join(workdir, arguments[-1]))
            continue
        inner = get_shell_arguments(name, arguments)
        if inner and inner[0] == "-c" and len(inner) > 1 and depth < 3:
            yield from _read_effects(inner[1], workdir, depth + 1)
        for effect in _read_command(name, arguments):
            yield replace(effect, path=posixpath.normpath(posixpath.join(workdir, effect.path)))


def _split_command(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The name of a program without its folder, and what it is given."""
    bare = split_assignments(words)[1]
    while bare and bare[0] in _PREFIXES:
        bare = split_assignments(bare[1:])[1]
    return (posixpath.basename(bare[0]), bare[1:]) if bare else ("", ())


def _read_command(name: str, arguments: Sequence[str]) -> Iterator[_Effect]:
    """The paths that a command touches, as it names them."""
    paths = [word for word in arguments if not word.startswith("-")]
    if name in _REMOVING:
        yield from (_Effect(path) for path in paths if not path.startswith("s/"))
    if name in _BRINGING:
        yield from (_Effect(path, brings=True) for path in paths[-1:])
    elif name == "find":
        yield from _read_find(arguments)
    elif name == "git" and paths[:1] in (["clone"], ["checkout"], ["pull"], ["submodule"]):
        yield from _read_clone(paths)
    elif name in _UNPACKING or name in _FETCHING:
        yield from _read_download(name, arguments, paths)
    elif name in _CLOUD_COPIES and {"cp", "rsync", "sync", "copy"} & set(paths):
        yield from (_Effect(path, brings=True) for path in paths[-1:])


def _read_find(arguments: Sequence[str]) -> Iterator[_Effect]:
    """What `find` removes or hands to another command; by `-name`, where that is all it asks for."""
    started = {after for word, after in pairwise(arguments) if word in {"-exec", "-execdir", "-ok"}}
    if "-delete" not in arguments and not started - _HARMLESS:
        return
    starts = []
    for word in arguments:
        if word.startswith("-") or word in {"(", "!"}:
            break
        starts.append(word)
    names = tuple(after for word, after in pairwise(arguments) if word == "-name")
    counted = names if not {"-path", "-not", "!", "-regex", "-wholename", "-iname"} & set(arguments) else ()
    yield from (_Effect(start, names=counted) for start in starts or ["."])


def _read_clone(paths: Sequence[str]) -> Iterator[_Effect]:
    if paths[0] == "clone" and len(paths) == 2:
        yield _Effect(posixpath.basename(paths[1].rstrip("/")).removesuffix(".git"), brings=True)
    else:
        yield _Effect(paths[-1] if paths[0] == "clone" else ".", brings=True)


def _read_download(name: str, arguments: Sequence[str], paths: Sequence[str]) -> Iterator[_Effect]:
    """Where an archive is unpacked, and where a file is stored."""
    targets = [after for word, after in pairwise(arguments) if word in _FOLDER_OPTIONS]
    targets += [word.partition("=")[2] for word in arguments if word.startswith(("--directory=", "--output="))]
    if name in _UNPACKING:
        makes_archive = name == "tar" and any(word.lstrip("-").startswith("c") for word in arguments[:1])
        yield from (_Effect(target, brings=True) for target in ([] if makes_archive else targets or ["."]))
        return
    yield from (_Effect(target, brings=True) for target in targets if target != "-" and "://" not in target)
    if {"-O", "--remote-name", "-LO", "-OL", "-sLO", "-fsSLO"} & set(arguments) or (name == "wget" and not targets):
        yield from (_Effect(posixpath.basename(path), brings=True) for path in paths if "://" in path)


def _is_below(path: str, above: str) -> bool:
    """Whether a path is another one or is below it, which may hold patterns."""
    parts, wanted = path.strip("/").split("/"), above.strip("/").split("/")
    if wanted == [""]:
        return True
    if len(parts) < len(wanted):
        return False
    if not _GLOBS & set(above):
        return parts[: len(wanted)] == wanted
    return all(map(fnmatchcase, parts, wanted))
