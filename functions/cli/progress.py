"""Progress on stderr, and only where a person sits in front of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.proof.proof_context import ReportProgress


@contextmanager
def show_progress() -> "Iterator[ReportProgress]":
    """What to call with each sentence; silent where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    from rich.console import Console  # noqa: PLC0415  # costs a tenth of the start, and only terminals need it

    console = Console(stderr=True)
    with console.status("starting") as status:
        yield lambda sentence: status.update(_escape_markup(sentence))


def _ignore(_sentence: str) -> None:
    """For pipes and files."""


def _escape_markup(sentence: str) -> str:
    """Without what rich would take for markup, and without control characters: sentences name paths."""
    return "".join(letter for letter in sentence if letter.isprintable()).replace("[", "\\[")
