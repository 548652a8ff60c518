"""Builds the one line a day that says what is merged and not deployed; nobody is asked anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import Message
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.text.phrases import pluralize, quote_service_name, quote_untrusted, short_sha
from shared.text.timestamps import format_duration

_MAX_TITLE_LENGTH = 150


class RadarEntry(Protocol):
    """What is told of a failure; `fix` is "" where the branch never had it."""

    @property
    def error_class(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def fix(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def committed_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class RadarLine:
    """`ahead`: commits that would ship. `further`: failures beside the entries that may end as well.

    `sign` binds the button to what was found; "" for no button.
    """

    entries: Sequence[RadarEntry]
    ahead: int
    further: int
    sign: str = ""


def build_radar_notice(service: Service, told: RadarLine, now: datetime) -> Message:
    """The message of one day."""
    entries, ahead, further = told.entries, told.ahead, told.further
    others = len(entries) - 1 + further
    more = f" {pluralize(others, 'further failure')} may end with it." if others else ""
    line = f"{describe_entry(entries[0], now)} {pluralize(ahead, 'commit')} of the deploy branch would ship.{more}"
    return Message(
        proposal=f"{service.id}-radar-{now.date().isoformat()}",
        incident=service.id,
        commit=entries[0].fix,
        evidence_hash=told.sign,
        title=quote_untrusted(f"{quote_service_name(service.name)}: a merged fix is not deployed", _MAX_TITLE_LENGTH),
        lines=(line,),
        issue_url="",
        standing=ProposalStatus.NOTICE,
        expires_at=now,
        kind=ActionKind.NONE,
        can_be_proposed=bool(told.sign and entries[0].fix),
    )


def describe_entry(entry: RadarEntry, now: datetime) -> str:
    """One sentence, redacted and of one line."""
    line = f", line {entry.line}" if entry.line else ""
    failure = f"{quote_untrusted(entry.error_class, 80)} in {quote_untrusted(entry.path, 160)}{line}"
    if not entry.fix or entry.committed_at is None:
        return f"{failure} is in what serves; the deploy branch never had it."
    age = format_duration(max(now - entry.committed_at, timedelta()))
    subject = quote_untrusted(entry.subject, 80)
    return f"{failure} is in what serves; {short_sha(entry.fix)} (“{subject}”), committed {age} ago, fixes it."
