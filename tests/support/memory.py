"""Store and bus in memory, safe to use from many threads; what is read is never what was written, but a copy."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from shared.adapters.document_codec import encode_document
from shared.ports import Document, StoredDocument


@dataclass
class MemoryStore:
    """Implements `shared.ports.Store`. `writes` counts those that changed something, by kind and key."""

    writes: dict[tuple[str, str], int] = field(default_factory=dict)
    _documents: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    _versions: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _lock: Lock = field(default_factory=Lock)

    def create(self, kind: str, key: str, value: Document) -> bool:
        text = encode_document(kind, key, value)
        with self._lock:
            if key in self._documents.setdefault(kind, {}):
                return False
            self._write(kind, key, text)
            return True

    def read(self, kind: str, key: str) -> StoredDocument | None:
        with self._lock:
            document = self._documents.get(kind, {}).get(key)
        return None if document is None else StoredDocument(kind, key, json.loads(document[0]), str(document[1]))

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        text = encode_document(kind, key, value)
        with self._lock:
            document = self._documents.get(kind, {}).get(key)
            if document is None or str(document[1]) != version:
                return False
            self._write(kind, key, text)
            return True

    def find(self, kind: str, field: str, value: str, limit: int = 500) -> Sequence[StoredDocument]:
        with self._lock:
            documents = sorted(self._documents.get(kind, {}).items())
        written = json.dumps({field: value}, separators=(",", ":"))[1:-1]  # what cannot match is not worth decoding
        stored = (
            StoredDocument(kind, key, json.loads(text), str(version))
            for key, (text, version) in documents
            if written in text
        )
        return [document for document in stored if document.value.get(field) == value][:limit]

    def documents(self, kind: str) -> dict[str, Document]:
        """Every document of a kind by key, for tests to look at."""
        with self._lock:
            return {key: json.loads(text) for key, (text, _) in sorted(self._documents.get(kind, {}).items())}

    def _write(self, kind: str, key: str, text: str) -> None:
        self._documents[kind][key] = (text, next(self._versions))
        self.writes[kind, key] = self.writes.get((kind, key), 0) + 1


class UnclaimedEffectError(AssertionError):
    """An effect that nothing in the ledger allows."""


@dataclass
class ClaimGuard:
    """Holds effects to the rule that they happen inside a claim of the ledger."""

    strict: bool = False

    def __call__(self, what: str) -> None:
        from shared.workflow.ledger import read_current_claim  # noqa: PLC0415  # the contract tests of stores do without the steps

        if self.strict and not read_current_claim():
            raise UnclaimedEffectError(f"{what}: an effect outside of the ledger")


@dataclass
class MemoryBus:
    """Implements `shared.ports.Bus`. `waiting` holds what nobody has taken, `published` all there ever was."""

    waiting: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    published: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    require_claim: ClaimGuard = field(default_factory=ClaimGuard)

    def publish(self, topic: str, message: Mapping[str, str]) -> None:
        self.require_claim(f"publish {topic}")
        self.request(topic, message)

    def request(self, topic: str, message: Mapping[str, str]) -> None:
        for kept in (self.waiting, self.published):
            kept.append((topic, json.loads(json.dumps(message))))
