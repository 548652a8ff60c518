"""Which file of a tree a logged path means, and which files of a tree belong to the service.

A path from a log is compared with names, never opened.
"""

import posixpath
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from shared.proof.model.ignore_rules import IgnoreLine, IgnoreRules, parse_docker_ignore, parse_gcloud_ignore

_MAX_COMPONENTS = 64
"""Path components compared; a logged path may be as long as its writer likes."""


def split_logged_path(logged_path: str) -> tuple[str, ...]:
    """The last components of a logged path, without `.`, `..` and the root."""
    cut = logged_path.replace("\\", "/")[-4096:]
    parts = posixpath.normpath(cut).split("/")
    return tuple(part for part in parts if part not in ("", ".", ".."))[-_MAX_COMPONENTS:]


def match_logged_path(logged_path: str, tree_paths: Iterable[str]) -> Sequence[tuple[str, ...]]:
    """The paths of `tree` with the logged file name, in tiers: those that share most of the logged path come first.

    `/app/chat/run.py` puts `backend/chat/run.py` before `run.py`: what a Dockerfile copies where is not known, the
    common tail is. Within a tier only the contents decide.
    """
    logged_parts = split_logged_path(logged_path)
    if not logged_parts:
        return ()
    tiers: dict[int, list[str]] = {}
    for path in tree_paths:
        if path.endswith(logged_parts[-1]) and (parts := path.split("/"))[-1] == logged_parts[-1]:
            tiers.setdefault(_count_common_tail(logged_parts, parts), []).append(path)
    return tuple(tuple(sorted(tiers[depth])) for depth in sorted(tiers, reverse=True))


def count_common_tail(logged_path: str, path: str) -> int:
    """How many components a path shares with the end of a logged one."""
    return _count_common_tail(split_logged_path(logged_path), path.split("/"))


def _count_common_tail(logged_parts: Sequence[str], parts: Sequence[str]) -> int:
    pairs = zip(reversed(logged_parts), reversed(parts), strict=False)
    return next(
        (depth for depth, (left, right) in enumerate(pairs) if left != right), min(len(logged_parts), len(parts))
    )


_PYTHON_SUFFIXES = (".py", ".pyw")


def is_python_name(path: str) -> bool:
    """Whether a path has a name by which Python imports a source."""
    return path.endswith(_PYTHON_SUFFIXES)


def can_be_loaded_like(path: str, other: str) -> bool:
    """Whether whatever loads `other` could load `path`: by an import, or as a script of the same kind of name."""
    return is_python_name(path) or _get_suffix(path) == _get_suffix(other)


def has_other_interpreter(content: bytes) -> bool:
    """Whether the first line hands the file to another interpreter than Python."""
    first = content[:256].split(b"\n", 1)[0]
    return first.startswith(b"#!") and b"python" not in first.lower() and b"pypy" not in first.lower()


def _get_suffix(path: str) -> str:
    name = path.rpartition("/")[2].lstrip(".")
    return name.rpartition(".")[2] if "." in name else ""


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

    `ignore_files` maps the path of each ignore file that counts to its text. Each counts for what is beside and below
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
    rules = [(get_folder(name), _parse_ignore_file(name, text)) for name, text in sorted(ignore_files.items())]
    counting = [rule for rule in rules if not any(find_ignore_line(path, *rule) for path in running_paths)]
    return lambda path: any(find_ignore_line(path, *rule) for rule in counting)


def find_ignore_line(path: str, folder: str, rules: IgnoreRules) -> IgnoreLine | None:
    """The line that leaves a path out, of rules that count for what is below a folder."""
    return rules.find_line(path[len(folder) + 1 if folder else 0 :]) if _is_within(path, folder) else None


@dataclass(frozen=True, slots=True)
class AppliedIgnores:
    """The rules of one ignore file, and the folder below which they count."""

    folder: str
    rules: IgnoreRules

    def find_line(self, path: str) -> IgnoreLine | None:
        """The line that leaves a path of the repository out."""
        return find_ignore_line(path, self.folder, self.rules)

    def is_disputed(self, path: str) -> bool:
        """Whether builders differ over a path."""
        return self.rules.is_disputed(path[len(self.folder) + 1 if self.folder else 0 :])


def get_folder(path: str) -> str:
    """The folder that holds a path; "" at the top."""
    return path.rpartition("/")[0]


def _is_within(path: str, root: str) -> bool:
    return root in {"", "."} or path == root or path.startswith(root + "/")


@lru_cache(maxsize=64)  # the same few texts are read for every file that may be left out
def _parse_ignore_file(name: str, text: str) -> IgnoreRules:
    if name.endswith(".dockerignore"):
        return parse_docker_ignore(name, text)
    return parse_gcloud_ignore(name, text, lambda _: "")
