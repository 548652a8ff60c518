"""Finds the Dockerfiles of a commit, and tells by their names which are of images that are deployed.

Takes a tree and a file near which they are looked for. Returns paths of the repository.
"""

import posixpath
import re

from shared.proof.loading.commit_tree import RecordingTree, is_image_file

MAX_FOLDERS = 300
MAX_DEPTH = 4
_SKIPPED_FOLDERS = frozenset(
    {"node_modules", "site-packages", "venv", "vendor", "third_party", "testdata", "fixtures", "docs"}
)
_NOT_DEPLOYED = re.compile(
    r"(?:^|[.\-_/])(?:dev|devel|development|test|tests|testing|local|ci|docs|devcontainer|base|legacy|old|bench|benchmarks?|examples?"
    r"|bak|orig|backups|archived?|deprecated|obsolete|disabled|backup[_-]?docker\w*|docker\w*[_-]backup)(?:[.\-_/]|$)"
    r"|dockerfile[.\-_]backup",
    re.I,
)


def is_deployed_dockerfile(path: str) -> bool:
    """Whether a Dockerfile's name is that of an image that is deployed: `Dockerfile.dev` is not."""
    return not _NOT_DEPLOYED.search(path)


def list_folders_above(path: str) -> list[str]:
    """The folders that hold a path, the nearest first; the top is ""."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]


def find_dockerfiles(tree: RecordingTree, failing_path: str) -> set[str]:
    """The Dockerfiles above the failing file, and of the first levels of the tree; a bounded number of folders."""
    dockerfiles: set[str] = set()
    queue = [(folder, MAX_DEPTH) for folder in list_folders_above(failing_path)[:-1]] + [("", 0)]
    seen: set[str] = set()
    while queue and len(seen) < MAX_FOLDERS:
        folder, depth = queue.pop(0)
        if folder in seen:
            continue
        seen.add(folder)
        for name, kind in (tree.list_unrecorded(folder) or {}).items():
            if kind == "file" and _is_dockerfile(name):
                dockerfiles.add(posixpath.join(folder, name))
            elif kind == "folder" and depth < MAX_DEPTH and name not in _SKIPPED_FOLDERS:
                queue.append((posixpath.join(folder, name), depth + 1))
    return dockerfiles


def _is_dockerfile(name: str) -> bool:
    name = name.lower()
    if "file" not in name:  # asked of every file of the first levels
        return False
    return is_image_file(name) and name != "procfile" and not name.endswith((".dockerignore", ".md", ".sh", ".py"))
