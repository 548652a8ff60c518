"""Blobs of one repository by id: many with one query, and those that a query cannot give whole through the blob API.

What a query gives is text, cut off at half a megabyte, and nobody says how bytes became text. So it is believed only
where its hash is the blob's id.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from shared.adapters.github.client import GitHubClient
from shared.adapters.github.queries import Query, add_blob

_BLOBS_PER_QUERY = 100
_BYTES_PER_QUERY = 4_000_000
_MAX_TEXT_BYTES = 500_000
"""Bytes; what is longer is cut by a query and therefore not asked for with one."""


class Blobs:
    """Reads each blob once. `likely` says which others will be wanted soon, with their sizes."""

    def __init__(self, github: GitHubClient, owner: str, name: str, expected: Callable[[], Mapping[str, int]]) -> None:
        self._github = github
        self._owner, self._name = owner, name
        self._expected = expected
        self._cache: dict[str, bytes | None] = {}

    def read(self, oid: str) -> bytes | None:
        """A blob's bytes; None where there is no such blob."""
        if oid not in self._cache:
            self._fetch(oid)
        if oid not in self._cache:
            self._cache[oid] = self._read_raw(oid)
        return self._cache[oid]

    def store(self, node: Mapping[str, Any] | None) -> None:
        """Keeps what a query told about a blob, if it is the whole truth."""
        if not node or "text" not in node or node["text"] is None or node["isTruncated"]:
            return
        content = node["text"].encode("utf-8", "surrogatepass")
        if compute_blob_id(content, len(node["oid"])) == node["oid"]:
            self._cache[node["oid"]] = content

    def _fetch(self, oid: str) -> None:
        likely = self._expected()
        if likely.get(oid, 0) > _MAX_TEXT_BYTES:
            return
        query, asked = Query(), {oid: likely.get(oid, 0)}
        for other, size in likely.items():
            if other in self._cache or other in asked or size > _MAX_TEXT_BYTES:
                continue
            if len(asked) == _BLOBS_PER_QUERY or sum(asked.values()) + size > _BYTES_PER_QUERY:
                break
            asked[other] = size
        for place, each in enumerate(asked):
            add_blob(query, f"b{place}", each)
        self._store_all(self._github.query(*query.build(self._owner, self._name)))

    def _store_all(self, data: Mapping[str, Any]) -> None:
        for node in (data["repository"] or {}).values():
            self.store(node)

    def _read_raw(self, oid: str) -> bytes | None:
        told = self._github.find(f"/repos/{self._owner}/{self._name}/git/blobs/{oid}")
        return None if told is None else base64.b64decode(told["content"])


def compute_blob_id(content: bytes, digits: int = 40) -> str:
    """Git's id of these bytes: SHA-1, or SHA-256 where ids have 64 digits."""
    header = b"blob %d\0" % len(content)
    if digits == 64:
        return hashlib.sha256(header + content).hexdigest()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
