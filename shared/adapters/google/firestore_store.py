"""Firestore as the store: a kind is a collection, a key names a document, `create()` and update times guard each write.

No transactions: contended ones are slow and run their body several times. A document has three fields: `json` (the
value, exactly), `fields` (its top-level strings, which queries can ask for) and `writes` (counts from 1); one that is
of use for a while only has `expires`, too, after which Firestore deletes it some day. The count makes every write a
change: Firestore keeps the update time of a document that a write leaves as it was, and then two
equal replacements of one version would both succeed.

Writes are not repeated by the client. An answer that is lost is told as `Retry`, so that whoever asked looks first.
Reads are, for a moment: the connection of an instance that slept is often gone. (The client's own policy goes on for
five minutes, which outlasts the function.)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from shared.adapters.documents import LONGEST_NAME, decode, encode
from shared.errors import Retry
from shared.ports import Document, Stored

if TYPE_CHECKING:
    from google.api_core.retry import Retry as ReadAgain
    from google.cloud.firestore import Client
    from google.cloud.firestore_v1.base_document import DocumentSnapshot
    from google.cloud.firestore_v1.document import DocumentReference

_PLAIN = " !#$&'()*+,:;=?@[]{}|^"
LIFETIMES = {"caps": timedelta(days=32), "deliveries": timedelta(days=32), "rejections": timedelta(days=92)}
"""Kinds whose keys name a day or a delivery, which nobody asks for again. Nothing may rely on a deletion."""


def _utc() -> datetime:
    return datetime.now(UTC)


class FirestoreStore:
    """Keeps documents in one database of a project; `FIRESTORE_EMULATOR_HOST` leads to an emulator."""

    def __init__(
        self,
        project: str,
        database: str = "(default)",
        seconds: float = 20.0,
        now: Callable[[], datetime] = _utc,
    ) -> None:
        """`seconds` is how long one call may take; the time limit of a function is several times that."""
        self._project = project
        self._database = database
        self._seconds = seconds
        self._now = now

    def create(self, kind: str, key: str, value: Document) -> bool:
        """See `shared.ports.Store`."""
        from google.api_core.exceptions import AlreadyExists  # noqa: PLC0415

        content = _content(encode(kind, key, value), value, 1) | self._expiry(kind)
        with _reaching(kind, key):
            try:
                self._document(kind, key).create(content, retry=None, timeout=self._seconds)
            except AlreadyExists:
                return False
        return True

    def read(self, kind: str, key: str) -> Stored | None:
        """See `shared.ports.Store`."""
        with _reaching(kind, key):
            snapshot = self._document(kind, key).get(retry=self._again, timeout=self._seconds)
        return _stored(kind, snapshot) if snapshot.exists else None

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        """See `shared.ports.Store`. Raises ValueError for a version that this store did not give out."""
        from google.api_core.datetime_helpers import DatetimeWithNanoseconds  # noqa: PLC0415
        from google.api_core.exceptions import FailedPrecondition, NotFound  # noqa: PLC0415

        writes, _, updated = version.partition("@")
        moment = DatetimeWithNanoseconds.from_rfc3339(updated)  # type: ignore[no-untyped-call]
        content = _content(encode(kind, key, value), value, int(writes) + 1) | self._expiry(kind)
        option = self._client.write_option(last_update_time=moment.timestamp_pb())
        with _reaching(kind, key):
            try:
                self._document(kind, key).update(content, option=option, retry=None, timeout=self._seconds)
            except (FailedPrecondition, NotFound):
                return False
        return True

    def find(self, kind: str, field: str, value: str, limit: int = 500) -> Sequence[Stored]:
        """See `shared.ports.Store`. Values of more than 1,500 bytes are not found."""
        from google.cloud.firestore import FieldFilter  # noqa: PLC0415

        if not _findable(value):
            return []
        wanted = FieldFilter(self._client.field_path("fields", field), "==", value)
        query = self._client.collection(_name(kind)).where(filter=wanted).order_by("__name__").limit(limit)
        with _reaching(kind, f"{field} = {value[:80]}"):
            found = query.get(retry=self._again, timeout=self._seconds)
        return sorted((_stored(kind, snapshot) for snapshot in found), key=lambda stored: stored.key)

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()  # type: ignore[no-untyped-call]

    def _expiry(self, kind: str) -> dict[str, object]:
        return {"expires": self._now() + LIFETIMES[kind]} if kind in LIFETIMES else {}

    def _document(self, kind: str, key: str) -> "DocumentReference":
        return self._client.collection(_name(kind)).document(_name(key))

    @cached_property
    def _again(self) -> "ReadAgain":
        from google.api_core.exceptions import ServiceUnavailable  # noqa: PLC0415
        from google.api_core.retry import Retry as ReadAgain  # noqa: PLC0415
        from google.api_core.retry import if_exception_type  # noqa: PLC0415

        return ReadAgain(if_exception_type(ServiceUnavailable), initial=0.05, maximum=0.5, timeout=self._seconds / 10)

    @cached_property
    def _client(self) -> "Client":
        from google.cloud.firestore import Client  # noqa: PLC0415

        return Client(project=self._project, database=self._database)


def _content(text: str, value: Document, writes: int) -> dict[str, object]:
    """`update` replaces each field that it names as a whole; all content of a kind has the same ones."""
    fields = {name: held for name, held in value.items() if name and isinstance(held, str) and _findable(held)}
    return {"json": text, "fields": fields, "writes": writes}


def _findable(value: str) -> bool:
    try:
        return len(value.encode()) <= LONGEST_NAME
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can carry it, protocol buffers cannot
        return False


def _stored(kind: str, snapshot: "DocumentSnapshot[Any]") -> Stored:
    version = f"{snapshot.get('writes')}@{snapshot.update_time.rfc3339()}"
    return Stored(kind, unquote(snapshot.id), decode(snapshot.get("json")), version)


def _name(key: str) -> str:
    """A name that Firestore takes: no `/`, not `.` or `..`, not `__…__`."""
    quoted = quote(key, safe=_PLAIN, errors="surrogatepass")
    if quoted.strip(".") and not quoted.startswith("__"):
        return quoted
    return f"%{ord(quoted[0]):02X}{quoted[1:]}" if quoted.strip(".") else quoted.replace(".", "%2E")


@contextmanager
def _reaching(kind: str, key: str) -> Iterator[None]:
    """Turns what a later attempt may not meet again into Retry."""
    from google.api_core import exceptions as api  # noqa: PLC0415
    from google.auth.exceptions import TransportError  # noqa: PLC0415

    passing = (
        api.Aborted,
        api.Cancelled,
        api.DeadlineExceeded,
        api.InternalServerError,
        api.ResourceExhausted,
        api.RetryError,
        api.ServiceUnavailable,
        api.Unknown,
        TransportError,
    )
    try:
        yield
    except passing as error:
        raise Retry(f"Firestore did not answer for {kind}/{key}: {type(error).__name__}") from error
