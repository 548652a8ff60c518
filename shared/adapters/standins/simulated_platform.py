"""A platform for one machine: revisions and traffic are documents of the store; a deployment is done when it begins.

What was running before anything was deployed here is known from the log alone: a revision has its name, no commit, and
all of the traffic, so that the commit is inferred from the error, as for any service without labels. Nobody has seen
that traffic: until something is deployed here, the answer says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from shared.adapters.logs.log_file import LogFile
from shared.detection.entry import LogEntry
from shared.errors import Reject, Retry
from shared.ports import MAX_NEIGHBOURS, Clock, Store, StoredDocument
from shared.proof.model.target import NO_IMAGE_NEEDED, CheckStatus, ImageCheck
from shared.proposal.rollout import Deployment, DeploymentProgress, ProbeResult, Revision, ServiceState
from shared.pushes import CheckRun
from shared.service import Service
from shared.text.timestamps import format_rfc3339

SERVICES_KIND = "local-services"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_ALL_TRAFFIC = 100


class SimulatedPlatform:
    """Implements `shared.ports.Revisions` and `shared.ports.Deployer`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get_service_state(self, service: Service) -> ServiceState:
        """See `shared.ports.Revisions`."""
        stored = self._read_or_create_service(service)
        traffic = cast("Mapping[str, int]", stored.value["traffic"])
        most = max(traffic, key=lambda name: traffic[name])
        return ServiceState(
            _build_revision(stored, most),
            dict(traffic),
            stored.version,
            is_observed=most in _read_stored_revisions(stored),
        )

    def get_traffic(self, service: Service) -> Mapping[str, int]:
        """See `shared.ports.Revisions`."""
        return dict(self.get_service_state(service).traffic)

    def get_revision(self, service: Service, name: str) -> Revision | None:
        """A revision that nobody deployed here was deployed before."""
        return _build_revision(self._read_or_create_service(service), name)

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        revisions = _read_stored_revisions(self._read_or_create_service(service))
        return next((name for name, known in revisions.items() if known["marker"] == marker), None)

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        """See `shared.ports.Deployer`: the commit's files are what runs."""
        del service, commit
        return NO_IMAGE_NEEDED

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`. The revision is its own operation."""
        stored = self._read_or_create_service(service)
        if stored.version != etag:
            raise Reject("stale", f"the service is at {stored.version}, not at {etag}")
        revisions = _read_stored_revisions(stored)
        name = f"{service.name}-{len(revisions) + 1:05}-local"
        made = {"commit": commit, "created_at": format_rfc3339(self._clock.now()), "marker": marker}
        self._replace(stored, {"revisions": {**revisions, name: made}})
        return name

    def state(self, service: Service, operation: str) -> Deployment:
        """See `shared.ports.Deployer`."""
        if operation not in _read_stored_revisions(self._read_or_create_service(service)):
            raise Reject("no_such_operation", operation)
        return Deployment(DeploymentProgress.DONE, operation)

    def shift_traffic(self, service: Service, revision: str, percent: int) -> None:
        """See `shared.ports.Deployer`."""
        stored = self._read_or_create_service(service)
        others = {n: share for n, share in cast("Mapping[str, int]", stored.value["traffic"]).items() if n != revision}
        traffic = {revision: percent}
        if percent < _ALL_TRAFFIC and others:
            traffic[max(others, key=lambda name: others[name])] = _ALL_TRAFFIC - percent
        self._replace(stored, {"traffic": traffic})

    def _read_or_create_service(self, service: Service) -> StoredDocument:
        stored = self._store.read(SERVICES_KIND, service.id)
        if stored is None:
            self._store.create(
                SERVICES_KIND, service.id, {"revisions": {}, "traffic": {f"{service.name}-as-logged": _ALL_TRAFFIC}}
            )
            stored = self._store.read(SERVICES_KIND, service.id)
        if stored is None:
            raise Retry(f"{SERVICES_KIND}/{service.id} is gone")
        return stored

    def _replace(self, stored: StoredDocument, changes: Mapping[str, object]) -> None:
        if not self._store.replace(SERVICES_KIND, stored.key, {**stored.value, **changes}, stored.version):
            raise Retry(f"{SERVICES_KIND}/{stored.key} was changed by another process")


def _read_stored_revisions(stored: StoredDocument) -> Mapping[str, Mapping[str, str]]:
    return cast("Mapping[str, Mapping[str, str]]", stored.value["revisions"])


def _build_revision(stored: StoredDocument, name: str) -> Revision:
    known = _read_stored_revisions(stored).get(name)
    if known is None:
        return Revision(name, None, _LONG_AGO)
    return Revision(name, known["commit"], datetime.fromisoformat(known["created_at"]))


_NEIGHBOUR_WINDOW = timedelta(seconds=10)
_MAX_ENTRIES = 10_000
_REQUEST_LOG = "run.googleapis.com%2Frequests"


class FolderLogs:
    """Implements `shared.ports.Logs`. A folder that is not there holds no log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_neighbours(self, entry: LogEntry) -> Sequence[LogEntry]:
        """See `shared.ports.Logs`."""
        at = entry.timestamp
        if at is None:
            return [entry]
        same = [
            logged
            for logged, when in self._dated_entries()
            if logged.source == entry.source and abs(when - at) <= _NEIGHBOUR_WINDOW
        ]
        if entry.insert_id not in {logged.insert_id for logged in same}:
            same.append(entry)
        nearest = sorted(same, key=lambda logged: abs((logged.timestamp or at) - at))[:MAX_NEIGHBOURS]
        return sorted(nearest, key=lambda logged: (logged.timestamp or at, logged.position))

    def read_entries(
        self, service: Service, since: datetime, until: datetime, revision: str = ""
    ) -> Sequence[LogEntry]:
        """See `shared.ports.Logs`."""
        dated = [
            (when, entry)
            for entry, when in self._dated_entries()
            if _is_of_service(entry, service) and since <= when <= until and revision in {"", entry.revision}
        ]
        return [entry for _, entry in sorted(dated, key=lambda pair: pair[0])[:_MAX_ENTRIES]]

    def count_requests(self, service: Service, revision: str, since: datetime) -> int:
        """See `shared.ports.Logs`."""
        return sum(
            entry.revision == revision and entry.log_name.endswith(_REQUEST_LOG) and when >= since
            for entry, when in self._dated_entries()
            if _is_of_service(entry, service)
        )

    def count_failed_requests(self, service: Service, revision: str, since: datetime) -> None:  # as the port has it
        """See `shared.ports.Logs`. Entries are read without the status of their request."""

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


class NoCheckRuns:
    """Implements `shared.pushes.CheckRunWriter` where there is no code host to write them to."""

    def is_available(self) -> bool:
        """Never."""
        return False

    def find_run(self, service: Service, run: CheckRun) -> str | None:
        """None."""
        del service, run
        return None

    def create_run(self, service: Service, run: CheckRun) -> str:
        """Refuses."""
        raise Reject("no_check_runs", f"{service.name}: {run.name} cannot be written on this machine")

    def find_merge_base(self, service: Service, base: str, head: str) -> str | None:
        """None."""
        del service, base, head
        return None


def _is_of_service(entry: LogEntry, service: Service) -> bool:
    return (entry.project, entry.service) == (service.project, service.name)
