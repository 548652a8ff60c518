"""The code host's own records of deployments: values, and the port that writes and reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.service import Service


@dataclass(frozen=True, slots=True)
class DeploymentEntry:
    """A redeployment as it is to be recorded. `marker` is the proposal's id, by which its record is found again."""

    marker: str
    commit: str
    description: str
    log_url: str = ""
    """The incident's issue; "" where there is none."""


@dataclass(frozen=True, slots=True)
class RecordedDeployment:
    """A deployment that the code host has recorded as successful."""

    id: str
    commit: str
    environment: str
    created_at: datetime


class DeploymentRecords(Protocol):
    """The records of a service's repository. All methods raise Retry and Reject."""

    def find_record(self, service: Service, entry: DeploymentEntry) -> str | None:
        """The id of the record with this commit and marker."""

    def create_record(self, service: Service, entry: DeploymentEntry) -> str:
        """*Effect.* Writes the record, without a status; its id."""

    def has_success(self, service: Service, record: str) -> bool:
        """Whether a record has the status `success`, or had it."""

    def set_success(self, service: Service, record: str, entry: DeploymentEntry) -> None:
        """*Effect.* Adds the status `success`; the code host ends the older records of the same environment."""

    def list_successes(self, service: Service, since: datetime, until: datetime) -> Sequence[RecordedDeployment]:
        """Successful deployments that were recorded in between, newest first; at most five are looked at."""
