"""What functions are asked in the bench: a story goes in; log entries, events, clicks and a configuration come out."""

import base64
import json
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from functions.demo.build_repository import ExampleRepository
from functions.demo.incident_log import Shape, render_log
from shared.adapters.slack.interaction import APPROVE
from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.secret import Secret

SECRET = "0ddba11"
EVENT_HEADERS = {
    "ce-id": "1",
    "ce-source": "//pubsub.googleapis.com/projects/p/topics/t",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "content-type": "application/json",
}


def bench_configuration(folder: Path, story: ExampleRepository) -> Path:
    """The file that makes the story's service a watched one."""
    labels = log_entry(story)["resource"]["labels"]
    path = folder / "provenfix.yaml"
    service: dict[str, object] = {
        "name": labels["service_name"],
        "project": labels["project_id"],
        "region": labels["location"],
    }
    service |= {"repository": str(story.path), "channel": "C1", "python": story.python}
    # JSON is YAML.
    path.write_text(json.dumps({"services": [service], "slack": {"signing_secret": {"env": "SIGNING"}}}), "utf-8")
    return path


def log_entry(story: ExampleRepository) -> Any:
    """The first entry of the incident that names the broken file."""
    entries = json.loads(render_log(story, Shape.GCLOUD))
    return next(entry for entry in reversed(entries) if "SyntaxError" in json.dumps(entry))


def event_body(data: bytes) -> bytes:
    """The body of a push."""
    return json.dumps({"message": {"data": base64.b64encode(data).decode(), "messageId": "1"}}).encode()


def event_request(data: bytes) -> urllib.request.Request:
    """As Eventarc sends it."""
    return urllib.request.Request("http://127.0.0.1/", event_body(data), EVENT_HEADERS)


def click_request() -> urllib.request.Request:
    """An approval of a proposal that nobody has made, signed now."""
    value = json.dumps({"proposal": "p", "incident": "i", "commit": "c", "evidence": "e"})
    payload: dict[str, object] = {
        "type": "block_actions",
        "trigger_id": "1",
        "user": {"id": "U1", "username": "u"},
        "team": {"id": "T1"},
    }
    payload |= {"container": {"channel_id": "C1", "message_ts": "1772336623.000100"}}
    payload |= {"channel": {"id": "C1"}, "actions": [{"action_id": APPROVE, "value": value}]}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    now = str(int(time.time()))
    headers = {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: sign(now, body, Secret(SECRET))}
    return urllib.request.Request("http://127.0.0.1/", body, headers)
