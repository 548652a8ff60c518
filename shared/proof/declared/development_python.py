"""Finds the Python that a repository prescribes to developers and their tools.

Returns facts with path and line, fit to be quoted as evidence. A file that cannot be read is a fact too, with the
reason.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.proof.declared.python_versions import find_lower_bound, parse_minor_version, parse_target_version
from shared.text.toml import parse_toml

_MAX_LISTED = 20
"""Versions of one list; each is looked for in the file."""


@dataclass(frozen=True, slots=True)
class PythonFact:
    """One place that names a Python. `version` is "" where the file could not be read; `text` then says why."""

    version: str
    path: str
    line: int
    """Counts from 1."""
    text: str
    """The line as it is written there, or for a Dockerfile the instruction with its variables filled in."""
    kind: str
    """`dockerfile`, `buildpack`, `python-version`, `requires-python`, `target-version`, `pre-commit`, `unreadable`."""

    is_certain: bool = True
    """False for a Dockerfile whose image may run another Python than it names."""

    @property
    def is_of_image(self) -> bool:
        """Whether an image certainly runs it; a requirement leaves room for several versions."""
        return self.is_certain and self.kind in {"dockerfile", "buildpack", "python-version"}


def find_development_pythons(files: Mapping[str, str]) -> tuple[PythonFact, ...]:
    """The versions that developers and their tools are to use, near the root first."""
    facts: list[PythonFact] = []
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        name = path.rpartition("/")[2].lower()
        if name in {".python-version", ".tool-versions"}:
            facts += parse_version_file(path, files[path])
        elif name in {"pyproject.toml", "pipfile", "ruff.toml", ".ruff.toml"}:
            facts += _parse_toml_facts(path, files[path])
        elif name in {"setup.cfg", "setup.py", "mypy.ini"}:
            facts += _match_lines(path, files[path], "requires-python", r"python_requires\s*=\s*[\"']?([^\"'#]+)")
            facts += _match_lines(path, files[path], "target-version", r"python_version\s*=\s*[\"']?(3\.\d+)")
        elif name == ".pre-commit-config.yaml":
            facts += _match_lines(path, files[path], "pre-commit", r"python:\s*[\"']?(python3\.\d+)")
    return tuple(facts)


def parse_version_file(path: str, text: str) -> Iterator[PythonFact]:
    """The first version in a file that is made for it; `.tool-versions` says `python 3.12.1`, the others just it."""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        version = parse_minor_version(line.strip().removeprefix("python ").strip())
        if version:
            yield PythonFact(version, path, number, line.strip(), "python-version")
            return


def _match_lines(path: str, text: str, kind: str, pattern: str) -> Iterator[PythonFact]:
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*" + pattern, line)
        if match:
            version = find_lower_bound(match[1]) if kind == "requires-python" else parse_target_version(match[1])
            if version:
                yield PythonFact(version, path, number, line.strip(), kind)


def _parse_toml_facts(path: str, text: str) -> Iterator[PythonFact]:
    try:
        table = parse_toml(text)
    except ValueError as error:
        yield PythonFact("", path, 1, f"could not be read as TOML: {error}", "unreadable")
        return
    for kind, keys in _TOML_KEYS:
        value = _get_nested(table, keys)
        for single in value[:_MAX_LISTED] if isinstance(value, list) else [value]:
            version = None
            if isinstance(single, str):
                version = find_lower_bound(single) if kind == "requires-python" else parse_target_version(single)
            if version:
                number, line = _find_line(text, keys[-1], str(single))
                yield PythonFact(version, path, number, line, kind)


_TOML_KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("requires-python", ("project", "requires-python")),
    ("requires-python", ("tool", "poetry", "dependencies", "python")),
    ("requires-python", ("requires", "python_version")),
    ("requires-python", ("requires", "python_full_version")),
    ("target-version", ("tool", "ruff", "target-version")),
    ("target-version", ("target-version",)),
    ("target-version", ("tool", "black", "target-version")),
    ("target-version", ("tool", "mypy", "python_version")),
    ("target-version", ("tool", "pyright", "pythonVersion")),
)


def _get_nested(table: Any, keys: tuple[str, ...]) -> object:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    # poetry also writes `python = {version = "^3.11"}`
    return table.get("version") if isinstance(table, dict) else table


def _find_line(text: str, key: str, value: str) -> tuple[int, str]:
    """The line that carries key and value, else the value, else the first: TOML readers do not keep positions."""
    lines = text.splitlines()
    for words in ((key, value), (value,), (key,)):
        for number, line in enumerate(lines, 1):
            if all(part in line for part in words):
                return number, line.strip()
    return 1, lines[0].strip() if lines else ""
