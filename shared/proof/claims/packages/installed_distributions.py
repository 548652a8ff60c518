"""Which distributions an image installs, as its Dockerfile and the manifests that it names declare them.

Takes a layout of the image. Returns their names with the file that declares them, and why there may be more: what a
declared one depends on is known from a lock file alone.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared.proof.claims.importing.image_layout import ImageLayout
from shared.proof.claims.packages.distribution_modules import list_needed_distributions
from shared.proof.claims.packages.project_manifests import ManifestReader
from shared.proof.claims.packages.requirement_lines import Requirement, parse_requirement
from shared.proof.claims.packages.unread_commands import list_unread_commands
from shared.proof.declared.dockerfile_python import parse_instructions
from shared.proof.loading.image_files import find_address_in_stage
from shared.proof.loading.images import list_project_installs
from shared.proof.loading.shell import split_commands

_STAGE = re.compile(r"/@(\d{1,3})/")
_PIP_VALUES = frozenset((
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--prefix", "--root",
    "--platform", "--python-version", "--implementation", "--abi", "--python", "--cache-dir", "--trusted-host",
    "--timeout", "--retries", "--proxy", "-c", "--constraint", "--progress-bar", "--upgrade-strategy", "--src",
))  # fmt: skip
_PLAIN_IMAGE = re.compile(r"(?:docker\.io/)?(?:library/)?python:")
_MOUNT = re.compile(r"--mount=(\S+)")
_NOT_LOCKED = "what these depend on is not locked"


@dataclass(slots=True)
class InstalledDistributions:
    """`certain` and `possible`: normalised name to the file that declares it. `gaps`: why there may be more."""

    certain: dict[str, str] = field(default_factory=dict)
    possible: dict[str, str] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    def add(self, requirements: Sequence[Requirement], path: str, *, brings_needs: bool = True) -> None:
        """Requirements that a file, or the Dockerfile itself, declares; with what each of them needs, or alone."""
        for requirement in requirements:
            if requirement.is_needed is not False:
                target = self.certain if requirement.is_needed else self.possible
                brought = list_needed_distributions(requirement.name, requirement.extras) if brings_needs else ()
                for name in (requirement.name, *brought):
                    target.setdefault(name, path)


def read_installed(layout: ImageLayout, python: str) -> InstalledDistributions:
    """What the build of an image installs; what a buildpack does, where there is no Dockerfile."""
    installed = InstalledDistributions()
    reader = _InstallReader(layout, python, installed)
    if not layout.dockerfile:
        reader.read_buildpack()
        return installed
    installed.gaps += _list_base_images(layout)
    used = _list_used_stages(layout)
    installed.gaps += list_unread_commands([layout.files.stages[index] for index in sorted(used)])
    for workdir, command in list_project_installs(layout.files.stages):
        stage = _STAGE.match(workdir)
        if stage is None or int(stage[1]) in used:
            reader.read_command(workdir, command)
    return installed


def _list_base_images(layout: ImageLayout) -> list[str]:
    """The images that a Dockerfile builds on and that may have packages of their own."""
    instructions = parse_instructions(layout.files.tree.read_text(layout.dockerfile))
    named = {stage.name for stage in layout.files.stages if stage.name}
    words = [
        [part for part in rest.split() if not part.startswith("--")] for _, word, rest in instructions if word == "FROM"
    ]
    images = [parts[0] for parts in words if parts and parts[0] not in named]
    return [f"{image} may have packages of its own" for image in images if not _PLAIN_IMAGE.match(image)]


def _list_used_stages(layout: ImageLayout) -> set[int]:
    """The last stage, and the earlier ones out of which files reach the image."""
    stages = layout.files.stages
    used = {len(stages) - 1}
    waiting = [len(stages) - 1]
    while waiting:
        copied = {copy.stage for copy in stages[waiting.pop()].copies if copy.stage is not None} - used
        used |= copied
        waiting += copied
    return used


class _InstallReader:
    def __init__(self, layout: ImageLayout, python: str, installed: InstalledDistributions) -> None:
        self._layout = layout
        self._files = layout.files
        self._python = python
        self._installed = installed
        self._manifests = ManifestReader(layout.files.tree, python)
        self._brings_needs = True
        """Whether the command that is read installs what the named distributions need."""

    def read_buildpack(self) -> None:
        folder = self._layout.project_folder
        context = self._files.context if folder is None else folder
        requirements = posixpath.join(context, "requirements.txt")
        if self._files.tree.blob(requirements) is not None:
            self._read_requirements(requirements)
            self._installed.gaps.append(_NOT_LOCKED)
        elif not self._read_lock(context, ("uv.lock", "poetry.lock", "Pipfile.lock"), ()):
            self._read_project(context, ())

    def read_command(self, workdir: str, command: str) -> None:
        mounts = dict(self._list_mounts(workdir, command))
        for words in split_commands(_MOUNT.sub("", command), {}):
            name, rest = posixpath.basename(words[0]), list(words[1:])
            if name.startswith("python") and rest[:1] == ["-m"] and len(rest) > 1:
                name, rest = rest[1], rest[2:]
            is_uv = name == "uv" and rest[:1] == ["pip"]
            if is_uv:
                name, rest = "pip", rest[1:]
            action = next((word for word in rest if not word.startswith("-")), "")
            rest = rest[rest.index(action) + 1 :] if action else rest
            if name == "pip-sync":
                self._read_pip(workdir, "sync", words[1:] or ("requirements.txt",), mounts, is_uv=True)
            elif re.fullmatch(r"pip[\d.]*", name):
                self._read_pip(workdir, action, rest, mounts, is_uv=is_uv)
            elif (name, action) in {("uv", "sync"), ("poetry", "install"), ("pipenv", "install"), ("pipenv", "sync")}:
                self._read_tool(name, workdir, rest, mounts)
            elif name in {"pdm", "hatch", "conda", "mamba", "micromamba", "poetry", "pipenv", "apt", "apt-get", "apk"}:
                self._installed.gaps.append(f"{name} {action} may install more")

    def _list_mounts(self, workdir: str, command: str) -> Iterator[tuple[str, str]]:
        """Image paths of files that are lent to a command, with their paths in the repository."""
        for match in _MOUNT.finditer(command):
            options = dict(option.partition("=")[::2] for option in match[1].split(","))
            target = options.get("target") or options.get("dst") or options.get("destination")
            source = options.get("source") or options.get("src")
            if options.get("type") == "bind" and target and source:
                path = posixpath.normpath(posixpath.join(self._files.context, source))
                yield posixpath.normpath(posixpath.join(workdir, target)), path

    def _locate(self, workdir: str, path: str, mounts: dict[str, str]) -> str | None:
        image_path = posixpath.normpath(posixpath.join(workdir, path))
        stage = _STAGE.match(workdir)
        if stage is not None and path.startswith("/"):  # of that stage, as its working directory is
            return mounts.get(image_path) or self._files.locate(find_address_in_stage(int(stage[1]), path))
        return mounts.get(image_path) or self._files.locate(image_path)

    def _read_pip(
        self, workdir: str, action: str, words: Sequence[str], mounts: dict[str, str], *, is_uv: bool
    ) -> None:
        if action == "uninstall":
            self._read_removals(words)
        if action not in {"install", "sync"}:
            return
        self._brings_needs = action != "sync" and "--no-deps" not in words
        index, hashed = 0, self._manifests.hashed_count
        while index < len(words):
            word = words[index]
            option, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
            if option in {"-r", "--requirement", "-e", "--editable"} or option in _PIP_VALUES:
                value, index = (value, index) if equals else ("".join(words[index + 1 : index + 2]), index + 1)
            index += 1
            if option in {"-r", "--requirement"} or (action == "sync" and not option.startswith("-")):
                self._read_file(self._locate(workdir, value or option, mounts), value or option)
            elif option in {"-e", "--editable"}:
                self._read_target(workdir, value, mounts)
            elif not option.startswith("-"):
                self._read_target(workdir, word, mounts)
        is_hashed = self._manifests.hashed_count > hashed and not is_uv
        if self._brings_needs and not is_hashed and "--require-hashes" not in words:
            self._installed.gaps.append(_NOT_LOCKED)
        self._brings_needs = True

    def _read_removals(self, words: Sequence[str]) -> None:
        certain = self._installed.certain
        for word in words:
            requirement = parse_requirement(word, self._python)
            if requirement is not None and requirement.name in certain:
                self._installed.possible[requirement.name] = certain.pop(requirement.name)

    def _read_target(self, workdir: str, word: str, mounts: dict[str, str]) -> None:
        """A distribution, or the folder of a project."""
        requirement = parse_requirement(word, self._python)
        if requirement is not None and not word.startswith("."):
            self._installed.add([requirement], self._layout.dockerfile, brings_needs=self._brings_needs)
            return
        bare, _, extras = word.partition("[")
        project = self._locate(workdir, posixpath.join(bare, "pyproject.toml"), mounts)
        project = project or self._locate(workdir, posixpath.join(bare, "setup.py"), mounts)
        if project is None:
            self._installed.gaps.append(f"{word} is not in the tree")
        else:
            self._read_project(posixpath.dirname(project), extras.rstrip("]").split(",") if extras else ())

    def _read_file(self, path: str | None, name: str) -> None:
        if path is None:
            self._installed.gaps.append(f"{name} is not in the tree")
        elif path.endswith("pyproject.toml"):
            self._read_project(posixpath.dirname(path), ())
        else:
            self._read_requirements(path)

    def _read_requirements(self, path: str) -> None:
        for origin, requirements in self._manifests.read_requirements(path):
            self._installed.add(requirements, origin, brings_needs=self._brings_needs)
        self._installed.gaps += self._manifests.gaps

    def _read_project(self, folder: str, extras: Sequence[str]) -> None:
        path, requirements = self._manifests.read_project(folder, extras)
        if not self._brings_needs:
            requirements = [replace(requirement, is_needed=None) for requirement in requirements]
        self._installed.add(requirements, path)
        self._installed.gaps += self._manifests.gaps
        self._installed.gaps.append("what the project depends on is not locked")

    def _read_tool(self, tool: str, workdir: str, words: Sequence[str], mounts: dict[str, str]) -> None:
        """A tool that installs what the lock file of the working directory says."""
        lock = {"uv": "uv.lock", "poetry": "poetry.lock", "pipenv": "Pipfile.lock"}[tool]
        path = self._locate(workdir, lock, mounts) or self._locate(workdir, "pyproject.toml", mounts)
        if path is None:
            self._installed.gaps.append(f"{lock} is not in the tree")
        elif not self._read_lock(posixpath.dirname(path), (lock,), words):
            self._read_project(posixpath.dirname(path), ())

    def _read_lock(self, folder: str, names: Sequence[str], words: Sequence[str]) -> bool:
        for name in names:
            path = posixpath.join(folder, name)
            requirements = self._manifests.read_lock(path, words)
            if requirements is not None:
                self._installed.add(requirements, path)
                return True
        return False
