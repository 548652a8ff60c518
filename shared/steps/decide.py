"""A verified click comes in; the one decision about a proposal is stored and handed on, or the click is refused."""

from shared.domain.decision import Answer, Click
from shared.steps.world import World


def decide(world: World, click: Click) -> Answer:
    """Raises Retry where nothing could be stored: the person is asked to click again."""
    raise NotImplementedError
