"""What will never work is kept with its reason, once a day for each source and reason: a flood costs one write."""

from shared.detection.entry import LogEntry
from shared.text.redaction import redact
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context, StepResult

_MAX_DETAIL_LENGTH = 2_000
_MAX_TEXT_LENGTH = 300


def record_rejection(context: Context, source: str, reason: str, detail: str) -> None:
    """`source` is who refused it, such as `record` or `decide`; `detail` is redacted and cut. Raises Retry."""
    now = context.clock.now()
    key = f"{reason}.{source}.{now.date().isoformat()}"
    if context.throttle.is_recent(("rejection", key), now):
        return
    value = {
        "reason": reason,
        "source": source,
        "at": format_rfc3339(now),
        "detail": redact(detail)[:_MAX_DETAIL_LENGTH],
    }
    context.store.create("rejections", key, value)
    context.throttle.mark_recorded(("rejection", key), now)


def reject_entry(context: Context, entry: LogEntry, reason: str, detail: str) -> StepResult:
    """The outcome for an entry that is no signal; an example of each reason is kept. Raises Retry."""
    seen = (
        f"{detail}: {entry.log_name} {entry.insert_id}: {redact(entry.text[: 4 * _MAX_TEXT_LENGTH])[:_MAX_TEXT_LENGTH]}"
    )
    record_rejection(context, "record", reason, seen)
    return StepResult(f"refused:{reason}", detail=detail)
