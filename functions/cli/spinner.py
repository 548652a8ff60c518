"""The spinner of a terminal, with the sentence that says what a command does. Only terminals need `rich`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def show_spinner() -> Iterator[Callable[[str], None]]:
    """Spins on stderr while the block runs; yields what replaces the sentence."""
    with Console(stderr=True).status("starting") as status:
        yield lambda sentence: status.update(_escape_markup(sentence))


def _escape_markup(sentence: str) -> str:
    """Returns the sentence without markup of rich and without control characters: sentences name paths."""
    return "".join(letter for letter in sentence if letter.isprintable()).replace("[", "\\[")
