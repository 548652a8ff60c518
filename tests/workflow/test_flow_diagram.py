"""The diagram of the flow shows what the code does: its states are those of the code, and its arrows are taken."""

from itertools import pairwise

from shared.workflow.flow import ACTIVE_STATES, IncidentState
from tests.support.crash.faults import FaultPlan
from tests.support.crash.stories import STORIES
from tests.support.crash.story_run import StoryRun
from tests.support.drivers import read_documents
from tests.support.flow_diagram import DRAWN_TRANSITIONS

BACK = {"resolved", "reported", "denied", "expired", "refused", "rolled_back", "failed", "tried"}
"""At rest, and left only where it fails again, where a person asks, or where there is another question at once."""


def test_every_state_is_drawn_and_no_other_one() -> None:
    drawn = {name for arrow in DRAWN_TRANSITIONS for name in arrow} - {"[*]"}
    assert drawn == {state.value for state in IncidentState}


def test_states_that_are_not_at_rest_are_left_and_only_those() -> None:
    left = {begin for begin, end in DRAWN_TRANSITIONS if end != "[*]"} - {"[*]", *BACK}
    assert left == {state.value for state in ACTIVE_STATES}


def test_every_way_that_an_incident_goes_is_drawn() -> None:
    taken = set()
    for story in STORIES:
        run = StoryRun(story.harness(), FaultPlan())
        story.play(run)
        for _ in range(2):
            run.tick()
        for incident in read_documents(run.harness, "incidents").values():
            steps = incident["history"]
            assert isinstance(steps, list)
            states = ["[*]", *(step["state"] for step in steps)]
            taken |= set(pairwise(states))
    assert taken <= DRAWN_TRANSITIONS
    assert len(taken) >= 20, "the stories leave too much of the diagram out"
