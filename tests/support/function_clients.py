"""The functions behind functions-framework, in one process: a setting of fakes goes in, HTTP clients come out."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import functions_framework
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from functions.http.runtime import Runtime, open_no_span, set_runtime
from shared.adapters.slack.interaction import CLICK_KINDS, build_button_value
from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.config.secret_references import Secrets
from shared.config.settings import Settings
from shared.detection.entry import LogEntry
from shared.ports import Store
from shared.proposal.decision import ClickKind
from shared.proposal.proposal import Message
from shared.secret import Secret, SecretReference, SecretSource
from shared.text.timestamps import format_rfc3339
from tests.support.harness import APPROVER, Harness, Tap
from tests.support.ticks import OWN_TOPICS

MAIN = Path(__file__).parents[2] / "functions" / "main.py"
SECRET = Secret("0ddba11")
FUNCTIONS_BY_TOPIC = {
    "log-entries": "record",
    "incident-opened": "investigate",
    "redeploy-approved": "redeploy",
    "check-requested": "check",
    "tick": "schedule",
    "incident-due": "verify",
}
EVENT_HEADERS = {
    "ce-id": "41",
    "ce-source": "//pubsub.googleapis.com/projects/shore/topics/t",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "content-type": "application/json",
}


@dataclass
class FunctionClients:
    """One client for each function; all share one process, which is that of `setting`."""

    harness: Harness
    clients: Mapping[str, FlaskClient]

    def deliver(self, function: str, data: bytes, **message: object) -> TestResponse:
        """As Eventarc does it."""
        body = {
            "message": wrap_message(data) | self._times() | message,
            "subscription": "projects/shore/subscriptions/s",
        }
        return self.post(function, json.dumps(body).encode(), EVENT_HEADERS)

    def tick(self) -> None:
        """With the looks that it asks for, and what these ask for."""
        assert self.deliver("schedule", b"").status_code == 204
        waiting = self.harness.bus.waiting
        while numbers := [number for number, (topic, _) in enumerate(waiting) if topic in OWN_TOPICS]:
            topic, message = waiting.pop(numbers[0])
            self.deliver(FUNCTIONS_BY_TOPIC[topic], json.dumps(message).encode())

    def post(self, function: str, body: bytes, headers: Mapping[str, str]) -> TestResponse:
        return self.clients[function].post("/", data=body, headers=dict(headers))

    def click(self, body: bytes, **headers: str) -> TestResponse:
        """A request that Slack signed now."""
        now = str(int(self.harness.clock.now().timestamp()))
        signed = {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: sign(now, body, SECRET)}
        return self.post("decide", body, signed | headers)

    def _times(self) -> dict[str, str]:
        return {"publishTime": format_rfc3339(self.harness.clock.now())}


@contextmanager
def open_function_clients(
    harness: Harness, tap: Tap = lambda _, port: port, settings: Settings | None = None
) -> Iterator[FunctionClients]:
    """`tap` may replace ports, as in `Setting.process`."""
    set_runtime(
        Runtime(settings or Settings(project="shore"), harness.start_process(tap), lambda: SECRET, open_no_span)
    )
    create: Any = functions_framework.create_app
    try:
        names = [*FUNCTIONS_BY_TOPIC.values(), "decide", "github"]
        yield FunctionClients(harness, {name: create(name, str(MAIN)).test_client() for name in names})
    finally:
        set_runtime(None)


def wrap_message(data: bytes) -> dict[str, object]:
    return {"data": base64.b64encode(data).decode(), "messageId": "41", "attributes": {}}


def entry_as_json(entry: LogEntry) -> dict[str, object]:
    """An entry as the log sink writes it."""
    assert entry.timestamp is not None
    labels = {"project_id": entry.project, "service_name": entry.service, "revision_name": entry.revision}
    return {
        "logName": entry.log_name,
        "insertId": entry.insert_id,
        "timestamp": format_rfc3339(entry.timestamp),
        "severity": entry.severity,
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "labels": {"instanceId": entry.instance},
        "textPayload": entry.text,
    }


def wrap_entry(entry: LogEntry) -> bytes:
    return json.dumps(entry_as_json(entry)).encode()


def button_payload(message: Message, kind: ClickKind = ClickKind.APPROVE) -> dict[str, object]:
    """The payload that Slack sends for a button of this message."""
    action = next(name for name, means in CLICK_KINDS.items() if means is kind)
    return {
        "type": "block_actions",
        "trigger_id": "13345224609.738474920",
        "user": {"id": APPROVER, "username": "nora", "team_id": "T-SHORE"},
        "team": {"id": "T-SHORE", "domain": "shore"},
        "channel": {"id": "C-TIDE", "name": "tide"},
        "container": {"type": "message", "message_ts": "1795000000.000000", "channel_id": "C-TIDE"},
        "actions": [{"action_id": action, "type": "button", "value": build_button_value(message)}],
    }


def encode_form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


class FailingStore:
    """A store that fails as it is set to, before it does anything."""

    def __init__(self, store: Store, error: Callable[[], Exception]) -> None:
        self._store = store
        self.error: Callable[[], Exception] | None = error

    def __getattr__(self, name: str) -> object:
        if self.error is not None:
            raise self.error()
        return getattr(self._store, name)


def relay_published(opened: FunctionClients) -> None:
    """Delivers everything that was published, each twice."""
    waiting = opened.harness.bus.waiting
    while waiting:
        topic, message = waiting.pop(0)
        for _ in range(2):
            assert opened.deliver(FUNCTIONS_BY_TOPIC[topic], json.dumps(message).encode()).status_code == 204


WEBHOOK_SECRET = Secret("5eaf0am")


WEBHOOK_SETTINGS = Settings(
    project="shore",
    secrets=Secrets(
        github_webhook_secret=SecretReference(SecretSource.ENVIRONMENT, "HOOK"), values={"HOOK": WEBHOOK_SECRET}
    ),
)
