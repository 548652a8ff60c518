"""The tables of exit codes, variables and files, made from the code: `python -m tests.support.reference_tables`."""

import re
from collections.abc import Iterator, Sequence

from functions.cli import command_line
from functions.local import stack_folder
from functions.local.stack_folder import DEFAULT_FOLDER
from functions.setup.adapters.private_state import STATE_FILE
from shared import local_sources, state_stores
from shared.config import settings
from tests.support.readme import mark_block, read_block, write_block

BLOCK = "reference"
_VARIABLE = re.compile(r"^ {4}([A-Z][A-Z0-9_]+) {2,}(\S.*(?:\n {30}\S.*)*)", re.MULTILINE)
_EXIT_CODE = re.compile(r"(\d+): ([^;.]+)")


def read_reference() -> str:
    """Returns the tables as their document shows them."""
    return read_block(BLOCK)


def render_reference() -> str:
    """Returns the tables as they have to stand there."""
    return mark_block(BLOCK, _render_content())


def list_exit_codes() -> dict[str, str]:
    """Exit codes with their meaning, from the command line's own words."""
    return dict(_EXIT_CODE.findall(command_line.__doc__ or ""))


def list_variables() -> dict[str, str]:
    """Environment variables with their meaning, from the module that reads them."""
    named = _VARIABLE.findall(settings.__doc__ or "")
    return {name: re.sub(r"\s+", " ", text) for name, text in named}


def list_files() -> dict[str, str]:
    """Files that a user meets, by their names in the code."""
    return {
        settings.CONFIG_FILE: "the watched services; `provenfix.example.yaml` shows every key",
        f"{DEFAULT_FOLDER}/": "the stack directory of `up`, `watch` and `setup`; `--folder` names another one",
        f"{DEFAULT_FOLDER}/{stack_folder.STACK_FILE}": "where the running stack is; other commands read it",
        f"{DEFAULT_FOLDER}/{state_stores.STORE_FILE}": "incidents, decisions and the ledger of effects",
        f"{DEFAULT_FOLDER}/{state_stores.QUEUE_FILE}": "messages between the functions, dead letters included",
        f"{DEFAULT_FOLDER}/{local_sources.LOGS_FILE}": "the log of the watched services",
        f"{DEFAULT_FOLDER}/{STATE_FILE}": "what `setup` has made, for `teardown`",
        f"{DEFAULT_FOLDER}/logs/": "what `inject` published, and the output of the functions",
    }


def _render_content() -> str:
    tables = (
        ("exit code", "means", list_exit_codes()),
        ("variable", "sets", list_variables()),
        ("file", "holds", list_files()),
    )
    return "\n".join(line for name, meaning, rows in tables for line in _render_table((name, meaning), rows)) + "\n"


def _render_table(heads: Sequence[str], rows: dict[str, str]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "| --- | --- |"
    for name, text in rows.items():
        yield f"| `{name}` | {text.replace('|', chr(92) + '|')} |"
    yield ""


if __name__ == "__main__":
    write_block(BLOCK, _render_content())
