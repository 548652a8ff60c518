"""Caches a repository's commit graph: commits, and the blob that each has at the requested paths.

The graph is loaded in pages of a hundred commits, as long as the history is short enough for that. `CommitNames`
resolves the names of branches, tags and commits, none of them twice: an investigation looks at one state of the
repository.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from shared.adapters.github import queries
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.graph_algorithms import PathState, find_reachable
from shared.adapters.github.objects import TREE_FIELDS, Blobs, Trees
from shared.adapters.github.queries import COMMIT_FIELDS, Query, parse_commit_node, parse_file_blob
from shared.errors import InputError, UsageError
from shared.proof.model.history import Branch, Commit
from shared.text.escaping import truncate

MAX_WALK_COMMITS = 300
"""Commits. A longer history is not walked; it is asked for the commits that changed a path."""
_MAX_PATHS_WITH_TEXT = 3
"""Paths whose texts come with their history; of more, most are never read."""
_WALKED_PATHS = 20
"""Paths that one walk asks for, with those of the walks before it."""
_PATHS_PER_QUERY = 5
"""Histories of paths that one query asks for: GitHub reads each of them anew, and ends a query after ten seconds."""
_TIPS_PER_QUERY = 20
_MAX_PAGES = 20
_MAX_BACKWARD_PAGES = 5


class CommitGraph:
    """Keeps what was loaded for the lifetime of one investigation: commits never change."""

    def __init__(self, github: GitHubClient, owner: str, name: str, trees: Trees, contents: Blobs) -> None:
        self._github = github
        self._owner, self._name = owner, name
        self._trees, self._contents = trees, contents
        self.commits: dict[str, Commit] = {}
        self.blob_at: dict[tuple[str, str], str | None] = {}
        self.ancestor_counts: dict[str, int] = {}
        """How many commits a tip reaches."""
        self._asked_paths: dict[str, None] = {}
        self._complete: set[str] = set()
        """Commits all of whose ancestors are known."""
        self._pages: Counter[str] = Counter()
        """How many pages of the newest commits below a tip were read."""
        self._next_cursors: dict[str, str] = {}
        """Where the next of these pages begins; none where a tip has no further one."""

    def query(self, query: Query) -> Mapping[str, Any]:
        """The answer about the repository."""
        repository = self._github.query(*query.build(self._owner, self._name))["repository"]
        return repository or {}

    def path_state(self, commit: str, paths: Sequence[str]) -> PathState:
        """What a commit holds at some paths."""
        return tuple(self.blob_at.get((commit, path)) for path in paths)

    def is_complete(self, tips: Sequence[str]) -> bool:
        """Whether all that the tips reach is known already."""
        return self._complete.issuperset(tips)

    def load_ancestors(self, tips: Sequence[str], paths: Sequence[str]) -> bool:
        """Makes all that the tips reach known, with its states. False where that would be too long a walk."""
        ahead = [tip for tip in dict.fromkeys(tips) if not self._is_loaded(tip, paths)]
        if any(self.ancestor_counts.get(tip, 0) > MAX_WALK_COMMITS for tip in ahead):
            return False
        for start in range(0, len(ahead), _TIPS_PER_QUERY):
            some = [tip for tip in ahead[start : start + _TIPS_PER_QUERY] if not self._is_loaded(tip, paths)]
            if some and not self._walk(some, paths):
                return False
        self._asked_paths.update(dict.fromkeys(paths))
        return True

    def _is_loaded(self, tip: str, paths: Sequence[str]) -> bool:
        if tip not in self._complete:
            return False
        return all((commit, path) in self.blob_at for commit in find_reachable([tip], self.commits) for path in paths)

    def _walk(self, tips: Sequence[str], paths: Sequence[str]) -> bool:
        after: dict[str, str | None] = dict.fromkeys(tips)
        first, few = True, paths
        # A page costs the same whatever is asked of its commits, and what one walk asked for the next one does, too.
        paths = [*paths, *(path for path in self._asked_paths if path not in paths)][: max(len(paths), _WALKED_PATHS)]
        while after:
            query, shown = Query(), dict(after)
            for index, (tip, cursor) in enumerate(shown.items()):
                fields = queries.walk_fields(query, paths, cursor)
                if first and len(shown) == 1 and len(few) <= _MAX_PATHS_WITH_TEXT:
                    fields += " " + " ".join(self._full_versions_fields(query, path, n) for n, path in enumerate(few))
                queries.add_commit(query, f"t{index}", tip, fields)
            repository = self.query(query)
            for index, tip in enumerate(shown):
                after.pop(tip)
                node = repository.get(f"t{index}")
                if not node:
                    continue
                cursor = self._store_page(tip, node, paths)
                if self.ancestor_counts[tip] > MAX_WALK_COMMITS:
                    return False
                if cursor is not None:
                    after[tip] = cursor
            first = False
        return True

    def _store_page(self, tip: str, node: Mapping[str, Any], paths: Sequence[str]) -> str | None:
        """Keeps one page of a walk, and returns where the next one begins."""
        walk = node["walk"]
        self.ancestor_counts[tip] = walk["totalCount"]
        for commit_node in walk["nodes"]:
            self.store_commit(commit_node, paths)
        for name, versions in node.items():
            if name.startswith("full"):
                self._store_versions(versions["nodes"])
        reachable = find_reachable([tip], self.commits)
        if all(parent in reachable for commit in reachable.values() for parent in commit.parents):
            self._complete.update(reachable)
            if self._is_loaded(tip, paths):
                return None
        return str(walk["pageInfo"]["endCursor"]) if walk["pageInfo"]["hasNextPage"] else None

    def store_commit(self, node: Mapping[str, Any], paths: Sequence[str]) -> Commit:
        """Keeps a commit with its states."""
        commit = parse_commit_node(node)
        self.commits[commit.id] = commit
        self.store_states(commit.id, node, paths)
        return commit

    def store_states(self, commit: str, node: Mapping[str, Any], paths: Sequence[str]) -> None:
        """Keeps what a commit holds at some paths; the query names them `f0`, `f1`, …"""
        for index, path in enumerate(paths):
            self.blob_at[commit, path] = parse_file_blob(node[f"f{index}"])

    def _full_versions_fields(self, query: Query, path: str, index: int) -> str:
        """The versions of a path, each with its text, its commit's root and the folders that lead to the path."""
        parts = path.split("/")[:-1]
        folders = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        above = " ".join(
            f"d{depth}: file(path: {query.add_variable(folder)}) {{ object {{ {TREE_FIELDS} }} }}"
            for depth, folder in enumerate(folders)
        )
        held = f"held: file(path: {query.add_variable(path)}) {{ oid object {{ {queries.BLOB_FIELDS} }} }}"
        fields = f"oid tree {{ {TREE_FIELDS.removeprefix('... on Tree { ').removesuffix(' }')} }} {above} {held}"
        return f"full{index}: history(path: {query.add_variable(path)}, first: 100) {{ nodes {{ {fields} }} }}"

    def _store_versions(self, nodes: Sequence[Mapping[str, Any]]) -> None:
        for node in nodes:
            self._trees.roots[node["oid"]] = node["tree"]["oid"]
            self._trees.store(node["tree"])
            for name, entry in node.items():
                if name.startswith("d") and entry is not None:
                    self._trees.store(entry["object"])
            if node["held"] is not None:
                self._contents.store(node["held"]["object"])

    def load_first_parents(self, tip: str, limit: int) -> None:
        """Makes as many first parents below a tip known, or as many as a few pages of the newest commits hold."""
        for _ in range(_MAX_BACKWARD_PAGES - self._pages[tip]):
            if tip in self._pages and (tip not in self._next_cursors or self._has_first_parents(tip, limit)):
                return
            query = Query()
            queries.add_commit(query, "t", tip, queries.walk_fields(query, (), self._next_cursors.get(tip)))
            node = self.query(query).get("t")
            if not node:
                return
            self._store_newest(tip, node)

    def _store_newest(self, tip: str, node: Mapping[str, Any]) -> None:
        """Keeps a page of the newest commits below a tip, and where the next page begins."""
        self._pages[tip] += 1
        self._next_cursors.pop(tip, None)
        cursor = self._store_page(tip, node, ())
        if cursor is not None:
            self._next_cursors[tip] = cursor

    def _has_first_parents(self, tip: str, limit: int) -> bool:
        commit: str | None = tip
        for _ in range(limit):
            if commit not in self.commits:
                return commit is None
            commit = next(iter(self.commits[commit].parents), None)
        return True

    def find_changing_commits(self, paths: Sequence[str], tip: str) -> list[Commit]:
        """The commits that changed a path, newest first, from a history that is too long to be walked.

        The newest commits below the tip come with the first page: the states of a branch are looked for among them.
        """
        commits: dict[str, Commit] = {}
        for start in range(0, len(paths), _PATHS_PER_QUERY):
            after: dict[int, str | None] = dict.fromkeys(range(len(paths))[start : start + _PATHS_PER_QUERY])
            for page in range(_MAX_PAGES):
                query = Query()
                fields = [queries.build_changed_fields(query, index, paths, after[index]) for index in after]
                full = self._full_versions_fields(query, paths[0], 0) if not page and len(paths) == 1 else ""
                newest = "" if tip in self._pages else queries.walk_fields(query, (), None)
                queries.add_commit(query, "t", tip, " ".join((*fields, full, newest)))
                node = self.query(query).get("t")
                if not node:
                    return []
                if full:
                    self._store_versions(node["full0"]["nodes"])
                if newest:
                    self._store_newest(tip, node)
                after = self._store_changed(node, after, paths, commits)
                if not after:
                    break
        if len(paths) == 1:
            return list(commits.values())
        return sorted(commits.values(), key=lambda commit: commit.committed_at, reverse=True)

    def _store_changed(
        self, node: Mapping[str, Any], asked: Collection[int], paths: Sequence[str], commits: dict[str, Commit]
    ) -> dict[int, str | None]:
        """Keeps a page for each of some paths, and returns where the next page of each begins that has one."""
        after: dict[int, str | None] = {}
        for index in asked:
            history = node[f"p{index}"]
            for commit_node in history["nodes"]:
                commits[commit_node["oid"]] = self.store_commit(commit_node, paths)
                for before in commit_node["before"]["nodes"]:
                    self.store_states(before["oid"], before, paths)
            if history["pageInfo"]["hasNextPage"]:
                after[index] = history["pageInfo"]["endCursor"]
        return after


