"""The history port on a git repository of this machine: work tree or bare, shallow and partial clones included."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from shared.adapters.git import parse
from shared.adapters.git.index_files import read_index_files
from shared.adapters.git.objects import LruCache, ObjectStore
from shared.adapters.git.process import MAX_QUOTE_LENGTH, GitError, can_name_file, check_revision_name
from shared.adapters.git.scratch import ScratchRepository, describe_missing
from shared.adapters.git.version_blobs import Location, VersionBlobs, WalkedBlobs, find_blob_ids
from shared.errors import InputError, UsageError
from shared.proof.model.history import Branch, Commit, FileChange, FileVersion, Folder, TreeEntry
from shared.text.escaping import truncate

_MAX_LISTED = 100_000
"""Files of whole trees that are kept for the next question."""

_OTHER_HEADS = ("refs/heads", "refs/remotes", "refs/pull", "refs/merge-requests")


class GitRepository:
    """Reads one repository. Use as a context manager: it owns a scratch directory and up to two git processes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._scratch = ScratchRepository(path)
        self._git = self._scratch.git()
        self.objects = ObjectStore(self._git, self._scratch.id_bytes)
        self._listed_trees: LruCache[str, Mapping[str, TreeEntry]] = LruCache(_MAX_LISTED)
        self._other_processes = self._scratch.processes_started
        self._missing: set[str] = set()
        self._missing_line_counts = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the git processes and removes the scratch directory."""
        try:
            self.objects.close()
        finally:
            self._scratch.close()

    @property
    def processes_started(self) -> int:
        """Git processes so far."""
        return self._git.processes_started + self._other_processes

    # -- names ----------------------------------------------------------------------------------------------------

    def branch(self, name: str | None) -> Branch:
        """The deploy branch: `name`, else the remote's default branch, else HEAD. Raises UsageError, InputError."""
        if name is not None:
            return Branch(name, self._resolve_commit_id(name, "branch"))
        symbolic = sorted(self._scratch.symbolic.items(), key=lambda pair: pair[0] != "refs/remotes/origin/HEAD")
        for ref, target in symbolic:
            if ref.startswith("refs/remotes/") and ref.endswith("/HEAD") and target in self._scratch.refs:
                return Branch(target.removeprefix("refs/remotes/"), self._resolve_commit_id(target, "branch"))
        head = self.objects.resolve(["HEAD^{commit}"])[0]
        if head is None:
            raise InputError(
                f"{self.path}: HEAD names no commit; name a branch with --branch, or commit something first"
            )
        name = self._scratch.head
        return Branch(name.removeprefix("ref: refs/heads/") if name.startswith("ref: ") else "HEAD", head.id)

    def _resolve_commit_id(self, name: str, what: str) -> str:
        check_revision_name(name, what)
        tried = [name, f"refs/remotes/{name}", f"refs/remotes/origin/{name}"]
        for info in self.objects.resolve([f"{candidate}^{{commit}}" for candidate in tried]):
            if info is not None and info.kind == "commit":
                return info.id
        known = sorted(ref.split("/", 2)[-1] for ref in self._scratch.refs if ref.startswith("refs/heads/"))[:5]
        hint = f"; its branches: {', '.join(known)}" if known else ""
        raise UsageError(f"{self.path}: there is no commit named {truncate(name, MAX_QUOTE_LENGTH)!r}{hint}")

    def resolve(self, revision: str) -> Commit:
        """The commit that a ref, an abbreviation or an id names. Raises UsageError."""
        oid = self._resolve_commit_id(revision, "commit")
        got = self.objects.read(oid)
        if got is None:
            raise InputError(f"{self.path}: commit {oid} is not in this copy; fetch it first")
        commit = parse.parse_commit_object(oid, got[1])
        return replace(commit, parents=()) if oid in self._scratch.boundary else commit

    # -- walks ----------------------------------------------------------------------------------------------------

    def file_versions(
        self, paths: Sequence[str], tips: Sequence[str], excluding: Sequence[str] = ()
    ) -> Sequence[FileVersion]:
        """The path-limited graph, children before parents; see `shared.proof.model.ports.History`."""
        paths = [path for path in paths if can_name_file(path)]
        if not paths or not tips:
            return []  # without paths or tips git would walk something else
        limits = [*tips, *(f"^{oid}" for oid in excluding)]
        # Not --simplify-merges: it drops a parent that is an ancestor of another one, and with it the side of a merge
        # from which a failure came.
        options = ["--full-history", "--parents", "--date-order"]
        blobs: dict[str, str | None] = {}
        if len(paths) == 1:  # the walk compares the trees anyhow, and lists the blobs in passing
            options += ["--raw", "--no-abbrev", "--no-renames", f"--format={parse.COMMIT_FORMAT}"]
            commits, blobs = parse.parse_file_log(self._walk(*options, *limits, "--", *paths), paths[0])
        else:
            commits = self._log(*options, *limits, "--", *paths)
        known = {(commit, paths[0]): blob for commit, blob in blobs.items()}
        walked = WalkedBlobs([commit.id for commit in commits], paths, self.blob_ids, known)
        return [FileVersion(commit, VersionBlobs(commit.id, walked)) for commit in commits]

    def commits(self, tip: str, base: str) -> Sequence[Commit]:
        """All commits reachable from `tip` and not from `base`, children before parents."""
        return self._log("--date-order", tip, f"^{base}")

    def first_parents(self, tip: str, limit: int) -> Sequence[Commit]:
        """`tip` and its chain of first parents, newest first."""
        return self._log("--first-parent", f"--max-count={limit}", tip)

    def _log(self, *arguments: str) -> list[Commit]:
        return parse.parse_log(self._walk(f"--format={parse.COMMIT_FORMAT}", *arguments))

    def _walk(self, *arguments: str, literal: bool = True) -> bytes:
        git = self._git if literal else self._scratch.git(literal=False)
        try:
            return git.run("log", "--no-show-signature", *arguments)
        except GitError as error:
            raise InputError(f"{self.path}: its history cannot be walked ({error}); fetch what is missing") from error
        finally:
            self._other_processes += 0 if literal else git.processes_started

    def paths_named(self, name: str, tips: Sequence[str]) -> Sequence[str]:
        """Every path with this file name that any commit reachable from `tips` ever touched."""
        if not can_name_file(name) or not tips:
            return []
        pattern = ":(top,glob)**/" + re.sub(r"([*?\[\]\\])", r"\\\1", name)
        options = ["--format=", "--name-only", "-z", "--full-history", "-m", "--no-renames"]
        listed = self._walk(*options, *tips, "--", pattern, literal=False)
        return sorted({parse.decode_path(path.strip(b"\n")) for path in listed.split(b"\0")} - {""})

    # -- contents -------------------------------------------------------------------------------------------------

    def blob_ids(self, locations: Iterable[Location]) -> Mapping[Location, str]:
        """The blob id for each (commit, path) at which there is a file."""
        return find_blob_ids(self.objects, self.read, locations)

    def _tree_id(self, commit: str) -> str:
        info = self.objects.resolve([f"{commit}^{{tree}}"])[0]
        if info is None:
            raise InputError(f"{self.path}: the tree of commit {commit} is not in this copy; fetch it first")
        return info.id

    def tree(self, commit: str) -> Mapping[str, TreeEntry]:
        """The regular files of a commit by path. Raises InputError where tree objects are missing."""
        tree = self._tree_id(commit)
        files = self._listed_trees.get(tree)
        if files is None:
            files = self.objects.files(tree)
            if files is None:
                raise InputError(f"{self.path}: trees of commit {commit} are not in this copy; fetch them first")
            self._listed_trees.put(tree, files, len(files) + 1)
        return files

    def read(self, blob: str) -> bytes | None:
        """A blob's bytes; None where this copy does not hold it."""
        content = self.objects.blob(blob)
        if content is None:
            self._missing.add(blob)
        return content

    def root_tree(self, commit: str) -> str:
        """The id of a commit's top folder. Raises InputError where it is not in this copy."""
        return self._tree_id(commit)

    def folder(self, tree_id: str) -> Folder | None:
        """A folder by its id, without what is below its folders."""
        return self.objects.folder(tree_id)

    def diffstat(self, base: str, tip: str) -> Sequence[FileChange]:
        """The diffstat between two commits; line counts are None for binary files and where blobs are not here."""
        try:
            return list(
                parse.parse_numstat(self._git.run("diff-tree", "-r", "-z", "--numstat", "--no-renames", base, tip))
            )
        except GitError:  # a partial clone lacks the blobs that a line count needs
            self._missing_line_counts = True
            names = self._git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, tip)
            return [FileChange(parse.decode_path(name), None, None) for name in names.split(b"\0") if name]

    def index_files(self, index_file: str = "") -> Mapping[str, TreeEntry]:
        """The regular files of the index by path; conflicted ones are left out. See `read_index_files`."""
        return read_index_files(self._scratch, self.objects, index_file)

    def tracked_paths(self) -> Sequence[str]:
        """The paths of the index; of HEAD's tree where there is none, as in a bare repository."""
        if (self._scratch.git_dir / "index").is_file():
            return sorted(self.index_files())
        head = self.objects.resolve(["HEAD^{commit}"])[0]
        return [] if head is None else sorted(self.tree(head.id))

    # -- the rest of the repository -----------------------------------------------------------------------------------

    def unmerged_heads(self, branch: Branch, containing: str | None) -> Sequence[Branch]:
        """Heads that contain a commit and that the deploy branch does not; see `shared.proof.model.ports.History`."""
        contains = [f"--contains={containing}"] if containing else []
        options = [*contains, f"--no-merged={branch.head}", "--sort=-committerdate", "--count=200"]
        try:
            listed = self._git.run("for-each-ref", *options, "--format=%(objectname) %(refname)", *_OTHER_HEADS)
        except GitError as error:
            raise InputError(
                f"{self.path}: its branches cannot be compared ({error}); fetch what is missing"
            ) from error
        heads: dict[str, Branch] = {}
        for line in parse.decode_path(listed).split("\n")[:-1]:
            oid, name = line.split(" ", 1)
            heads.setdefault(oid, Branch(name, oid))
        return list(heads.values())

    def describe_gaps(self) -> Sequence[str]:
        """What was asked for and this copy could not show, a sentence each, with the command that fetches it."""
        return describe_missing(self._scratch, sorted(self._missing), line_counts=self._missing_line_counts)

    def missing_blobs(self) -> frozenset[str]:
        """The blobs that were asked for and that this copy does not hold."""
        return frozenset(self._missing)

    def shallow_boundary(self) -> frozenset[str]:
        """Commits whose parents a shallow copy does not hold."""
        return self._scratch.boundary
