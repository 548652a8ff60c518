"""Claim, do, record: an effect comes in, and happens once, whatever is delivered twice, runs in parallel, or dies.

In: a deterministic key, what to do, and how to find on the other side what an interrupted attempt has done. Out: the
result, the same one for everybody who asks. The ledger is documents of the kind `effects`, written only by `create()`
and by replacements that name the version they replace.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timedelta

from shared.errors import Reject, Retry
from shared.ports import Document, StoredDocument
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import World
from shared.workflow.records import documents

LEASE = timedelta(minutes=12)
"""Longer than any function may run (nine minutes): whoever finds a lease over knows that its holder has ended."""
NEEDED = timedelta(seconds=30)
"""What must be left of the lease when the effect begins."""
SETTLING = timedelta(minutes=3)
"""How long after a failed attempt nobody tries again: the other side's lists lag behind by minutes."""

_holding: ContextVar[str] = ContextVar("_holding", default="")


def holding() -> str:
    """The key of the claim under which the caller acts; "" outside of one. The fakes of the outside demand it."""
    return _holding.get()


def once(
    world: World, key: str, do: Callable[[], Document], find: Callable[[], Document | None] = lambda: None
) -> Document:
    """Does it, unless it was done. `find` is left out only where doing it twice is the same as once.

    Raises Retry where somebody else is at it, and whatever `do` and `find` raise.
    """
    claim = _claim(world, key)
    if documents.text(claim.value, "state") == "done":
        return documents.part(claim.value, "result")
    try:
        # An earlier attempt may have reached the other side, even if it "failed": its answer may have been lost.
        result = find() if documents.number(claim.value, "attempt") > 1 else None
    except Exception:
        _end_lease(world, claim, world.clock.now())
        raise
    if result is None:
        result = _act(world, claim, do)
    return _record(world, claim, result)


def result_of(world: World, key: str) -> Document | None:
    """The result of an effect that was done; None where it was not, or is not yet recorded."""
    stored = world.store.read("effects", key)
    if stored is None or documents.text(stored.value, "state") != "done":
        return None
    return documents.part(stored.value, "result")


def begun(world: World, key: str) -> bool:
    """Whether anybody has ever claimed the effect."""
    return world.store.read("effects", key) is not None


def _claim(world: World, key: str) -> StoredDocument:
    """The effect's document: done, or claimed by the caller."""
    token, now = world.ids.token(), world.clock.now()
    stored = world.store.read("effects", key)
    if stored is None:
        # The answer is not looked at: False may mean one's own write, retried by the client. The document says whose.
        world.store.create("effects", key, _claimed(token, 1, now, world.wait(LEASE)))
        stored = _reread(world, key)
    if documents.text(stored.value, "state") == "done" or documents.text(stored.value, "owner") == token:
        return stored
    #   claimed        effect         recorded            lease_until
    #   |--------------|--------------|-------------------|------------------> time
    #   |<- the holder's function may run, and no longer ->| take over, reconcile, only then act
    #   |              |<- raised: lease_until moves to SETTLING from here
    if now < documents.moment(stored.value, "lease_until"):
        until = documents.text(stored.value, "lease_until")
        raise Retry(f"{key} is claimed by somebody else until {until}", reason="claimed")
    attempt = documents.number(stored.value, "attempt") + 1
    claimed = _claimed(token, attempt, now, world.wait(LEASE))
    if not world.store.replace("effects", key, claimed, stored.version):
        raise Retry(f"{key} was claimed by somebody else just now", reason="claimed")
    taken = _reread(world, key)
    if documents.text(taken.value, "owner") != token:
        raise Retry(f"{key} was claimed by somebody else just now", reason="claimed")
    return taken


def _reread(world: World, key: str) -> StoredDocument:
    stored = world.store.read("effects", key)
    if stored is None:
        raise Retry(f"{key} was claimed, and its claim is gone")
    return stored


def _claimed(token: str, attempt: int, now: datetime, lease: timedelta) -> Document:
    return {"state": "claimed", "owner": token, "attempt": attempt, "lease_until": format_rfc3339(now + lease)}


def _act(world: World, claim: StoredDocument, do: Callable[[], Document]) -> Document:
    if world.clock.now() + min(NEEDED, world.wait(LEASE) / 2) > documents.moment(claim.value, "lease_until"):
        raise Retry(f"{claim.key}: too little is left of the lease to act", reason="lease_almost_over")
    reset = _holding.set(claim.key)
    try:
        return do()
    except Reject:
        _end_lease(world, claim, world.clock.now())  # the other side has said that it did nothing
        raise
    except Exception:
        _end_lease(world, claim, world.clock.now() + world.wait(SETTLING))
        raise
    finally:
        _holding.reset(reset)


def _end_lease(world: World, claim: StoredDocument, until: datetime) -> None:
    """At best: where this cannot be written, the lease ends by itself."""
    with suppress(Retry):
        world.store.replace("effects", claim.key, {**claim.value, "lease_until": format_rfc3339(until)}, claim.version)


def _record(world: World, claim: StoredDocument, result: Document) -> Document:
    done = {**claim.value, "state": "done", "result": result, "at": format_rfc3339(world.clock.now())}
    if world.store.replace("effects", claim.key, done, claim.version):
        return result
    stored = _reread(world, claim.key)
    if documents.text(stored.value, "state") != "done":
        raise Retry(f"{claim.key} was taken over before its result could be recorded")
    return documents.part(stored.value, "result")
