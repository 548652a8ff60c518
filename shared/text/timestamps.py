"""Formats moments and durations for reports: RFC 3339 in UTC, or a time of day where the log had no date."""

from datetime import UTC, datetime, timedelta

_DATELESS_DAY = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_TENTHS_BELOW = 10.0
"""Seconds; a shorter duration shows tenths."""


def format_rfc3339(moment: datetime) -> str:
    """`2026-03-01T03:43:43Z`; a fraction of a second is kept only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def format_clock_time(moment: datetime) -> str:
    """`03:43:43`, in UTC; a fraction of a second is kept only where there is one."""
    return moment.astimezone(UTC).time().isoformat()


def has_date(moment: datetime) -> bool:
    """False on 1970-01-01 and the day after: where a time of day is kept until its date is known."""
    return moment.astimezone(UTC) - _DATELESS_DAY >= timedelta(days=2)


def format_timestamp(moment: datetime, *, dated: bool) -> str:
    """To the second, with its date where one is known; says so where the log did not name it."""
    moment = moment.replace(microsecond=0)
    if dated:
        return format_rfc3339(moment)
    return (
        f"{format_rfc3339(moment)} (day inferred)"
        if has_date(moment)
        else f"{format_clock_time(moment)} (no date logged)"
    )


def format_timestamp_phrase(moment: datetime | None, *, dated: bool) -> str:
    """As a sentence needs it: `at 2026-03-01T03:43:43Z`."""
    return "at an unknown time" if moment is None else f"at {format_timestamp(moment, dated=dated)}"


def format_duration(duration: timedelta) -> str:
    """`0.4 s`, `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: the two largest units."""
    seconds = duration.total_seconds()
    if seconds < _TENTHS_BELOW:
        return f"{seconds:.1f} s"
    left, parts = int(seconds), []
    for unit, size in _UNITS:
        number, left = divmod(left, size)
        parts.append((number, unit))
    first = next(index for index, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)
