"""What the order of imports asks of a service beyond its modules: what its start runs, and what is not its own."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class StartStep:
    """A script that a start runs (a repository path), or a module that it imports."""

    target: str
    is_script: bool


@runtime_checkable
class StartedModules(Protocol):
    """Offered by the modules of a service whose start command is known."""

    def is_outside(self, importing_path: str, name: str) -> bool:
        """Whether a top-level name is of no file of the repository that may be on the import path."""

    def list_start_steps(self) -> tuple[StartStep, ...]:
        """What the start runs, in its order; () where that is not one plain command."""
