"""Firestore as the store: a kind is a collection, a key names a document, `exists` and update times guard each write.

No transactions: contended ones are slow and run their body several times. A document has three fields: `json` (the
value, exactly), `fields` (its top-level strings, which queries can ask for) and `writes` (counts from 1); one that is
of use for a while only has `expires`, too, after which Firestore deletes it some day. The count makes every write a
change: Firestore keeps the update time of a document that a write leaves as it was, and then two
equal replacements of one version would both succeed.

Over REST, because every function asks its store before its first answer: importing the client took 0.7 s of processor
time, urllib3 0.2 s (2026-11, Python 3.11). Writes are never repeated: a lost answer raises `Retry`, so that the caller
looks first. Reads are repeated for a moment.
https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from shared.adapters.document_codec import MAX_NAME_LENGTH, decode_document, encode_document
from shared.adapters.google.rest_client import ApiRefusal, RestClient, resolve_endpoint
from shared.ports import Document, StoredDocument
from shared.secret import Secret
from shared.text.timestamps import format_rfc3339

FIRESTORE_HOST = "firestore.googleapis.com"
_UNESCAPED = " !#$&'()*+,:;=?@[]{}|^"
RETENTION = {
    "caps": timedelta(days=32),
    "deliveries": timedelta(days=32),
    "fork_tallies": timedelta(days=32),
    "rejections": timedelta(days=92),
}
"""Kinds whose keys name a day or a delivery, which nobody asks for again. Nothing may rely on a deletion."""
_VERSION_FORM = re.compile(r"([0-9]{1,18})@([0-9]{4}-[0-9:.TZ-]{1,40})")


def _get_utc_now() -> datetime:
    return datetime.now(UTC)


class FirestoreStore:
    """Keeps documents in a database of a project, or in an emulator. Raises Retry, ApiRefusal without permission."""

    def __init__(  # noqa: PLR0913  # the last is there to be replaced by tests
        self,
        project: str,
        database: str = "(default)",
        seconds: float = 20.0,
        *,
        emulator: str = "",
        token: Callable[[], Secret] | None = None,
        now: Callable[[], datetime] = _get_utc_now,
    ) -> None:
        """`seconds` is how long one call may take; the time limit of a function is several times that.

        `emulator` is a host and a port; without one `token` is an access token for Google's APIs.
        """
        self._documents = f"projects/{project}/databases/{database}/documents"
        self._rest = RestClient(resolve_endpoint(FIRESTORE_HOST, emulator, token), seconds)
        self._retry_for = seconds / 10
        self._now = now

    def create(self, kind: str, key: str, value: Document) -> bool:
        """See `shared.ports.Store`."""
        content = _build_fields(encode_document(kind, key, value), value, 1) | self._expiry_field(kind)
        return self._write(kind, key, content, {"exists": False}, {"ALREADY_EXISTS"})

    def read(self, kind: str, key: str) -> StoredDocument | None:
        """See `shared.ports.Store`."""
        answers = self._query("batchGet", {"documents": [self._document_name(kind, key)]})
        document = next((answer["found"] for answer in answers if "found" in answer), None)
        return None if document is None else _parse_document(kind, document)

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        """See `shared.ports.Store`. Raises ValueError for a version that this store did not give out."""
        given = _VERSION_FORM.fullmatch(version)
        if given is None:
            raise ValueError(f"{kind}/{key}: {version!r} is no version of this store")
        content = _build_fields(encode_document(kind, key, value), value, int(given[1]) + 1) | self._expiry_field(kind)
        return self._write(kind, key, content, {"updateTime": given[2]}, {"FAILED_PRECONDITION", "NOT_FOUND"})

    def find(self, kind: str, field: str, value: str, limit: int = 500) -> Sequence[StoredDocument]:
        """See `shared.ports.Store`. Values of more than 1,500 bytes are not found."""
        if not _is_indexable(value):
            return []
        name = field.replace("\\", "\\\\").replace("`", "\\`")
        query = {
            "from": [{"collectionId": _escape_key(kind)}],
            "where": {
                "fieldFilter": {
                    "field": {"fieldPath": f"fields.`{name}`"},
                    "op": "EQUAL",
                    "value": {"stringValue": value},
                }
            },
            "orderBy": [{"field": {"fieldPath": "__name__"}}],
            "limit": limit,
        }
        answers = self._query("runQuery", {"structuredQuery": query})
        return sorted(
            (_parse_document(kind, answer["document"]) for answer in answers if "document" in answer),
            key=lambda stored: stored.key,
        )

    def close(self) -> None:
        """Ends the connections."""
        self._rest.close()

    def _query(self, method: str, body: Mapping[str, object]) -> Iterable[Mapping[str, Any]]:
        """A stream of answers, which REST gives as one list."""
        answers = self._rest.post(f"/v1/{self._documents}:{method}", body, retry_for=self._retry_for)
        return answers if isinstance(answers, list) else [answers]

    def _write(
        self,
        kind: str,
        key: str,
        content: Mapping[str, object],
        precondition: Mapping[str, object],
        conflict_statuses: set[str],
    ) -> bool:
        """False where the document was not as `only` wants it, which the API names with one of `lost`."""
        write = {"update": {"name": self._document_name(kind, key), "fields": content}, "currentDocument": precondition}
        try:
            self._rest.post(f"/v1/{self._documents}:commit", {"writes": [write]})
        except ApiRefusal as refused:
            if refused.status in conflict_statuses:
                return False
            raise
        return True

    def _expiry_field(self, kind: str) -> dict[str, object]:
        return (
            {"expires": {"timestampValue": format_rfc3339(self._now() + RETENTION[kind])}} if kind in RETENTION else {}
        )

    def _document_name(self, kind: str, key: str) -> str:
        return f"{self._documents}/{_escape_key(kind)}/{_escape_key(key)}"


def _build_fields(text: str, value: Document, writes: int) -> dict[str, object]:
    """A write without a mask replaces the whole document; all content of a kind has the same fields."""
    fields = {
        name: {"stringValue": held}
        for name, held in value.items()
        if name and isinstance(held, str) and _is_indexable(held)
    }
    return {
        "json": {"stringValue": text},
        "fields": {"mapValue": {"fields": fields}},
        "writes": {"integerValue": str(writes)},
    }


def _is_indexable(value: str) -> bool:
    try:
        return len(value.encode()) <= MAX_NAME_LENGTH
    except UnicodeEncodeError:  # half of a surrogate pair: our own JSON can carry it, protocol buffers cannot
        return False


def _parse_document(kind: str, document: Mapping[str, Any]) -> StoredDocument:
    fields = document["fields"]
    version = f"{fields['writes']['integerValue']}@{document['updateTime']}"
    key = unquote(str(document["name"]).rpartition("/")[2])
    return StoredDocument(kind, key, decode_document(fields["json"]["stringValue"]), version)


def _escape_key(key: str) -> str:
    """A name that Firestore takes: no `/`, not `.` or `..`, not `__…__`."""
    quoted = quote(key, safe=_UNESCAPED, errors="surrogatepass")
    if quoted.strip(".") and not quoted.startswith("__"):
        return quoted
    return f"%{ord(quoted[0]):02X}{quoted[1:]}" if quoted.strip(".") else quoted.replace(".", "%2E")
