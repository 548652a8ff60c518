"""What a long command prints on stderr: its progress, its status lines and the address of the page."""

import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from functions.cli import spinner
from shared.text import escaping


@contextmanager
def show_progress() -> Iterator[Callable[[str], None]]:
    """Yields what to call with each sentence; it does nothing if stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    with spinner.show_spinner() as update:
        yield update


def _ignore(_sentence: str) -> None:
    """For pipes and files."""


def create_status_printer() -> Callable[[str], None]:
    """Returns what prints one sentence with the seconds since now; an indented one belongs to the one before it."""
    began = time.monotonic()

    def say(sentence: str) -> None:
        lead = f"{time.monotonic() - began:5.1f} s " if not sentence.startswith(" ") else " " * 12
        print(f"{lead} {escaping.to_one_line(sentence)}", file=sys.stderr, flush=True)

    return say


def show_page(url: str, print_status: Callable[[str], None], *, browser: bool) -> None:
    """Prints the address; opens a browser too if stderr is a terminal."""
    print_status(f"The page: {url}")
    if browser and sys.stderr.isatty():
        webbrowser.open(url)