_MAX_QUOTE_LENGTH = 200
_INVALID_REF = re.compile(r"^-|\.\.|[\x00-\x20\x7f:?*\[\\]|^$")
"""What begins like an option, is a range, names something within a commit, or is no ref by git's rules."""
_TIP_FIELDS = f"{COMMIT_FIELDS} history(first: 1) {{ totalCount }}"


class CommitNames:
    """The names of one repository. What they stand for is stored in its commit graph."""

    def __init__(self, repository: str, graph: CommitGraph) -> None:
        self._repository = repository
        self._graph = graph
        self._branches: dict[str | None, Branch] = {}

    def branch(self, name: str | None) -> Branch:
        """The branch `name`, else the repository's default branch. Raises UsageError, InputError."""
        if name not in self._branches:
            self._branches[name] = (
                Branch(name, self._resolve(name, "branch")) if name is not None else self._default_branch()
            )
        return self._branches[name]

    def resolve(self, revision: str) -> Commit:
        """The commit that a ref, an abbreviation or an id names. Raises UsageError."""
        if revision not in self._graph.commits:
            revision = self._resolve(revision, "commit")
        return self._graph.commits[revision]

    def _default_branch(self) -> Branch:
        query = Query()
        query.parts.append(f"defaultBranchRef {{ name target {{ ... on Commit {{ {_TIP_FIELDS} }} }} }}")
        ref = self._graph.query(query).get("defaultBranchRef")
        if not ref or not ref["target"]:
            raise InputError(f"{self._repository}: HEAD names no commit; push a branch, or give the App access to it")
        return Branch(ref["name"], self._store_tip(ref["target"]))

    def _resolve(self, name: str, what: str) -> str:
        if _INVALID_REF.search(name):
            raise UsageError(
                f"{what} {truncate(name, _MAX_QUOTE_LENGTH)!r} is no name; name a branch, a tag or a commit"
            )
        query = Query()
        branch = query.add_variable(f"refs/heads/{name}")
        query.parts.append(f"branch: ref(qualifiedName: {branch}) {{ target {{ ... on Commit {{ {_TIP_FIELDS} }} }} }}")
        expression = query.add_variable(f"{name}^{{commit}}")
        query.parts.append(f"named: object(expression: {expression}) {{ ... on Commit {{ {_TIP_FIELDS} }} }}")
        answer = self._graph.query(query)
        node = answer.get("named") or (answer.get("branch") or {}).get("target")
        if not node:
            raise UsageError(f"{self._repository}: there is no commit named {truncate(name, _MAX_QUOTE_LENGTH)!r}")
        return self._store_tip(node)

    def _store_tip(self, node: Mapping[str, Any]) -> str:
        commit = self._graph.store_commit(node, ())
        self._graph.ancestor_counts[commit.id] = node["history"]["totalCount"]
        return commit.id
