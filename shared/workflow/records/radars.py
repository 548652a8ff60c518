"""The stored radar of each service: what is merged and not deployed that ends a failure of what serves."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records.documents import Collection, EmptyForNone

MAX_ENTRIES = 20


@dataclass(frozen=True, slots=True)
class RadarEntry:
    """One failure of the deployed commit that the branch ends. `fix` is "" where the branch never had it."""

    family: str
    path: str
    line: int
    error_class: str
    message: str
    fix: str = ""
    subject: str = ""
    committed_at: EmptyForNone[datetime] = None
    commits_shipped: int = 0
    function: str = ""
    """In which the line is; "" outside of one."""


@dataclass(frozen=True, slots=True)
class Radar:
    """`requested_at`: when a look was last asked for; `looked_at`: when the last one ended, None before the first.

    `deployed` and `head` are what the entries were found between; `reason` says why nothing could be said.
    """

    service: str = ""
    requested_at: EmptyForNone[datetime] = None
    looked_at: EmptyForNone[datetime] = None
    revision: str = ""
    deployed: str = ""
    head: str = ""
    commits_ahead: int = 0
    entries: tuple[RadarEntry, ...] = ()
    further: int = 0
    """Failures beyond `entries`, or of which it is not certain that the service has them."""
    newly_broken: int = 0
    """Failures that the head has and the deployed commit has not."""
    reason: str = ""
    told_on: str = ""
    """The day (UTC) of the last line in the channel."""
    wanted_by: str = ""
    """The chat's user id of the approver who has asked for the question; "" where nobody has, or it was asked."""


RADARS = Collection("radars", Radar)


def load_radar(context: Context, service: Service) -> Radar:
    """An empty one where nobody has looked yet."""
    return RADARS.read(context.store, service.id) or Radar(service.id)


def store_request(context: Context, service: Service, moment: datetime) -> None:
    """Stores that a look was asked for."""

    def requested(known: Radar) -> Radar:
        return replace(known, service=service.id, requested_at=moment)

    RADARS.change(context.store, service.id, requested, Radar(service.id))


def store_look(context: Context, service: Service, look: Radar) -> Radar:
    """Stores what a look has found; when it was asked for, and when the channel got it, stays."""

    def looked(known: Radar) -> Radar:
        return replace(
            look, service=service.id, requested_at=known.requested_at, told_on=known.told_on, wanted_by=known.wanted_by
        )

    return RADARS.change(context.store, service.id, looked, Radar(service.id))


def store_told(context: Context, service: Service, day: str) -> None:
    """Stores on which day the channel got the line."""

    def with_day(known: Radar) -> Radar:
        return replace(known, told_on=day)

    RADARS.change(context.store, service.id, with_day, Radar(service.id))


def store_wanted(context: Context, service: Service, user: str) -> None:
    """Stores who asks for the question, and with "" that it was asked."""

    def with_user(known: Radar) -> Radar:
        return replace(known, wanted_by=user)

    RADARS.change(context.store, service.id, with_user, Radar(service.id))
