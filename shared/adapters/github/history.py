"""The history port through GitHub's API: no git and no disk, a handful of requests for a whole investigation.

A history of up to `MAX_WALK_COMMITS` commits is walked, and the graph of a path is then computed as git computes it. A
longer one is asked for the commits that changed the path; what is between these is concluded from what they hold.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from shared.adapters.github.blob_ids import BlobIds
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.commit_graph import MAX_WALK_COMMITS, CommitGraph, CommitNames
from shared.adapters.github.comparison import Comparisons, UnmergedHeads
from shared.adapters.github.graph_algorithms import find_reachable, link_commits, simplify_history, sort_by_date
from shared.adapters.github.objects import Blobs, Trees
from shared.adapters.github.queries import is_valid_path
from shared.errors import InputError, UsageError
from shared.proof.declared.deployed_python import select_declaring_files
from shared.proof.loading.commit_tree import is_build_file
from shared.proof.model.history import Branch, Commit, FileChange, FileVersion, Folder, TreeEntry
from shared.proof.model.paths import IGNORE_FILES, is_test_file
from shared.text.escaping import truncate

_MAX_QUOTE_LENGTH = 200
_FEW_TIPS = 5
"""Tips of a long history of which the first parents are read."""
_MAX_LISTED = 4
"""Trees that are listed whole."""
_NEXT_CANDIDATES = 100
"""Commits whose trees are asked for together."""
_COMMIT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@contextmanager
def open_history(github: GitHubClient, repository: str) -> "Iterator[GitHubHistory]":
    """The history of `owner/name`, as it is now; what was read is cached until the context ends."""
    yield GitHubHistory(github, repository)


class GitHubHistory:
    """Reads one repository. Nothing is requested twice: commits and blobs never change."""

    def __init__(self, github: GitHubClient, repository: str) -> None:
        owner, _, name = repository.partition("/")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            raise UsageError(f"{truncate(repository, _MAX_QUOTE_LENGTH)!r} is no repository; configure `owner/name`")
        self.repository = repository
        self._github = github
        self._trees = Trees(github, owner, name)
        self._contents = Blobs(github, owner, name, self._expected_blobs)
        self._walks = CommitGraph(github, owner, name, self._trees, self._contents)
        self._names = CommitNames(repository, self._walks)
        self._blob_ids = BlobIds(self._walks, self._trees)
        self._comparisons = Comparisons(github, repository)
        self._heads = UnmergedHeads(self._walks, self._comparisons)
        self._versions: dict[str, None] = {}
        self._read_blobs: set[str] = set()
        self._latest_tree = ""
        self._range: Sequence[Commit] = ()
        self._missing_locations = False

    def branch(self, name: str | None) -> Branch:
        """The deploy branch: `name`, else the repository's default branch. Raises UsageError, InputError."""
        return self._names.branch(name)

    def resolve(self, revision: str) -> Commit:
        """The commit that a ref, an abbreviation or an id names. Raises UsageError."""
        return self._names.resolve(revision)

    # -- walks ----------------------------------------------------------------------------------------------------

    def file_versions(
        self, paths: Sequence[str], tips: Sequence[str], excluding: Sequence[str] = ()
    ) -> Sequence[FileVersion]:
        """The path-limited graph, children before parents; see `shared.proof.model.ports.History`."""
        paths = [path for path in dict.fromkeys(paths) if is_valid_path(path)]
        if not paths or not tips:
            return []
        if self._walks.load_ancestors([*tips, *excluding], paths):
            commits = self._walks.commits
            below = frozenset(find_reachable(excluding, commits))
            graph = simplify_history(
                find_reachable(tips, commits), below, lambda commit: self._walks.path_state(commit, paths)
            )
        else:
            graph = self._changed_commits(paths, tips, excluding)
        versions = [FileVersion(commit, self._blobs_at(commit.id, paths)) for commit in graph]
        self._versions.update((blob, None) for version in versions for blob in version.blobs.values())
        return versions

    def _blobs_at(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        return {path: blob for path in paths if (blob := self._walks.blob_at.get((commit, path))) is not None}

    def _changed_commits(self, paths: Sequence[str], tips: Sequence[str], without: Sequence[str]) -> list[Commit]:
        """The same from a long history: those of its commits that changed a path."""
        changing: dict[str, Commit] = {}
        for tip in dict.fromkeys(tips):
            commits = self._walks.find_changing_commits(paths, tip)
            for base in without:
                between = {commit.id for commit in self.commits(tip, base)}
                commits = [commit for commit in commits if commit.id in between]
            changing.update((commit.id, commit) for commit in commits)
        if len(changing) > 1 and len(set(tips)) > 1:  # each tip lists its own, newest first
            changing = {
                commit.id: commit
                for commit in sorted(changing.values(), key=lambda commit: commit.committed_at, reverse=True)
            }
        state = self._walks.path_state
        return link_commits(
            [
                (commit, state(commit.id, paths), [state(parent, paths) for parent in commit.parents])
                for commit in changing.values()
            ]
        )

    def commits(self, tip: str, base: str) -> Sequence[Commit]:
        """All commits reachable from `tip` and not from `base`, children before parents."""
        if tip == base:
            return []
        if self._walks.is_complete([tip, base]):
            known = self._walks.commits
            below = find_reachable([base], known)
            between = {oid: commit for oid, commit in find_reachable([tip], known).items() if oid not in below}
        else:
            unsorted = self._comparisons.commits(base, tip)
            if unsorted is None:
                raise InputError(f"{self.repository}: {base} and {tip} cannot be compared; was a branch rewritten?")
            between = {commit.id: commit for commit in unsorted}
        self._range = sort_by_date(between)
        return self._range

    def first_parents(self, tip: str, limit: int) -> Sequence[Commit]:
        """`tip` and its chain of first parents, newest first; of a long history, as many as five pages hold."""
        if limit > 1 and not self._walks.is_complete([tip]):
            self._walks.load_first_parents(tip, limit)
        chain: list[Commit] = []
        oid: str | None = tip if limit > 0 else None
        while oid is not None and len(chain) < limit:
            if oid not in self._walks.commits and chain:
                break
            commit = self.resolve(oid)
            chain.append(commit)
            oid = next(iter(commit.parents), None)
        return chain

    def paths_named(self, name: str, tips: Sequence[str]) -> Sequence[str]:
        """Every path with this file name that a commit reachable from `tips` had; of a long history, of the newest."""
        if not tips or not is_valid_path(name) or "/" in name:
            return []
        if not self._walks.load_ancestors(tips, ()):
            for tip in tips[:_FEW_TIPS]:
                self._walks.load_first_parents(tip, MAX_WALK_COMMITS)
        roots = self._blob_ids.root_trees(list(find_reachable(tips, self._walks.commits)))
        whole = self._trees.load_missing(roots) and self._walks.is_complete(tips)
        self._missing_locations = self._missing_locations or not whole
        return sorted(path for path in self._trees.list_paths(roots) if path.rpartition("/")[2] == name)

    # -- contents -------------------------------------------------------------------------------------------------

    def blob_ids(self, locations: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The blob id for each (commit, path) at which there is a regular file."""
        return self._blob_ids.find(locations, self._range)

    def tree(self, commit: str) -> Mapping[str, TreeEntry]:
        """The regular files of a commit by path. Raises InputError where there is no such commit."""
        files = self._trees.files_at(commit)
        if files is None:
            raise InputError(f"{self.repository}: trees of commit {commit} are not in this copy; was it pushed?")
        return files

    def root_tree(self, commit: str) -> str:
        """The id of a commit's top folder; what is below is asked for with it, as far as it is not known.

        The first trees are listed, for what is in them is read together; of hundreds of candidates none is. Theirs are
        asked for together with those of the commits before them, which are the next candidates.
        """
        if len(self._trees.files_by_commit) < _MAX_LISTED:
            self.tree(commit)
        elif commit not in self._trees.roots:
            self._blob_ids.root_trees(self._list_next_candidates(commit))
        top = self._trees.root_tree_id(commit)
        if top is None:
            raise InputError(f"{self.repository}: trees of commit {commit} are not in this copy; was it pushed?")
        self._latest_tree = top
        return top

    def _list_next_candidates(self, commit: str) -> list[str]:
        """A commit, those before it on its chain of first parents, and the newest of the last range."""
        known = {other.id: other for other in self._range}
        chain = {commit: None}
        while commit in known and known[commit].parents:
            commit = known[commit].parents[0]
            chain[commit] = None
        unknown = [oid for oid in (*chain, *known) if oid not in self._trees.roots]
        return list(dict.fromkeys(unknown))[:_NEXT_CANDIDATES]

    def folder(self, tree_id: str) -> Folder | None:
        """A folder by its id, where a tree that holds it was asked for."""
        return self._trees.folder(tree_id)

    def read(self, blob: str) -> bytes | None:
        """A blob's bytes; None where there is none. What will probably be read next comes with it."""
        self._github.check_deadline()
        self._read_blobs.add(blob)
        return self._contents.read(blob) if _COMMIT_ID.fullmatch(blob) else None

    def _expected_blobs(self) -> Mapping[str, int]:
        """Blobs that a proof reads: the versions that were found, then what counts of the trees that were looked at.

        A file that was read at one commit is read at the next ones, too, first of all at the one asked for last.
        """
        sizes = self._trees.sizes
        likely = {blob: sizes.get(blob, 0) for blob in self._versions}
        elsewhere = self._trees.paths_by_blob()
        read = frozenset(elsewhere[blob] for blob in self._read_blobs if blob in elsewhere)
        for blob, path in (*self._trees.paths_by_blob([self._latest_tree]).items(), *elsewhere.items()):
            if path in read:
                likely.setdefault(blob, sizes.get(blob, 0))
        for files in reversed(self._trees.files_by_commit.values()):
            python = [path for path in files if path.endswith(".py") and not is_test_file(path)]
            for path in (*_list_declaration_files(files), *python):
                likely.setdefault(files[path].blob, sizes.get(files[path].blob, 0))
        declaring = frozenset(_list_declaration_files(frozenset(elsewhere.values())))
        for blob, path in elsewhere.items():
            if path in declaring:
                likely.setdefault(blob, sizes.get(blob, 0))
        return likely

    def diffstat(self, base: str, tip: str) -> Sequence[FileChange]:
        """The diffstat between two commits; line counts are None for binary files, and where GitHub gives none."""
        base, tip = (name if _COMMIT_ID.fullmatch(name) else self.resolve(name).id for name in (base, tip))
        return [] if base == tip else self._comparisons.changes(base, tip, self.tree, self.read)

    # -- the rest of the repository -----------------------------------------------------------------------------------

    def unmerged_heads(self, branch: Branch, containing: str | None) -> Sequence[Branch]:
        """Heads of branches and open pull requests; see `shared.proof.model.ports.History`."""
        return self._heads.unmerged(branch, containing)

    def describe_gaps(self) -> Sequence[str]:
        """What the API did not show, a sentence each."""
        if not self._missing_locations:
            return []
        limit_note = f"The history has more than {MAX_WALK_COMMITS} commits and was read through GitHub's API"
        return [f"{limit_note}: of files that were moved or deleted long ago, the former names were not looked for."]

    def missing_blobs(self) -> frozenset[str]:
        """GitHub holds all blobs."""
        return frozenset()

    def shallow_boundary(self) -> frozenset[str]:
        """GitHub holds all parents."""
        return frozenset()


def _list_declaration_files(paths: Iterable[str]) -> tuple[str, ...]:
    """The files that say something about Python versions, checks, and what belongs to the service."""
    known = list(paths)
    named = (path for path in known if path.rpartition("/")[2] in (*IGNORE_FILES, ".gitignore") or is_build_file(path))
    return (*select_declaring_files(known), *named)
