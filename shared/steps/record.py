"""A log entry comes in; an incident is opened once, or found open, or the entry is refused with a reason."""

from shared.domain.entry import LogEntry
from shared.steps.world import Outcome, World


def record(world: World, entry: LogEntry) -> Outcome:
    """Raises Retry where it has to be asked again."""
    raise NotImplementedError
