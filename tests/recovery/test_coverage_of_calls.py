"""That the list of calls which go wrong leaves out nothing: whatever a port gains has to be met by a story."""

import inspect

from shared import ports
from shared.pushes import CheckRunWriter
from shared.workflow.context import Context
from tests.support.crash.faults import FaultPlan
from tests.support.crash.push_story import play_pushes
from tests.support.crash.replay import play_recurrence, play_story
from tests.support.crash.stories import STORIES
from tests.support.crash.story_run import SecondWorker
from tests.support.effect_methods import EFFECT_METHODS
from tests.support.harness import Harness

NOT_REMOTE = {
    "clock": "time of the process itself",
    "ids": "randomness of the process itself",
    "services": "configuration",
    "own_functions": "configuration",
    "compilers": "asked by the prover alone",
    "prover": "reads, and its answer is known in these stories; tests/recovery/test_real_proof.py has the real one",
    "throttle": "memory of the process",
    "limit_wait": "configuration",
    "open_limited_history": "the same history as `open_history`, of which these stories ask no more",
}
PORTS = {
    "issues": ports.Issues,
    "chat": ports.Chat,
    "pager": ports.Pager,
    "deployer": ports.Deployer,
    "check_runs": CheckRunWriter,
}


def test_every_part_of_the_world_is_tapped_or_calls_nobody() -> None:
    tapped: set[str] = set()

    def tap(name: str, port: object) -> object:
        tapped.add(name)
        return port

    Harness().start_process(tap)
    assert tapped == {name for name in vars(Context) if not name.startswith("_")} - NOT_REMOTE.keys()


def test_the_effects_are_those_that_the_ports_call_so() -> None:
    said = {
        (name, method)
        for name, port in PORTS.items()
        for method, function in inspect.getmembers(port, inspect.isfunction)
        if "*Effect.*" in (function.__doc__ or "")
    }
    assert said | {("bus", "publish")} == EFFECT_METHODS  # all that a bus does


def test_every_effect_goes_wrong_in_some_story() -> None:
    called: set[str] = set()
    for story in STORIES:
        plan = FaultPlan()
        assert play_story(story, plan, SecondWorker.ALONE) == []
        called |= set(plan.calls)
    plan = FaultPlan()
    assert play_recurrence(plan, SecondWorker.ALONE) == []
    called |= set(plan.calls)
    plan = FaultPlan()
    assert play_pushes(plan, SecondWorker.ALONE) == []
    called |= set(plan.calls)
    assert {f"{port}.{method}" for port, method in EFFECT_METHODS} - called == set()
    assert {
        "store.create",
        "store.replace",
        "store.read",
        "store.find",
        "is_kill_switch_on",
        "link_builder.build_links",
    } - called == set()
