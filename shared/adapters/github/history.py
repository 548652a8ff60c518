"""The history port through GitHub's API: no git and no disk, a handful of requests for a whole investigation.

A history of up to `MAX_WALK_COMMITS` commits is walked, and the graph of a path is then computed as git computes it. A
longer one is asked for the commits that changed the path; what lies between these is concluded from what they hold.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from shared.adapters.github import queries
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.commit_graph import MAX_WALK_COMMITS, CommitGraph
from shared.adapters.github.comparison import Comparisons, UnmergedHeads
from shared.adapters.github.graph_algorithms import find_reachable, link_commits, simplify_history, sort_by_date
from shared.adapters.github.objects import Blobs, Trees
from shared.adapters.github.queries import Query, is_valid_path
from shared.errors import InputError, UsageError
from shared.proof.declared.deployed_python import select_declaring_files
from shared.proof.model.history import Branch, Commit, FileChange, FileVersion, Folder, TreeEntry
from shared.proof.model.paths import IGNORE_FILES, is_test_file
from shared.text.escaping import truncate

_PATHS_PER_QUERY = 100
_MAX_QUOTE_LENGTH = 200
_COMMIT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_INVALID_REF = re.compile(r"^-|\.\.|[\x00-\x20\x7f:?*\[\\]|^$")
"""What begins like an option, is a range, names something within a commit, or is no ref by git's rules."""


@contextmanager
def open_history(github: GitHubClient, repository: str) -> "Iterator[GitHubHistory]":
    """The history of `owner/name`, as it is now; what it told is remembered until the context is left."""
    yield GitHubHistory(github, repository)


