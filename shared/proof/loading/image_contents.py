"""Whether a file of the repository is in the image, and the line of an ignore file or a Dockerfile that keeps it out.

Answers yes, no or unknown, with the reason, for an image and the files that are known to run in it.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from shared.proof.loading.build_declarations import SourceUpload, find_source_uploads, read_upload_ignores
from shared.proof.loading.build_effects import find_bringing, find_touching
from shared.proof.loading.dockerfile_search import list_folders_above
from shared.proof.loading.dockerfile_stages import BuildStage, OpaqueInstruction
from shared.proof.loading.image_files import ImageFiles, find_address_in_stage, read_docker_ignores
from shared.proof.loading.images import list_project_installs
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.module_providers import is_made_by_build
from shared.proof.model.ignore_rules import DockerIgnore, IgnoreLine, parse_git_ignore
from shared.proof.model.paths import AppliedIgnores

_PLAIN_IMAGES = frozenset(
    {
        "python", "debian", "ubuntu", "alpine", "scratch", "pypy", "fedora", "centos", "amazonlinux", "rockylinux",
        "busybox", "bitnami/python", "tiangolo/uvicorn-gunicorn-fastapi", "tiangolo/uvicorn-gunicorn", "node", "golang",
        "astral-sh/uv", "nvidia/cuda", "chainguard/python", "cgr.dev/chainguard/python",
    }
)  # fmt: skip
"""Images that hold no service's own code, without registry and tag."""
_NOWHERE = "/@/none"


