"""A trial: the commit that may be tried where nothing is proven, and the experiment that has proven one."""

from dataclasses import dataclass
from datetime import datetime

from shared.proof.model.history import Commit
from shared.proof.model.target import Target


@dataclass(frozen=True, slots=True)
class TrialCandidate:
    """The newest commit on the deploy branch that passes every gate and contains a possible fix; nothing is proven."""

    target: Target
    possible_fix: Commit
    """The commit for which it is tried; newer ones ship with it."""
    reason: str
    """Why that one is suspected to be a fix: a clause, such as `it changes … since the failure`."""
    deployed: str
    """Full id of the commit that the failing revision runs: the gates compare with it."""
    python: str
    """The minor version on which the gates compiled, such as `3.11`."""
    traced: tuple[str, ...] = ()
    """Files of the repository that the traceback names, the one that raised first."""


@dataclass(frozen=True, slots=True)
class ExperimentRound:
    """The same probe of two revisions, one right after the other; each answer as the probe words it."""

    at: datetime
    serving: str
    tried: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """A trial in which the serving revision failed every time and the tried one held every time."""

    commit: str
    serving_revision: str
    tried_revision: str
    rounds: tuple[ExperimentRound, ...]
