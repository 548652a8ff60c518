"""Progress on stderr, and only where a person sits in front of it."""

import sys
import time
from collections.abc import Callable, Iterator
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


def create_status_printer() -> Callable[[str], None]:
    """Takes one sentence; one that is indented belongs to the one before it."""
    from shared.text.escaping import to_one_line  # noqa: PLC0415  # --help starts without it

    began = time.monotonic()

    def say(sentence: str) -> None:
        lead = f"{time.monotonic() - began:5.1f} s " if not sentence.startswith(" ") else " " * 12
        print(f"{lead} {to_one_line(sentence)}", file=sys.stderr, flush=True)

    return say


def show_page(url: str, print_status: Callable[[str], None], *, browser: bool) -> None:
    """The address is told in any case; a browser is opened where a person sits in front of a terminal."""
    print_status(f"The page: {url}")
    if browser and sys.stderr.isatty():
        import webbrowser  # noqa: PLC0415

        webbrowser.open(url)
