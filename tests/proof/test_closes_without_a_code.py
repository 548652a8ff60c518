"""What a report says of a WebSocket that an exception ended: no close code that was never logged, and each place."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.config.settings import read_settings
from shared.local_sources import open_local_compilers, open_local_history
from shared.proof.model.recommendation import Reason
from shared.proof.proof_context import ProofRequest
from shared.report.issue.body import format_issue_title, render_issue_body
from shared.report.report import Report, report_incidents
from tests.support.cause_table import CLOSED, PACKAGES
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.tied_logs import incidents_of, make_log_entries

_MOOR = '  File "/app/ferry/berths.py", line 41, in moor\n    await harbour.moor(ship)\n'
_RAISED = f"Traceback (most recent call last):\n{_MOOR}KeyError: 'berth'"
_HYPERCORN = (
    "[2026-03-01 03:43:43 +0000] [3] [ERROR] Error in ASGI Framework\nTraceback (most recent call last):\n"
    f'  File "{PACKAGES}/hypercorn/asyncio/task_group.py", line 27, in _handle\n    await app(scope, receive, send)\n'
    f"  File \"{PACKAGES}/quart/asgi.py\", line 163, in handle_websocket\n    raise\n{_MOOR}KeyError: 'berth'"
)
_SOCKET_IO = (
    "message async handler error\nTraceback (most recent call last):\n"
    f'  File "{PACKAGES}/socketio/async_server.py", line 599, in _trigger_event\n    ret = await handler(*args)\n'
    f"{_MOOR}KeyError: 'berth'"
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    history = HistoryBuilder(tmp_path_factory.mktemp("ferry") / "repository.git")
    history.commit("berths", {"ferry/__init__.py": "", "ferry/berths.py": "LINE = 1\n" * 60})
    history.write_repository()
    return history.path


def report_of(repository: Path, texts: Sequence[str]) -> Report:
    with open_local_history(str(repository)) as history, open_local_compilers(read_settings()) as compilers:
        request = ProofRequest(fallback_python=running_python())
        incidents = incidents_of(make_log_entries(*(("a", text) for text in texts)))
        [report] = report_incidents(incidents, history, compilers, request, lambda _: None)
    return report


@pytest.mark.parametrize("text", [_HYPERCORN, _SOCKET_IO], ids=["hypercorn", "socket.io"])
def test_no_code_is_told_that_was_not_logged(repository: Path, text: str) -> None:
    report = report_of(repository, [text])
    told = render_issue_body(report).replace(Reason.CLOSE_1011_UNPROVEN.value, "")
    assert report.proof.recommendation.reason is Reason.CLOSE_1011_UNPROVEN
    assert "KeyError" in format_issue_title(report)
    assert "1011" not in format_issue_title(report) + told


def test_a_code_that_was_logged_is_told(repository: Path) -> None:
    report = report_of(repository, [_HYPERCORN, CLOSED])
    assert "1011" in format_issue_title(report)


def test_each_exception_that_may_be_the_cause_is_told_with_its_place(repository: Path) -> None:
    other = _RAISED.replace("berths.py", "tides.py").replace("KeyError: 'berth'", "ZeroDivisionError: division by zero")
    report = report_of(repository, [_RAISED, other, CLOSED, CLOSED])
    assert report.proof.recommendation.reason is Reason.CLOSE_1011_ONE_OF_SEVERAL
    told = report.proof.recommendation.detail + report.whys[0].answer
    assert told.count("/app/ferry/berths.py, line 41") == told.count("/app/ferry/tides.py, line 41") == 2


def test_an_upstream_that_restarts_is_not_told_to_close_with_1011(repository: Path) -> None:
    """Its own code was 1012; 1011 is what this service then closed its client's socket with."""
    socket = (
        f'  File "{PACKAGES}/websockets/asyncio/connection.py", line 88, in recv\n    raise self.protocol.close_exc\n'
    )
    last = "websockets.exceptions.ConnectionClosedError: received 1012 (service restart); then sent 1012"
    report = report_of(repository, [_RAISED.replace("KeyError: 'berth'", socket + last), CLOSED])
    assert report.proof.recommendation.reason is Reason.CLOSED_BY_OTHER_END
    assert "1011" not in format_issue_title(report)
