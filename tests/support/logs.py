"""A log that keeps entries and counts requests, a probe, and checks: what a service says of itself."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.detection.entry import LogEntry
from shared.proof.model.target import CheckStatus
from shared.proposal.rollout import ProbeResult
from shared.service import Service

MOST_REQUESTS = 10_000


@dataclass
class FakeLogs:
    """Implements `shared.ports.Logs`."""

    kept: list[LogEntry] = field(default_factory=list)
    request_counts: dict[str, int] = field(default_factory=dict)
    """Requests by revision."""
    failure_counts: dict[str, int] = field(default_factory=dict)
    """Those of them that failed."""

    def read_neighbours(self, entry: LogEntry) -> Sequence[LogEntry]:
        source = (entry.project, entry.service, entry.revision, entry.instance, entry.log_name)
        same = [
            stored
            for stored in self.kept
            if (stored.project, stored.service, stored.revision, stored.instance, stored.log_name) == source
        ]
        return same if entry in same else [*same, entry]

    def read_entries(
        self, service: Service, since: datetime, until: datetime, revision: str = ""
    ) -> Sequence[LogEntry]:
        return [
            stored
            for stored in self.kept
            if (stored.project, stored.service) == (service.project, service.name)
            and stored.timestamp is not None
            and since <= stored.timestamp <= until
            and revision in {"", stored.revision}
        ][:MOST_REQUESTS]

    def count_requests(self, service: Service, revision: str, since: datetime) -> int:
        return self.request_counts.get(revision, 0)

    def count_failed_requests(self, service: Service, revision: str, since: datetime) -> int | None:
        return self.failure_counts.get(revision, 0)


@dataclass
class FakeProbe:
    """Implements `shared.ports.Probe`."""

    result: ProbeResult = field(default_factory=lambda: ProbeResult(ok=True))
    results_by_url: dict[str, ProbeResult] = field(default_factory=dict)
    """For addresses that answer otherwise."""
    probed_services: list[str] = field(default_factory=list)

    def check(self, service: Service) -> ProbeResult:
        self.probed_services.append(service.probe_url)
        return self.results_by_url.get(service.probe_url, self.result)


@dataclass
class FakeChecks:
    """Implements `shared.ports.CheckRuns`; what nobody has set is green."""

    states: dict[str, CheckStatus] = field(default_factory=dict)

    def get_status(self, service: Service, commit: str) -> CheckStatus:
        return self.states.get(commit, CheckStatus.GREEN)
