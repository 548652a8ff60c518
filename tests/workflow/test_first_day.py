"""What a user types on the first day: options, mistakes and questions go in, one sentence that helps comes out."""

import os
from pathlib import Path

import pytest

from functions.cli import explain
from functions.cli.command_line import _run_command
from functions.cli.completion import COMPLETE_VARIABLE
from functions.cli.doctor.check import Check, CheckResult, CheckState, build_ok_result
from functions.cli.doctor.command import format_text
from functions.cli.investigate import ObservedLog
from functions.cli.standard_streams import _write_plainly
from shared.adapters.logs.log_file import LogFile
from shared.proof.model.recommendation import Reason
from shared.workflow.records.incident_record import EndCause
from tests.support.cli_runs import CommandResult, run_provenfix


@pytest.mark.parametrize("name", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", "investigate", "dlq list", "doctor"])
def test_help_is_printed_and_fits_eighty_columns(command: str, name: str) -> None:
    ended = run_provenfix(*command.split(), name)
    assert (ended.exit_code, ended.err) == (0, "")
    assert ended.out.startswith("Usage: provenfix")
    assert max(map(len, ended.out.splitlines())) <= 80


def test_the_version_is_printed() -> None:
    ended = run_provenfix("--version")
    assert (ended.exit_code, ended.err) == (0, "")
    assert ended.out.startswith("provenfix ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script(shell: str) -> None:
    ended = run_provenfix("completion", shell)
    assert (ended.exit_code, COMPLETE_VARIABLE in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("provenfix inv", "investigate"),
        ("provenfix investigate --for", "--format"),
        ("provenfix explain no_fi", "no_fix"),
    ],
)
def test_commands_and_options_are_completed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, expected: str
) -> None:
    monkeypatch.setenv(COMPLETE_VARIABLE, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        _run_command()
    assert expected in capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        ("investigate --json", 2, ["--format json"]),
        ("stats --json", 2, ["--format json"]),
        ("investigate --repo https://code.example/a/b --log x", 2, ["clone it first", "git clone"]),
        ("investigate --repo git@code.example:a/b.git --log x", 2, ["clone it first"]),
        ("investigate --repo nowhere --log x", 3, ["there is no folder"]),
        ("show", 2, ["provenfix up", "--folder"]),
        ("stats", 2, ["provenfix up"]),
        ("dlq list", 2, ["provenfix up"]),
        ("explain no_fx", 2, ["did you mean no_fix?"]),
        ("explain zzz", 2, ["provenfix explain"]),
    ],
)
def test_a_mistake_is_answered_by_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, code: int, parts: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PROVENFIX_")]:
        monkeypatch.delenv(name)
    ended: CommandResult = run_provenfix(*arguments.split())
    assert (ended.exit_code, ended.out) == (code, "")
    assert [part for part in parts if part not in ended.error_line] == []


def test_every_reason_is_explained() -> None:
    assert set(explain.EXPLANATIONS) == {*Reason, *EndCause}
    for name, explanation in explain.EXPLANATIONS.items():
        ended = run_provenfix("explain", name)
        assert (ended.exit_code, ended.err) == (0, "")
        assert ended.out.splitlines() == [name, explanation.meaning, explanation.advice]
        assert explanation.meaning.endswith(".")
        assert explanation.advice.endswith(".")
    assert run_provenfix("explain").out.count("\n") == len(explain.EXPLANATIONS)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["empty"]),
        (bytes(range(256)) * 800, ["none of which has a time"]),
        (
            b"2026-03-01 00:30:00 ValueError: no tide\n2026-03-01 00:40:00 All is well.\n",
            ["Read 2 entries", "from 2026-03-01T00:30:00Z to 2026-03-01T00:40:00Z", "ValueError (1)"],
        ),
    ],
)
def test_a_log_without_an_incident_is_described(tmp_path: Path, content: bytes, parts: list[str]) -> None:
    file = tmp_path / "log"
    file.write_bytes(content)
    observed = ObservedLog(LogFile(str(file)))
    for _ in range(2):
        list(observed.entries())
    text = observed.describe()
    assert [part for part in parts if part not in text] == []


def test_checks_that_all_got_no_answer_for_one_reason_are_one_line() -> None:
    unknown = CheckResult(CheckState.UNKNOWN, "This machine has no usable credentials.", "log in")
    failed = CheckResult(CheckState.MISSING, "It does not exist.", "make it")
    results = [(Check("api", str(number), lambda: unknown), unknown) for number in range(97)]
    results += [(Check("sink", "a", lambda: failed), failed), (Check("probe", "b", build_ok_result), build_ok_result())]
    lines = format_text(results, ()).splitlines()
    assert len(lines) == 4
    assert lines[-1] == "99 checks: 1 failed, 97 unknown."


def test_marks_of_ours_are_written_in_ascii_and_all_else_is_escaped() -> None:
    def write(text: str) -> str | bytes:
        return _write_plainly(UnicodeEncodeError("ascii", text, 0, len(text), ""))[0]

    assert write("“✓”→…") == '"+"->...'
    assert write("ä") == "\\xe4"
