"""The ids of blobs and of root trees by commit: asks for the unknown ones, and with them for those needed next.

A query holds at most 100 commits and 1,000 fields.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.adapters.github.commit_graph import CommitGraph
from shared.adapters.github.objects import Trees
from shared.adapters.github.queries import Query, add_commit, build_files_fields, is_valid_path
from shared.proof.model.history import Commit

_COMMITS_PER_QUERY = 100
_PATHS_PER_COMMIT = 100
_MAX_QUERY_FIELDS = 1000
_FEW_PATHS = 20
"""With more paths than these, nothing is asked for in advance."""
_UNKNOWN = object()


class BlobIds:
    """Looks ids up in what the graph and the trees of one repository know, and stores there what it asks for."""

    def __init__(self, graph: CommitGraph, trees: Trees) -> None:
        self._graph = graph
        self._trees = trees

    def find(
        self, locations: Iterable[tuple[str, str]], commit_range: Sequence[Commit]
    ) -> Mapping[tuple[str, str], str]:
        """The blob id for each (commit, path) at which there is a regular file.

        `commit_range` are the commits of the investigation: its merges are asked about next.
        """
        valid = [(commit, path) for commit, path in locations if is_valid_path(path)]
        self._load([location for location in valid if self._known_blob(location) is _UNKNOWN], commit_range)
        return {location: blob for location in valid if isinstance(blob := self._known_blob(location), str)}

    def root_trees(self, commits: Sequence[str]) -> list[str]:
        """The ids of the root trees of those commits that exist, each once."""
        roots = self._trees.roots
        unknown = [commit for commit in commits if commit not in roots]
        for start in range(0, len(unknown), _COMMITS_PER_QUERY):
            query = Query()
            for index, commit in enumerate(unknown[start : start + _COMMITS_PER_QUERY]):
                add_commit(query, f"c{index}", commit, "oid tree { oid }")
            for node in self._graph.query(query).values():
                if node:
                    roots[node["oid"]] = node["tree"]["oid"]
        return list(dict.fromkeys(roots[commit] for commit in commits if commit in roots))

    def _known_blob(self, location: tuple[str, str]) -> object:
        commit, path = location
        if location in self._graph.blob_at:
            return self._graph.blob_at[location]
        if commit in self._trees.files_by_commit:
            entry = self._trees.files_by_commit[commit].get(path)
            return entry.blob if entry else None
        return _UNKNOWN

    def _load(self, locations: Sequence[tuple[str, str]], commit_range: Sequence[Commit]) -> None:
        """Asks for what is unknown, and for the same paths at the merges that will be asked about next."""
        unknown: dict[str, dict[str, None]] = {}
        for commit, path in locations:
            unknown.setdefault(commit, {})[path] = None
        paths = {path: None for _, path in locations}
        merges = [commit.id for commit in commit_range if len(commit.parents) > 1] if len(paths) <= _FEW_PATHS else []
        for commit in merges[: max(0, _COMMITS_PER_QUERY - len(unknown))]:
            if any((commit, path) not in self._graph.blob_at for path in paths):
                unknown.setdefault(commit, {}).update(paths)
        for batch in _split_into_queries(unknown):
            self._query(batch)

    def _query(self, batch: Sequence[tuple[str, Sequence[str]]]) -> None:
        query = Query()
        for index, (commit, paths) in enumerate(batch):
            add_commit(query, f"c{index}", commit, build_files_fields(query, paths))
        answer = self._graph.query(query)
        for index, (commit, paths) in enumerate(batch):
            if answer.get(f"c{index}"):
                self._graph.store_states(commit, answer[f"c{index}"], paths)


def _split_into_queries(paths_by_commit: Mapping[str, Mapping[str, None]]) -> Iterator[list[tuple[str, list[str]]]]:
    """As many commits in each as one query may hold."""
    batch: list[tuple[str, list[str]]] = []
    count = 0
    for commit, paths in paths_by_commit.items():
        listed = list(paths)
        for start in range(0, len(listed), _PATHS_PER_COMMIT):
            part = listed[start : start + _PATHS_PER_COMMIT]
            if batch and (len(batch) == _COMMITS_PER_QUERY or count + len(part) > _MAX_QUERY_FIELDS):
                yield batch
                batch, count = [], 0
            batch.append((commit, part))
            count += len(part)
    if batch:
        yield batch