class Presence(StrEnum):
    """Whether a file is in an image."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class AbsenceKind(StrEnum):
    """What keeps a file out of an image."""

    NOT_IN_REPOSITORY = "not_in_repository"
    IGNORED = "ignored"
    """A line of the `.dockerignore`."""
    NOT_UPLOADED = "not_uploaded"
    """A line by which gcloud leaves it out of what it uploads."""
    OUTSIDE_CONTEXT = "outside_context"
    """It is not below the folder from which the image is built."""
    NOT_COPIED = "not_copied"
    """No instruction of the Dockerfile copies it."""


@dataclass(frozen=True, slots=True)
class AbsenceReason:
    """What is responsible. `path` and `line` (from 1): of the ignore file or the Dockerfile; "" and 0 for a default."""

    kind: AbsenceKind
    path: str
    line: int
    text: str
    """The pattern or the instruction as written; "" where something is missing."""
    sentence: str
    """One sentence, without a full stop."""


@dataclass(frozen=True, slots=True)
class FilePresence:
    """The answer for one file. `reason` is one sentence without a full stop; `absence` is there for `ABSENT`."""

    state: Presence
    reason: str
    absence: AbsenceReason | None = None
    image_paths: tuple[str, ...] = ()
    """Where it is in the image, for `PRESENT`."""


class ImageContents:
    """Answers for the files of one image. `running_paths` are known to be in it, `dockerfile` is "" for a buildpack."""

    def __init__(self, files: ImageFiles, dockerfile: str, running_paths: Sequence[str] = ()) -> None:
        self.files = files
        self.dockerfile = dockerfile
        self._running = tuple(running_paths)
        self._answers: dict[str, FilePresence] = {}

    def holds(self, path: str) -> FilePresence:
        """Whether the image holds a file of the repository."""
        if path not in self._answers:
            self._answers[path] = self._judge(path)
        return self._answers[path]

    def explain_absence(self, path: str) -> AbsenceReason | None:
        """What keeps a file out of the image; None where it is in, or where that is not known."""
        return self.holds(path).absence

    def explain_ignored(self, path: str) -> AbsenceReason | None:
        """The line of an ignore file that leaves a file out, also where only some builders read it so.

        For a file that a log shows to be missing: then the builder was one of these.
        """
        docker = self._docker_ignores
        line = docker.find_line(path) if docker else None
        if docker is None or line is None or self._find_running_doubt(docker, line):
            return None
        return self._describe_ignored(path, line)

    def is_left_out(self, path: str) -> bool:
        """Whether an ignore file is known to leave a path out: for `ImageFiles.is_left_out`, with gcloud's, too."""
        line, doubt = self._find_ignoring_line(path)
        return line is not None and not doubt

    @property
    def _stages(self) -> Sequence[BuildStage]:
        return self.files.stages

    @cached_property
    def _docker_ignores(self) -> AppliedIgnores | None:
        return read_docker_ignores(self.files, self.dockerfile) if self.dockerfile else None

    @cached_property
    def _uploads(self) -> tuple[tuple[SourceUpload, AppliedIgnores], ...]:
        tree, context = self.files.tree, self.files.context
        uploads = find_source_uploads(tree, context, has_dockerfile=bool(self.dockerfile))
        return tuple((upload, read_upload_ignores(tree, upload.folder)) for upload in uploads)

    def _judge(self, path: str) -> FilePresence:
        if self.files.tree.blob(path) is None:
            return self._judge_missing_file(path)
        line, doubt = self._find_ignoring_line(path)
        if doubt:
            return _build_unknown(doubt)
        if line is not None:
            return self._confirm_absence(path, self._describe_ignored(path, line))
        image_paths = self.files.image_paths(path)
        if image_paths:
            return self._judge_copied(path, image_paths)
        return self._judge_uncopied(path) if self._is_in_context(path) else self._judge_outside_context(path)

    def _judge_copied(self, path: str, image_paths: tuple[str, ...]) -> FilePresence:
        if touching := find_touching(self._stages[-1].opaque, image_paths):
            return _build_unknown(f"{self._quote(touching)} may change what the image has of {path}")
        kept = tuple(at for at in image_paths if self._find_origin(at) == path and self._is_folder(at, path))
        if not kept:
            return _build_unknown(f"another file of the repository is copied over {path}")
        return FilePresence(Presence.PRESENT, f"{path} is {kept[0]} in the image", image_paths=kept)

    def _find_origin(self, image_path: str) -> str | None:
        """The file of the repository that is at an image path, as far as copies show."""
        return self.files.find_origin(image_path, self.is_left_out)

    def _is_folder(self, image_path: str, path: str) -> bool:
        """Whether a file can be at an image path: no other file is in the place of its folder."""
        folder = posixpath.dirname(image_path)
        return self._find_origin(folder) in {None, path} or self.files.is_folder(folder)

    def _judge_missing_file(self, path: str) -> FilePresence:
        if is_made_by_build(self.files.tree, self.dockerfile, path):
            return _build_unknown(f"{path} is not in the repository, and the build may make it")
        ignoring = self._find_git_line(path)
        sentence = f"{path} is not in the repository"
        if ignoring:
            sentence += f": {ignoring.path} line {ignoring.line} (`{ignoring.text}`) keeps it out of git"
        shown = ignoring or IgnoreLine("", 0, "")
        reason = AbsenceReason(AbsenceKind.NOT_IN_REPOSITORY, shown.path, shown.line, shown.text, sentence)
        return self._confirm_absence(path, reason)

    def _find_git_line(self, path: str) -> IgnoreLine | None:
        for folder in list_folders_above(path):
            name = posixpath.join(folder, ".gitignore")
            text = self.files.tree.read_text(name)
            line = AppliedIgnores(folder, parse_git_ignore(name, text)).find_line(path) if text else None
            if line:
                return line
        return None

    def _find_ignoring_line(self, path: str) -> tuple[IgnoreLine | None, str]:
        """The line that leaves a path out, and why it may not count; "" where it does."""
        docker = self._docker_ignores
        if docker and isinstance(docker.rules, DockerIgnore) and docker.rules.problem:
            return None, f"Docker does not read {_quote_line(docker.rules.problem)} as it is written"
        if docker and (line := docker.find_line(path)):
            return line, self._find_docker_doubt(docker, path, line)
        if docker and docker.is_disputed(path):
            return None, f"builders differ over what the ignore file says of {path}"
        for upload, ignores in self._uploads:
            if line := ignores.find_line(path):
                return line, self._find_upload_doubt(ignores, upload, path, line)
        return None, ""

    def _find_docker_doubt(self, ignores: AppliedIgnores, path: str, line: IgnoreLine) -> str:
        if ignores.is_disputed(path):
            return f"builders differ over {_quote_line(line)} and {path}"
        return self._find_running_doubt(ignores, line)

    def _find_upload_doubt(self, ignores: AppliedIgnores, upload: SourceUpload, path: str, line: IgnoreLine) -> str:
        if not upload.is_certain:
            return f"{_quote_line(line)} leaves {path} out where gcloud uploads the sources, which is not known"
        return self._find_running_doubt(ignores, line)

    def _find_running_doubt(self, ignores: AppliedIgnores, line: IgnoreLine) -> str:
        """A file that ran was in the image: no build that leaves it out can have made that image."""
        running = next((path for path in self._running if ignores.find_line(path)), "")
        return f"{line.path or 'gcloud'} would leave {running} out, too, which ran" if running else ""

    def _is_in_context(self, path: str) -> bool:
        context = self.files.context
        return not context or path.startswith(f"{context}/")

    def _judge_outside_context(self, path: str) -> FilePresence:
        sentence = f"{path} is in the repository, and outside of {self.files.context}, from which the image is built"
        if not self._is_context_known():
            return _build_unknown(
                f"{path} is outside of {self.files.context}, and the image may be built from another folder"
            )
        reason = AbsenceReason(AbsenceKind.OUTSIDE_CONTEXT, self.dockerfile, 0, self.files.context, sentence)
        return self._confirm_absence(path, reason)

    def _is_context_known(self) -> bool:
        """Whether a file that ran is in the image as built from here, or a build says so."""
        return self.files.is_context_known or any(self.files.image_paths(path) for path in self._running)

    def _judge_uncopied(self, path: str) -> FilePresence:
        for index, stage in enumerate(self._stages[:-1]):
            image_paths = self.files.image_paths_in_stage(index, path)
            addresses = [find_address_in_stage(index, image_path) for image_path in image_paths]
            if any(_is_below(address, root) for address in addresses for root in self._installed_roots):
                return _build_unknown(f"{path} is in a project that an earlier stage installs")
            if moving := find_touching(stage.opaque, image_paths):
                return _build_unknown(f"{path} is in an earlier stage, where {self._quote(moving)} may move it")
        if any(copy.excluded for stage in self._stages for copy in stage.copies):
            return _build_unknown(f"no instruction copies {path}, but one excludes files by patterns")
        line = max((copy.line for copy in self._stages[-1].copies), default=0)
        sentence = f"{path} is in the repository, and no instruction of {self.dockerfile or 'the build'} copies it"
        return self._confirm_absence(path, AbsenceReason(AbsenceKind.NOT_COPIED, self.dockerfile, line, "", sentence))

    @cached_property
    def _installed_roots(self) -> tuple[str, ...]:
        """The folders of projects that the build installs."""
        installs = list_project_installs(self._stages)
        roots = find_installed_projects(self.files, _NOWHERE, installs).roots if installs else ()
        return tuple(root for root in roots if not root.startswith(_NOWHERE))

    def _confirm_absence(self, path: str, reason: AbsenceReason) -> FilePresence:
        """Absent, unless the base image or a command of the build may bring such a file."""
        stage = self._stages[-1]
        if self.dockerfile and not is_plain_image(stage.image):
            return _build_unknown(f"{reason.sentence}, but the base image {stage.image or 'of the build'} may have it")
        folders = [posixpath.dirname(at) for at in self.files.image_paths(path)] or self._list_code_folders()
        bringing = find_bringing(stage.opaque, folders, posixpath.basename(path))
        if bringing:
            return _build_unknown(f"{reason.sentence}, but {self._quote(bringing)} may bring it")
        return FilePresence(Presence.ABSENT, reason.sentence, reason)

    def _list_code_folders(self) -> list[str]:
        """Where code of the image is, for a file of which no copy shows where it would be."""
        stage = self._stages[-1]
        folders = (stage.workdir, *(copy.target for copy in stage.copies), *self._installed_roots)
        return [folder for folder in dict.fromkeys(folders) if folder != "/"]

    def _describe_ignored(self, path: str, line: IgnoreLine) -> AbsenceReason:
        is_docker = line.path.endswith(".dockerignore")
        kind = AbsenceKind.IGNORED if is_docker else AbsenceKind.NOT_UPLOADED
        where = "out of the image" if is_docker else "out of what gcloud uploads"
        sentence = f"{path} is in the repository, and {_quote_line(line)} keeps it {where}"
        return AbsenceReason(kind, line.path, line.line, line.text, sentence)

    def _quote(self, instruction: OpaqueInstruction) -> str:
        return f"{self.dockerfile} line {instruction.line}"


def _quote_line(line: IgnoreLine) -> str:
    return f"{line.path} line {line.line} (`{line.text}`)" if line.path else f"gcloud's default (`{line.text}`)"


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def is_plain_image(image: str) -> bool:
    """Whether an image holds no service's own code."""
    name = image.partition("@")[0].rpartition(":")[0] or image.partition("@")[0]
    parts = name.split("/")
    if len(parts) > 1 and ("." in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    shown = "/".join(parts).removeprefix("library/")
    return shown in _PLAIN_IMAGES or shown.startswith("distroless/")


def _build_unknown(reason: str) -> FilePresence:
    return FilePresence(Presence.UNKNOWN, reason)
