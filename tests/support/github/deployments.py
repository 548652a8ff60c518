"""The deployments of the fake: written, given statuses, and listed, newest first; complete by the description."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.github.actions import minimal_example
from tests.support.github.server import REPOSITORY, FakeRequest, FakeResponse

_ROOT = f"/repos/{REPOSITORY}/deployments"


@dataclass
class DeploymentBoard:
    """`records` are the bodies that were sent, oldest first, each with its statuses and its time."""

    now: Callable[[], datetime] = lambda: datetime(2026, 11, 26, 12, tzinfo=UTC)
    records: list[dict[str, Any]] = field(default_factory=list)
    refuses: bool = False
    answers_payload_as_text: bool = False

    def __call__(self, asked: FakeRequest) -> FakeResponse | None:
        match = re.fullmatch(rf"{_ROOT}(?:/(\d+)/statuses)?", asked.path)
        if match is None:
            return None
        if self.refuses:
            return FakeResponse(403, {"message": "Resource not accessible by integration", "documentation_url": "x"})
        if match[1] is None:
            return self._create(asked.body) if asked.method == "POST" else self._list(asked)
        record = self.records[int(match[1]) - 1]
        if asked.method == "POST":
            record["statuses"].insert(0, asked.body)
            return FakeResponse(201, self._describe_status(asked.body))
        return FakeResponse(200, [self._describe_status(status) for status in record["statuses"]])

    def add(self, commit: str, environment: str, at: datetime, *states: str) -> None:
        """A deployment by another user, with its statuses, oldest first."""
        statuses = [{"state": state} for state in reversed(states)]
        self.records.append({"ref": commit, "environment": environment, "at": at, "statuses": statuses, "payload": {}})

    def _create(self, body: dict[str, Any]) -> FakeResponse:
        assert body["auto_merge"] is False, "nothing may be merged"
        assert body["required_contexts"] == [], "no check may keep a record from being written"
        assert len(body["description"]) <= 140, "GitHub takes 140 characters"
        self.records.append({**body, "at": self.now(), "statuses": []})
        return FakeResponse(201, self._describe(len(self.records)))

    def _list(self, asked: FakeRequest) -> FakeResponse:
        shown = [
            self._describe(number)
            for number, record in reversed(list(enumerate(self.records, 1)))
            if asked.query.get("sha") in {None, record["ref"]}
            and asked.query.get("environment") in {None, record["environment"]}
        ]
        return FakeResponse(200, shown)

    def _describe(self, number: int) -> dict[str, Any]:
        record = self.records[number - 1]
        payload = record["payload"]
        moment = record["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            **minimal_example("deployment"), "id": number, "sha": record["ref"], "ref": record["ref"],
            "environment": record["environment"], "created_at": moment, "updated_at": moment,
            "payload": str(payload).replace("'", '"') if self.answers_payload_as_text else payload,
        }  # fmt: skip

    def _describe_status(self, status: dict[str, Any]) -> dict[str, Any]:
        return {**minimal_example("deployment-status"), "state": status["state"]}
