"""The table of subcommands: what `--help` prints and suggests, and that only the command that is called is loaded."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from functions.cli.command_line import COMMANDS, load_command
from tests.support.cli_runs import run_provenfix

COMMAND_FILES = Path(__file__).parents[2] / "functions/cli"
OWN_MODULES_RUN = """
import json, sys
from functions.cli import command_line
from shared.lazy_modules import is_waiting
try:
    sys.argv = ["provenfix", *sys.argv[1:]]
    command_line.main()
except SystemExit:
    own = [name for name in sys.modules if name.startswith(("functions.", "shared."))]
    print("\\n" + json.dumps([name for name in own if not is_waiting(sys.modules[name])]))
"""


def run_modules(*arguments: str) -> set[str]:
    """Returns the modules of ours that ran for a command, packages included."""
    command = [sys.executable, "-c", OWN_MODULES_RUN, *arguments]
    ended = subprocess.run(command, capture_output=True, check=True, text=True)
    return set(json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_has_the_first_line_of_each_commands_own_help(name: str) -> None:
    command = load_command(name)
    documented = command.info.help if name == "dlq" else command.registered_commands[0].callback
    text = documented if isinstance(documented, str) else inspect.getdoc(documented)
    assert text is not None
    assert text.partition("\n")[0] == COMMANDS[name][1]


@pytest.mark.parametrize("arguments", [(), ("dlq",)])
def test_no_line_of_the_help_is_cut(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run_provenfix(*arguments, "--help").out
    assert "..." not in shown.partition("Commands:")[2]
    assert max(map(len, shown.splitlines())) <= 80


def test_the_help_lists_every_command_in_its_order() -> None:
    listed = run_provenfix("--help").out.partition("Commands:\n")[2]
    assert [line.split()[0] for line in listed.splitlines()] == list(COMMANDS)


def test_the_dead_letters_have_three_commands() -> None:
    dead_letters: typer.Typer = load_command("dlq")
    assert [command.name for command in dead_letters.registered_commands] == ["list", "replay", "drop"]


@pytest.mark.parametrize(("typed", "meant"), [("investigat", "investigate"), ("resum", "resume"), ("dql", "dlq")])
def test_a_misspelt_command_is_suggested(typed: str, meant: str) -> None:
    ended = run_provenfix(typed)
    assert ended.exit_code == 2
    assert f"'{meant}'" in ended.error_line


def test_the_help_runs_no_command_and_a_command_no_other() -> None:
    called = run_modules("--help")
    files = {f"functions.cli.{path.stem}" for path in COMMAND_FILES.glob("*.py")} - {"functions.cli.__init__"}
    assert called & files == {f"functions.cli.{name}" for name in ("command_line", "error_words", "standard_streams")}
    modules = {module.__name__ for module, _ in COMMANDS.values()}
    assert run_modules("check", "--help") & modules == {"functions.cli.check"}
