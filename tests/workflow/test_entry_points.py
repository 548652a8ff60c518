"""The doors of the functions: what they load, which shapes of a message they read, what each end of a step answers."""

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from functions.verify import LOOK_DEADLINE
from shared.config.settings import Settings
from shared.errors import Retry
from shared.proposal.decision import ClickKind, ClickResult, build_answer
from shared.text.timestamps import format_rfc3339
from tests.support.drivers import open_incident
from tests.support.function_clients import (
    EVENT_HEADERS,
    FUNCTIONS_BY_TOPIC,
    MAIN,
    FailingStore,
    FunctionClients,
    button_payload,
    encode_form,
    open_function_clients,
    relay_published,
    wrap_entry,
    wrap_message,
)
from tests.support.harness import Harness
from tests.support.memory import MemoryStore

RAN = """
from shared.lazy_modules import is_waiting
modules = [(name, module) for name, module in sys.modules.items() if name not in before]
print(*sorted(name for name, module in modules if not is_waiting(module) and not hasattr(module, "__path__")))
"""
"""Prints the modules that have run since `before`; the packages around them run with the first import."""
IMPORTED = f"""
import sys
import functions_framework
before = set(sys.modules)
from functions.main import record
{RAN}"""
HEAVY = ("google", "github", "slack_sdk", "pydantic", "yaml", "opentelemetry", "grpc", "sqlite3", "ruff")


@pytest.fixture
def open_doors() -> Iterator[FunctionClients]:
    with open_function_clients(Harness()) as opened:
        yield opened


def incidents(opened: FunctionClients) -> Mapping[str, object]:
    assert isinstance(opened.harness.store, MemoryStore)
    return opened.harness.store.documents("incidents")


def rejections(opened: FunctionClients) -> list[tuple[object, object]]:
    assert isinstance(opened.harness.store, MemoryStore)
    stored = opened.harness.store.documents("rejections").values()
    return [(value["source"], value["reason"]) for value in stored]


def test_importing_every_entry_point_loads_no_client() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True).stdout.split()
    assert {"functions.record", "functions.http.runtime"} <= set(ran)
    assert [name for name in ran if name.partition(".")[0] in HEAVY] == []
    assert [name for name in ran if name.startswith(("shared.adapters", "shared.workflow", "shared.wiring"))] == []


ANSWERED = f"""
import json, sys
import functions_framework
from tests.support.function_clients import EVENT_HEADERS, MAIN, wrap_entry, wrap_message
from tests.support.harness import Harness
body = json.dumps({{"message": wrap_message(wrap_entry(Harness().log_entry())), "subscription": "s"}}).encode()
for name in [name for name in sys.modules if name.startswith(("shared", "functions."))]:
    del sys.modules[name]
before = ()
client = functions_framework.create_app("record", str(MAIN)).test_client()
assert client.post("/", data=body, headers=EVENT_HEADERS).status_code == 204
{RAN}"""
PROOF = ("shared.workflow.prover", "shared.report.report", "shared.report.issue.", "shared.adapters.compilers")


