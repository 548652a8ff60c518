"""The ports of a proof: a repository's history, compilers, a log."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from shared.proof.model.checker_report import CheckerReport
from shared.proof.model.compilation import Compilation, Explanation, Source
from shared.proof.model.history import Branch, Commit, FileChange, FileVersion, Folder, TreeEntry


class History(Protocol):
    """The past of one repository. Nothing is ever written to it. Commits are full ids.

    Raises `shared.errors.UsageError` for a ref that does not exist, `shared.errors.InputError` for a repository that
    cannot be read.
    """

    def branch(self, name: str | None) -> Branch:
        """The deploy branch: `name`, else the remote's default branch, else HEAD."""

    def resolve(self, revision: str) -> Commit:
        """The commit that a ref, an abbreviation or an id names."""

    def file_versions(
        self, paths: Sequence[str], tips: Sequence[str], excluding: Sequence[str] = ()
    ) -> Sequence[FileVersion]:
        """The path-limited graph: commits reachable from `tips` and not from `excluding` where a path changed.

        Merges that join histories of the paths are kept; parents are rewritten to commits of the result (or left out).
        Children come before parents, newest first.
        """

    def commits(self, tip: str, base: str) -> Sequence[Commit]:
        """All commits reachable from `tip` and not from `base`, with their real parents, children before parents."""

    def blob_ids(self, locations: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The blob id for each (commit, path) at which there is a file; the others are left out."""

    def tree(self, commit: str) -> Mapping[str, TreeEntry]:
        """The regular files of a commit by path."""

    def root_tree(self, commit: str) -> str:
        """The id of a commit's top folder: equal where two commits hold the same files."""

    def folder(self, tree_id: str) -> Folder | None:
        """A folder by its id, without what is below its folders; None where this copy does not hold it."""

    def read(self, blob: str) -> bytes | None:
        """A blob's bytes; None where a partial clone does not hold it."""

    def diffstat(self, base: str, tip: str) -> Sequence[FileChange]:
        """The diffstat between two commits."""

    def paths_named(self, name: str, tips: Sequence[str]) -> Sequence[str]:
        """Every path with this file name that any commit reachable from `tips` ever touched."""

    def first_parents(self, tip: str, limit: int) -> Sequence[Commit]:
        """`tip` and its chain of first parents, newest first, at most `limit` commits, with their real parents."""

    def unmerged_heads(self, branch: Branch, containing: str | None) -> Sequence[Branch]:
        """Heads that contain a commit (with None: any) and that the branch does not, newest first, at most 200."""

    def describe_gaps(self) -> Sequence[str]:
        """What was asked for and this copy of the repository could not show, a sentence each."""

    def missing_blobs(self) -> frozenset[str]:
        """The blobs that were asked for and that this copy does not hold."""

    def shallow_boundary(self) -> frozenset[str]:
        """Commits whose parents a shallow copy does not hold."""


class Compiler(Protocol):
    """Decides whether sources compile on one minor version of Python."""

    @property
    def python(self) -> str:
        """The minor version that it answers for, such as `3.11`."""

    @property
    def checked_by(self) -> str:
        """`cpython-3.11.7` or `ruff-0.17.6`."""

    def prepare(self, sources: Iterable[Source]) -> None:
        """A hint that these will be asked soon; a compiler with a high cost per call judges them in one go."""

    def compile(self, source: Source) -> Compilation:
        """The verdict on one source. Never raises because of what the source contains."""


class Explainer(Protocol):
    """Lists every error of a source on several Python versions, in one process for any number of sources."""

    @property
    def checked_by(self) -> str:
        """`ruff-0.17.6`."""

    def explain(self, requests: Sequence[tuple[Source, str]]) -> Sequence[Explanation]:
        """One explanation for each (source, minor version), in their order."""


class TypeChecker(Protocol):
    """A second witness: reads files as they are, runs nothing of them, and knows no installed package."""

    @property
    def checked_by(self) -> str:
        """Name and version, such as `ty-0.0.107`."""

    def check(
        self, files: Mapping[str, bytes], python: str, roots: Sequence[str], judged: Sequence[str]
    ) -> CheckerReport:
        """What it reports for the `judged` of these files, which import each other from `roots`, the first one first.

        Never raises because of what the files contain; without an answer the report says why.
        """


class Compilers(Protocol):
    """Finds the best compiler for a minor version: a real interpreter, else ruff."""

    def compiler_for(self, python: str) -> Compiler:
        """Started on first use; the same one for the same version."""

    def explainer(self) -> Explainer:
        """Ruff, for counts and explanations."""

    def type_checker(self) -> TypeChecker:
        """The second witness of what a traceback claims; it answers nothing where no checker is installed."""
