"""A moment becomes the words that a report uses for it: RFC 3339 in UTC, or a time of day where the log had no date."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """`2026-03-01T03:43:43Z`; a fraction of a second is kept only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_of_day(moment: datetime) -> str:
    """`03:43:43`, in UTC."""
    return moment.astimezone(UTC).time().isoformat()


def spoken(moment: datetime | None, *, dated: bool) -> str:
    """As a sentence needs it: with its date where that is known, never with an invented one."""
    if moment is None:
        return "at an unknown time"
    return f"at {rfc3339(moment)}" if dated else f"at {time_of_day(moment)} (the log has no date)"
