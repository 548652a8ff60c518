"""Finds whether the image of a service has the file at an image path.

A file counts as one of the repository where some state of the history has it. What was never there may be made at run
time, mounted or uploaded: whether the image has it is then unknown.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from shared.proof.claims.importing.image_layout import ImageLayout
from shared.proof.claims.ports import ServiceModules
from shared.proof.loading.copy_rules import join_context
from shared.proof.loading.dockerfile_stages import OpaqueInstruction
from shared.proof.loading.image_contents import AbsenceKind, AbsenceReason, FilePresence, ImageContents, Presence
from shared.proof.loading.shell import split_assignments, split_commands

ListPathsNamed = Callable[[str], Sequence[str]]
"""Every path with a file name in any state of the history."""

_FOREIGN = re.compile(r"^/(?:tmp|proc|sys|dev|run|mnt|secrets?|var|usr|lib\d*|bin|sbin|etc|root/\.)(?:/|$)")
_CHANGES_FOLDER = re.compile(r"(?:^|[;&|\s])(?:cd|pushd)\s|--chdir|--directory")
_HARMLESS = frozenset((
    "apt-get", "apt", "apk", "yum", "dnf", "microdnf", "pip", "pip3", "uv", "poetry", "pipenv", "pdm", "conda", "npm",
    "yarn", "pnpm", "groupadd", "useradd", "addgroup", "adduser", "usermod", "chown", "chmod", "chgrp", "mkdir", "rm",
    "set", "export", "cd", "echo", "touch", "ln", "update-ca-certificates", "locale-gen", "corepack", "true", "ls",
    "find", "which", "curl", "wget", "python", "python3", "rustup", "playwright", "ldconfig", "dpkg", "sed", "test",
))  # fmt: skip
"""Programs of a build that write no file of a service, unless their arguments say otherwise."""
_HARMLESS_MODULES = frozenset((("-m", "pip"), ("-m", "venv"), ("-m", "compileall"), ("-m", "ensurepip")))
_WRITING_WORDS = frozenset((
    "run", "build", "collectstatic", "compilemessages", "generate", "export", "exec", "dlx", "start", "compile",
))  # fmt: skip


@runtime_checkable
class LaidOutModules(ServiceModules, Protocol):
    """A service whose images are known."""

    @property
    def layouts(self) -> Sequence[ImageLayout]:
        """Every layout that may be the service's, at least one."""

    @property
    def running_paths(self) -> Sequence[str]:
        """Files of the repository that are known to run in the image."""


