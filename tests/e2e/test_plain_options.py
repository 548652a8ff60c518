"""Plain options are read without Pydantic, and as typer reads them."""

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from functions.cli.plain_options import PlainCommand


class Tide(StrEnum):
    LOW = "low"
    HIGH = "high"


def _run(cls: Any, *arguments: str) -> tuple[int, str, list[object]]:
    seen: list[object] = []

    def read(  # noqa: PLR0917  # as a command has them
        place: str,
        name: Annotated[str | None, typer.Option()] = None,
        roots: Annotated[list[str] | None, typer.Option("--root")] = None,
        tide: Annotated[Tide, typer.Option()] = Tide.LOW,
        out: Annotated[Path | None, typer.Option()] = None,
        depth: Annotated[int, typer.Option(min=1)] = 2,
    ) -> None:
        seen.extend((place, name, roots, tide, out, depth))

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command("read", cls=cls)(read)
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output, seen


@pytest.mark.parametrize(
    "arguments",
    [
        ("quay",),
        ("quay", "--name", "Mira", "--root", "a", "--root", "b", "--tide", "high", "--out", "/none", "--depth", "7"),
        ("quay", "--tide", "HIGH"),
        ("quay", "--tide", ""),
        ("quay", "--depth", "0"),
        ("quay", "--depth", "deep"),
        ("quay", "--name", ""),
        ("quay", "--out", "."),
        (),
        ("--help",),
    ],
)  # fmt: skip
def test_values_and_refusals_are_those_of_typer(arguments: tuple[str, ...]) -> None:
    assert _run(PlainCommand, *arguments) == _run(None, *arguments)


def test_a_proof_loads_neither_pydantic_nor_the_parser_of_mails(tmp_path: Path) -> None:
    log = tmp_path / "empty.log"
    log.write_text("")
    arguments = [
        "investigate",
        "--repo",
        ".",
        "--log",
        str(log),
        "--format",
        "json",
        "--out",
        str(tmp_path / "out.json"),
    ]
    program = (
        "import sys, contextlib; from functions.cli import command_line; sys.argv[1:] = sys.argv[1:]\n"
        "with contextlib.suppress(SystemExit): command_line.main()\n"
        "print(sorted({'pydantic', 'email.message', 'importlib.metadata'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
