"""A service and a moment come in; the address goes out at which the Logs Explorer shows what was logged then.

The time stands in the query itself: it then holds whatever range the page would choose.
https://cloud.google.com/logging/docs/view/logs-explorer-interface
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from shared.adapters.google.cloud_logging import of_service, quoted, within
from shared.detection.entry import LogEntry
from shared.ports import LinkBuilder
from shared.report.links import Links
from shared.service import Service

_AROUND = timedelta(minutes=1)
_PAGE = "https://console.cloud.google.com/logs/query"


class WithLog:
    """Implements `shared.ports.LinkBuilder`: what another one knows, and the addresses of the log."""

    def __init__(self, places: LinkBuilder) -> None:
        self._places = places

    def links(self, service: Service, commits: Sequence[str]) -> Links:
        """See `shared.ports.LinkBuilder`."""
        known = self._places.links(service, commits)
        return replace(known, entry=partial(entry_address, service), log=partial(log_address, service))


def entry_address(service: Service, entry: LogEntry) -> str:
    """One entry; "" for one that the platform gave no id and no time."""
    if not entry.insert_id or entry.timestamp is None or not entry.dated:
        return ""
    when = within(entry.timestamp, entry.timestamp)
    return _address(service, [*of_service(service.name), f"insertId={quoted(entry.insert_id)}", *when])


def log_address(service: Service, since: datetime | None, until: datetime | None) -> str:
    """All that a service logged in a time, and a minute to either side of it."""
    if since is None or until is None:
        return ""
    return _address(service, [*of_service(service.name), *within(since - _AROUND, until + _AROUND)])


def _address(service: Service, wanted: list[str]) -> str:
    query = quote("\n".join(wanted), safe="", errors="replace")
    return f"{_PAGE};query={query}?project={quote(service.project, safe='')}"
