"""Cloud Logging: an entry's neighbours, what a service logged, and how many requests a revision answered.

Every query is bounded in time, pages and bytes. Query language:
https://cloud.google.com/logging/docs/view/logging-query-language
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from google.api_core.exceptions import ResourceExhausted
from google.protobuf.json_format import MessageToDict

from shared.adapters.google.clients import TIMEOUT_SECONDS, GoogleClients
from shared.adapters.google.errors import translate_errors
from shared.adapters.google.request_counts import RequestCounts
from shared.adapters.logs.log_json import SplitEntries, parse_json_entry
from shared.detection.entry import LogEntry
from shared.errors import Reject, Retry
from shared.ports import MAX_NEIGHBOURS, LinkBuilder
from shared.report.links import Links
from shared.service import Service
from shared.text.timestamps import format_rfc3339

if TYPE_CHECKING:
    from google.cloud.logging_v2 import types

NEIGHBOUR_WINDOWS = (timedelta(seconds=10), timedelta(seconds=1), timedelta(milliseconds=100))
"""How far to either side neighbours are looked for; in a storm, which one question does not hold, ever nearer."""
MAX_LOOKBACK = timedelta(days=14)
"""Requests are counted over no longer time: a watch is over by then."""
SHORTEST_COUNT = timedelta(minutes=1)
REQUEST_LOG = "run.googleapis.com%2Frequests"
SIGNAL_TERMS = (
    "SyntaxError",
    "IndentationError",
    "TabError",
    "1011",
    "Traceback",
    "Out of memory",
    "Memory limit",
    "failed to start",
    "failed to become healthy",
    "failed to boot",
    "Container called exit",
    "probe failed",
    "exited with code",
    "startup failed",
    "Error loading ASGI app",
    "CloseCode.INTERNAL_ERROR",
    "Exception in ASGI application",
    "connection handler failed",
)
"""Words without which an entry is neither a signal nor a symptom nor the resources' fault, unless it is an error."""


QUOTA_SECONDS = 20.0
"""After a refusal for its quota, which is for a minute and a whole project, a project's log is left alone for so long:
a storm would ask once for each of its entries."""
QUOTA_REASON, QUOTA_SENTENCE = "log_quota", "its quota of sixty reads a minute is used up"


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one question may cost."""

    entries: int = 10_000
    page: int = 1_000
    pages: int = 100
    """Pages may be empty while the log is still searched."""
    megabytes: float = 32.0


class CloudLogging:
    """Implements `shared.ports.Logs`."""

    def __init__(
        self,
        clients: GoogleClients,
        limits: QueryLimits | None = None,
        counts: RequestCounts | None = None,
        clock: Callable[[], float] = time.monotonic,
        log_projects: Mapping[str, str] | None = None,
    ) -> None:
        """`log_projects` says of a project in which other one its log is kept."""
        self._log_projects = log_projects or {}
        self._clients = clients
        self._bounds = limits or QueryLimits()
        self._counts = counts
        self._clock = clock
        self._refused_until: dict[str, float] = {}

    def read_neighbours(self, entry: LogEntry) -> Sequence[LogEntry]:
        """See `shared.ports.Logs`. The entry alone where the platform did not say when and where it was logged."""
        at = entry.timestamp
        if at is None or not (entry.project and entry.service and entry.log_name):
            return [entry]
        terms = [
            *build_service_filter(entry.service, entry.revision),
            f"logName={quote_value(entry.log_name)}",
            *([f"labels.instanceId={quote_value(entry.instance)}"] if entry.instance else []),
        ]
        logged = self._read_near(entry.project, terms, at)
        neighbours = [neighbour for neighbour in logged if neighbour.source == entry.source]
        if entry.insert_id not in {neighbour.insert_id for neighbour in neighbours}:
            neighbours.append(entry)
        nearest = sorted(neighbours, key=lambda neighbour: abs((neighbour.timestamp or at) - at))[:MAX_NEIGHBOURS]
        ordered = sorted(nearest, key=lambda neighbour: (neighbour.timestamp or at, neighbour.position))
        return [replace(neighbour, position=index) for index, neighbour in enumerate(ordered)]

    def read_entries(
        self, service: Service, since: datetime, until: datetime, revision: str = ""
    ) -> Sequence[LogEntry]:
        """See `shared.ports.Logs`. Lines of stderr without a severity are in it: a traceback may come line by line."""
        signs = " OR ".join(quote_value(sign) for sign in SIGNAL_TERMS)
        lines = '(log_id("run.googleapis.com/stderr") AND severity=DEFAULT)'
        terms = [
            *build_service_filter(service.name, revision),
            f"resource.labels.location={quote_value(service.region)}",
            f'NOT log_id("{REQUEST_LOG.replace("%2F", "/")}")',
            f"(severity>=ERROR OR {lines} OR {signs})",
            *build_time_filter(since, until),
        ]
        return [entry for entry in self._read(service.project, terms) if entry.service == service.name]

    def count_requests(self, service: Service, revision: str, since: datetime) -> int:
        """See `shared.ports.Logs`. Counts to 10,000 and no further: what matters is whether there were any."""
        return self._count(service, revision, since, is_failed=False)

    def count_failed_requests(self, service: Service, revision: str, since: datetime) -> int:
        """How many of them it answered with a server error. A WebSocket that was accepted counts as answered."""
        return self._count(service, revision, since, is_failed=True)

    def _count(self, service: Service, revision: str, since: datetime, *, is_failed: bool) -> int:
        """From Monitoring; where that may not be asked, from the log."""
        if self._counts is not None:
            with suppress(Reject):
                until = max(min(datetime.now(since.tzinfo), since + MAX_LOOKBACK), since + SHORTEST_COUNT)
                return self._counts.count(service, revision, since, until, is_failed=is_failed)
        failed = ["httpRequest.status>=500"] if is_failed else []
        return len(self._read(service.project, [*_build_request_filter(service, revision, since), *failed]))

    def _read_near(self, project: str, terms: Sequence[str], at: datetime) -> Sequence[LogEntry]:
        for window in NEIGHBOUR_WINDOWS:
            answer = self._query(project, [*terms, *build_time_filter(at - window, at + window)])
            if not answer.is_cut:
                break
        return answer.entries

    def _read(self, project: str, terms: Sequence[str]) -> Sequence[LogEntry]:
        return self._query(project, terms).entries

    def _query(self, project: str, terms: Sequence[str]) -> "_Answer":
        project = self._log_projects.get(project, project)
        request = {
            "resource_names": [f"projects/{project}"],
            "filter": "\n".join(terms),
            "order_by": "timestamp asc",
            "page_size": self._bounds.page,
        }
        if self._clock() < self._refused_until.get(project, 0.0):
            raise Retry(f"Cloud Logging, project {project}: {QUOTA_SENTENCE}", reason=QUOTA_REASON)
        try:
            return self._read_pages(project, request)
        except Retry as failure:
            if isinstance(failure.__cause__, ResourceExhausted):
                self._refused_until[project] = self._clock() + QUOTA_SECONDS
                raise Retry(f"Cloud Logging, project {project}: {QUOTA_SENTENCE}", reason=QUOTA_REASON) from failure
            raise

    def _read_pages(self, project: str, request: Mapping[str, object]) -> "_Answer":
        entries: list[LogEntry] = []
        split = SplitEntries()
        left = self._bounds.megabytes * 2**20
        with translate_errors(f"Cloud Logging, project {project}"):
            pages = self._clients.logging.list_log_entries(dict(request), timeout=TIMEOUT_SECONDS, retry=None)
            for page in islice(pages.pages, self._bounds.pages):
                for message in page.entries:
                    left -= type(message).pb(message).ByteSize()
                    if left < 0 or len(entries) >= self._bounds.entries:
                        rest = _parse_whole(split.finish(), len(entries))
                        return _Answer([*entries, *rest], is_cut=True)
                    entries += _parse_whole(split.add(_convert_message(message)), len(entries))
        entries += _parse_whole(split.finish(), len(entries))
        return _Answer(entries, is_cut=bool(pages.next_page_token))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one question read, in the order of time, and whether there was more than a question may cost."""

    entries: Sequence[LogEntry]
    is_cut: bool


