"""Moments as elements of the page, which its script shows in the reader's own time zone."""

from datetime import UTC, datetime

from markupsafe import Markup

_TIME = Markup('<time datetime="{}" data-form="{}" title="{}">{}</time>')


def format_moment(at: datetime | str | None, form: str = "relative") -> Markup | str:
    """`2026-03-01 03:43:43 UTC`, which the page's script replaces: `form` says by what (`relative`, `lasting`)."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    if at is None:
        return "unknown"
    exact = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return _TIME.format(at.astimezone(UTC).isoformat(), form, exact, exact)


def format_sent_moment(text: str) -> Markup | str:
    """A moment of a kept message; as it is written there where it is none."""
    try:
        return format_moment(text)
    except ValueError:
        return text


def format_clock_time(at: datetime) -> Markup:
    moment = at.astimezone(UTC)
    return _TIME.format(
        moment.isoformat(), "clock", moment.strftime("%Y-%m-%d %H:%M:%S UTC"), moment.strftime("%H:%M:%S")
    )
