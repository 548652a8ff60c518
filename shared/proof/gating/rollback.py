"""Describes the commit of a rollback, with the commits that going back loses."""

from shared.errors import InputError
from shared.proof.gating.choose_newest import TargetChoice
from shared.proof.gating.gates import Gates
from shared.proof.model.finding import Rollback
from shared.proof.model.ports import History
from shared.proof.model.target import IMAGE_GATE


def describe_rollback(history: History, gates: Gates, choice: TargetChoice, deployed: str) -> Rollback | None:
    """Returns the rollback to the chosen commit; None where none was chosen."""
    if choice.commit is None:
        return None
    try:
        lost = tuple(history.commits(deployed, choice.commit.id))
    except InputError:  # a code host cannot compare the two: the rollback is as good, and what it loses is not known
        lost = ()
    newer = tuple(refused.commit for refused in choice.refused_commits if refused.gate == IMAGE_GATE)
    return Rollback(choice.commit, lost, gates.check_image(choice.commit.id), newer)