def _build_request_filter(service: Service, revision: str, since: datetime) -> list[str]:
    log = f"logName={quote_value(f'projects/{service.project}/logs/{REQUEST_LOG}')}"
    return [*build_service_filter(service.name, revision), log, *build_time_filter(since, since + MAX_LOOKBACK)]


def quote_value(text: str) -> str:
    """A value of the query language, whatever it holds."""
    sound = "".join(character if character.isprintable() else " " for character in text)
    return '"' + sound.replace("\\", "\\\\").replace('"', '\\"') + '"'


def build_service_filter(service: str, revision: str = "") -> list[str]:
    """The terms that admit one service's entries alone, or one revision's."""
    terms = ['resource.type="cloud_run_revision"', f"resource.labels.service_name={quote_value(service)}"]
    return [*terms, f"resource.labels.revision_name={quote_value(revision)}"] if revision else terms


def build_time_filter(since: datetime, until: datetime) -> list[str]:
    """The terms that admit a time alone, both ends included."""
    return [f"timestamp>={quote_value(format_rfc3339(since))}", f"timestamp<={quote_value(format_rfc3339(until))}"]


def _convert_message(message: "types.LogEntry") -> object:
    """The JSON that exports and sinks write, so that it is read in one way only."""
    return MessageToDict(type(message).pb(message))


def _parse_whole(values: Iterator[object], position: int) -> list[LogEntry]:
    return [parse_json_entry(value, position + number) for number, value in enumerate(values)]


_MARGIN = timedelta(minutes=1)
_EXPLORER_URL = "https://console.cloud.google.com/logs/query"


class LogLinkBuilder:
    """Implements `shared.ports.LinkBuilder`: what another one knows, and the addresses of the log."""

    def __init__(self, places: LinkBuilder) -> None:
        self._places = places

    def build_links(self, service: Service, commits: Sequence[str]) -> Links:
        """See `shared.ports.LinkBuilder`."""
        known = self._places.build_links(service, commits)
        return replace(known, entry=partial(build_entry_url, service), log=partial(build_log_url, service))


def build_entry_url(service: Service, entry: LogEntry) -> str:
    """One entry; "" for one that the platform gave no id and no time."""
    if not entry.insert_id or entry.timestamp is None or not entry.dated:
        return ""
    when = build_time_filter(entry.timestamp, entry.timestamp)
    return _build_query_url(
        service, [*build_service_filter(service.name), f"insertId={quote_value(entry.insert_id)}", *when]
    )


def build_log_url(service: Service, since: datetime | None, until: datetime | None) -> str:
    """All that a service logged in a time, and a minute to either side of it."""
    if since is None or until is None:
        return ""
    return _build_query_url(
        service, [*build_service_filter(service.name), *build_time_filter(since - _MARGIN, until + _MARGIN)]
    )


def _build_query_url(service: Service, terms: list[str]) -> str:
    query = quote("\n".join(terms), safe="", errors="replace")
    return f"{_EXPLORER_URL};query={query}?project={quote(service.project, safe='')}"