class GitHubHistory:
    """Reads one repository. Whatever was told once is not asked for again: commits and blobs never change."""

    def __init__(self, github: GitHubClient, repository: str) -> None:
        owner, _, name = repository.partition("/")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            raise UsageError(f"{truncate(repository, _MAX_QUOTE_LENGTH)!r} is no repository; configure `owner/name`")
        self.repository = repository
        self._trees = Trees(github, owner, name)
        self._contents = Blobs(github, owner, name, self._expected_blobs)
        self._walks = CommitGraph(github, owner, name, self._trees, self._contents)
        self._comparisons = Comparisons(github, repository)
        self._heads = UnmergedHeads(self._walks, self._comparisons)
        self._branches: dict[str | None, Branch] = {}
        self._versions: dict[str, None] = {}
        self._range: Sequence[Commit] = ()
        self._missing_locations = False

    # -- names ----------------------------------------------------------------------------------------------------

    def branch(self, name: str | None) -> Branch:
        """The deploy branch: `name`, else the repository's default branch. Raises Misused, Unreadable.

        Asked again, it is what it was: an investigation looks at one state of the repository.
        """
        if name not in self._branches:
            self._branches[name] = (
                Branch(name, self._resolve_name(name, "branch")) if name is not None else self._default_branch()
            )
        return self._branches[name]

    def _default_branch(self) -> Branch:
        query = Query()
        query.parts.append(f"defaultBranchRef {{ name target {{ ... on Commit {{ {_TIP_FIELDS} }} }} }}")
        found = self._walks.query(query).get("defaultBranchRef")
        if not found or not found["target"]:
            raise InputError(f"{self.repository}: HEAD names no commit; push a branch, or give the App access to it")
        return Branch(found["name"], self._store_tip(found["target"]))

    def _resolve_name(self, name: str, what: str) -> str:
        if _INVALID_REF.search(name):
            raise UsageError(
                f"{what} {truncate(name, _MAX_QUOTE_LENGTH)!r} is no name; name a branch, a tag or a commit"
            )
        query = Query()
        branch = query.add_variable(f"refs/heads/{name}")
        query.parts.append(f"branch: ref(qualifiedName: {branch}) {{ target {{ ... on Commit {{ {_TIP_FIELDS} }} }} }}")
        expression = query.add_variable(f"{name}^{{commit}}")
        query.parts.append(f"named: object(expression: {expression}) {{ ... on Commit {{ {_TIP_FIELDS} }} }}")
        told = self._walks.query(query)
        found = told.get("named") or (told.get("branch") or {}).get("target")
        if not found:
            raise UsageError(f"{self.repository}: there is no commit named {truncate(name, _MAX_QUOTE_LENGTH)!r}")
        return self._store_tip(found)

    def _store_tip(self, node: Mapping[str, Any]) -> str:
        commit = self._walks.store_commit(node, ())
        self._walks.ancestor_counts[commit.id] = node["history"]["totalCount"]
        return commit.id

    def resolve(self, revision: str) -> Commit:
        """The commit that a ref, an abbreviation or an id names. Raises Misused."""
        if revision not in self._walks.commits:
            revision = self._resolve_name(revision, "commit")
        return self._walks.commits[revision]

    # -- walks ----------------------------------------------------------------------------------------------------

    def file_versions(
        self, paths: Sequence[str], tips: Sequence[str], excluding: Sequence[str] = ()
    ) -> Sequence[FileVersion]:
        """The path-limited graph, children before parents; see `shared.ports.History`."""
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
        found = [FileVersion(commit, self._blobs_at(commit.id, paths)) for commit in graph]
        self._versions.update((blob, None) for version in found for blob in version.blobs.values())
        return found

    def _blobs_at(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        return {path: blob for path in paths if (blob := self._walks.blob_at.get((commit, path))) is not None}

    def _changed_commits(self, paths: Sequence[str], tips: Sequence[str], without: Sequence[str]) -> list[Commit]:
        """The same from a long history: those of its commits that changed a path."""
        found: dict[str, Commit] = {}
        for tip in dict.fromkeys(tips):
            commits = self._walks.find_changing_commits(paths, tip)
            for base in without:
                between = {commit.id for commit in self.commits(tip, base)}
                commits = [commit for commit in commits if commit.id in between]
            found.update((commit.id, commit) for commit in commits)
        if len(found) > 1 and len(set(tips)) > 1:  # each tip told its own, newest first
            found = {each.id: each for each in sorted(found.values(), key=lambda each: each.committed_at, reverse=True)}
        state = self._walks.path_state
        return link_commits([
            (each, state(each.id, paths), [state(parent, paths) for parent in each.parents]) for each in found.values()
        ])  # fmt: skip

    def commits(self, tip: str, base: str) -> Sequence[Commit]:
        """All commits reachable from `tip` and not from `base`, children before parents."""
        if tip == base:
            return []
        if self._walks.is_complete([tip, base]):
            known = self._walks.commits
            below = find_reachable([base], known)
            between = {oid: each for oid, each in find_reachable([tip], known).items() if oid not in below}
        else:
            told = self._comparisons.commits(base, tip)
            if told is None:
                raise InputError(f"{self.repository}: {base} and {tip} cannot be compared; was a branch rewritten?")
            between = {commit.id: commit for commit in told}
        self._range = sort_by_date(between)
        return self._range

    def first_parents(self, tip: str, limit: int) -> Sequence[Commit]:
        """`tip` and its chain of first parents, newest first; of a long history, as many as five pages hold."""
        if limit > 1 and not self._walks.is_complete([tip]):
            self._walks.load_first_parents(tip, limit)
        chain: list[Commit] = []
        here: str | None = tip if limit > 0 else None
        while here is not None and len(chain) < limit:
            if here not in self._walks.commits and chain:
                break
            commit = self.resolve(here)
            chain.append(commit)
            here = next(iter(commit.parents), None)
        return chain

    def paths_named(self, name: str, tips: Sequence[str]) -> Sequence[str]:
        """Every path with this file name that a commit reachable from `tips` had; of a long history, of the newest."""
        if not tips or not is_valid_path(name) or "/" in name:
            return []
        if not self._walks.load_ancestors(tips, ()):
            for tip in tips[:_FEW_TIPS]:
                self._walks.load_first_parents(tip, MAX_WALK_COMMITS)
        roots = self._root_trees(list(find_reachable(tips, self._walks.commits)))
        whole = self._trees.load_missing(roots) and self._walks.is_complete(tips)
        self._missing_locations = self._missing_locations or not whole
        return sorted(path for path in self._trees.list_paths(roots) if path.rpartition("/")[2] == name)

    def _root_trees(self, commits: Sequence[str]) -> list[str]:
        unknown = [commit for commit in commits if commit not in self._trees.roots]
        for start in range(0, len(unknown), _PATHS_PER_QUERY):
            query = Query()
            for place, commit in enumerate(unknown[start : start + _PATHS_PER_QUERY]):
                queries.add_commit(query, f"c{place}", commit, "oid tree { oid }")
            for node in self._walks.query(query).values():
                if node:
                    self._trees.roots[node["oid"]] = node["tree"]["oid"]
        return list(dict.fromkeys(self._trees.roots[commit] for commit in commits if commit in self._trees.roots))

    # -- contents -------------------------------------------------------------------------------------------------

    def blob_ids(self, locations: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The blob id for each (commit, path) at which there is a regular file."""
        wanted = [(commit, path) for commit, path in locations if is_valid_path(path)]
        self._look_up([place for place in wanted if self._known_blob(place) is _UNKNOWN])
        return {place: blob for place in wanted if isinstance(blob := self._known_blob(place), str)}

    def _known_blob(self, place: tuple[str, str]) -> object:
        commit, path = place
        if place in self._walks.blob_at:
            return self._walks.blob_at[place]
        if commit in self._trees.files_by_commit:
            entry = self._trees.files_by_commit[commit].get(path)
            return entry.blob if entry else None
        return _UNKNOWN

    def _look_up(self, places: Sequence[tuple[str, str]]) -> None:
        """Asks for what is unknown, and for the same paths at the merges that will be asked about next."""
        unknown: dict[str, dict[str, None]] = {}
        for commit, path in places:
            unknown.setdefault(commit, {})[path] = None
        asked = {path: None for _, path in places}
        merges = [each.id for each in self._range if len(each.parents) > 1] if len(asked) <= _FEW_COMMITS else []
        if len(unknown) < _PATHS_PER_QUERY:
            for commit in merges[: _PATHS_PER_QUERY - len(unknown)]:
                if any((commit, path) not in self._walks.blob_at for path in asked):
                    unknown.setdefault(commit, {}).update(asked)
        commits = [(commit, list(paths)[at : at + _PATHS_PER_QUERY])
                   for commit, paths in unknown.items() for at in range(0, len(paths), _PATHS_PER_QUERY)]  # fmt: skip
        while commits:
            some: list[tuple[str, Sequence[str]]] = []
            count = 0
            while (
                commits
                and (not some or count + len(commits[0][1]) <= _MAX_QUERY_FIELDS)
                and len(some) < _PATHS_PER_QUERY
            ):
                some.append(commits.pop(0))
                count += len(some[-1][1])
            self._query_blobs(some)

    def _query_blobs(self, places: Sequence[tuple[str, Sequence[str]]]) -> None:
        query = Query()
        for place, (commit, paths) in enumerate(places):
            queries.add_commit(query, f"c{place}", commit, queries.files_fields(query, paths))
        told = self._walks.query(query)
        for place, (commit, paths) in enumerate(places):
            if told.get(f"c{place}"):
                self._walks.store_states(commit, told[f"c{place}"], paths)

    def tree(self, commit: str) -> Mapping[str, TreeEntry]:
        """The regular files of a commit by path. Raises Unreadable where there is no such commit."""
        files = self._trees.files_at(commit)
        if files is None:
            raise InputError(f"{self.repository}: trees of commit {commit} are not in this copy; was it pushed?")
        return files

    def root_tree(self, commit: str) -> str:
        """The id of a commit's top folder; what lies below is asked for with it, as far as it is not known.

        The first trees are listed, for what lies in them is read together; of hundreds of candidates none is.
        """
        if len(self._trees.files_by_commit) < _MAX_LISTED:
            self.tree(commit)
        top = self._trees.root_tree_id(commit)
        if top is None:
            raise InputError(f"{self.repository}: trees of commit {commit} are not in this copy; was it pushed?")
        return top

    def folder(self, tree_id: str) -> Folder | None:
        """A folder by its id, where a tree that holds it was asked for."""
        return self._trees.folder(tree_id)

    def read(self, blob: str) -> bytes | None:
        """A blob's bytes; None where there is none. What will probably be read next comes with it."""
        return self._contents.read(blob) if _COMMIT_ID.fullmatch(blob) else None

    def _expected_blobs(self) -> Mapping[str, int]:
        """Blobs that a proof reads: the versions that were found, then what counts of the trees that were looked at."""
        sizes = self._trees.sizes
        likely = {blob: sizes.get(blob, 0) for blob in self._versions}
        for files in reversed(self._trees.files_by_commit.values()):
            python = [path for path in files if path.endswith(".py") and not is_test_file(path)]
            for path in (*_declaration_files(files), *python):
                likely.setdefault(files[path].blob, sizes.get(files[path].blob, 0))
        elsewhere = self._trees.paths_by_blob()
        declaring = frozenset(_declaration_files(frozenset(elsewhere.values())))
        for blob, path in elsewhere.items():
            if path in declaring:
                likely.setdefault(blob, sizes.get(blob, 0))
        return likely

    def diffstat(self, base: str, tip: str) -> Sequence[FileChange]:
        """The diffstat between two commits; line counts are None for binary files, and where GitHub gives none."""
        base, tip = (each if _COMMIT_ID.fullmatch(each) else self.resolve(each).id for each in (base, tip))
        return [] if base == tip else self._comparisons.changes(base, tip, self.tree, self.read)

    # -- the rest of the repository -----------------------------------------------------------------------------------

    def unmerged_heads(self, branch: Branch, containing: str | None) -> Sequence[Branch]:
        """Heads of branches and open pull requests; see `shared.ports.History`."""
        return self._heads.unmerged(branch, containing)

    def describe_gaps(self) -> Sequence[str]:
        """What the API did not show, a sentence each."""
        if not self._missing_locations:
            return []
        told = f"The history has more than {MAX_WALK_COMMITS} commits and was read through GitHub's API"
        return [f"{told}: of files that were moved or deleted long ago, the former names were not looked for."]

    def missing_blobs(self) -> frozenset[str]:
        """GitHub holds all blobs."""
        return frozenset()

    def shallow_boundary(self) -> frozenset[str]:
        """GitHub holds all parents."""
        return frozenset()


def _declaration_files(paths: Iterable[str]) -> tuple[str, ...]:
    """The files that say something about Python versions, checks, and what belongs to the service."""
    known = list(paths)
    return (*select_declaring_files(known), *(path for path in known if path.rpartition("/")[2] in IGNORE_FILES))


_TIP_FIELDS = f"{queries.COMMIT_FIELDS} history(first: 1) {{ totalCount }}"
_UNKNOWN = object()
_FEW_COMMITS = 20
_FEW_TIPS = 5
_MAX_QUERY_FIELDS = 1000
_MAX_LISTED = 4
