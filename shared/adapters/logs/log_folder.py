"""The logs of one machine: every file of a folder is a log, read whenever somebody asks; and what it cannot tell.

In: the folder. Out: `shared.ports.Logs`. Requests are counted by their own log, as on the platform.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from shared.adapters.logs.log_file import LogFile
from shared.detection.entry import LogEntry
from shared.proof.model.finding import CheckStatus
from shared.proposal.verdict import ProbeResult
from shared.service import Service

_NEIGHBOUR_WINDOW = timedelta(seconds=10)
_MAX_ENTRIES = 10_000
_REQUEST_LOG = "run.googleapis.com%2Frequests"


class FolderLogs:
    """Implements `shared.ports.Logs`. A folder that is not there holds no log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_neighbours(self, entry: LogEntry) -> Sequence[LogEntry]:
        """See `shared.ports.Logs`."""
        place, at = _source_key(entry), entry.timestamp
        if at is None:
            return [entry]
        same = [one for one, when in self._dated_entries() if _source_key(one) == place and abs(when - at) <= _NEIGHBOUR_WINDOW]
        if entry.insert_id not in {one.insert_id for one in same}:
            same.append(entry)
        return sorted(same, key=lambda one: (one.timestamp or at, one.position))[:_MAX_ENTRIES]

    def read_entries(self, service: Service, since: datetime, until: datetime, revision: str = "") -> Sequence[LogEntry]:
        """See `shared.ports.Logs`."""
        found = [
            (when, one)
            for one, when in self._dated_entries()
            if _is_of_service(one, service) and since <= when <= until and revision in {"", one.revision}
        ]
        return [one for _, one in sorted(found, key=lambda pair: pair[0])[:_MAX_ENTRIES]]

    def count_requests(self, service: Service, revision: str, since: datetime) -> int:
        """See `shared.ports.Logs`."""
        return sum(
            one.revision == revision and one.log_name.endswith(_REQUEST_LOG) and when >= since
            for one, when in self._dated_entries()
            if _is_of_service(one, service)
        )

    def _dated_entries(self) -> Iterator[tuple[LogEntry, datetime]]:
        for path in sorted(self._folder.glob("*")) if self._folder.is_dir() else ():
            for entry in LogFile(str(path)).entries():
                if entry.timestamp is not None:
                    yield entry, entry.timestamp


class NoProbe:
    """Implements `shared.ports.Probe` where nothing is served."""

    def check(self, service: Service) -> ProbeResult:
        """True, and says that nobody has looked."""
        return ProbeResult(ok=True, detail=f"{service.name} is not served on this machine: nobody has connected")


class NoChecks:
    """Implements `shared.ports.CheckRuns` where nobody can be asked."""

    def get_status(self, service: Service, commit: str) -> CheckStatus:  # noqa: ARG002  # as the port has it
        """`unknown`."""
        return CheckStatus.UNKNOWN


def _source_key(entry: LogEntry) -> tuple[str, ...]:
    return (entry.project, entry.service, entry.revision, entry.instance, entry.log_name)


def _is_of_service(entry: LogEntry, service: Service) -> bool:
    return (entry.project, entry.service) == (service.project, service.name)
