"""What the `compile` function does with sources that hang, kill or exhaust the process that compiles them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from functions import compile as function
from functions.compile import RequestError, Source, compile_sources
from tests.support.fake_interpreter import write_fake_interpreter

Judge = Callable[..., list[tuple[object, object]]]


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Verdicts of an interpreter that does what a source tells it to."""
    monkeypatch.setattr(sys, "executable", write_fake_interpreter(tmp_path / "python"))
    monkeypatch.setattr(function, "SOURCE_TIMEOUT_SECONDS", 0.3)

    def told(*contents: bytes) -> list[tuple[object, object]]:
        answer = compile_sources([Source("a.py", content) for content in contents])
        assert (answer["implementation"], answer["version"]) == ("cpython", "3.99.1")
        return [(verdict["ok"], verdict.get("why")) for verdict in answer["verdicts"]]

    return told


def test_a_source_that_hangs_or_kills_has_no_verdict_and_the_others_have(judged: Judge) -> None:
    verdicts = judged(b"good", b"hang", b"good", b"die", b"leave", b"good")
    assert [ok for ok, _ in verdicts] == [True, None, True, None, None, True]
    for (_, why), named in zip(verdicts, ("None", " 0.3 s", "None", " SIGSEGV", " exit code 3", "None"), strict=True):
        assert str(why).endswith(named)


def test_after_too_many_deaths_nothing_more_is_asked(judged: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "MAX_RESTARTS", 2)
    unreached = (None, function.NOT_REACHED)
    assert judged(b"die", b"die", b"good", b"good")[2:] == [unreached, unreached]


def test_what_is_not_reached_in_the_time_of_a_request_has_no_verdict(
    judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function, "REQUEST_TIMEOUT_SECONDS", 0.0)
    assert judged(b"good") == [(None, function.NOT_REACHED)]


def test_an_interpreter_that_cannot_be_started_is_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RequestError, match="/nowhere/python") as refused:
        compile_sources([])
    assert refused.value.status == 500
