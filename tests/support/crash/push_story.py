"""The story of two pushes, told under a plan of what goes wrong: each commit gets one check run."""

from shared.pushes import PushEvent, PushKind
from tests.support.commit_graph import commit_id
from tests.support.crash.faults import FaultPlan
from tests.support.crash.story_run import SecondWorker, StoryRun, UndeliverableError
from tests.support.drivers import read_documents
from tests.support.harness import Harness

PUSHED = ("fixed", "later")


def play_pushes(plan: FaultPlan, beside: SecondWorker) -> list[str]:
    """What is wrong at the end."""
    setting = Harness()
    run = StoryRun(setting, plan, beside)
    try:
        for number, name in enumerate(PUSHED):
            run.push(make_push(name, f"delivery-{number}"))
            run.drain()
    except (UndeliverableError, AssertionError) as wrong:
        return [str(wrong)]
    facts = {
        "check runs": ([run.commit for run in setting.check_runs.runs], [commit_id(name) for name in PUSHED]),
        "last sound commit": (
            [state["commit"] for state in read_documents(setting, "branch_states").values()],
            [commit_id(PUSHED[-1])],
        ),
    }
    return [f"{name}: {is_}, must be {must_be}" for name, (is_, must_be) in facts.items() if is_ != must_be]


def make_push(name: str, delivery: str = "delivery-1") -> PushEvent:
    """A push of a commit to the deploy branch."""
    return PushEvent(PushKind.PUSH, delivery, "harbour/tide", "main", "main", commit_id(name), commit_id("attempt"))
