"""What will never work is kept with its reason, once a day for each source and reason: a flood costs one write."""

from shared.detection.entry import LogEntry
from shared.text.redaction import redact
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Outcome, World

_LONGEST_DETAIL = 2_000
_LONGEST_TEXT = 300


def reject(world: World, source: str, reason: str, detail: str) -> None:
    """`source` is who refused it, such as `record` or `decide`; `detail` is redacted and cut. Raises Retry."""
    now = world.clock.now()
    key = f"{reason}.{source}.{now.date().isoformat()}"
    if world.throttle.recent(("rejection", key), now):
        return
    value = {"reason": reason, "source": source, "at": format_rfc3339(now), "detail": redact(detail)[:_LONGEST_DETAIL]}
    world.store.create("rejections", key, value)
    world.throttle.recorded(("rejection", key), now)


def refused(world: World, entry: LogEntry, reason: str, detail: str) -> Outcome:
    """The outcome for an entry that is no signal; an example of each reason is kept. Raises Retry."""
    seen = f"{detail}: {entry.log_name} {entry.insert_id}: {redact(entry.text[: 4 * _LONGEST_TEXT])[:_LONGEST_TEXT]}"
    reject(world, "record", reason, seen)
    return Outcome(f"refused:{reason}", detail=detail)
