"""The tables of exit codes, variables and files say what the code says, and leave out nothing that it reads."""

import inspect
import re

from functions.cli import command_line
from functions.launcher import command
from shared.config import settings
from tests.support.reference_tables import (
    list_exit_codes,
    list_files,
    list_variables,
    read_reference,
    render_reference,
)

_READ_NAME = re.compile(r'"((?:PROVENFIX|GOOGLE|GIT|K|FIRESTORE|PUBSUB)_[A-Z_]+)"')


def test_the_document_shows_the_tables() -> None:
    assert read_reference() == render_reference()


def test_every_variable_that_is_read_is_in_the_table() -> None:
    shown = " ".join(f"{name} {text}" for name, text in list_variables().items())
    read = set(_READ_NAME.findall(inspect.getsource(settings)))
    assert len(read) > 12
    assert {name for name in read if name not in shown} == set()
    assert {"PROVENFIX_PYTHON_3_11", "PROVENFIX_COMPILE_3_11"} <= list_variables().keys()


def test_every_exit_code_is_in_the_table() -> None:
    source = inspect.getsource(command_line._run_command)
    codes = {*re.findall(r", (\d)\b", source), "0", "1"}
    codes |= {str(code) for code in (command.EXIT_INTERRUPTED, command_line.EXIT_BROKEN_PIPE)}
    assert codes == list_exit_codes().keys()


def test_every_file_has_a_meaning() -> None:
    assert all(list_files().values())
