"""`provenfix setup` and `teardown` as they are typed, where nothing outside is reached; and the person's answers."""

import builtins
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.setup.adapters.terminal import TerminalPerson
from shared.errors import UsageError
from tests.support.cli_runs import run_provenfix

NOBODY = {"--project": "reef-ops", "--watched-project": "reef-prod", "--region": "europe-west1"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No program is on PATH, and nobody sits at a terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_plan_is_printed_without_any_answer_and_nothing_is_written(folder: Path) -> None:
    ran = run_provenfix("setup", "--plan")
    assert ran.exit_code == 0
    assert "1/15 " in ran.out
    assert "15/15 " in ran.out
    assert list(folder.iterdir()) == []


def test_the_plan_of_who_only_looks_has_no_slack() -> None:
    ran = run_provenfix("setup", "--plan", "--read-only", "--project", "reef-ops")
    assert ran.exit_code == 0
    assert "13/13 " in ran.out
    assert "Slack" not in ran.out


def test_without_a_terminal_the_missing_options_are_named() -> None:
    ran = run_provenfix("setup", "--project", "reef-ops")
    assert (ran.exit_code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    for option in (
        "--watched-project",
        "--service",
        "--region",
        "--repository",
        "--channel",
        "--approver",
        "--answers",
    ):
        assert option in ran.err


def test_a_program_that_is_not_installed_is_named_with_its_address(folder: Path) -> None:
    (folder / "answers.yaml").write_text("services: [chat]\nrepositories: {chat: reefers/chat}\n", "utf-8")
    ran = run_provenfix("setup", "--answers", "answers.yaml", *[word for pair in NOBODY.items() for word in pair])
    assert (ran.exit_code, ran.err.count("\n")) == (3, 1)
    assert "gcloud is not installed: https://" in ran.err


@pytest.mark.parametrize("text", ["servces: [chat]\n", "services: 3\n", "project: [a]\n", "- a\n"])
def test_an_answers_file_with_other_keys_or_values_is_refused(folder: Path, text: str) -> None:
    (folder / "answers.yaml").write_text(text, "utf-8")
    ran = run_provenfix("setup", "--answers", "answers.yaml")
    assert (ran.exit_code, ran.err.count("\n")) == (2, 1)


def test_an_answers_file_that_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "broken.yaml").write_text("a: [", "utf-8")
    for name in ("missing.yaml", "broken.yaml"):
        ran = run_provenfix("setup", "--answers", name)
        assert (ran.exit_code, ran.err.count("\n")) == (3, 1)


def test_a_state_that_is_none_is_never_taken_for_an_empty_one(folder: Path) -> None:
    (folder / ".provenfix").mkdir()
    (folder / ".provenfix/setup.json").write_text("{}", "utf-8")
    for command in ("setup", "teardown"):
        ran = run_provenfix(command)
        assert (ran.exit_code, ran.err.count("\n")) == (3, 1)
        assert "setup.json" in ran.err


def test_where_nothing_is_set_up_nothing_is_taken_down() -> None:
    ran = run_provenfix("teardown", "--yes")
    assert (ran.exit_code, ran.out.count("\n")) == (0, 1)


def test_only_the_log_is_for_who_only_looks() -> None:
    assert run_provenfix("setup", "--plan", "--log-only").exit_code == 2


Typed = Callable[..., TerminalPerson]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """A person who types these lines, one for each question."""

    def sit(*lines: str, agreed: bool = False) -> TerminalPerson:
        answers: Iterator[str] = iter(lines)
        monkeypatch.setattr(builtins, "input", lambda _prompt: next(answers))
        return TerminalPerson(is_present=True, agreed=agreed)

    return sit


def test_a_choice_is_a_number_a_name_or_the_first(typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("chat@europe-west1", "voice@us-east1")
    assert typed("2").choose("Which?", options) == ["voice@us-east1"]
    assert typed("voice").choose("Which?", options) == ["voice@us-east1"]
    assert typed("").choose("Which?", options) == ["chat@europe-west1"]
    assert typed("1, 2").choose("Which?", options, many=True) == list(options)
    assert "2 voice@us-east1" in capsys.readouterr().out


def test_an_answer_that_is_none_is_asked_for_again(typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("3", "0", "1 2", "fax", "1").choose("Which?", ("a", "b")) == ["a"]
    assert capsys.readouterr().out.count("list") == 4


def test_consent_is_a_word_or_was_given_before(typed: Typed) -> None:
    assert typed("y").confirm("Apply?")
    assert not typed("").confirm("Apply?")
    assert typed(agreed=True).confirm("Apply?")
    with pytest.raises(UsageError, match="--yes"):
        TerminalPerson(is_present=False, agreed=False).confirm("Apply?")


def test_a_secret_comes_from_its_variable_where_nobody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    person = TerminalPerson(is_present=False, agreed=False)
    with pytest.raises(UsageError, match="SLACK_BOT_TOKEN"):
        person.ask_secret("Bot token", "SLACK_BOT_TOKEN")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-this-test\n")
    assert person.ask_secret("Bot token", "SLACK_BOT_TOKEN").reveal() == "xoxb-of-this-test"


def test_what_others_chose_is_told_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalPerson(is_present=False, agreed=False).tell("  a\x1b[31m\u202eb\nc")
    assert capsys.readouterr().out.count("\n") == 2
    assert "\x1b" not in capsys.readouterr().out
