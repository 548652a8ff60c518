"""What the manifests of a project declare: requirements files with their includes, project tables, lock files.

Takes repository paths. Returns requirements; `gaps` names what could not be read and may install more.

From a lock file of uv, Poetry or Pipenv it takes the direct dependencies, and goes along what each locked package
needs. What an extra, a group or a marker decides counts as possible.
"""

import ast
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from shared.proof.claims.packages.requirement_lines import Requirement, evaluate_marker, parse_requirement
from shared.proof.claims.source.python_source import parse_source, walk_nodes
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.module_providers import normalise_name
from shared.text.toml import parse_toml

_NEEDED_FIRST = {True: 0, None: 1, False: 2}


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """`needs`: (name, marker) of what it depends on; the marker is "?" where an extra or a table decides."""

    name: str
    needs: tuple[tuple[str, str], ...] = ()
    project_folder: str = ""
    """For a project of the repository: its folder, seen from the lock file."""
    section: str = ""
    """Pipenv's: "default" or "develop"."""
    marker: str = ""


@lru_cache(maxsize=16)
def read_packages(source: bytes, is_pipenv: bool) -> tuple[LockedPackage, ...] | None:  # noqa: FBT001  # a cache's key
    """The packages of a lock file; None where it cannot be read."""
    text = source.decode("utf-8", "replace")
    try:
        locked = json.loads(text) if is_pipenv else parse_toml(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(locked, Mapping):
        return None
    return tuple(_list_pipenv(locked) if is_pipenv else _list_packages(locked))


def list_locked(
    packages: Sequence[LockedPackage], direct: Sequence[Requirement], words: Sequence[str], python: str
) -> list[Requirement]:
    """The requirements; `words` are those of the command that installs."""
    sections = {"default", "develop"} if "--dev" in words else {"default"}
    if any(package.section for package in packages):
        chosen = [package for package in packages if package.section in sections]
        return [Requirement(package.name, is_needed=evaluate_marker(package.marker, python)) for package in chosen]
    needs = {package.name: _list_needs(package, python) for package in packages}
    waiting = [requirement for requirement in direct if requirement.is_needed is not False]
    for project in _choose_projects(packages, words):
        waiting += needs[project]
    result: dict[str, Requirement] = {}
    while waiting:
        waiting.sort(key=lambda requirement: _NEEDED_FIRST[requirement.is_needed])
        requirement = waiting.pop(0)
        known = result.get(requirement.name)
        if known is not None and (known.is_needed or not requirement.is_needed):
            continue
        result[requirement.name] = requirement
        for needed in needs.get(requirement.name, ()):
            if needed.is_needed is not False:
                is_needed = True if requirement.is_needed and needed.is_needed else None
                waiting.append(replace(needed, is_needed=is_needed))
    others = (Requirement(name, is_needed=None) for name in needs if name not in result)
    return [*result.values(), *others]


def _choose_projects(packages: Sequence[LockedPackage], words: Sequence[str]) -> list[str]:
    """The projects of a workspace that a command installs: the one that it names, all of them, or the root."""
    projects = {package.name: package.project_folder for package in packages if package.project_folder}
    if "--all-packages" in words:
        return list(projects)
    if "--package" in words[:-1]:
        return [name for name in projects if name == normalise_name(words[list(words).index("--package") + 1])]
    return [name for name, folder in projects.items() if folder == "."]


def _list_pipenv(locked: Mapping[str, object]) -> Iterator[LockedPackage]:
    for section in ("default", "develop"):
        packages = locked.get(section)
        for name, details in packages.items() if isinstance(packages, Mapping) else ():
            marker = str(details.get("markers", "")) if isinstance(details, Mapping) else ""
            yield LockedPackage(normalise_name(str(name)), section=section, marker=marker)


def _list_packages(locked: Mapping[str, object]) -> Iterator[LockedPackage]:
    packages = locked.get("package")
    for package in packages if isinstance(packages, list) else ():
        if isinstance(package, Mapping) and isinstance(package.get("name"), str):
            source = package.get("source")
            folders = [source.get(key) for key in ("editable", "virtual")] if isinstance(source, Mapping) else []
            folder = next((str(folder) for folder in folders if folder), "")
            yield LockedPackage(normalise_name(str(package["name"])), tuple(_read_needs(package)), folder)


def _read_needs(package: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The dependencies of a locked package: a table by name (Poetry), or a list of tables or texts (uv, PDM)."""
    needs = package.get("dependencies")
    for name, details in needs.items() if isinstance(needs, Mapping) else ():
        yield str(name), "" if isinstance(details, str) else "?"
    for entry in needs if isinstance(needs, list) else ():
        if isinstance(entry, str):
            name, _, marker = entry.partition(";")
            yield name, marker
        elif isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            yield str(entry["name"]), str(entry.get("marker", ""))


def _list_needs(package: LockedPackage, python: str) -> list[Requirement]:
    parsed = ((parse_requirement(name, python), evaluate_marker(marker, python)) for name, marker in package.needs)
    return [replace(requirement, is_needed=is_needed) for requirement, is_needed in parsed if requirement is not None]


_MAX_FILES = 40
_MAX_LOCK_BYTES = 8 << 20
_HASHED = re.compile(r"^[^#\n]{0,400}--hash[= ]", re.MULTILINE)
_NOT_PACKAGES = frozenset(("python",))


@dataclass(slots=True)
class ManifestReader:
    """Reads the files of one commit for the Python of its image."""

    tree: RecordingTree
    python: str
    gaps: list[str] = field(default_factory=list)
    hashed_count: int = 0
    """Requirements files with a hash: pip then wants one of everything that it installs."""

    def read_requirements(self, path: str) -> Iterator[tuple[str, list[Requirement]]]:
        """Each requirements file that one leads to, with what it declares; constraints install nothing."""
        waiting, seen = [path], {path}
        for current in waiting:
            requirements: list[Requirement] = []
            text = self.tree.read_text(current)
            self.hashed_count += _HASHED.search(text) is not None
            for line in _join_lines(text):
                option, _, value = line.partition(" ") if " " in line else line.partition("=")
                if option in {"-r", "--requirement"}:
                    included = posixpath.normpath(posixpath.join(posixpath.dirname(current), value.strip()))
                    if included not in seen and len(seen) < _MAX_FILES:
                        seen.add(included)
                        waiting.append(included)
                elif option in {"-e", "--editable"} or line.startswith((".", "file:")):
                    requirements += self._read_local(posixpath.dirname(current), value or line)
                elif not line.startswith("-"):
                    requirements += self._parse(line)
            yield current, requirements

    def read_project(self, folder: str, extras: Sequence[str]) -> tuple[str, list[Requirement]]:
        """The dependencies of the project in a folder, with those of its extras."""
        path = posixpath.join(folder, "pyproject.toml")
        text = self.tree.read_text(path)
        table = self._parse_table(path, text)
        declared = [*_get_list(table, "project", "dependencies")]
        for extra in extras:
            declared += _get_list(table, "project", "optional-dependencies", extra.strip())
        requirements = [requirement for text in declared for requirement in self._parse(text)]
        requirements += _list_poetry_dependencies(table)
        for file in _get_list(table, "tool", "setuptools", "dynamic", "dependencies", "file"):
            for _, inner in self.read_requirements(posixpath.join(folder, file)):
                requirements += inner
        if not text or "dependencies" in _get_list(table, "project", "dynamic"):
            requirements += self._read_setup(folder)
        return path if text else posixpath.join(folder, "setup.py"), requirements

    def read_lock(self, path: str, words: Sequence[str]) -> list[Requirement] | None:
        """What installing from a lock file brings; None where there is none, or it cannot be read."""
        text = self.tree.read(path)
        if text is None:
            return None
        packages = read_packages(text[:_MAX_LOCK_BYTES], path.endswith("Pipfile.lock"))
        if packages is None:
            self.gaps.append(f"{path} cannot be read")
            return None
        _, direct = self.read_project(posixpath.dirname(path), ())
        return list_locked(packages, direct, words, self.python)

    def _read_local(self, folder: str, target: str) -> list[Requirement]:
        """A project of the repository among the requirements; an address is none."""
        if "://" in target and "#egg=" in target:
            return self._parse(target.partition("#egg=")[2])
        bare, _, extras = target.strip().removeprefix("file:").partition("[")
        project = posixpath.normpath(posixpath.join(folder, bare))
        return self.read_project("" if project == "." else project, extras.rstrip("]").split(",") if extras else ())[1]

    def _parse(self, line: str) -> list[Requirement]:
        text = line.partition(" @ ")[0] if " @ " in line else line
        requirement = parse_requirement(text, self.python)
        if requirement is None:
            self.gaps.append(f"{line[:80]!r} may install more")
        return [requirement] if requirement is not None else []

    def _parse_table(self, path: str, text: str) -> Mapping[str, object]:
        try:
            return parse_toml(text)
        except ValueError:
            self.gaps.append(f"{path} cannot be read")
            return {}

    def _read_setup(self, folder: str) -> list[Requirement]:
        """The `install_requires` of a `setup.py`, where it is a plain list."""
        tree = parse_source(self.tree.read(posixpath.join(folder, "setup.py")) or b"")
        for node in walk_nodes(tree) if tree is not None else ():
            if isinstance(node, ast.keyword) and node.arg == "install_requires" and isinstance(node.value, ast.List):
                texts = [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
                return [requirement for text in texts if isinstance(text, str) for requirement in self._parse(text)]
        self.gaps.append("the project's own dependencies are not plain")
        return []


def _join_lines(text: str) -> Iterator[str]:
    """The lines of a requirements file without comments and options; a backslash joins two."""
    for raw in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        line = raw.strip()
        line = "" if line.startswith("#") else line.partition(" #")[0].partition(" --")[0].strip()
        if line:
            yield line


def _get_list(table: Mapping[str, object], *keys: str) -> list[str]:
    """The texts of a list in nested tables."""
    value: object = table
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _list_poetry_dependencies(table: Mapping[str, object]) -> list[Requirement]:
    """Poetry's own table of dependencies; an optional one is installed with an extra alone."""
    value: object = table
    for key in ("tool", "poetry", "dependencies"):
        value = value.get(key) if isinstance(value, Mapping) else None
    requirements: list[Requirement] = []
    for name, details in value.items() if isinstance(value, Mapping) else ():
        requirement = Requirement(normalise_name(str(name)))
        is_limited = isinstance(details, list) or (
            isinstance(details, Mapping) and not {"optional", "markers", "python", "platform"}.isdisjoint(details)
        )
        if requirement.name not in _NOT_PACKAGES:
            requirements.append(replace(requirement, is_needed=None) if is_limited else requirement)
    return requirements
