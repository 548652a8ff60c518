"""Which Python a repository says that it is deployed on, and which of its files are worth reading for that.

In: the paths of a commit, then the texts of the wanted files by path. Out: the version and where it stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from shared.proof.declared.development import PythonFact, development_pythons, version_file
from shared.proof.declared.dockerfile import dockerfile_python
from shared.proof.declared.workflows import CiPythons, ci_pythons, is_ci

__all__ = [
    "CiPythons",
    "PythonFact",
    "ci_pythons",
    "deployed_fact",
    "deployed_python",
    "development_pythons",
    "dockerfile_versions",
    "wanted_files",
]

MOST_FILES = 200
_NOT_OURS = {"node_modules", "site-packages", ".venv", "venv", "vendor", "third_party", "testdata", "fixtures"}
_NAMES = {
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
_BUILDPACK = re.compile(r"GOOGLE_(?:PYTHON|RUNTIME)_VERSION[^\d\n]{0,40}(?:\n[^\d\n#]{0,40})?(3\.\d{1,2})")


def wanted_files(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths of a tree that are worth reading here and for CI, near the root first; at most 200."""
    wanted = [path for path in paths if _is_wanted(path)]
    wanted.sort(key=lambda path: (not is_ci(path), path.count("/"), path))
    return tuple(wanted[:MOST_FILES])


def deployed_python(files: Mapping[str, str], near: str, image: str = "") -> tuple[str, str] | None:
    """Minor version and source, such as `("3.11", "Dockerfile: FROM python:3.11-slim")`, for the file at `near`."""
    fact = deployed_fact(files, near, image)
    return (fact.version, f"{fact.path}: {fact.text}") if fact else None


def dockerfile_versions(files: Mapping[str, str]) -> frozenset[str]:
    """The minor versions that the Dockerfiles among `files` name."""
    return frozenset(
        fact.version for path in files if _is_dockerfile(path) for fact in _dockerfile_fact(path, files[path])
    )


def deployed_fact(files: Mapping[str, str], near: str, image: str = "") -> PythonFact | None:
    """The best of what `files` say about the deployed Python: Dockerfile, then buildpack, then `requires-python`.

    Of several Dockerfiles the one at `image` counts where it tells, else the nearest above `near`; those elsewhere only
    where the closest of them agree.
    """
    if image in files and _is_dockerfile(image):
        for fact in _dockerfile_fact(image, files[image]):
            return fact
    return _from_dockerfiles(files, near) or _from_buildpack(files, near) or _from_requirement(files, near)


def _is_wanted(path: str) -> bool:
    name = _name(path)
    known = name in _NAMES or is_ci(path) or _is_dockerfile(path)
    return bool(known) and not _NOT_OURS.intersection(path.split("/")[:-1])


def _is_dockerfile(path: str) -> bool:
    return bool(_DOCKERFILE.fullmatch(_name(path))) and not path.endswith((".dockerignore", ".md", ".sh", ".py"))


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _above(near: str) -> list[str]:
    """The directories of `near`, deepest first, each ending in "/"; the root is ""."""
    parts = near.split("/")[:-1]
    return ["".join(part + "/" for part in parts[:depth]) for depth in range(len(parts), -1, -1)]


def _from_dockerfiles(files: Mapping[str, str], near: str) -> PythonFact | None:
    facts = [fact for path in files if _is_dockerfile(path) for fact in _dockerfile_fact(path, files[path])]
    facts.sort(key=lambda fact: (_rank(fact.path), fact.path))
    deployed = [fact for fact in facts if not _NOT_DEPLOYED.search(fact.path)] or facts
    for directory in _above(near):
        here = [fact for fact in deployed if fact.path.rpartition("/")[0] == directory.rstrip("/")]
        if here:
            return here[0]
    for directory in _above(near):
        below = [fact for fact in deployed if fact.path.startswith(directory)]
        if below:
            return below[0] if len({fact.version for fact in below}) == 1 else None
    return None


def _rank(path: str) -> int:
    """`Dockerfile` before `Dockerfile.prod` before `Dockerfile.dev`."""
    if _NOT_DEPLOYED.search(_name(path)):
        return 2
    return 0 if _name(path) in {"dockerfile", "containerfile"} else 1


def _dockerfile_fact(path: str, text: str) -> Iterator[PythonFact]:
    told = dockerfile_python(text)
    if told:
        yield PythonFact(told.version, path, told.line, told.text, "dockerfile")


def _from_buildpack(files: Mapping[str, str], near: str) -> PythonFact | None:
    for directory in _above(near):
        for name in ("project.toml", "cloudbuild.yaml", "cloudbuild.yml", "Procfile"):
            text = files.get(directory + name, "")
            match = _BUILDPACK.search(text)
            if match:
                line = text.count("\n", 0, match.start(1)) + 1
                return PythonFact(match[1], directory + name, line, text.splitlines()[line - 1].strip(), "buildpack")
        for name in (".python-version", "runtime.txt"):
            for fact in version_file(directory + name, files.get(directory + name, "")):
                return fact
    return None


def _from_requirement(files: Mapping[str, str], near: str) -> PythonFact | None:
    for directory in _above(near):
        here = {name: text for name, text in files.items() if name.rpartition("/")[0] == directory.rstrip("/")}
        for fact in development_pythons(here):
            if fact.kind == "requires-python":
                return fact
    return None
