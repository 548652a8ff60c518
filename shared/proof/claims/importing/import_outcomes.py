"""How the simulated loading of a service's modules may end early."""

from dataclasses import dataclass


class Undecided(Exception):
    """Why the order is not known."""


class ImportFailed(Exception):
    """An import that fails; without a circular import because a module is missing."""

    def __init__(self, circular_import: "CircularImport | None", reason: str) -> None:
        super().__init__(reason)
        self.circular_import = circular_import


@dataclass(frozen=True, slots=True)
class CircularImport:
    """`from module import name` in a line of the file at `path`, with `target` the file of the module."""

    path: str
    line: int
    target: str
    name: str
