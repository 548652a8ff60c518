"""The stored revisions of each service that had traffic, and the last one that was found sound."""

from dataclasses import dataclass, replace

from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records.documents import Collection

_MAX_REVISIONS = 50


@dataclass(frozen=True, slots=True)
class ServingState:
    """`revisions`: those that had traffic, oldest first; each is checked once. `sound`: the last that was sound.

    The first revision that is seen counts as sound: what serves when provenfix begins to look is what later revisions
    are compared with.
    """

    revisions: tuple[str, ...] = ()
    sound: str = ""

    def add(self, revision: str, *, is_sound: bool = False) -> "ServingState":
        """With one more revision."""
        known = self.revisions if revision in self.revisions else (*self.revisions, revision)
        return ServingState(known[-_MAX_REVISIONS:], revision if is_sound else self.sound)


SERVING_STATES = Collection("serving_states", ServingState)


def load_serving_state(context: Context, service: Service) -> ServingState:
    """An empty one where nothing was seen yet."""
    return SERVING_STATES.read(context.store, service.id) or ServingState()


def store_revision(context: Context, service: Service, revision: str, *, is_sound: bool = False) -> ServingState:
    """Stores that a revision has traffic and is asked about, or that it was found sound."""
    return SERVING_STATES.change(
        context.store, service.id, lambda known: known.add(revision, is_sound=is_sound), ServingState()
    )


def store_first_revisions(context: Context, service: Service, revisions: tuple[str, ...], sound: str) -> None:
    """Stores what serves when a service is looked at for the first time."""
    first = ServingState(revisions, sound)
    SERVING_STATES.change(
        context.store, service.id, lambda known: known if known.revisions else replace(first), ServingState()
    )
