"""An opened incident comes in; evidence, whys, an issue and a question go out, each of them once."""

from shared.steps.world import Outcome, World


def investigate_incident(world: World, incident_id: str) -> Outcome:
    """Raises Retry where it has to be asked again, Reject for an incident that does not exist."""
    raise NotImplementedError
