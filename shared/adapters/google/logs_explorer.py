"""A service and a moment come in; the address goes out at which the Logs Explorer shows what was logged then.

The time stands in the query itself: it then holds whatever range the page would choose.
https://cloud.google.com/logging/docs/view/logs-explorer-interface
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from shared.adapters.google.cloud_logging import service_filter, quote_value, time_filter
from shared.detection.entry import LogEntry
from shared.ports import LinkBuilder
from shared.report.links import Links
from shared.service import Service

_MARGIN = timedelta(minutes=1)
_EXPLORER_URL = "https://console.cloud.google.com/logs/query"


class LogLinkBuilder:
    """Implements `shared.ports.LinkBuilder`: what another one knows, and the addresses of the log."""

    def __init__(self, places: LinkBuilder) -> None:
        self._places = places

    def build_links(self, service: Service, commits: Sequence[str]) -> Links:
        """See `shared.ports.LinkBuilder`."""
        known = self._places.build_links(service, commits)
        return replace(known, entry=partial(entry_url, service), log=partial(log_url, service))


def entry_url(service: Service, entry: LogEntry) -> str:
    """One entry; "" for one that the platform gave no id and no time."""
    if not entry.insert_id or entry.timestamp is None or not entry.dated:
        return ""
    when = time_filter(entry.timestamp, entry.timestamp)
    return _query_url(service, [*service_filter(service.name), f"insertId={quote_value(entry.insert_id)}", *when])


def log_url(service: Service, since: datetime | None, until: datetime | None) -> str:
    """All that a service logged in a time, and a minute to either side of it."""
    if since is None or until is None:
        return ""
    return _query_url(service, [*service_filter(service.name), *time_filter(since - _MARGIN, until + _MARGIN)])


def _query_url(service: Service, wanted: list[str]) -> str:
    query = quote("\n".join(wanted), safe="", errors="replace")
    return f"{_EXPLORER_URL};query={query}?project={quote(service.project, safe='')}"
