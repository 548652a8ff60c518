"""A moment becomes the words that a report uses for it: RFC 3339 in UTC, or a time of day where the log had no date."""

from datetime import UTC, datetime, timedelta

_NO_DAY = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_SOON = 10.0
"""Seconds; below, tenths are told."""


def rfc3339(moment: datetime) -> str:
    """`2026-03-01T03:43:43Z`; a fraction of a second is kept only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_of_day(moment: datetime) -> str:
    """`03:43:43`, in UTC; a fraction of a second is kept only where there is one."""
    return moment.astimezone(UTC).time().isoformat()


def has_day(moment: datetime) -> bool:
    """False on 1970-01-01 and the day after: where a time of day stands until its date is known."""
    return moment.astimezone(UTC) - _NO_DAY >= timedelta(days=2)


def told(moment: datetime, *, dated: bool) -> str:
    """To the second, with its date where one is known; says so where the log did not name it."""
    moment = moment.replace(microsecond=0)
    if dated:
        return rfc3339(moment)
    return f"{rfc3339(moment)} (day inferred)" if has_day(moment) else f"{time_of_day(moment)} (no date logged)"


def spoken(moment: datetime | None, *, dated: bool) -> str:
    """As a sentence needs it: `at 2026-03-01T03:43:43Z`."""
    return "at an unknown time" if moment is None else f"at {told(moment, dated=dated)}"


def lasting(time: timedelta) -> str:
    """`0.4 s`, `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: the two largest units."""
    seconds = time.total_seconds()
    if seconds < _SOON:
        return f"{seconds:.1f} s"
    left, parts = int(seconds), []
    for unit, size in _UNITS:
        number, left = divmod(left, size)
        parts.append((number, unit))
    first = next(place for place, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)
