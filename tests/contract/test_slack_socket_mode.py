"""Socket Mode against a WebSocket server that keeps Slack's contract: clicks decide as signed requests do."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import functions_framework
import pytest
from flask.testing import FlaskClient

from functions import slack_socket
from functions.http.runtime import Runtime, open_no_span, set_runtime
from shared.adapters.slack.interaction import DENIAL_CALLBACK, REASON_FIELD
from shared.config.endpoint_overrides import EndpointOverrides
from shared.config.secret_references import Secrets
from shared.config.settings import Settings
from shared.errors import Retry
from shared.proposal.decision import ClickKind
from shared.secret import Secret, SecretReference, SecretSource
from tests.support.drivers import propose_deployment, read_documents
from tests.support.function_clients import MAIN, FailingStore, button_payload
from tests.support.harness import Harness, Tap
from tests.support.slack.socket_mode import TOKEN, FakeSocketMode, serve_socket_mode


@dataclass
class Stand:
    """The function behind functions-framework, and Slack."""

    harness: Harness
    slack: FakeSocketMode
    client: FlaskClient

    def probe(self) -> int:
        return int(self.client.get("/").status_code)

    def question(self, kind: ClickKind = ClickKind.APPROVE) -> dict[str, object]:
        return button_payload(self.harness.chat.posted[-1].message, kind)

    def decisions(self) -> list[object]:
        return [decision["state"] for decision in read_documents(self.harness, "decisions").values()]


def _settings(slack: FakeSocketMode, token: str = TOKEN) -> Settings:
    reference = SecretReference(SecretSource.ENVIRONMENT, "APP_TOKEN")
    secrets = Secrets(slack_app_token=reference, values={"APP_TOKEN": Secret(token)})
    overrides = EndpointOverrides(slack=f"{slack.address}/api/")
    return Settings(project="shore", secrets=secrets, endpoint_overrides=overrides, socket_mode=True)


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSocketMode]:
    """One workspace for all tests, and one connection as long as none ends it: to close one takes seconds."""
    with serve_socket_mode() as served:
        yield served
        slack_socket.close_connection()


@pytest.fixture
def stand(slack: FakeSocketMode) -> Iterator[Stand]:
    yield from _serve(slack)


def _serve(slack: FakeSocketMode, tap: Tap = lambda _, port: port) -> Iterator[Stand]:
    """A process with a question that waits; its connection is open unless `refusal` says otherwise."""
    harness, refusal = Harness(), slack.refusal
    propose_deployment(harness)
    set_runtime(Runtime(_settings(slack), harness.start_process(tap), lambda: Secret(""), open_no_span))
    app = functions_framework.create_app("decide_socket", str(MAIN))  # type: ignore[no-untyped-call]
    try:
        stand = Stand(harness, slack, app.test_client())
        if not refusal:
            assert stand.probe() == 200
            slack.wait_for_connection(1)
        yield stand
    finally:
        set_runtime(None)


def test_the_first_probe_opens_the_connection_and_a_click_decides(stand: Stand) -> None:
    opened = stand.slack.opened
    assert opened == 1
    begun = time.monotonic()
    assert stand.slack.ask(stand.question(), "1-1")["envelope_id"] == "1-1"
    assert time.monotonic() - begun < 3
    assert stand.decisions() == ["approved"]
    assert stand.probe() == 200
    assert stand.slack.opened == opened


def test_a_duplicate_envelope_is_acknowledged_again_and_decides_nothing_more(stand: Stand) -> None:
    first = stand.slack.ask(stand.question(ClickKind.SNOOZE), "2-1")
    before = read_documents(stand.harness, "incidents")
    assert stand.slack.ask(stand.question(ClickKind.DENY), "2-1") == first
    assert read_documents(stand.harness, "incidents") == before
    assert stand.decisions() == []


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_where_slack_announces_an_end_another_connection_is_opened_and_clicks_go_on(stand: Stand, reason: str) -> None:
    opened = stand.slack.opened
    stand.slack.announce_end(reason)
    stand.slack.wait_for_connection(opened + 1)
    assert stand.slack.ask(stand.question(), reason)["envelope_id"] == reason
    assert stand.decisions() == ["approved"]


def test_a_connection_that_is_lost_is_opened_again_and_no_secret_is_written(
    stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = stand.slack.opened
    stand.slack.connections[-1].close()
    stand.slack.wait_for_connection(opened + 1)
    assert stand.slack.ask(stand.question(), "lost")["envelope_id"] == "lost"
    written = "".join(capsys.readouterr())
    assert TOKEN not in written
    assert "ticket-" not in written


def test_what_decides_nothing_is_acknowledged(stand: Stand) -> None:
    foreign: list[tuple[dict[str, object], str]] = [
        ({"type": "event_callback", "event": {"type": "app_mention"}}, "events_api"),
        ({"command": "/deploy"}, "slash_commands"),
        ({"type": "shortcut"}, "interactive"),
        ({"type": "block_actions", "actions": "nothing"}, "interactive"),
    ]
    for number, (payload, kind) in enumerate(foreign):
        assert stand.slack.ask(payload, f"5-{number}", kind) == {"envelope_id": f"5-{number}"}
    assert stand.decisions() == []


@pytest.mark.parametrize("change", [{"user": {"id": "U-STRANGER", "username": "nora"}}, {"channel": {"id": "C-OTHER"}}])
def test_only_an_approver_in_the_channel_decides(stand: Stand, change: dict[str, object]) -> None:
    stand.slack.ask({**stand.question(), **change}, str(change))
    assert stand.decisions() == []


def test_a_dialog_that_does_not_count_is_answered_with_the_reason(stand: Stand) -> None:
    message = stand.harness.chat.posted[-1].message
    bound = {
        "proposal": message.proposal, "incident": message.incident, "commit": message.commit,
        "evidence_hash": message.evidence_hash, "channel": "C-TIDE", "message": "C-TIDE/1795000000.000000",
    }  # fmt: skip
    view = {"id": "V1", "callback_id": DENIAL_CALLBACK, "private_metadata": json.dumps(bound), "state": {"values": {}}}
    payload = {"type": "view_submission", "team": {"id": "T-SHORE"}, "user": {"id": "U-STRANGER", "name": "x"}}
    answer = stand.slack.ask({**payload, "view": view}, "7-1")
    assert answer["payload"]["response_action"] == "errors"
    assert set(answer["payload"]["errors"]) == {REASON_FIELD}
    assert stand.decisions() == []


def test_what_could_not_be_stored_is_not_acknowledged_and_counts_when_it_comes_again(slack: FakeSocketMode) -> None:
    stores: list[FailingStore] = []

    def tap(name: str, port: object) -> object:
        if name == "store":
            stores.append(FailingStore(port, lambda: Retry("away")))  # type: ignore[arg-type]
            stores[-1].error = None
            return stores[-1]
        return port

    for stand in _serve(slack, tap):
        stores[-1].error = lambda: Retry("away")
        slack.send(stand.question(), "f-1")
        assert slack.ask({}, "f-2", "events_api") == {"envelope_id": "f-2"}
        stores[-1].error = None
        assert slack.ask(stand.question(), "f-1")["envelope_id"] == "f-1"
        assert stand.decisions() == ["approved"]


@pytest.mark.parametrize("refusal", ["not_allowed_token_type", "account_inactive"])
def test_a_token_that_slack_refuses_is_reported_and_tried_again_at_the_next_probe(
    slack: FakeSocketMode, capsys: pytest.CaptureFixture[str], refusal: str
) -> None:
    slack_socket.close_connection()
    slack.refusal = refusal
    for stand in _serve(slack):
        assert stand.probe() == 503
        assert refusal in capsys.readouterr().out
        slack.refusal = ""
        assert stand.probe() == 200
