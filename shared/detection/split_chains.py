"""Joins the links of a chain of exceptions that a platform logged as entries of their own.

Cloud Logging begins a new entry at each `Traceback (most recent call last)`, and the sentence between two links is
lost. What tells them then: they come from the same log at once, and the later one's message quotes the earlier one's.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from shared.detection.connections import are_different_connections
from shared.detection.raised_exception import RaisedException, build_raised
from shared.detection.tie_events import Event

_MAX_GAP = timedelta(milliseconds=50)
"""Between two links: Python writes them at once."""
_MIN_QUOTED = 10
"""Characters of a message that tell that it is quoted; "'id'" may be anywhere."""


def join_split_chains(events: Sequence[Event]) -> list[Event]:
    """The events, those of one chain as its last one; `events` come in the order of their time."""
    joined: list[Event] = []
    last = -1
    """The index of the last exception."""
    for event in events:
        shown = event
        if event.raised is not None:
            if last >= 0 and (chained := _join(joined[last], event)) is not None:
                shown = replace(event, raised=chained)
                joined[last] = replace(joined[last], raised=None)
            last = len(joined)
        joined.append(shown)
    return [event for event in joined if event.is_telling]


def _join(before: Event, after: Event) -> RaisedException | None:
    """The chain of both; None where nothing says that they are one."""
    first, then = before.raised, after.raised
    if first is None or then is None or before.moment is None or after.moment is None:
        return None
    is_at_once = before.source == after.source and after.moment - before.moment <= _MAX_GAP
    if not is_at_once or are_different_connections(before.ids, after.ids):
        return None
    quoted = first.chain[-1].message.strip()
    quoting = then.exception
    is_new = (quoting.error_class, quoting.message.strip()) != (first.chain[-1].error_class, quoted)
    if len(quoted) < _MIN_QUOTED or quoted not in quoting.message or not is_new:
        return None
    syntax = first.is_syntax_error or then.is_syntax_error
    return build_raised((*first.chain, *then.chain), then.entry, is_syntax_error=syntax)
