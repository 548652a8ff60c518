"""The deployment records of a code host that keeps what is written, and finds it at once."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.deployment_records import DeploymentEntry, RecordedDeployment
from shared.errors import Reject
from shared.service import Service
from tests.support.memory import ClaimGuard


@dataclass
class FakeDeploymentRecords:
    """Implements `shared.deployment_records.DeploymentRecords`. `recorded` are those of others."""

    entries: list[DeploymentEntry] = field(default_factory=list)
    succeeded: list[str] = field(default_factory=list)
    """The ids of records whose success was written, each as often as it was."""
    recorded: list[RecordedDeployment] = field(default_factory=list)
    refusal: str = ""
    require_claim: ClaimGuard = field(default_factory=lambda: ClaimGuard(strict=True))

    def find_record(self, service: Service, entry: DeploymentEntry) -> str | None:
        self._answer()
        return next((str(index) for index, kept in enumerate(self.entries) if kept.marker == entry.marker), None)

    def create_record(self, service: Service, entry: DeploymentEntry) -> str:
        self.require_claim("record a deployment")
        self._answer()
        self.entries.append(entry)
        return str(len(self.entries) - 1)

    def has_success(self, service: Service, record: str) -> bool:
        self._answer()
        return record in self.succeeded

    def set_success(self, service: Service, record: str, entry: DeploymentEntry) -> None:
        self.require_claim("record a success")
        self._answer()
        self.succeeded.append(record)

    def list_successes(self, service: Service, since: datetime, until: datetime) -> Sequence[RecordedDeployment]:
        self._answer()
        return [known for known in self.recorded if since <= known.created_at <= until]

    def _answer(self) -> None:
        if self.refusal:
            raise Reject("github_refused", self.refusal)
