"""One git repository as GitHub's GraphQL objects and REST answers: every answer is looked up in git when it is asked.

It shares no code with the adapter that it is asked by: each answer is what a git command prints.
"""
# ruff: noqa: ARG005, E501, N803
# Resolvers take what GraphQL hands over, under its names.

import base64
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

_LONGEST_TEXT = 512_000
Node = dict[str, Any]


class GitBackend:
    """The repository at `path`; `requests` are its open pull requests by number, taken from `refs/pull/N/head`."""

    def __init__(self, path: Path, most_entries: int = 100_000) -> None:
        self.path = path
        self.most_entries = most_entries
        self.brought: dict[int, set[str]] = {}
        """Commits by the merged pull request that brought them in."""
        self.logins: dict[str, str] = {}
        """Accounts by the author's name; git alone knows none."""
        self._listed = cache(self._listing)
        self._described = cache(self._describe)

    def git(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> bytes:
        """What git prints; empty where it fails."""
        command = ["git", "--no-replace-objects", "--literal-pathspecs", f"--git-dir={self.path}", *arguments]
        done = subprocess.run(
            command, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        )
        return done.stdout if done.returncode in ok else b""

    def resolve_oid(self, expression: str) -> str | None:
        """What a revision expression names, as `rev-parse` says."""
        if expression.startswith("-") or "\0" in expression:
            return None
        oid = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", expression).decode().strip()
        return oid or None

    # -- GraphQL --------------------------------------------------------------------------------------------------

    def repository(self) -> Node:
        return {
            "__typename": "Repository",
            "defaultBranchRef": lambda info: self._default_branch(),
            "ref": lambda info, qualifiedName: self._ref(qualifiedName),
            "object": lambda info, oid=None, expression=None: self.describe_object(oid or expression),
            "refs": lambda info, refPrefix, **page: self._refs(refPrefix, page),
            "pullRequests": lambda info, **page: self._requests(page),
        }

    def _default_branch(self) -> Node | None:
        name = self.git("symbolic-ref", "-q", "HEAD").decode().strip()
        return self._ref(name) if name else None

    def _ref(self, name: str) -> Node | None:
        if not self.git("show-ref", "--verify", name):
            return None
        rule = None  # nothing is protected
        return {
            "__typename": "Ref",
            "name": name.split("/", 2)[2],
            "branchProtectionRule": rule,
            "target": lambda info: self.describe_object(name),
        }

    def _refs(self, prefix: str, page: Mapping[str, Any]) -> Node:
        names = (
            self.git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", prefix).decode().split("\n")[:-1]
        )
        return self._page([partial(self._ref, name) for name in names], page)

    def _requests(self, page: Mapping[str, Any]) -> Node:
        listed = self.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/pull/").decode().split("\n")[:-1]
        nodes = []
        for line in listed:
            oid, name = line.split(" ", 1)
            nodes.append(partial(self._request, oid, int(name.split("/")[2])))
        return self._page(nodes, page)

    def _request(self, oid: str, number: int) -> Node:
        last = {"nodes": [{"commit": lambda info: self.describe_object(oid)}]}
        return {"__typename": "PullRequest", "number": number, "headRefOid": oid, "commits": lambda info, **page: last}

    @staticmethod
    def _page(makers: Sequence[Callable[[], Node | None]], page: Mapping[str, Any], cursor: str = "c") -> Node:
        start = int(page["after"].rpartition(" ")[2]) + 1 if page.get("after") else 0
        end = min(start + page["first"], len(makers))
        return {
            "totalCount": len(makers),
            "pageInfo": {"hasNextPage": end < len(makers), "endCursor": f"{cursor} {end - 1}" if end > start else None},
            "nodes": [make() for make in makers[start:end]],
        }

    def describe_object(self, expression: str) -> Node | None:
        """A git object as GraphQL tells it; a tag's object, as `object(expression:)` peels none, is a Tag."""
        oid = self.resolve_oid(expression)
        kind = self.git("cat-file", "-t", oid).decode().strip() if oid else ""
        makers = {"commit": self._commit, "tree": self._tree, "blob": self._blob}
        if oid is None or kind not in (*makers, "tag"):
            return None
        return makers[kind](oid) if kind in makers else {"__typename": "Tag", "oid": oid}

    def _describe(self, oid: str) -> list[str]:
        form = "%H%x00%P%x00%T%x00%cI%x00%aI%x00%an%x00%ae%x00%cn%x00%ce%x00%B"
        return (
            self.git("log", "-1", "--no-show-signature", f"--format={form}", oid)
            .decode("utf-8", "replace")
            .split("\0", 9)
        )

    def _commit(self, oid: str) -> Node:
        _, parents, tree, committed, authored, author, email, *_, message = self._described(oid)
        above = [partial(self._commit, parent) for parent in parents.split()]
        return {
            "__typename": "Commit",
            "oid": oid,
            "committedDate": _to_utc(committed),
            "authoredDate": _to_utc(authored),
            "message": message.rstrip("\n"),
            "author": {"name": author, "email": email, "user": self._user(author)},
            "associatedPullRequests": lambda info, **page: self._page(self._introducing_pull_requests(oid), page),
            "tree": lambda info: self._tree(tree),
            "statusCheckRollup": None,
            "parents": lambda info, **page: self._page(above, page),
            "history": lambda info, path=None, **page: self._history(oid, path, page),
            "file": lambda info, path: self._file(oid, path),
        }

    def _introducing_pull_requests(self, oid: str) -> list[Callable[[], Node | None]]:
        """The pull requests that brought a commit in, as `brought` tells them."""
        numbers = [number for number, commits in self.brought.items() if oid in commits]
        return [partial(self._request, oid, number) for number in numbers]

    def _user(self, author: str) -> Node | None:
        login = self.logins.get(author)
        return {"__typename": "User", "login": login} if login else None

    def _history(self, oid: str, path: str | None, page: Mapping[str, Any]) -> Node:
        """As github.com does, a path's history is simplified: a merge that kept one side is followed along that side."""
        limit = ["--", path] if path is not None else []
        oids = self.git("log", "--format=%H", oid, *limit).decode().split()
        return self._page([partial(self._commit, commit_id) for commit_id in oids], page, oid)

    def _listing(self, commit: str) -> dict[bytes, tuple[str, str, str, int]]:
        """(mode, type, id, size) of everything below a commit or tree, folders included, by path."""
        entries = {}
        for line in self.git("ls-tree", "-r", "-t", "-z", "-l", commit).split(b"\0")[:-1]:
            facts, path = line.split(b"\t", 1)
            mode, kind, oid, size = facts.decode().split()
            entries[path] = (mode, kind, oid, 0 if size == "-" else int(size))
        return entries

    def _file(self, commit: str, path: str) -> Node | None:
        entry = self._listed(commit).get(path.encode())
        return self._entry(path.rpartition("/")[2].encode(), *entry) if entry else None

    def _entry(self, name: bytes, mode: str, kind: str, oid: str, size: int) -> Node:
        return {
            "__typename": "TreeEntry",
            "name": name.decode("utf-8", "replace"),
            "nameRaw": base64.b64encode(name).decode(),
            "mode": int(mode, 8),
            "type": kind,
            "oid": oid,
            "size": size,
            "object": lambda info: self.describe_object(oid) if kind != "commit" else None,
        }

    def _tree(self, oid: str) -> Node:
        return {"__typename": "Tree", "oid": oid, "entries": lambda info: self._entries(oid)}

    def _entries(self, tree: str) -> list[Node]:
        return [self._entry(path, *facts) for path, facts in self._listed(tree).items() if b"/" not in path]

    def _blob(self, oid: str) -> Node:
        content = self.git("cat-file", "blob", oid)
        binary = b"\0" in content[:8000]
        return {
            "__typename": "Blob",
            "oid": oid,
            "byteSize": len(content),
            "isBinary": binary,
            "isTruncated": len(content) > _LONGEST_TEXT,
            "text": None if binary else content[:_LONGEST_TEXT].decode("utf-8", "replace"),
        }

    # -- REST -----------------------------------------------------------------------------------------------------

    def rest_tree(self, url: str, expression: str, *, recursive: bool) -> Node | None:
        oid = self.resolve_oid(f"{expression}^{{tree}}")
        if oid is None or (not self._listed(oid) and self.git("cat-file", "-s", oid) != b"0\n"):
            return None
        lines = [(path, facts) for path, facts in self._listed(oid).items() if recursive or b"/" not in path]
        told = [
            {"path": path.decode("utf-8", "replace"), "mode": mode, "type": kind, "sha": sha, "url": f"{url}/{sha}"}
            | ({"size": size} if kind == "blob" else {})
            for path, (mode, kind, sha, size) in lines[: self.most_entries]
        ]
        return {
            "sha": oid,
            "url": f"{url}/{oid}",
            "tree": told,
            "truncated": recursive and len(lines) > self.most_entries,
        }

    def rest_blob(self, url: str, oid: str) -> Node | None:
        if self.git("cat-file", "-t", oid) != b"blob\n":
            return None
        content = self.git("cat-file", "blob", oid)
        encoded = base64.encodebytes(content).decode()
        return {
            "sha": oid,
            "node_id": "B_1",
            "size": len(content),
            "url": url,
            "content": encoded,
            "encoding": "base64",
        }

    def rest_compare(self, root: str, base: str, tip: str, page: Mapping[str, str]) -> Node | None:
        ends = [self.resolve_oid(f"{revision}^{{commit}}") for revision in (base, tip)]
        shared = self.git("merge-base", *[end for end in ends if end]).decode().split()
        if None in ends or not shared:
            return None
        ahead = self.git("rev-list", "--date-order", "--reverse", f"{ends[0]}..{ends[1]}").decode().split()
        behind = self.git("rev-list", f"{ends[1]}..{ends[0]}").decode().split()
        status = {
            (False, False): "identical",
            (True, False): "ahead",
            (False, True): "behind",
            (True, True): "diverged",
        }
        size, start = int(page.get("per_page", 250)), int(page.get("page", 1)) - 1
        shown = ahead[start * size : (start + 1) * size] if page else ahead[-250:]
        link = f"{root}/compare/{base}...{tip}"
        return {
            "url": link, "html_url": link, "permalink_url": link, "diff_url": link, "patch_url": link,
            "base_commit": self._rest_commit(root, str(ends[0])), "merge_base_commit": self._rest_commit(root, shared[0]),
            "status": status[bool(ahead), bool(behind)], "ahead_by": len(ahead), "behind_by": len(behind),
            "total_commits": len(ahead), "commits": [self._rest_commit(root, oid) for oid in shown],
            "files": self._rest_files(root, shared[0], str(ends[1])) if start == 0 else [],
        }  # fmt: skip

    def _rest_commit(self, root: str, oid: str) -> Node:
        _, parents, tree, committed, authored, author, email, committer, committer_email, message = self._described(oid)
        link = f"{root}/commits/{oid}"
        return {
            "url": link, "sha": oid, "node_id": "C_1", "html_url": link, "comments_url": link, "author": None, "committer": None,
            "commit": {
                "url": link, "message": message.rstrip("\n"), "comment_count": 0,
                "author": {"name": author, "email": email, "date": _to_utc(authored)},
                "committer": {"name": committer, "email": committer_email, "date": _to_utc(committed)},
                "tree": {"sha": tree, "url": f"{root}/git/trees/{tree}"},
            },
            "parents": [{"sha": parent, "url": link, "html_url": link} for parent in parents.split()],
        }  # fmt: skip

    def _rest_files(self, root: str, base: str, tip: str) -> list[Node]:
        """At most 300, with renames found, as GitHub does."""
        raw = self.git("diff", "--raw", "-z", "-M", "--no-abbrev", base, tip).split(b"\0")[:-1]
        counts = self._counts(base, tip)
        files, words = [], {"A": "added", "D": "removed", "M": "modified", "T": "changed", "R": "renamed"}
        while raw:
            *_, old, new, kind = raw.pop(0).decode().split()
            before = raw.pop(0).decode("utf-8", "replace")
            path = raw.pop(0).decode("utf-8", "replace") if kind[0] == "R" else before
            added, deleted, binary = counts[path]
            link = f"{root}/blob/{path}"
            told = {
                "sha": old if kind[0] == "D" else new, "filename": path, "status": words[kind[0]],
                "additions": added, "deletions": deleted, "changes": added + deleted,
                "blob_url": link, "raw_url": link, "contents_url": link,
            }  # fmt: skip
            told |= {"previous_filename": before} if kind[0] == "R" else {}
            files.append(told | ({} if binary or not added + deleted else {"patch": "@@"}))
        return files[:300]

    def _counts(self, base: str, tip: str) -> dict[str, tuple[int, int, bool]]:
        fields = self.git("diff", "--numstat", "-z", "-M", base, tip).split(b"\0")[:-1]
        counts = {}
        while fields:
            added, deleted, path = fields.pop(0).decode("utf-8", "replace").split("\t", 2)
            if not path:
                _, path = fields.pop(0), fields.pop(0).decode("utf-8", "replace")
            counts[path] = (0, 0, True) if added == "-" else (int(added), int(deleted), False)
        return counts


def _to_utc(text: str) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415

    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return "1970-01-01T00:00:00Z"
