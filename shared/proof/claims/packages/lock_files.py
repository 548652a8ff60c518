"""What installing from a lock file brings: from the direct dependencies along what each locked package needs.

Takes the parsed lock file of uv, Poetry or Pipenv, and the direct dependencies. What an extra, a group or a marker
decides counts as possible.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from shared.proof.claims.packages.requirement_lines import Requirement, evaluate_marker, parse_requirement
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
