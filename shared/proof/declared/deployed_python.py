"""Which Python a repository says that it is deployed on, and which of its files are worth reading for that.

Returns the version and the file and line that state it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from shared.proof.declared.ci_python import CiPythons, find_ci_pythons, is_ci_file
from shared.proof.declared.development_python import PythonFact, find_development_pythons, parse_version_file
from shared.proof.declared.dockerfile_python import find_dockerfile_python, is_python_certain

__all__ = [
    "CiPythons",
    "PythonFact",
    "find_ci_pythons",
    "find_deployed_fact",
    "find_deployed_python",
    "find_development_pythons",
    "is_declaring_file",
    "list_buildpack_files",
    "list_dockerfile_pythons",
    "select_declaring_files",
]

MAX_FILES = 200
_SKIPPED_FOLDERS = {"node_modules", "site-packages", ".venv", "venv", "vendor", "third_party", "testdata", "fixtures"}
_DECLARING_NAMES = {
    ".python-version",
    ".tool-versions",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "runtime.txt",
    "project.toml",
    "procfile",
    "pipfile",
    "ruff.toml",
    ".ruff.toml",
    "mypy.ini",
    "tox.ini",
    "noxfile.py",
    ".pre-commit-config.yaml",
}
_DOCKERFILE = re.compile(r"(?:dockerfile|containerfile)(?:[.-][\w.-]+)?|[\w.-]+\.(?:dockerfile|containerfile)", re.I)
_NOT_DEPLOYED = re.compile(
    r"(?:^|[.\-_/])(?:dev|devel|development|test|tests|local|ci|docs|devcontainer)(?:[.\-_/]|$)", re.I
)
_BUILDPACK_VERSION = re.compile(r"GOOGLE_(?:PYTHON|RUNTIME)_VERSION[^\d\n]{0,40}(?:\n[^\d\n#]{0,40})?(3\.\d{1,2})")


def select_declaring_files(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths of a tree that are worth reading here and for CI, near the root first; at most 200."""
    declaring = [path for path in paths if is_declaring_file(path)]
    declaring.sort(key=lambda path: (not is_ci_file(path), path.count("/"), path))
    return tuple(declaring[:MAX_FILES])


def find_deployed_python(files: Mapping[str, str], failing_path: str, dockerfile: str = "") -> tuple[str, str] | None:
    """Minor version and source, such as `("3.11", "Dockerfile: FROM python:3.11-slim")`, for the failing file."""
    fact = find_deployed_fact(files, failing_path, dockerfile)
    return (fact.version, f"{fact.path}: {fact.text}") if fact else None


def list_dockerfile_pythons(files: Mapping[str, str]) -> frozenset[str]:
    """The minor versions that the Dockerfiles among `files` name."""
    return frozenset(
        fact.version for path in files if _is_dockerfile(path) for fact in _find_dockerfile_fact(path, files[path])
    )


def find_deployed_fact(files: Mapping[str, str], failing_path: str, dockerfile: str = "") -> PythonFact | None:
    """The best of what `files` say about the deployed Python: Dockerfile, then buildpack, then `requires-python`.

    Of several Dockerfiles the one at `dockerfile` counts where it names a Python, else the nearest above the failing
    file; those elsewhere count only where the closest of them agree.
    """
    if dockerfile in files and _is_dockerfile(dockerfile):
        for fact in _find_dockerfile_fact(dockerfile, files[dockerfile]):
            return fact
    return (
        _find_in_dockerfiles(files, failing_path)
        or _find_in_buildpack(files, failing_path)
        or _find_in_requirement(files, failing_path)
    )


def is_declaring_file(path: str) -> bool:
    """Whether a file may say something about Python versions, images or checks; asked of every file of a tree."""
    known = _get_file_name(path) in _DECLARING_NAMES
    if not path.endswith(".py"):  # most files of a tree; no Dockerfile and no workflow is called so
        known = known or is_ci_file(path) or _is_dockerfile(path)
    return known and not _SKIPPED_FOLDERS.intersection(path.split("/")[:-1])


def _is_dockerfile(path: str) -> bool:
    return bool(_DOCKERFILE.fullmatch(_get_file_name(path))) and not path.endswith(
        (".dockerignore", ".md", ".sh", ".py")
    )


def _get_file_name(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _list_folders_above(failing_path: str) -> list[str]:
    """The directories above a path, deepest first, each ending in "/"; the root is ""."""
    parts = failing_path.split("/")[:-1]
    return ["".join(part + "/" for part in parts[:depth]) for depth in range(len(parts), -1, -1)]


def _find_in_dockerfiles(files: Mapping[str, str], failing_path: str) -> PythonFact | None:
    facts = [fact for path in files if _is_dockerfile(path) for fact in _find_dockerfile_fact(path, files[path])]
    facts.sort(key=lambda fact: (_rank_dockerfile(fact.path), fact.path))
    deployed = [fact for fact in facts if not _NOT_DEPLOYED.search(fact.path)] or facts
    for directory in _list_folders_above(failing_path):
        facts = [fact for fact in deployed if fact.path.rpartition("/")[0] == directory.rstrip("/")]
        if facts:
            return facts[0]
    for directory in _list_folders_above(failing_path):
        below = [fact for fact in deployed if fact.path.startswith(directory)]
        if below:
            return below[0] if len({fact.version for fact in below}) == 1 else None
    return None


def _rank_dockerfile(path: str) -> int:
    """`Dockerfile` before `Dockerfile.prod` before `Dockerfile.dev`."""
    if _NOT_DEPLOYED.search(_get_file_name(path)):
        return 2
    return 0 if _get_file_name(path) in {"dockerfile", "containerfile"} else 1


def _find_dockerfile_fact(path: str, text: str) -> Iterator[PythonFact]:
    dockerfile_python = find_dockerfile_python(text)
    if dockerfile_python:
        yield PythonFact(
            dockerfile_python.version,
            path,
            dockerfile_python.line,
            dockerfile_python.text,
            "dockerfile",
            is_certain=is_python_certain(text),
        )


_BUILDPACK_FILES = ("project.toml", "cloudbuild.yaml", "cloudbuild.yml", "Procfile")
_VERSION_FILES = (".python-version", "runtime.txt")


def list_buildpack_files(failing_path: str) -> tuple[str, ...]:
    """The files by which a buildpack may choose the Python of a file's service, nearest first."""
    folders = _list_folders_above(failing_path)
    return tuple(folder + name for folder in folders for name in (*_BUILDPACK_FILES, *_VERSION_FILES))


def _find_in_buildpack(files: Mapping[str, str], failing_path: str) -> PythonFact | None:
    for directory in _list_folders_above(failing_path):
        for name in _BUILDPACK_FILES:
            text = files.get(directory + name, "")
            match = _BUILDPACK_VERSION.search(text)
            if match:
                line = text.count("\n", 0, match.start(1)) + 1
                return PythonFact(match[1], directory + name, line, text.splitlines()[line - 1].strip(), "buildpack")
        for name in _VERSION_FILES:
            for fact in parse_version_file(directory + name, files.get(directory + name, "")):
                return fact
    return None


def _find_in_requirement(files: Mapping[str, str], failing_path: str) -> PythonFact | None:
    for directory in _list_folders_above(failing_path):
        texts = {name: text for name, text in files.items() if name.rpartition("/")[0] == directory.rstrip("/")}
        for fact in find_development_pythons(texts):
            if fact.kind == "requires-python":
                return fact
    return None
