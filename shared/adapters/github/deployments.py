"""Writes and reads GitHub's records of deployments: values in, ids and records out.

https://docs.github.com/en/rest/deployments. A record alone deploys nothing; a repository's own workflows may be started
by it (`on: deployment`), which is why a service has to ask for it (`deployment_records`).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.adapters.github.client import GitHubClient
from shared.deployment_records import DeploymentEntry, RecordedDeployment
from shared.errors import Reject
from shared.service import Service
from shared.text.escaping import truncate

_MARKER = "provenfix"
_MAX_DESCRIPTION_LENGTH = 140
"""As GitHub takes it."""
_MAX_LOOKED_AT = 5


class GitHubDeployments:
    """Implements `shared.deployment_records.DeploymentRecords`. `service.repository` is `owner/name`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def find_record(self, service: Service, entry: DeploymentEntry) -> str | None:
        """See `shared.deployment_records.DeploymentRecords`."""
        environment = service.environment_name
        listed = self._github.find_json(_build_path(service), sha=entry.commit, environment=environment, per_page="100")
        return next((str(known["id"]) for known in listed or () if _read_marker(known) == entry.marker), None)

    def create_record(self, service: Service, entry: DeploymentEntry) -> str:
        """See `shared.deployment_records.DeploymentRecords`. Nothing is merged, and no check is waited for."""
        body = {
            "ref": entry.commit,
            "auto_merge": False,
            "required_contexts": [],
            "payload": {_MARKER: entry.marker, "service": service.id},
            "environment": service.environment_name,
            "description": truncate(entry.description, _MAX_DESCRIPTION_LENGTH),
        }
        answer = self._github.send_json("POST", _build_path(service), body)
        if not isinstance(answer, Mapping) or "id" not in answer:
            raise Reject("github_refused", "GitHub answered a deployment without its id")
        return str(answer["id"])

    def has_success(self, service: Service, record: str) -> bool:
        """See `shared.deployment_records.DeploymentRecords`."""
        statuses = self._github.find_json(f"{_build_path(service)}/{record}/statuses", per_page="100")
        return any(status["state"] == "success" for status in statuses or ())

    def set_success(self, service: Service, record: str, entry: DeploymentEntry) -> None:
        """See `shared.deployment_records.DeploymentRecords`."""
        body: dict[str, Any] = {
            "state": "success",
            "auto_inactive": True,
            "description": truncate(entry.description, _MAX_DESCRIPTION_LENGTH),
        }
        if entry.log_url:
            body["log_url"] = entry.log_url
        self._github.send_json("POST", f"{_build_path(service)}/{record}/statuses", body)

    def list_successes(self, service: Service, since: datetime, until: datetime) -> Sequence[RecordedDeployment]:
        """See `shared.deployment_records.DeploymentRecords`: of the configured environment, or of any."""
        named = {"environment": service.environment} if service.environment else {}
        listed = self._github.find_json(_build_path(service), per_page="100", **named)
        within = [record for record in map(_parse_record, listed or ()) if since <= record.created_at <= until]
        return [record for record in within[:_MAX_LOOKED_AT] if self.has_success(service, record.id)]


def _build_path(service: Service) -> str:
    return f"/repos/{service.repository}/deployments"


def _parse_record(known: Mapping[str, Any]) -> RecordedDeployment:
    created = datetime.fromisoformat(known["created_at"])
    return RecordedDeployment(str(known["id"]), str(known["sha"]), str(known["environment"]), created)


def _read_marker(known: Mapping[str, Any]) -> str:
    """GitHub answers a payload as it was sent, or as text."""
    payload = known.get("payload")
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return ""
    return str(payload.get(_MARKER, "")) if isinstance(payload, dict) else ""