def test_recording_loads_neither_the_proof_nor_unused_clients(tmp_path: Path) -> None:
    config = tmp_path / "provenfix.yaml"
    config.write_text(
        "services: [{name: tide, project: shore, region: europe-west6, repository: harbour/tide, channel: C1}]"
    )
    environment = {"PROVENFIX_CONFIG": str(config), "PROVENFIX_EMBEDDED": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", ANSWERED]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=MAIN.parents[1])
    *_, line, loaded = ran.stdout.splitlines()
    assert json.loads(line)["provenfix"]["outcome"] == "opened"
    unwanted = (
        "google.cloud.firestore",
        "google.cloud.pubsub",
        "google.api_core",
        "google.auth",
        "grpc",
        "slack_sdk",
        "opentelemetry",
        *PROOF,
    )
    assert [name for name in loaded.split() if name.startswith(unwanted)] == []


SHAPES = ("event in headers", "event in body", "plain push", "no attributes", "nanoseconds", "URL-safe names")


def shaped(shape: str, data: bytes, now: str) -> tuple[bytes, dict[str, str]]:
    message = wrap_message(data) | {"publishTime": now}
    plain = {"content-type": "application/json"}
    if shape == "event in body":
        event = {name.removeprefix("ce-"): value for name, value in EVENT_HEADERS.items() if name.startswith("ce-")}
        body = event | {"data": {"message": message}, "time": now, "datacontenttype": "application/json"}
        return json.dumps(body).encode(), {"content-type": "application/cloudevents+json"}
    if shape == "no attributes":
        del message["attributes"]
    if shape == "nanoseconds":
        message["publishTime"] = now.replace("Z", ".123456789Z")
    if shape == "URL-safe names":
        message = {"data": message["data"], "message_id": "41", "publish_time": now}
    body = {"message": message, "subscription": "s"}
    return json.dumps(body).encode(), EVENT_HEADERS if shape == "event in headers" else plain


@pytest.mark.parametrize("shape", SHAPES)
def test_a_message_is_read_in_every_shape_in_which_it_may_come(open_doors: FunctionClients, shape: str) -> None:
    entry = open_doors.harness.log_entry()
    body, headers = shaped(shape, wrap_entry(entry), format_rfc3339(open_doors.harness.clock.now()))
    assert open_doors.post("record", body, headers).status_code == 204
    assert len(incidents(open_doors)) == 1


@pytest.mark.parametrize(
    "message", [{}, {"messageId": "1"}, {"data": ""}, {"data": "dGljaw=="}, {"attributes": {"a": "b"}}]
)
def test_a_tick_needs_no_data(open_doors: FunctionClients, message: dict[str, object]) -> None:
    body = json.dumps({"message": message, "subscription": "s"}).encode()
    assert open_doors.post("schedule", body, {"content-type": "application/json"}).status_code == 204
    assert open_doors.post("schedule", body, EVENT_HEADERS).status_code == 204
    assert rejections(open_doors) == []


def test_a_look_that_waited_too_long_is_dropped(open_doors: FunctionClients) -> None:
    """Later ticks have asked for the same: what piles up while nobody answers is not looked at one by one."""
    (incident,) = [open_incident(open_doors.harness)]
    body = json.dumps({"incident": incident}).encode()
    asked_at = format_rfc3339(open_doors.harness.clock.now())
    open_doors.harness.clock.advance(LOOK_DEADLINE)
    assert open_doors.deliver("verify", body, publishTime=asked_at).status_code == 204
    assert rejections(open_doors) == []
    open_doors.harness.clock.advance(timedelta(seconds=1))
    assert open_doors.deliver("verify", body, publishTime=asked_at).status_code == 204
    assert rejections(open_doors) == [("verify", "too_old")]


def test_one_incident_passes_all_functions_once(open_doors: FunctionClients) -> None:
    setting = open_doors.harness
    entry = wrap_entry(setting.log_entry())
    for _ in range(3):
        assert open_doors.deliver("record", entry).status_code == 204
    relay_published(open_doors)
    assert [len(setting.issues.issues), len(setting.chat.posted)] == [1, 1]
    answered = open_doors.click(encode_form(button_payload(setting.chat.posted[0].message)))
    assert answered.status_code == 200
    assert answered.get_json()["text"] == build_answer(ClickResult.APPROVED).text
    relay_published(open_doors)
    assert len(setting.cloud.operations) == 1


@pytest.mark.parametrize("method", ["get", "put", "delete", "options", "head"])
@pytest.mark.parametrize("function", [*FUNCTIONS_BY_TOPIC.values(), "decide"])
def test_only_a_post_is_answered(open_doors: FunctionClients, function: str, method: str) -> None:
    assert getattr(open_doors.clients[function], method)("/").status_code == 405


@pytest.mark.parametrize("function", FUNCTIONS_BY_TOPIC.values())
def test_what_may_work_later_is_delivered_again(function: str) -> None:
    setting = Harness()
    failing = FailingStore(setting.store, lambda: Retry("the store is away"))
    data = {"record": wrap_entry(setting.log_entry()), "redeploy": b'{"proposal": "p"}'}.get(
        function, b'{"incident": "i"}'
    )
    with open_function_clients(setting, lambda name, port: failing if name == "store" else port) as opened:
        answered = opened.deliver(function, data)
        assert (answered.status_code, answered.data) == (503, b"")


@pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, MemoryError, NotImplementedError, OSError])
def test_what_nobody_foresaw_is_delivered_again_without_a_word(
    error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    setting = Harness()
    failing = FailingStore(setting.store, lambda: error("the secret of the store"))
    with open_function_clients(setting, lambda name, port: failing if name == "store" else port) as opened:
        entry = wrap_entry(setting.log_entry())
        answered = opened.deliver("record", entry)
        assert (answered.status_code, answered.data) == (500, b"")
        said = json.loads(capsys.readouterr().out)
        assert (said["severity"], said["provenfix"]["outcome"]) == ("ERROR", "crashed")
        assert said["provenfix"]["raised"] == f"builtins.{error.__name__}"
        assert said["provenfix"]["frames"][-1].startswith("tests/support/function_clients.py:")
        failing.error = None
        assert opened.deliver("record", entry).status_code == 204
        assert len(incidents(opened)) == 1


def test_a_message_that_has_gone_round_for_too_long_is_refused_and_stored() -> None:
    with open_function_clients(Harness(), settings=Settings(max_message_age=timedelta(hours=2))) as opened:
        entry = wrap_entry(opened.harness.log_entry())
        old = format_rfc3339(opened.harness.clock.now() - timedelta(hours=2, seconds=1))
        assert opened.deliver("record", entry, publishTime=old).status_code == 204
        assert rejections(opened) == [("record", "too_old")]
        assert incidents(opened) == {}
        assert opened.deliver("record", entry).status_code == 204
        assert len(incidents(opened)) == 1


def test_own_functions_and_own_log_lines_are_refused(open_doors: FunctionClients) -> None:
    setting = open_doors.harness
    assert open_doors.deliver("record", wrap_entry(setting.log_entry(name="provenfix-record"))).status_code == 204
    entry = json.loads(wrap_entry(setting.log_entry()))
    text = entry.pop("textPayload")
    entry["jsonPayload"] = {"message": text, "provenfix": {"function": "verify"}}
    assert open_doors.deliver("record", json.dumps(entry).encode()).status_code == 204
    assert incidents(open_doors) == {}


def test_a_canary_is_only_noticed(open_doors: FunctionClients, capsys: pytest.CaptureFixture[str]) -> None:
    """What Cloud Scheduler writes into the canary's log: its arrival is a line of its own, and nothing else happens."""
    entry = {
        "logName": "projects/shop-ops/logs/provenfix-canary",
        "resource": {"type": "global", "labels": {"project_id": "shop-ops"}},
        "timestamp": "2026-01-01T00:00:00Z",
        "insertId": "a1",
        "jsonPayload": {"message": "provenfix: canary"},
    }
    assert open_doors.deliver("record", json.dumps(entry).encode()).status_code == 204
    assert json.loads(capsys.readouterr().out)["provenfix"]["outcome"] == "canary"
    assert (incidents(open_doors), rejections(open_doors)) == ({}, [])


def test_a_question_says_how_long_it_took(open_doors: FunctionClients, capsys: pytest.CaptureFixture[str]) -> None:
    open_doors.deliver("record", wrap_entry(open_doors.harness.log_entry()))
    open_doors.harness.clock.advance(timedelta(seconds=42))
    relay_published(open_doors)
    written = [json.loads(line)["provenfix"] for line in capsys.readouterr().out.splitlines()]
    (asked,) = (line for line in written if line["outcome"] == "proposed")
    assert asked["seconds"] == 42
    assert "seconds" not in written[0]


class TestDecide:
    @pytest.fixture
    def asked(self, open_doors: FunctionClients) -> FunctionClients:
        """An incident about which a person is asked."""
        open_doors.deliver("record", wrap_entry(open_doors.harness.log_entry()))
        relay_published(open_doors)
        return open_doors

    @staticmethod
    def approved(opened: FunctionClients) -> list[str]:
        return [topic for topic, _ in opened.harness.bus.published if topic == "redeploy-approved"]

    def test_a_denial_is_answered_and_nothing_is_deployed(self, asked: FunctionClients) -> None:
        answered = asked.click(encode_form(button_payload(asked.harness.chat.posted[0].message, ClickKind.DENY)))
        assert (answered.status_code, answered.get_json()["text"]) == (200, build_answer(ClickResult.DENIED).text)
        assert self.approved(asked) == []

    def test_the_answer_is_for_the_one_who_clicked(self, asked: FunctionClients) -> None:
        answered = asked.click(encode_form(button_payload(asked.harness.chat.posted[0].message)))
        assert answered.content_type == "application/json"
        told = answered.get_json()
        assert (told["response_type"], told["replace_original"]) == ("ephemeral", False)

    def test_a_stranger_is_told_nothing_but_no(self, asked: FunctionClients) -> None:
        body = encode_form(button_payload(asked.harness.chat.posted[0].message))
        now = asked.harness.clock.now()
        asked.harness.clock.advance(timedelta(seconds=301))
        late = asked.click(body, **{"X-Slack-Request-Timestamp": str(int(now.timestamp()))})
        for answered in (late, asked.post("decide", body, {}), asked.click(body, **{"X-Slack-Signature": "v0=ÿ"})):
            assert (answered.status_code, answered.data) == (401, b"")
        assert self.approved(asked) == []

    @pytest.mark.parametrize("timestamp", ["", "soon", "9" * 400, "-1", "1e9", "ÿ"])
    @pytest.mark.parametrize("signature", ["", "v0=", "v0=ÿ", "v0=" + "0" * 64])
    @pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"payload=%ff"])
    def test_no_request_of_a_stranger_is_more_than_a_401(
        self, open_doors: FunctionClients, timestamp: str, signature: str, body: bytes
    ) -> None:
        headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
        assert open_doors.post("decide", body, headers).status_code == 401

    def test_a_body_that_is_too_large_is_not_read(self, open_doors: FunctionClients) -> None:
        assert open_doors.click(b"a" * ((1 << 20) + 1)).status_code == 413

    @pytest.mark.parametrize(("size", "status"), [(100, 401), ((1 << 20) + 1, 413)])
    def test_body_of_unknown_length_is_read_up_to_its_limit(
        self, open_doors: FunctionClients, size: int, status: int
    ) -> None:
        unknown = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        body = io.BytesIO(b"a" * size)
        answered = open_doors.clients["decide"].post("/", input_stream=body, environ_overrides=unknown)
        assert answered.status_code == status

    def test_a_click_on_a_link_is_acknowledged(self, asked: FunctionClients) -> None:
        payload = button_payload(asked.harness.chat.posted[0].message) | {
            "actions": [{"action_id": "open_issue", "type": "button"}]
        }
        answered = asked.click(encode_form(payload))
        assert (answered.status_code, answered.data) == (200, b"")

    def test_a_decision_that_cannot_be_stored_is_a_503_and_a_crash_a_500(self) -> None:
        setting = Harness()
        failing = FailingStore(setting.store, lambda: Retry("away"))
        failing.error = None
        with open_function_clients(setting, lambda name, port: failing if name == "store" else port) as opened:
            opened.deliver("record", wrap_entry(setting.log_entry()))
            relay_published(opened)
            body = encode_form(button_payload(setting.chat.posted[0].message))
            failing.error = lambda: Retry("away")
            assert (opened.click(body).status_code, opened.click(body).data[:12]) == (503, b"The decision")
            failing.error = lambda: ValueError("away")
            assert (opened.click(body).status_code, opened.click(body).data) == (500, b"")
            failing.error = None
            assert opened.click(body).status_code == 200


def test_the_subscription_of_a_message_does_not_matter(open_doors: FunctionClients) -> None:
    body = json.dumps(
        {"message": {"data": base64.b64encode(wrap_entry(open_doors.harness.log_entry())).decode()}}
    ).encode()
    assert open_doors.post("record", body, {}).status_code == 204
    assert len(incidents(open_doors)) == 1
