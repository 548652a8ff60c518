"""Resolves the names of branches, tags and commits.

No name is resolved twice: an investigation looks at one state of the repository.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.adapters.github.commit_graph import CommitGraph
from shared.adapters.github.queries import COMMIT_FIELDS, Query
from shared.errors import InputError, UsageError
from shared.proof.model.history import Branch, Commit
from shared.text.escaping import truncate

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
