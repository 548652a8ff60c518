"""Claim, do, record: runs an effect once, whatever is delivered twice, runs in parallel, or dies.

An effect has a deterministic key, a function that performs it, and one that finds on the other side what an interrupted
attempt has done. Every caller gets the same result. The ledger is the documents of the kind `effects`, written only by
`create()` and by replacements that name the version they replace.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timedelta

from shared.errors import Reject, Retry
from shared.ports import Document, StoredDocument
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context
from shared.workflow.records import documents

LEASE = timedelta(minutes=12)
"""Longer than any function may run (nine minutes): once a lease is over, its holder has ended."""
MIN_LEASE_LEFT = timedelta(seconds=30)
"""What must be left of the lease when the effect begins."""
RETRY_DELAY = timedelta(minutes=3)
"""How long after a failed attempt nobody tries again: the other side's lists lag behind by minutes."""

_current_claim: ContextVar[str] = ContextVar("_current_claim", default="")


def read_current_claim() -> str:
    """The key of the claim under which the caller acts; "" outside of one. The fakes of the outside demand it."""
    return _current_claim.get()


def run_once(
    context: Context,
    key: str,
    perform: Callable[[], Document],
    find_result: Callable[[], Document | None] = lambda: None,
) -> Document:
    """Performs the effect unless it was done. `find_result` is left out only where twice is the same as once.

    Raises Retry where another process holds the claim, and everything that `perform` and `find_result` raise.
    """
    claim = _claim(context, key)
    if documents.read_text(claim.value, "state") == "done":
        return documents.read_part(claim.value, "result")
    try:
        # An earlier attempt may have reached the other side, even if it "failed": its answer may have been lost.
        result = find_result() if documents.read_number(claim.value, "attempt") > 1 else None
    except Exception:
        _end_lease(context, claim, context.clock.now())
        raise
    if result is None:
        result = _run_effect(context, claim, perform)
    return _record_result(context, claim, result)


def read_result(context: Context, key: str) -> Document | None:
    """The result of an effect that was done; None where it was not, or is not yet recorded."""
    stored = context.store.read("effects", key)
    if stored is None or documents.read_text(stored.value, "state") != "done":
        return None
    return documents.read_part(stored.value, "result")


def is_claimed(context: Context, key: str) -> bool:
    """Whether the effect was ever claimed."""
    return context.store.read("effects", key) is not None


def is_just_claimed(context: Context, key: str) -> bool:
    """Whether a process claimed the effect within `RETRY_DELAY`, and may be at it: no call of a port takes longer."""
    stored = context.store.read("effects", key)
    if stored is None or documents.read_text(stored.value, "state") == "done":
        return False
    begun = documents.read_time(stored.value, "lease_until") - context.limit_wait(LEASE)
    return context.clock.now() < begun + context.limit_wait(RETRY_DELAY)


def _claim(context: Context, key: str) -> StoredDocument:
    """The effect's document: done, or claimed by the caller."""
    token, now = context.ids.generate_id(), context.clock.now()
    stored = context.store.read("effects", key)
    if stored is None:
        # The answer is not looked at: False may mean one's own write, retried by the client. The document says whose.
        context.store.create("effects", key, _claim_to_document(token, 1, now, context.limit_wait(LEASE)))
        stored = _reread_claim(context, key)
    if documents.read_text(stored.value, "state") == "done" or documents.read_text(stored.value, "owner") == token:
        return stored
    #   claimed        effect         recorded            lease_until
    #   |--------------|--------------|-------------------|------------------> time
    #   |<- the holder's function may run, and no longer ->| take over, reconcile, only then act
    #   |              |<- raised: lease_until moves to RETRY_DELAY from here
    if now < documents.read_time(stored.value, "lease_until"):
        until = documents.read_text(stored.value, "lease_until")
        raise Retry(f"{key} is claimed by another process until {until}", reason="claimed")
    attempt = documents.read_number(stored.value, "attempt") + 1
    claimed = _claim_to_document(token, attempt, now, context.limit_wait(LEASE))
    if not context.store.replace("effects", key, claimed, stored.version):
        raise Retry(f"{key} was claimed by another process just now", reason="claimed")
    taken = _reread_claim(context, key)
    if documents.read_text(taken.value, "owner") != token:
        raise Retry(f"{key} was claimed by another process just now", reason="claimed")
    return taken


def _reread_claim(context: Context, key: str) -> StoredDocument:
    stored = context.store.read("effects", key)
    if stored is None:
        raise Retry(f"{key} was claimed, and its claim is gone")
    return stored


def _claim_to_document(token: str, attempt: int, now: datetime, lease: timedelta) -> Document:
    return {"state": "claimed", "owner": token, "attempt": attempt, "lease_until": format_rfc3339(now + lease)}


def _run_effect(context: Context, claim: StoredDocument, do: Callable[[], Document]) -> Document:
    if context.clock.now() + min(MIN_LEASE_LEFT, context.limit_wait(LEASE) / 2) > documents.read_time(
        claim.value, "lease_until"
    ):
        raise Retry(f"{claim.key}: too little is left of the lease to act", reason="lease_almost_over")
    reset = _current_claim.set(claim.key)
    try:
        return do()
    except Reject:
        _end_lease(context, claim, context.clock.now())  # the other side has said that it did nothing
        raise
    except Exception:
        _end_lease(context, claim, context.clock.now() + context.limit_wait(RETRY_DELAY))
        raise
    finally:
        _current_claim.reset(reset)


def _end_lease(context: Context, claim: StoredDocument, until: datetime) -> None:
    """At best: where this cannot be written, the lease ends by itself."""
    with suppress(Retry):
        context.store.replace(
            "effects", claim.key, {**claim.value, "lease_until": format_rfc3339(until)}, claim.version
        )


def _record_result(context: Context, claim: StoredDocument, result: Document) -> Document:
    done = {**claim.value, "state": "done", "result": result, "at": format_rfc3339(context.clock.now())}
    if context.store.replace("effects", claim.key, done, claim.version):
        return result
    stored = _reread_claim(context, claim.key)
    if documents.read_text(stored.value, "state") != "done":
        raise Retry(f"{claim.key} was taken over before its result could be recorded")
    return documents.read_part(stored.value, "result")
