"""The pager's webhook: the body that it takes, and what its answers mean; the key is never shown."""

import json
from datetime import UTC, datetime

import pytest

from shared.adapters.pager.events_v2 import EventsPager, build_event
from shared.errors import Reject, Retry
from shared.proposal.proposal import Reminder
from shared.secret import Secret
from shared.service import PAGER
from tests.support.harness import watched_service
from tests.support.scripted_server import HANG_UP, ScriptedServer, http_answer, serve_scripted

SERVICE = watched_service(escalate_to=PAGER, runbook_url="https://wiki.invalid/tide")
REMINDER = Reminder(
    marker="f0-1-1.reminder",
    title="tide: SyntaxError in chat/greeting.py,\nfailing revision has 100 % of the traffic",
    asked_at=datetime(2026, 4, 7, 8, tzinfo=UTC),
    expires_at=datetime(2026, 4, 7, 14, tzinfo=UTC),
    issue_url="https://code.invalid/harbour/tide/issues/1",
)


def pager(server: ScriptedServer) -> EventsPager:
    return EventsPager(f"http://{server.host}/v2/enqueue", lambda: Secret("the-routing-key"))


def test_an_alert_is_one_event_of_the_format() -> None:
    with serve_scripted(http_answer({"status": "success"}, 202)) as server:
        pager(server).alert(SERVICE, REMINDER)
    [request] = server.requests
    event = json.loads(request.partition(b"\r\n\r\n")[2])
    assert {name: event[name] for name in ("routing_key", "event_action", "dedup_key")} == {
        "routing_key": "the-routing-key",
        "event_action": "trigger",
        "dedup_key": "f0-1-1.reminder",
    }
    assert {"summary", "source", "severity"} <= event["payload"].keys()
    assert "\n" not in event["payload"]["summary"]
    assert [link["href"] for link in event["links"]] == [REMINDER.issue_url, SERVICE.runbook_url]


def test_the_end_of_an_alert_is_the_same_key_resolved() -> None:
    with serve_scripted(http_answer({"status": "success"}, 202)) as server:
        pager(server).resolve(SERVICE, REMINDER.marker)
    [request] = server.requests
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {
        "routing_key": "the-routing-key",
        "event_action": "resolve",
        "dedup_key": build_event(SERVICE, REMINDER)["dedup_key"],
    }


@pytest.mark.parametrize("answer", [HANG_UP, http_answer(b"", 429), http_answer(b"", 503)])
def test_what_may_get_through_later_is_tried_again(answer: bytes) -> None:
    with serve_scripted(answer) as server, pytest.raises(Retry) as failed:
        pager(server).alert(SERVICE, REMINDER)
    assert "the-routing-key" not in str(failed.value)


@pytest.mark.parametrize("status", [400, 403, 302])
def test_what_is_refused_for_good_is_not(status: int) -> None:
    with serve_scripted(http_answer(b"the-routing-key is unknown", status)) as server, pytest.raises(Reject) as failed:
        pager(server).alert(SERVICE, REMINDER)
    assert failed.value.reason == "alert_refused"
    assert "the-routing-key" not in failed.value.detail
