"""The chat against two Slacks: one that nobody here wrote, and one that is cruel. Once means once, in each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient

from shared.adapters.slack.chat import SlackChat
from shared.errors import Reject, Retry
from shared.ports import Chat, ReasonDialog
from shared.proposal.decision import ClickKind
from shared.proposal.proposal import Reminder
from shared.proposal.states import ProposalStatus
from shared.secret import Secret
from tests.support.harness import button_click
from tests.support.slack.emulator import OTHER_TOKEN, TOKEN, run_slack_emulator
from tests.support.slack.questions import SERVICE, question_message
from tests.support.slack.rendering import check_blocks, check_view

MARKER = "0123456789abcdef-1"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_slack_emulator(tmp_path_factory.mktemp("slack")) as address:
        yield address


class TestAnotherOnesSlack:
    @pytest.fixture
    def client(self, api: str) -> WebClient:
        return WebClient(token=TOKEN, base_url=api, retry_handlers=[])

    @pytest.fixture
    def channel(self, client: WebClient, request: pytest.FixtureRequest) -> str:
        """A channel of its own for each test."""
        name = f"c{abs(hash(request.node.name)):x}"
        return str(client.conversations_create(name=name)["channel"]["id"])

    @pytest.fixture
    def chat(self, api: str) -> SlackChat:
        return SlackChat(lambda: Secret(TOKEN), api)

    @staticmethod
    def history(client: WebClient, channel: str) -> list[dict[str, Any]]:
        found: Any = client.api_call("conversations.history", params={"channel": channel}).data
        messages: list[dict[str, Any]] = found["messages"]
        return messages

    def test_a_posted_message_is_found_by_its_marker_alone(self, chat: SlackChat, channel: str) -> None:
        service = replace(SERVICE, channel=channel)
        assert chat.find(service, MARKER) is None
        reference = chat.post(service, MARKER, question_message())
        assert chat.find(service, MARKER) == reference
        assert chat.find(service, MARKER + "0") is None

    def test_a_message_is_found_behind_hundreds_of_others(
        self, chat: SlackChat, client: WebClient, channel: str
    ) -> None:
        service = replace(SERVICE, channel=channel)
        reference = chat.post(service, MARKER, question_message())
        for number in range(420):
            client.chat_postMessage(channel=channel, text=f"chatter {number}")
        assert chat.find(service, MARKER) == reference

    def test_another_ones_message_with_our_marker_is_not_ours(self, chat: SlackChat, api: str, channel: str) -> None:
        service = replace(SERVICE, channel=channel)
        WebClient(token=TOKEN, base_url=api).conversations_invite(channel=channel, users=self.gossip(api))
        SlackChat(lambda: Secret(OTHER_TOKEN), api).post(service, MARKER, question_message())
        assert chat.find(service, MARKER) is None

    @staticmethod
    def gossip(api: str) -> str:
        return str(WebClient(token=OTHER_TOKEN, base_url=api).auth_test()["user_id"])

    def test_it_is_shown_as_laid_out_and_changed_in_place(
        self, chat: SlackChat, client: WebClient, channel: str
    ) -> None:
        service = replace(SERVICE, channel=channel)
        reference = chat.post(service, MARKER, question_message())
        [before] = self.history(client, channel)
        assert [block["block_id"] for block in before["blocks"]][-2:] == ["decision", "issue"]
        assert (before["parse"], before["unfurl_links"]) == ("none", False)
        denied = replace(question_message(), standing=ProposalStatus.DENIED, by="U0MIRA", reason="not now")
        for _ in range(2):
            chat.update(service, reference, denied)
        [after] = self.history(client, channel)
        check_blocks(after["blocks"])
        assert [block["block_id"] for block in after["blocks"]] == ["title", "standing", "lines", "issue"]
        assert after["metadata"] == before["metadata"]
        assert chat.find(service, MARKER) == reference

    def test_details_go_into_the_thread_and_are_found_there(
        self, chat: SlackChat, client: WebClient, channel: str
    ) -> None:
        service = replace(SERVICE, channel=channel)
        reference = chat.post(service, MARKER, question_message())
        assert not chat.has_reply(service, reference, "details")
        chat.reply(service, reference, "details", ("Why? Because `x` broke.", "And @here <!channel>"))
        assert chat.has_reply(service, reference, "details")
        assert len(self.history(client, channel)) == 1
        replies: Any = client.api_call(
            "conversations.replies", params={"channel": channel, "ts": reference.partition("/")[2]}
        ).data
        check_blocks(replies["messages"][1]["blocks"])
        assert "<!channel>" not in json.dumps(replies["messages"][1])

    def test_a_reminder_is_a_reply_that_the_channel_shows_and_is_found_by_its_marker(
        self, chat: SlackChat, client: WebClient, channel: str
    ) -> None:
        service = replace(SERVICE, channel=channel, escalate_to="S0614TZR7")
        reference = chat.post(service, MARKER, question_message())
        moment = question_message().expires_at
        reminder = Reminder(f"{MARKER}.reminder", "tide fails <!channel>", moment, moment)
        assert not chat.has_reply(service, reference, reminder.marker)
        chat.remind(service, reference, reminder)
        assert chat.has_reply(service, reference, reminder.marker)
        replies: Any = client.api_call(
            "conversations.replies", params={"channel": channel, "ts": reference.partition("/")[2]}
        ).data
        check_blocks(replies["messages"][1]["blocks"])
        assert "<!channel>" not in json.dumps(replies["messages"][1])

    def test_the_reason_of_a_denial_is_asked_for_once(self, chat: SlackChat, client: WebClient) -> None:
        trigger = str(client.api_call("views.generateTriggerId")["trigger_id"])
        denial = replace(button_click(question_message(), ClickKind.DENY, token=trigger), message="C0QUAY/1.2")
        chat.open_reason_dialog(denial)
        with pytest.raises((Retry, Reject)):
            chat.open_reason_dialog(denial)

    def test_a_channel_that_does_not_exist_is_refused_for_good(self, chat: SlackChat) -> None:
        nowhere = replace(SERVICE, channel="C000NOWHERE")
        with pytest.raises(Reject) as posting:
            chat.post(nowhere, MARKER, question_message())
        assert posting.value.detail.split(": ") == ["chat.postMessage", "channel_not_found"]
        with pytest.raises(Reject) as finding:
            chat.find(nowhere, MARKER)
        assert finding.value.detail.split(": ") == ["conversations.history", "channel_not_found"]
        assert posting.value.reason == finding.value.reason == "chat_refused"

    def test_a_message_that_was_deleted_needs_no_update(self, chat: SlackChat, client: WebClient, channel: str) -> None:
        service = replace(SERVICE, channel=channel)
        reference = chat.post(service, MARKER, question_message())
        client.chat_delete(channel=channel, ts=reference.partition("/")[2])
        chat.update(service, reference, question_message())
        assert chat.find(service, MARKER) is None


class Cruel(BaseHTTPRequestHandler):
    """Does what is asked, and answers as it likes."""

    server: "CruelServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        method = self.path.rpartition("/")[2]
        self.server.seen.append((method, body))
        answer = self.server.answers.pop(0) if self.server.answers else (200, {}, b'{"ok": true}')
        if answer is None:  # done, and the answer is lost
            self.close_connection = True
            self.connection.shutdown(2)
            return
        status, headers, text = answer
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
        """Says nothing."""


class CruelServer(ThreadingHTTPServer):
    """The calls that it has seen, and the answers that it will give."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Cruel)
        self.seen: list[tuple[str, bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes] | None] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/"


