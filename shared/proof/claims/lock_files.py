"""What installing from a lock file brings: from the direct dependencies along what each locked package needs.

Takes the parsed lock file of uv, Poetry or Pipenv, and the direct dependencies. What an extra, a group or a marker
decides counts as possible.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.proof.claims.requirement_lines import Requirement, evaluate_marker, normalize_name, parse_requirement

_NEEDED_FIRST = {True: 0, None: 1, False: 2}


def list_locked(
    locked: Mapping[str, object], direct: Sequence[Requirement], words: Sequence[str], python: str
) -> list[Requirement]:
    """The requirements; `words` are those of the command that installs."""
    if "_meta" in locked:
        return list(_list_pipenv(locked, is_development="--dev" in words))
    needs = {name: list(_list_needs(package, python)) for name, package in _list_packages(locked)}
    result: dict[str, Requirement] = {}
    waiting = [requirement for requirement in direct if requirement.is_needed is not False]
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


def _list_pipenv(locked: Mapping[str, object], *, is_development: bool) -> Iterator[Requirement]:
    for section in ("default", *(["develop"] if is_development else [])):
        packages = locked.get(section)
        for name, details in packages.items() if isinstance(packages, Mapping) else ():
            is_limited = isinstance(details, Mapping) and "markers" in details
            yield Requirement(normalize_name(str(name)), is_needed=None if is_limited else True)


def _list_packages(locked: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    packages = locked.get("package")
    for package in packages if isinstance(packages, list) else ():
        if isinstance(package, Mapping) and isinstance(package.get("name"), str):
            yield normalize_name(str(package["name"])), package


def _list_needs(package: Mapping[str, object], python: str) -> Iterator[Requirement]:
    """The dependencies of a locked package: a table by name (Poetry), or a list of tables or texts (uv, PDM)."""
    needs = package.get("dependencies")
    for name, details in needs.items() if isinstance(needs, Mapping) else ():
        yield Requirement(normalize_name(str(name)), is_needed=True if isinstance(details, str) else None)
    for entry in needs if isinstance(needs, list) else ():
        if isinstance(entry, str) and (requirement := parse_requirement(entry, python)):
            yield requirement
        elif isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            marker = evaluate_marker(str(entry.get("marker", "")), python)
            yield Requirement(normalize_name(str(entry["name"])), is_needed=marker)
