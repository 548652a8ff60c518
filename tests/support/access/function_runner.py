"""The functions behind their own entry points and their own wiring, against an outside on loopback.

In: an outside and what observes it. Out: deliveries, clicks and ticks as the platform makes them. Only the time is the
test's. A process lives until `dies`; what a delivery answers is the function's own status.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import functions_framework

from functions import slack_socket
from functions.http.runtime import Runtime, open_no_span, set_runtime
from shared.adapters.github.webhook import DELIVERY_HEADER, EVENT_HEADER
from shared.adapters.github.webhook import SIGNATURE_HEADER as GITHUB_SIGNATURE
from shared.adapters.github.webhook import sign as github_sign
from shared.adapters.slack.interaction import APPROVE
from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.config.settings import read_all_settings
from shared.credentials import build_secret_reader
from shared.secret import Secret
from shared.wiring import build_context
from shared.workflow import flow
from tests.support.access.call_recorder import ObservedCalls
from tests.support.clock import FakeClock
from tests.support.function_clients import EVENT_HEADERS, FUNCTIONS_BY_TOPIC, MAIN
from tests.support.github.server import REPOSITORY
from tests.support.google_cloud import PROJECT
from tests.support.loopback import APPROVER, CHANNEL, SECRET_VERSIONS, TEAM, LoopbackServices
from tests.support.ticks import OWN_TOPICS

_FUNCTIONS = {**FUNCTIONS_BY_TOPIC, flow.INCIDENT_OPENED: "investigate", flow.REDEPLOY_APPROVED: "redeploy"}


def secret_value(name: str) -> Secret:
    """A secret of the doubles."""
    return Secret(SECRET_VERSIONS[f"projects/{PROJECT}/secrets/{name}/versions/1"])


@dataclass
class FunctionRunner:
    """`environment` is that of the functions, `config` their file."""

    outside: LoopbackServices
    observed: ObservedCalls
    clock: FakeClock
    environment: Mapping[str, str]
    _processes: dict[str, Runtime] = field(default_factory=dict)
    """Each function has its own, as it is deployed."""
    _compilers: list[Any] = field(default_factory=list)

    @classmethod
    def start(
        cls, outside: LoopbackServices, observed: ObservedCalls, clock: FakeClock, config: Path, more: Mapping[str, str]
    ) -> "FunctionRunner":
        told = {**outside.environment, "FIRESTORE_EMULATOR_HOST": os.environ["FIRESTORE_EMULATOR_HOST"]}
        return cls(outside, observed, clock, {**told, "PROVENFIX_CONFIG": str(config), **more})

    def forget_processes(self) -> None:
        """The next delivery finds a new process, whatever the function."""
        self._processes.clear()

    def _process(self) -> Runtime:
        settings = read_all_settings(self.environment)
        made = build_context(settings)
        self._compilers.append(made.compilers)
        signing = build_secret_reader(settings, settings.secrets.slack_signing_secret, "slack.signing_secret")
        return Runtime(settings, made, signing, open_no_span)

    def close(self) -> None:
        """No process is left, nor what one had started."""
        set_runtime(None)
        for compiler in self._compilers:
            compiler.close()

    def call(self, function: str, body: bytes, headers: Mapping[str, str]) -> int:
        create: Any = functions_framework.create_app
        client = create(function, str(MAIN)).test_client()
        if function not in self._processes:
            self._processes[function] = self._process()
        set_runtime(self._processes[function])
        with self.observed.attribute_to(function, self.outside):
            return int(client.post("/", data=body, headers=dict(headers)).status_code)

    def probe_socket(self) -> int:
        """The platform's probe of the service that is deployed as `decide` then."""
        create: Any = functions_framework.create_app
        set_runtime(self._process())
        try:
            with self.observed.attribute_to("decide", self.outside):
                return int(create("decide_socket", str(MAIN)).test_client().get("/").status_code)
        finally:
            slack_socket.close_connection()

    def deliver(self, function: str, message: Mapping[str, Any]) -> int:
        """As Pub/Sub does it."""
        data = base64.b64encode(json.dumps(message).encode()).decode()
        body = {"message": {"data": data, "messageId": "41", "attributes": {}}, "subscription": "projects/p/s"}
        return self.call(function, json.dumps(body).encode(), EVENT_HEADERS)

    def deliver_entries(self, *entries: Mapping[str, Any]) -> None:
        """The service logs these; the sink delivers the last one."""
        self.outside.cloud.log += [dict(entry) for entry in entries]
        assert self.deliver("record", entries[-1]) == 204

    def drain(self, acknowledged: Callable[[int], bool] = lambda status: status == 204) -> None:
        """Delivers what was published, and what is published by that."""
        while self.outside.published:
            topic, message = self.outside.published.pop(0)
            assert acknowledged(self.deliver(_FUNCTIONS[topic], message)), (topic, message)

    def tick(self, after: timedelta = timedelta(minutes=2)) -> None:
        """With the looks that it asks for, and what these ask for."""
        self.clock.advance(after)
        assert self.go_round() == [204]

    def go_round(self) -> list[int]:
        """The statuses of a tick and of all that it leads to, each once."""
        statuses = {self.deliver("schedule", {})}
        while due := [message for message in self.outside.published if message[0] in OWN_TOPICS]:
            self.outside.published.remove(due[0])
            statuses.add(self.deliver(_FUNCTIONS[due[0][0]], due[0][1]))
        return sorted(statuses)

    def click(self, action: str = APPROVE) -> int:
        """The approver presses a button of the last message that has it."""
        message, button = next(
            (message, button)
            for message in reversed(self.outside.slack.messages)
            for button in _message_buttons(message)
            if button["action_id"] == action
        )
        payload = {
            "type": "block_actions",
            "trigger_id": "13345224609.738474920",
            "user": {"id": APPROVER, "username": "nora"},
            "team": {"id": TEAM},
            "channel": {"id": CHANNEL},
            "container": {"channel_id": CHANNEL, "message_ts": message["ts"]},
            "actions": [{"action_id": action, "type": "button", "value": button["value"]}],
        }
        body, now = urlencode({"payload": json.dumps(payload)}).encode(), str(int(self.clock.now().timestamp()))
        return self.call(
            "decide", body, {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: sign(now, body, secret_value("signing"))}
        )

    def deliver_issue_event(self, kind: str, delivery: str, **event: object) -> int:
        """A webhook of GitHub about the only issue."""
        ((number, issue),) = self.outside.board.issues.items()
        return self.deliver_event(kind, {"issue": {"number": number, "body": issue.value["body"]}, **event}, delivery)

    def deliver_event(self, kind: str, event: Mapping[str, object], delivery: str) -> int:
        """A webhook of GitHub."""
        told = {
            "repository": {"full_name": REPOSITORY, "default_branch": "main"},
            "sender": {"login": "nora", "type": "User"},
            **event,
        }
        body = json.dumps(told).encode()
        signature = github_sign(body, secret_value("webhook"))
        return self.call("github", body, {EVENT_HEADER: kind, DELIVERY_HEADER: delivery, GITHUB_SIGNATURE: signature})


def _message_buttons(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        element
        for block in message.get("blocks", ())
        for element in [*block.get("elements", ()), block.get("accessory") or {}]
        if "action_id" in element
    ]