class TestCruelSlack:
    @pytest.fixture
    def server(self) -> Iterator[CruelServer]:
        with CruelServer() as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield server
            server.shutdown()
            thread.join()

    @pytest.fixture
    def now(self) -> list[float]:
        return [1_000.0]

    @pytest.fixture
    def slept(self) -> list[float]:
        return []

    @pytest.fixture
    def chat(self, server: CruelServer, now: list[float], slept: list[float]) -> SlackChat:
        return SlackChat(lambda: Secret(TOKEN), server.address, lambda: now[0], slept.append)

    LOST: tuple[tuple[int, dict[str, str], bytes] | None, ...] = (
        None,
        (500, {}, b"oops"),
        (502, {}, b"<html>"),
        (503, {}, b'{"ok": false, "error": "service_unavailable"}'),
        (200, {}, b"not json"),
        (200, {}, b'{"ok": false, "error": "fatal_error"}'),
        (200, {}, b'{"ok": false, "error": "internal_error"}'),
        (200, {}, b'{"ok": false, "error": "what_nobody_has_heard_of"}'),
        (429, {"Retry-After": "30"}, b'{"ok": false, "error": "ratelimited"}'),
        (429, {}, b""),
    )

    @pytest.mark.parametrize("answer", LOST)
    @pytest.mark.parametrize("act", ["post", "update", "reply"])
    def test_whatever_becomes_of_the_answer_nothing_is_sent_twice(
        self, chat: SlackChat, server: CruelServer, answer: tuple[int, dict[str, str], bytes] | None, act: str
    ) -> None:
        server.answers.append(answer)
        effects: dict[str, Callable[[], object]] = {
            "post": lambda: chat.post(SERVICE, MARKER, question_message()),
            "update": lambda: chat.update(SERVICE, "C0QUAY/1.2", question_message()),
            "reply": lambda: chat.reply(SERVICE, "C0QUAY/1.2", "details", ("a",)),
        }
        with pytest.raises(Retry):
            effects[act]()
        assert len(server.seen) == 1

    @pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "not_in_channel", "msg_too_long"])
    def test_what_slack_will_always_say_is_refused_for_good(
        self, chat: SlackChat, server: CruelServer, error: str
    ) -> None:
        server.answers.append((200, {}, json.dumps({"ok": False, "error": error}).encode()))
        with pytest.raises(Reject, match=error):
            chat.post(SERVICE, MARKER, question_message())

    def test_nobody_listening_is_worth_another_try(self) -> None:
        with CruelServer() as closed:
            address = closed.address
        with pytest.raises(Retry, match="did not answer"):
            SlackChat(lambda: Secret(TOKEN), address).post(SERVICE, MARKER, question_message())

    def test_slack_is_left_alone_for_as_long_as_it_asks(
        self, chat: SlackChat, server: CruelServer, now: list[float]
    ) -> None:
        server.answers += [(429, {"Retry-After": "30"}, b'{"ok": false, "error": "ratelimited"}')]
        server.answers += [(200, {}, b'{"ok": true, "channel": "C0QUAY", "ts": "1.2"}')]
        for seconds in (0.0, 1.0, 28.0):
            now[0] += seconds
            with pytest.raises(Retry, match=r"wait|alone"):
                chat.post(SERVICE, MARKER, question_message())
        assert len(server.seen) == 1
        now[0] += 1.0
        assert chat.post(SERVICE, MARKER, question_message()) == "C0QUAY/1.2"

    def test_each_message_to_a_channel_has_a_second_to_itself(
        self, chat: SlackChat, server: CruelServer, now: list[float], slept: list[float]
    ) -> None:
        said = b'{"ok": true, "channel": "C0QUAY", "ts": "1.2"}'
        server.answers += [(200, {}, said)] * 5
        chat.post(SERVICE, MARKER, question_message())
        chat.reply(SERVICE, "C0QUAY/1.2", "details", ("a",))
        chat.update(SERVICE, "C0QUAY/1.2", question_message())
        chat.post(replace(SERVICE, channel="C0OTHER"), MARKER, question_message())
        now[0] += 10.0
        chat.update(SERVICE, "C0QUAY/1.2", question_message())
        assert slept == [0.0, 1.0, 2.0, 0.0, 0.0]
        assert len(server.seen) == 5

    def test_members_are_asked_for_on_the_server_and_kept_for_half_a_minute(
        self, chat: SlackChat, server: CruelServer, now: list[float]
    ) -> None:
        server.answers += [(200, {}, b'{"ok": true, "users": ["U1", "U2"]}'), (200, {}, b'{"ok": true, "users": []}')]
        assert chat.list_group_members("S0KEEPERS") == chat.list_group_members("S0KEEPERS") == {"U1", "U2"}
        [(method, body)] = server.seen
        assert (method, parse_qs(body.decode())) == ("usergroups.users.list", {"usergroup": ["S0KEEPERS"]})
        now[0] += 30.0
        assert chat.list_group_members("S0KEEPERS") == frozenset()

    def test_no_answer_about_a_group_makes_nobody_an_approver(self, chat: SlackChat, server: CruelServer) -> None:
        server.answers += [None, (200, {}, b'{"ok": false, "error": "no_such_subteam"}'), (200, {}, b'{"ok": true}')]
        with pytest.raises(Retry):
            chat.list_group_members("S0KEEPERS")
        with pytest.raises(Reject):
            chat.list_group_members("S0KEEPERS")
        assert chat.list_group_members("S0KEEPERS") == frozenset()

    def test_the_dialog_is_one_that_slack_accepts(self, chat: SlackChat, server: CruelServer) -> None:
        chat.open_reason_dialog(replace(button_click(question_message(), ClickKind.DENY), message="C0QUAY/1.2"))
        [(method, body)] = server.seen
        assert method == "views.open"
        check_view(json.loads(body)["view"])


def test_it_is_the_chat_that_the_ports_describe() -> None:
    chat = SlackChat(lambda: Secret(TOKEN))
    ports: tuple[Chat, ReasonDialog] = (chat, chat)
    assert isinstance(ports[1], ReasonDialog)
