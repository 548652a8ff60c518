"""Changes that are suspected, never proven: what an exception's traceback leads to where nothing can be compiled."""

from dataclasses import dataclass
from enum import StrEnum

from shared.proof.model.history import Commit


class SuspicionKind(StrEnum):
    """What a change is suspected of."""

    INTRODUCED = "introduced"
    """It may have brought the failure in."""
    POSSIBLE_FIX = "possible_fix"
    """It came after the deployed state, and may end the failure. Whether it does was not tried."""


@dataclass(frozen=True, slots=True)
class SuspectedChange:
    """One commit that touched what the traceback names."""

    commit: Commit
    path: str
    """The file as the commit left it."""
    function: str
    """`load`, `Room.join`; "" for code outside of functions."""
    kind: SuspicionKind
    reason: str
    """One sentence, without a full stop."""
    rank: int
    """1 is the likeliest of its kind."""


@dataclass(frozen=True, slots=True)
class SuspectedChanges:
    """All that is suspected for one exception, at most a few of each kind; empty where nothing is."""

    deployed: Commit | None = None
    """The commit whose files fit every frame; None where none does."""
    is_given: bool = False
    """Whether the caller named `deployed`. Otherwise it was inferred from the frames alone."""
    candidates: tuple[str, ...] = ()
    """Commits after which the files fit every frame, newest first."""
    frames_compared: int = 0
    introduced: tuple[SuspectedChange, ...] = ()
    possible_fixes: tuple[SuspectedChange, ...] = ()

    @property
    def changes(self) -> tuple[SuspectedChange, ...]:
        """Of both kinds, in the order in which they are shown."""
        return (*self.introduced, *self.possible_fixes)


NO_SUSPECTED_CHANGES = SuspectedChanges()
