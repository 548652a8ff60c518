"""The stories of checks, run under a plan of what goes wrong: two pushes, and a revision that is broken.

Each commit gets one check run, and the revision one incident with one issue and one question.
"""

from shared.proof.check_commit import CommitCheck
from shared.proof.compare_services import Alarm
from shared.pushes import PushEvent, PushKind
from tests.support.commit_graph import commit_id
from tests.support.crash.faults import FaultPlan
from tests.support.crash.story_run import MINUTE, SecondWorker, StoryRun, UndeliverableError
from tests.support.drivers import read_documents
from tests.support.harness import Harness, watched_service

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


def play_broken_revision(plan: FaultPlan, beside: SecondWorker) -> list[str]:
    """What is wrong at the end."""
    known = watched_service(check_revisions=True)
    setting = Harness({known.id: known})
    broken = commit_id("fixed")
    alarm = Alarm("syntax", "chat/greeting.py", 7, "SyntaxError", "invalid syntax", "", "cpython", "chat/main.py")
    setting.prover.checks[broken] = CommitCheck(commit_id("attempt"), broken, (alarm,))
    run = StoryRun(setting, plan, beside)
    try:
        run.tick()
        setting.cloud.deploy_manually(known, "tide-00008-new", broken)
        for _ in range(3):
            setting.clock.advance(MINUTE)
            run.tick()
            run.drain()
    except (UndeliverableError, AssertionError) as wrong:
        return [str(wrong)]
    facts = {
        "incidents": ([stored["state"] for stored in read_documents(setting, "incidents").values()], ["proposed"]),
        "issues": (len(setting.issues.issues), 1),
        "questions": (len(setting.chat.posted), 1),
    }
    return [f"{name}: {is_}, must be {must_be}" for name, (is_, must_be) in facts.items() if is_ != must_be]


def make_push(name: str, delivery: str = "delivery-1") -> PushEvent:
    """A push of a commit to the deploy branch."""
    return PushEvent(PushKind.PUSH, delivery, "harbour/tide", "main", "main", commit_id(name), commit_id("attempt"))
