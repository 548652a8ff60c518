"""Signed clicks at the real `decide`: the right one counts once, no wrong one at all, and its sender reads why."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from slack_sdk.signature import SignatureVerifier
from werkzeug.test import TestResponse

from shared.adapters.slack import web_api
from shared.errors import Reject, Retry
from shared.proposal.decision import Click, ClickResult, build_answer
from shared.proposal.proposal import Message
from shared.proposal.states import ProposalStatus
from shared.workflow.records import decisions
from tests.support.chat import FakeChat
from tests.support.drivers import redeploy_approved
from tests.support.function_clients import SECRET, FunctionClients, encode_form, open_function_clients, relay_published
from tests.support.harness import APPROVER, Harness, watched_service
from tests.support.slack.rendering import check_view, render_message

Changes = Mapping[str, Any]


def signed(body: bytes, at: float) -> dict[str, str]:
    """As Slack's own library signs."""
    signature = SignatureVerifier(SECRET.reveal()).generate_signature(timestamp=str(int(at)), body=body)
    assert signature is not None
    return {
        "X-Slack-Request-Timestamp": str(int(at)), "X-Slack-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip


def said(reply: ClickResult) -> str:
    """What a user reads for a named reason."""
    return build_answer(reply).text


@dataclass
class Question:
    """An incident about which a person is asked, and the buttons as Slack would show them."""

    doors: FunctionClients

    @property
    def message(self) -> Message:
        return self.doors.harness.chat.posted[0].message

    def payload(self, action: str, **changes: Any) -> dict[str, Any]:
        """What Slack sends for a button that stands in the message as it was laid out."""
        sent = render_message(
            self.doors.harness.services["shore.tide"], replace(self.message, standing=ProposalStatus.OPEN)
        )
        [buttons] = [block["elements"] for block in sent["blocks"] if block["type"] == "actions"]
        button = next(each for each in buttons if each["action_id"] == f"provenfix_{action}")
        given = {
            "type": "block_actions",
            "api_app_id": "A0TIDE",
            "trigger_id": "13345224609.738474920.8088930838d88f008e0",
            "user": {"id": APPROVER, "username": "nora", "team_id": "T-SHORE"},
            "team": {"id": "T-SHORE", "domain": "shore"},
            "channel": {"id": "C-TIDE", "name": "tide"},
            "container": {"type": "message", "message_ts": "1795000000.000000", "channel_id": "C-TIDE"},
            "actions": [{"action_id": button["action_id"], "type": "button", "value": button["value"]}],
        }
        return given | changes

    def send(self, payload: Mapping[str, Any]) -> TestResponse:
        body = encode_form(payload)
        return self.doors.post("decide", body, signed(body, self.doors.harness.clock.now().timestamp()))

    @property
    def approvals(self) -> int:
        """Approvals that were handed on or merely stored."""
        stands = decisions.load_decision(self.doors.harness.start_process(), self.message.proposal)
        published = [topic for topic, _ in self.doors.harness.bus.published if topic == "redeploy-approved"]
        return len(published) + (stands is not None and stands.state == "approved")


@pytest.fixture
def asking() -> Iterator[Callable[..., Question]]:
    with_exit: list[Any] = []

    def ask(setting: Harness | None = None) -> Question:
        context = open_function_clients(setting or Harness())
        opened = context.__enter__()
        with_exit.append(context)
        opened.deliver("record", _sunk(opened))
        relay_published(opened)
        return Question(opened)

    yield ask
    for each in with_exit:
        each.__exit__(None, None, None)


def _sunk(opened: FunctionClients) -> bytes:
    from tests.support.function_clients import wrap_entry  # noqa: PLC0415

    return wrap_entry(opened.harness.log_entry())


def test_an_approval_counts_once_however_often_it_comes(asking: Callable[..., Question]) -> None:
    question = asking()
    answers = [question.send(question.payload("approve")).get_json()["text"] for _ in range(3)]
    assert answers == [
        said(ClickResult.APPROVED),
        said(ClickResult.ALREADY_APPROVED),
        said(ClickResult.ALREADY_APPROVED),
    ]
    published = [topic for topic, _ in question.doors.harness.bus.published if topic == "redeploy-approved"]
    assert len(published) == 1


def test_a_denial_counts_at_once_where_nobody_can_be_asked_why(asking: Callable[..., Question]) -> None:
    question = asking()
    assert question.send(question.payload("deny")).get_json()["text"] == said(ClickResult.DENIED)
    assert question.send(question.payload("approve")).get_json()["text"] == said(ClickResult.ALREADY_DENIED)
    assert question.approvals == 0


WRONG: dict[str, Changes] = {
    "another user": {"user": {"id": "U-MALLORY", "username": "nora"}},
    "a user by the approver's name": {"user": {"id": "nora", "username": APPROVER}},
    "another channel": {
        "channel": {"id": "C-OTHER", "name": "tide"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C-OTHER"},
    },
    "a message of another channel": {
        "container": {"type": "message", "message_ts": "1795000000.000000", "channel_id": "C-OTHER"}
    },
    "another message of the channel": {
        "container": {"type": "message", "message_ts": "1795000000.000009", "channel_id": "C-TIDE"}
    },
    "no user": {"user": {"id": "", "username": "nora"}},
    "no channel": {"channel": None},
    "no team": {"team": None},
    "two actions": {"actions": [{}, {}]},
    "a foreign button": {"actions": [{"action_id": "approve", "type": "button", "value": "{}"}]},
    "another type": {"type": "message_action"},
    "a shortcut": {"type": "shortcut", "callback_id": "provenfix_approve"},
    "a foreign dialog": {"type": "view_submission", "view": {"id": "V1", "callback_id": "approve"}},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_click_approves_nothing(asking: Callable[..., Question], name: str) -> None:
    question = asking()
    answered = question.send(question.payload("approve", **WRONG[name]))
    assert answered.status_code in {200, 401}
    assert b"Approved" not in answered.data
    assert question.approvals == 0


@pytest.mark.parametrize("order", [("approve", "deny"), ("deny", "approve"), ("approve", "approve")])
def test_two_buttons_in_one_request_decide_nothing(asking: Callable[..., Question], order: tuple[str, str]) -> None:
    question = asking()
    pressed = [question.payload(action)["actions"][0] for action in order]
    assert question.send(question.payload("approve", actions=pressed)).status_code == 401
    assert decisions.load_decision(question.doors.harness.start_process(), question.message.proposal) is None


@pytest.mark.parametrize("field", ["proposal", "incident", "commit", "evidence"])
@pytest.mark.parametrize("value", ["", "x", "0" * 40, "../..", "a\nb", None, 7, ["x"]])
def test_a_button_that_was_tampered_with_approves_nothing(
    asking: Callable[..., Question], field: str, value: object
) -> None:
    question = asking()
    payload = question.payload("approve")
    carried = json.loads(payload["actions"][0]["value"]) | {field: value}
    payload["actions"][0]["value"] = json.dumps(carried)
    answered = question.send(payload)
    assert answered.status_code in {200, 401}
    assert question.approvals == 0


def test_without_approvers_nobody_approves(asking: Callable[..., Question]) -> None:
    question = asking(Harness(services={"shore.tide": watched_service(approvers=())}))
    assert question.send(question.payload("approve")).get_json()["text"] == said(ClickResult.FOREIGN_USER)
    assert question.approvals == 0


def test_members_of_the_group_approve_and_others_do_not(asking: Callable[..., Question]) -> None:
    grouped = watched_service(approvers=(), approver_group="S-KEEPERS")
    setting = Harness(services={"shore.tide": grouped}, chat=FakeChat({"S-KEEPERS": ("U-ODA",)}))
    question = asking(setting)
    question.send(question.payload("approve"))
    assert question.approvals == 0
    question.send(question.payload("approve", user={"id": "U-ODA", "username": "oda"}))
    assert question.approvals > 0


def test_another_workspace_approves_nothing(asking: Callable[..., Question]) -> None:
    question = asking(Harness(services={"shore.tide": watched_service(team="T-SHORE")}))
    question.send(question.payload("approve", team={"id": "T-OTHER", "domain": "shore"}))
    assert question.approvals == 0


@pytest.mark.parametrize(("app", "approves"), [("A0TIDE", True), ("A0OTHER", False)])
def test_another_apps_button_approves_nothing(asking: Callable[..., Question], app: str, *, approves: bool) -> None:
    question = asking(Harness(services={"shore.tide": watched_service(chat_app=app)}))
    question.send(question.payload("approve"))
    assert (question.approvals > 0) is approves


@pytest.mark.parametrize("app", [None, 7, "", ["A0TIDE"], "a\nb"])
def test_an_app_that_is_no_id_is_refused(asking: Callable[..., Question], app: object) -> None:
    question = asking()
    assert question.send(question.payload("approve", api_app_id=app)).status_code in {200, 401}
    assert question.approvals == 0


def test_a_replayed_request_approves_nothing_after_five_minutes(asking: Callable[..., Question]) -> None:
    question = asking()
    body = encode_form(question.payload("approve"))
    headers = signed(body, question.doors.harness.clock.now().timestamp())
    question.doors.harness.clock.advance(timedelta(seconds=301))
    assert question.doors.post("decide", body, headers).status_code == 401
    assert question.approvals == 0


def test_a_signature_of_one_body_does_not_carry_another(asking: Callable[..., Question]) -> None:
    question = asking()
    headers = signed(encode_form(question.payload("deny")), question.doors.harness.clock.now().timestamp())
    assert question.doors.post("decide", encode_form(question.payload("approve")), headers).status_code == 401
    assert question.approvals == 0


def test_an_expired_proposal_is_not_approved(asking: Callable[..., Question]) -> None:
    question = asking()
    question.doors.harness.clock.advance(timedelta(hours=6))
    assert question.send(question.payload("approve")).get_json()["text"] == said(ClickResult.EXPIRED)
    assert question.approvals == 0


def test_a_superseded_proposal_is_not_approved(asking: Callable[..., Question]) -> None:
    question = asking()
    setting = question.doors.harness
    setting.cloud.deploy_manually(setting.services["shore.tide"], "tide-00008-new", "8" * 40)
    assert question.send(question.payload("approve")).get_json()["text"] == said(ClickResult.APPROVED)
    assert redeploy_approved(setting).name == "refused:stale"
    assert setting.cloud.operations == []


@dataclass
class AskingChat(FakeChat):
    """A chat that can open dialogs, unless it is set to fail."""

    asked: list[Click] = field(default_factory=list)
    error: Exception | None = None

    def open_reason_dialog(self, click: Click) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(click)


class TestTheReason:
    def submitted(self, click: Click, reason: object, **changes: Any) -> dict[str, Any]:
        """What Slack sends when the dialog of this click is submitted."""
        from shared.adapters.slack.interaction import build_denial_dialog  # noqa: PLC0415

        opened: dict[str, Any] = build_denial_dialog(click)
        check_view(opened)
        given = {
            "type": "view_submission",
            "trigger_id": "1.2.3",
            "user": {"id": APPROVER, "username": "nora"},
            "team": {"id": "T-SHORE", "domain": "shore"},
            "view": opened | {"id": "V0TIDE", "state": {"values": {"reason": {"reason": {"value": reason}}}}},
        }
        return given | changes

    def test_the_dialog_names_its_app_as_the_button_does(self, asking: Callable[..., Question]) -> None:
        chat = AskingChat()
        question = asking(Harness(services={"shore.tide": watched_service(chat_app="A0TIDE")}, chat=chat))
        question.send(question.payload("deny"))
        question.send(self.submitted(chat.asked[0], "not now"))
        assert decisions.load_decision(question.doors.harness.start_process(), question.message.proposal) is None
        question.send(self.submitted(chat.asked[0], "not now", api_app_id="A0TIDE"))
        stands = decisions.load_decision(question.doors.harness.start_process(), question.message.proposal)
        assert stands is not None
        assert stands.state == "denied"

    def test_it_is_asked_for_before_the_denial_counts_and_stays_in_the_message(
        self, asking: Callable[..., Question]
    ) -> None:
        chat = AskingChat()
        question = asking(Harness(chat=chat))
        payload = question.payload("deny")
        assert (question.send(payload).status_code, question.send(payload).data) == (200, b"")
        assert decisions.load_decision(question.doors.harness.start_process(), question.message.proposal) is None
        reason = "the <!channel> migration runs until noon"
        told = self.submitted(chat.asked[0], reason)
        assert (question.send(told).status_code, question.send(told).data) == (200, b"")
        stands = decisions.load_decision(question.doors.harness.start_process(), question.message.proposal)
        assert stands is not None
        assert (stands.state, stands.by) == ("denied", APPROVER)
        assert stands.why == f"nora: {reason}"
        question.doors.tick()
        assert (question.message.standing, question.message.by) == (ProposalStatus.DENIED, APPROVER)
        sent = json.dumps(render_message(question.doors.harness.services["shore.tide"], question.message))
        assert reason.partition("> ")[2] in sent
        assert "<!channel>" not in sent

    @pytest.mark.parametrize("error", [Retry("away"), Reject("chat_refused", "views.open: expired_trigger_id")])
    def test_where_it_cannot_be_asked_for_the_denial_counts_all_the_same(
        self, asking: Callable[..., Question], error: Exception
    ) -> None:
        question = asking(Harness(chat=AskingChat(error=error)))
        payload = question.payload("deny")
        assert question.send(payload).get_json()["text"] == said(ClickResult.DENIED)

    def test_a_stranger_is_told_in_the_dialog_and_denies_nothing(self, asking: Callable[..., Question]) -> None:
        chat = AskingChat()
        question = asking(Harness(chat=chat))
        payload = question.payload("deny")
        question.send(payload)
        told = self.submitted(chat.asked[0], None, user={"id": "U-M", "username": "m"})
        answered = question.send(told).get_json()
        assert answered["response_action"] == "errors"
        assert answered["errors"]["reason"] == said(ClickResult.FOREIGN_USER)
        assert decisions.load_decision(question.doors.harness.start_process(), question.message.proposal) is None

    def test_a_foreign_dialog_with_our_metadata_denies_nothing(self, asking: Callable[..., Question]) -> None:
        chat = AskingChat()
        question = asking(Harness(chat=chat))
        question.send(question.payload("deny"))
        told = self.submitted(chat.asked[0], "not now")
        foreign = told | {"view": told["view"] | {"callback_id": "somebody_elses"}}
        assert question.send(foreign).status_code == 401
        assert decisions.load_decision(question.doors.harness.start_process(), question.message.proposal) is None

    @pytest.mark.parametrize("metadata", ["", "{", "[]", "{}", '{"proposal": 1}', "x" * 4_000, '"' * 50])
    def test_a_dialog_that_is_not_ours_denies_nothing(self, asking: Callable[..., Question], metadata: str) -> None:
        question = asking()
        view = {"id": "V1", "callback_id": "provenfix_denial", "private_metadata": metadata}
        answered = question.send(question.payload("deny") | {"type": "view_submission", "view": view})
        assert answered.status_code == 401
        assert decisions.load_decision(question.doors.harness.start_process(), question.message.proposal) is None


class Ear(BaseHTTPRequestHandler):
    """Keeps the ephemeral answers."""

    heard: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
        """Says nothing."""


@pytest.fixture
def ear() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    heard: list[dict[str, Any]] = []
    handler = type("OneEar", (Ear,), {"heard": heard})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()
        thread.join()


def test_a_refused_clicker_alone_is_told(
    asking: Callable[..., Question], ear: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, heard = ear
    monkeypatch.setattr(web_api, "RESPONSE_URL_PREFIX", address)
    question = asking()
    payload = question.payload("approve", user={"id": "U-MALLORY", "username": "m"}, response_url=f"{address}actions/1")
    question.send(payload)
    question.send(question.payload("approve", response_url=f"{address}actions/2"))
    assert heard == [{"text": said(ClickResult.FOREIGN_USER), "response_type": "ephemeral", "replace_original": False}]


def test_whose_approval_is_one_of_several_is_told_as_well(
    asking: Callable[..., Question], ear: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, heard = ear
    monkeypatch.setattr(web_api, "RESPONSE_URL_PREFIX", address)
    question = asking(
        Harness(services={"shore.tide": watched_service("tide", approvers=(APPROVER, "U-ODA"), quorum=2)})
    )
    question.send(question.payload("approve", response_url=f"{address}actions/1"))
    assert [each["text"] for each in heard] == [said(ClickResult.COUNTED)]
    assert question.approvals == 0
    second = {"user": {"id": "U-ODA", "username": "oda"}, "trigger_id": "2.2.2"}
    question.send(question.payload("approve", response_url=f"{address}actions/2", **second))
    assert (len(heard), question.approvals > 0) == (1, True)


def test_the_other_button_approves_the_other_proposal(asking: Callable[..., Question]) -> None:
    setting = Harness()
    setting.prover.offers_rollback = True
    question = asking(setting)
    assert question.send(question.payload("roll_back")).get_json()["text"] == said(ClickResult.APPROVED)
    [published] = [message for topic, message in setting.bus.published if topic == "redeploy-approved"]
    assert published == {"proposal": f"{question.message.proposal}-back"}


@pytest.mark.parametrize(
    "url", ["https://hooks.slack.com.evil.example/x", "http://hooks.slack.com/x", "file:///etc/passwd", "https://x/"]
)
def test_nothing_is_said_to_an_address_that_is_not_slacks(url: str) -> None:
    with pytest.raises(Reject, match="foreign_address"):
        web_api.send_ephemeral(url, "psst")
