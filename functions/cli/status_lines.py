"""What a long command says while it runs: sentences in, lines on stderr out, each with the seconds since it began."""

import sys
import time
from collections.abc import Callable


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
