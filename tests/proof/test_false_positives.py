"""Logs that only look like an incident, against a repository that really is broken: no proof, and the right name."""

import json
from pathlib import Path

import pytest

from functions.cli.investigate import investigate_log
from shared.proof.proof_context import ProofRequest
from shared.report.report import Report
from tests.support.history_builder import HistoryBuilder, broken_source, running_python, valid_source


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`app.py` compiles at every commit; `jobs.py` is broken on line 7 and fixed later."""
    story = HistoryBuilder(tmp_path_factory.mktemp("false") / "repository.git")
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break", {"jobs.py": broken_source(7)})
    story.commit("mend", {"jobs.py": valid_source(1)})
    story.write_repository()
    return story.path


def reports(repository: Path, folder: Path, *texts: str) -> list[Report]:
    entries = [
        {
            "textPayload": text,
            "severity": "ERROR",
            "timestamp": f"2026-03-01T03:43:{second:02}Z",
            "insertId": f"i{second}",
            "resource": {"labels": {"service_name": "chat", "revision_name": "chat-00001", "project_id": "p"}},
        }
        for second, text in enumerate(texts)
    ]
    log = folder / "log.json"
    log.write_text(json.dumps(entries), "utf-8")
    return investigate_log(
        str(repository), str(log), ProofRequest(fallback_python=running_python()), ("", ""), lambda _: None
    )


@pytest.mark.parametrize(
    "text",
    [
        "request c2615310-1011-475c-9f5e-1d2b7c9a4e11 done",
        "listening on 0.0.0.0:1011",
        "2026-03-01 03:43:58.001011 tick",
        "sent 1011 bytes to the client",
        'File "/srv/app.py", line 1011, in handle',
        "websocket open, 1011 frames so far",
        "user 1011 closed the tab",
        "a visitor asked: what is a SyntaxError?",
        '{"question": "why does SyntaxError: invalid syntax happen"}',
        '(psycopg2.errors.SyntaxError) syntax error at or near "FORM"',
    ],
)
def test_what_is_no_signal_makes_no_incident(repository: Path, tmp_path: Path, text: str) -> None:
    assert reports(repository, tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "signal", "reason"),
    [
        ('  File "<string>", line 1\nSyntaxError: invalid syntax', "dynamic_code", "dynamic_code"),
        ("SyntaxError: invalid syntax (<unknown>, line 7)", "dynamic_code", "dynamic_code"),
        (
            '  File "/usr/lib/python3.11/site-packages/lib/jobs.py", line 7\n    x = = 1\nSyntaxError: invalid syntax',
            "dependency",
            "dependency",
        ),
        (
            "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON\n    at JSON.parse (<anonymous>)",
            "not_python",
            "not_python",
        ),
        (
            "ConnectionClosedError: sent 1011 (internal error) keepalive ping timeout; no close frame received",
            "keepalive_timeout",
            "keepalive_timeout",
        ),
        ("received 1011 (internal error); then sent 1011 (internal error)", "close_1011", "closed_by_other_end"),
        ("SyntaxError: invalid syntax (app.py, line 7)", "syntax_error", "not_corroborated"),
        ("SyntaxError: invalid syntax (jobs.py, line 8)", "syntax_error", "not_corroborated"),
        ("SyntaxError: invalid syntax (nowhere.py, line 7)", "syntax_error", "file_not_found"),
        ("SyntaxError: invalid syntax (../../../../etc/passwd, line 1)", "syntax_error", "file_not_found"),
        (
            'a visitor wrote: "  File \\"/srv/app.py\\", line 3\\n    x\\nSyntaxError: invalid syntax"',
            "syntax_error",
            "not_corroborated",
        ),
    ],
)
def test_what_nothing_can_be_proven_of_is_named_and_not_proposed(
    repository: Path, tmp_path: Path, text: str, signal: str, reason: str
) -> None:
    [report] = reports(repository, tmp_path, text)
    assert report.incident.kind == signal
    assert report.proof.recommendation.kind == "none"
    assert report.proof.recommendation.reason == reason
    assert (report.proof.broken, report.proof.introduced, report.proof.fix, report.proof.target) == (None,) * 4


def test_same_repository_gets_a_proof_for_the_failing_line(repository: Path, tmp_path: Path) -> None:
    [report] = reports(repository, tmp_path, "SyntaxError: invalid syntax (jobs.py, line 7)")
    assert report.proof.recommendation.kind == "redeploy"
