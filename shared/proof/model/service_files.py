"""Which files of a tree belong to the service: its source roots, else the repository less what is left out."""

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache

from pathspec import GitIgnoreSpec

IGNORE_FILES = (".dockerignore", ".gcloudignore")
_TEST_FOLDERS = frozenset({"test", "tests", "testing"})


def is_test_file(path: str) -> bool:
    """Whether a path is a test by the conventions of pytest and unittest."""
    *folders, name = path.split("/")
    return (
        not _TEST_FOLDERS.isdisjoint(folders)
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
    )


def select_ignore_files(tree_paths: Collection[str]) -> list[str]:
    """The ignore files of a tree that a build reads: those at the top, and those beside a Dockerfile."""
    ignore_files = [
        path for path in tree_paths if path.endswith(IGNORE_FILES) and path.rpartition("/")[2] in IGNORE_FILES
    ]
    return [path for path in ignore_files if not get_folder(path) or f"{get_folder(path)}/Dockerfile" in tree_paths]


def build_service_filter(
    ignore_files: Mapping[str, str], running_path: str, source_roots: Sequence[str] = ()
) -> Callable[[str], bool]:
    """Whether a path is a Python file of the service; each path is judged once, however often it is asked.

    `ignore_files` maps the path of each ignore file that counts to its text. Each counts for what lies beside and below
    it, unless it leaves out `running_path`: that file is known to run, so no build reads such an ignore file.
    `source_roots` are folders (or files) as configured; where there are any, they alone decide.
    """
    roots = tuple(posixpath.normpath(root).strip("/") for root in source_roots)
    is_left_out = build_ignore_filter(ignore_files, [running_path])

    @cache
    def belongs(path: str) -> bool:
        if not path.endswith(".py") or "{{" in path:  # `{{…}}`: a template's name
            return False
        if roots:
            return any(_is_within(path, root) for root in roots)
        return not is_test_file(path) and not is_left_out(path)

    return belongs


def build_ignore_filter(ignore_files: Mapping[str, str], running_paths: Collection[str]) -> Callable[[str], bool]:
    """Whether ignore files leave a path out; one that leaves out what is known to run is not used."""
    specs = [(get_folder(name), _parse_ignore_file(name, text)) for name, text in sorted(ignore_files.items())]
    counting = [spec for spec in specs if not any(_is_ignored(path, *spec) for path in running_paths)]
    return lambda path: any(_is_ignored(path, *spec) for spec in counting)


def get_folder(path: str) -> str:
    """The folder that holds a path; "" at the top."""
    return path.rpartition("/")[0]


def _is_within(path: str, root: str) -> bool:
    return root in {"", "."} or path == root or path.startswith(root + "/")


def _is_ignored(path: str, folder: str, spec: GitIgnoreSpec) -> bool:
    return _is_within(path, folder) and spec.match_file(path[len(folder) + 1 if folder else 0 :])


def _parse_ignore_file(name: str, text: str) -> GitIgnoreSpec:
    lines = text.splitlines()
    if name.endswith(".dockerignore"):
        lines = [_anchor_pattern(line) for line in lines]
    return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:  # what git itself would pass over, such as a lone `!`
        return False
    return True


def _anchor_pattern(line: str) -> str:
    """A .dockerignore pattern as a gitignore pattern: Docker matches every pattern from the context's root."""
    pattern = line.strip()
    if not pattern or pattern.startswith("#"):
        return ""
    negation = "!" if pattern.startswith("!") else ""
    bare = pattern.removeprefix("!").strip().removeprefix("./").lstrip("/").rstrip("/")
    return f"{negation}/{bare}" if bare not in {"", "."} else ""
