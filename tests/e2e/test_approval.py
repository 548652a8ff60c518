"""From the log to the deployment through the whole stack: five clicks on Approve at once deploy the fix once."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.local.server_process import LOOPBACK
from functions.local.stack_folder import override_environ
from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.config.settings import read_settings
from shared.ports import StoredDocument
from shared.secret import Secret
from shared.state_stores import create_store
from tests.support.e2e.storm import APPROVER, SERVICE, SIGNING_SECRET, Storm, read_leftovers, run_storm_stack

DEADLINE = 60.0
CLICKS = 5


@pytest.mark.parametrize("backing", ["emulators", "embedded"])
def test_five_approvals_at_once_deploy_the_fix_once(
    tmp_path: Path, request: pytest.FixtureRequest, backing: str
) -> None:
    if backing == "emulators":
        request.getfixturevalue("emulators_installed")  # skips, or fails in CI, where there are none
    with run_storm_stack(tmp_path, embedded=backing == "embedded") as played:
        played.publish_entries(60)
        played.wait_for(lambda: "proposed" in played.handled_outcomes("investigate"), DEADLINE)
        body = approval(read_leftovers(played).messages[0])
        assert click(played, body, "another secret") == 401
        with ThreadPoolExecutor(CLICKS) as pool:
            first = list(pool.map(lambda _: click(played, body), range(CLICKS)))
        assert set(first) == {200}  # also one that meets another half-way: it gets the state of the decision
        played.wait_for(lambda: "deploying" in played.handled_outcomes("redeploy"), DEADLINE)
        played.tick()
        played.wait_for(lambda: is_shown_as_watching(played) or again(played), DEADLINE)
        service = documents(played, "local-services")
        found = read_leftovers(played)
    asked = found.messages[0].value["message"]
    assert isinstance(asked, dict)
    [(name, deployed)] = service["revisions"].items()
    assert deployed["commit"] == asked["commit"]
    assert service["traffic"] == {name: 100}
    assert (len(found.issues), found.dead) == (1, 0)
    assert asked["standing"] == "watching"


def approval(message: StoredDocument) -> bytes:
    """What Slack sends when the approver presses Approve."""
    asked, (channel, _, ts) = message.value["message"], message.key.partition("/")
    assert isinstance(asked, dict)
    bound = {"proposal": asked["proposal"], "incident": asked["incident"]}
    bound |= {"commit": asked["commit"], "evidence": asked["evidence_hash"]}
    payload = {
        "type": "block_actions",
        "trigger_id": "17.4",
        "user": {"id": APPROVER, "username": "ines"},
        "team": {"id": "T0HARBOUR1"},
        "channel": {"id": channel},
        "container": {"type": "message", "channel_id": channel, "message_ts": ts},
        "actions": [{"action_id": "provenfix_approve", "value": json.dumps(bound)}],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def click(played: Storm, body: bytes, secret: str = SIGNING_SECRET) -> int:
    """The status that Slack gets."""
    now = str(int(time.time()))
    headers = {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: sign(now, body, Secret(secret))}
    connection = HTTPConnection(LOOPBACK, played.stack.ports["decide"], timeout=DEADLINE)
    try:
        connection.request("POST", "/", body, headers | {"content-type": "application/x-www-form-urlencoded"})
        return connection.getresponse().status
    finally:
        connection.close()


def is_shown_as_watching(played: Storm) -> bool:
    """The message follows the incident's state."""
    found = read_leftovers(played)
    shown = found.messages[0].value["message"]
    assert isinstance(shown, dict)
    return (found.incidents[0].value["state"], shown["standing"]) == ("watching", "watching")


def again(played: Storm) -> bool:
    """One more tick when the last one is done with: a rollout moves by ticks."""
    if played.handled_count("schedule") >= played.ticks:
        played.tick()
    return False


def documents(played: Storm, kind: str) -> dict[str, Any]:
    with override_environ(played.stack.environment):
        stored = create_store(read_settings()).read(kind, SERVICE)
    assert stored is not None
    return dict(stored.value)
