"""What setup asks Slack, by Slack's own client: each call once, and each refusal as a sentence."""

import pytest

from functions.setup.adapters.slack_workspace import SlackWorkspace
from shared.errors import InputError
from shared.secret import Secret
from tests.support.scripted_server import HANG_UP, RESET, ScriptedServer, http_answer, serve_scripted

TOKEN = Secret("xoxb-of-this-test")


def _workspace(server: ScriptedServer) -> SlackWorkspace:
    return SlackWorkspace(f"http://{server.host}/api/")


def test_team_and_app_are_read_of_the_answers() -> None:
    told = http_answer({"ok": True, "message": {"app_id": "A024BE7LD"}})
    with serve_scripted(http_answer({"ok": True, "team_id": "T024BE7LD"}), told) as server:
        workspace = _workspace(server)
        assert workspace.find_team(TOKEN) == "T024BE7LD"
        assert workspace.greet(TOKEN, "C024BE91L", "Hello & welcome") == "A024BE7LD"
    assert [request.split()[1] for request in server.requests] == [b"/api/auth.test", b"/api/chat.postMessage"]
    assert b"Hello+%26+welcome" in server.requests[1]


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (http_answer({"ok": False, "error": "not_in_channel"}), "/invite @provenfix"),
        (http_answer({"ok": False, "error": "<b>&lt;"}), "unknown error"),
        (http_answer(b"<html>", 500), "Slack"),
        (HANG_UP, "could not be asked"),
        (RESET, "could not be asked"),
    ],
)
def test_a_refusal_is_one_sentence_and_nothing_is_repeated(answer: bytes, named: str) -> None:
    """A greeting whose answer was lost would come twice."""
    with serve_scripted(answer, http_answer({"ok": True})) as server:
        with pytest.raises(InputError) as refused:
            _workspace(server).greet(TOKEN, "C024BE91L", "Hello")
        assert len(server.requests) == 1
    assert named in str(refused.value)
    assert TOKEN.reveal() not in str(refused.value)