@dataclass(frozen=True, slots=True)
class ImagePlaces:
    """One layout of the image. `list_paths_named` looks into the whole history."""

    layout: ImageLayout
    running_paths: Sequence[str]
    list_paths_named: ListPathsNamed

    @property
    def workdir(self) -> str:
        """What relative paths are relative to; "" where a start command changes it."""
        stage = self.layout.files.stages[-1]
        texts = [start.shell or " ".join(start.words) for start in (stage.entrypoint, stage.command) if start]
        texts += [self.layout.started.text] if self.layout.started else []
        return "" if any(_CHANGES_FOLDER.search(text) for text in texts) else stage.workdir

    def find_image_path(self, path: str) -> str:
        """Where a file of the repository is in the image; "" where it is not there."""
        return next(iter(self.layout.files.image_paths(path)), "")

    def find_presence(self, image_path: str) -> FilePresence:
        """Whether the image has a file at an image path."""
        if _FOREIGN.search(image_path):
            return _build_unknown(f"{image_path} is no place of the repository's files")
        tree, contents = self.layout.files.tree, self._contents
        candidates = list(dict.fromkeys(self._list_candidates(image_path)))
        answers = [contents.holds(path) for path in candidates if tree.blob(path) is not None]
        present = [answer for answer in answers if image_path in answer.image_paths]
        if present:
            return present[0]
        if answers:
            return self._judge_existing(image_path, answers)
        other_case = self._find_other_case(candidates)
        if other_case is not None:
            return self._doubt_builds(other_case)
        former = self._list_former(candidates, posixpath.basename(image_path))
        if former:
            return self._doubt_builds(self._contents.holds(former[0]))
        return _build_unknown(
            f"no state of the repository has a file for {image_path}: it may be made when the service runs"
        )

    @property
    def _contents(self) -> ImageContents:
        return ImageContents(self.layout.files, self.layout.dockerfile, self.running_paths)

    def _list_candidates(self, image_path: str) -> Iterator[str]:
        """The repository paths of which one would be the file, those that the build copies there first."""
        files = self.layout.files
        yield from files.list_origin_paths(image_path)
        workdir = files.stages[-1].workdir
        if image_path.startswith(workdir.rstrip("/") + "/"):
            yield join_context(files.context, posixpath.relpath(image_path, workdir))

    def _judge_existing(self, image_path: str, answers: Sequence[FilePresence]) -> FilePresence:
        absent = next((answer for answer in answers if answer.state is Presence.ABSENT), None)
        if absent is None or any(answer.state is Presence.UNKNOWN for answer in answers):
            unknown = next((answer for answer in answers if answer.state is Presence.UNKNOWN), None)
            return unknown or _build_unknown(f"the file is elsewhere in the image than at {image_path}")
        return self._doubt_builds(absent)

    def _list_former(self, candidates: Sequence[str], name: str) -> list[str]:
        """Those that some state of the history has."""
        named = set(self.list_paths_named(name)) if candidates else set()
        return [path for path in candidates if path in named]

    def _doubt_builds(self, answer: FilePresence) -> FilePresence:
        """An absence, unless a command of the build may make the file."""
        if answer.state is not Presence.ABSENT:
            return answer
        making = next((step for step in self._list_commands() if may_make_files(step)), None)
        if making is not None:
            return _build_unknown(f"{answer.reason}, but {self.layout.dockerfile} line {making.line} may make it")
        return answer

    def _list_commands(self) -> Iterator[OpaqueInstruction]:
        for stage in self.layout.files.stages:
            yield from (step for step in stage.opaque if not step.target)

    def _find_other_case(self, candidates: Sequence[str]) -> FilePresence | None:
        """The absence of a file whose name is there in other letters; None where it is not."""
        tree = self.layout.files.tree
        for path in candidates:
            folder, name = posixpath.split(path)
            for entry in tree.folder(folder) or ():
                if entry != name and entry.casefold() == name.casefold():
                    near = posixpath.join(folder, entry)
                    tree.blob(near)  # an input: a change of it may be meant as the fix of the claim
                    sentence = f"the repository has {near}, and not {path}: upper and lower case differ"
                    reason = AbsenceReason(AbsenceKind.NOT_IN_REPOSITORY, "", 0, "", sentence)
                    return FilePresence(Presence.ABSENT, sentence, reason)
        return None


def open_places(modules: ServiceModules, list_paths_named: ListPathsNamed) -> tuple[ImagePlaces, ...]:
    """One for each layout that may be the service's; () where no image is known."""
    if not isinstance(modules, LaidOutModules):
        return ()
    return tuple(ImagePlaces(layout, modules.running_paths, list_paths_named) for layout in modules.layouts)


def may_make_files(step: OpaqueInstruction) -> bool:
    """Whether a command of a build may write files that no word of it names."""
    for words in split_commands(re.sub(r"^(?:--\S+\s+)+", "", step.text), {}):
        bare = split_assignments(words)[1]
        if not bare:
            continue
        name = posixpath.basename(bare[0])
        if name not in _HARMLESS or _WRITING_WORDS & set(bare[1:]):
            return True
        if (
            name.startswith("python")
            and tuple(bare[1:3]) not in _HARMLESS_MODULES
            and tuple(bare[1:2]) != ("--version",)
        ):
            return True
    return False


def _build_unknown(reason: str) -> FilePresence:
    return FilePresence(Presence.UNKNOWN, reason)
