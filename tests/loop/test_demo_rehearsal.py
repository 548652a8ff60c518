"""The rehearsed incident is real: a service was served, a client was closed with 1011, the log is what it printed."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.local.showcase import Flavour, Role
from functions.local.showcase.rehearsal import Rehearsal, breaking_flavour, export, rehearse
from functions.local.showcase.service import serving
from functions.local.showcase.visitor import visit
from shared.errors import Unreadable

FLAVOURS = sorted({Flavour.EVERYWHERE, breaking_flavour()})


@pytest.fixture(scope="module", params=FLAVOURS)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    sentences: list[str] = []
    result = rehearse(tmp_path_factory.mktemp("rehearsal"), sentences.append, request.param)
    assert sum("1011" in sentence for sentence in sentences) == 2
    return result


def entries(played: Rehearsal) -> list[dict[str, str]]:
    return json.loads(played.log.read_text("utf-8"))[::-1]  # type: ignore[no-any-return]


def test_the_client_was_accepted_and_then_closed_with_1011_twice(played: Rehearsal) -> None:
    assert [(seen.close_code, seen.close_reason, seen.messages) for seen in played.visits] == [
        (1011, "internal error", 0),
        (1011, "internal error", 0),
    ]
    assert [seen.transcript_status for seen in played.visits] == [403, 403]


def test_the_log_is_the_output_of_the_service_line_by_line_without_severity(played: Rehearsal) -> None:
    texts = [entry["textPayload"] for entry in entries(played)]
    assert any("Uvicorn running on http://127.0.0.1:" in text for text in texts)
    assert "ERROR:    Exception in ASGI application" in texts
    assert "WebSocket /ws closed: code=1011" in texts
    assert "Database session error: 403: Not authenticated" in texts
    lines = [text for text in texts if text.startswith("SyntaxError: ")]
    assert lines == [f"SyntaxError: unterminated string literal (detected at line {line})" for line in (624, 676)]
    assert all("\n" not in entry["textPayload"] and "severity" not in entry for entry in entries(played))


def test_the_second_tree_was_committed_after_it_had_failed(played: Rehearsal) -> None:
    last = datetime.fromisoformat(entries(played)[-1]["timestamp"])
    moments = played.story.moments
    assert moments[Role.CLAIMED_FIX] < last < moments[Role.REFACTORING] < moments[Role.FIX] < moments[Role.HEAD]
    assert abs((moments[Role.HEAD] - datetime.now(UTC)).total_seconds()) < 600
    order = git(played, "log", "--reverse", "--format=%H", "main").split()
    assert order == list(played.story.commits.values())


def test_what_was_served_is_what_was_committed(played: Rehearsal) -> None:
    served = played.story.path.parent / "app" / played.story.module
    assert served.read_text("utf-8") == git(played, "show", f"{played.story.deployed}:{played.story.module}")


@pytest.mark.parametrize("role", [Role.GOOD, Role.FIX, Role.HEAD])
def test_commits_that_compile_serve_their_visitors(played: Rehearsal, role: Role, tmp_path: Path) -> None:
    with serving(export(played.story, played.story.commits[role], tmp_path)) as service:
        seen = visit(service.port)
    assert (seen.close_code, seen.messages) == (1000, 1)
    assert service.process.returncode is not None


def test_a_service_that_cannot_start_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"^The example service ended at once: .*chat") as told, serving(tmp_path):
        pytest.fail("there is nothing to serve")
    assert "\n" not in str(told.value)


def test_a_port_without_a_service_is_told_in_one_sentence(tmp_path: Path, played: Rehearsal) -> None:
    with serving(export(played.story, played.story.head, tmp_path)) as service:
        port = service.port
    with pytest.raises(Unreadable, match=f"^The example service on port {port} did not answer: "):
        visit(port)


def git(played: Rehearsal, *arguments: str) -> str:
    command = ["git", f"--git-dir={played.story.path}", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
