"""What test_every_crash, test_recurrence and other tests share."""

from shared.workflow.flow import IncidentState
from tests.support.commit_graph import commit_id
from tests.support.crash.faults import FaultPlan
from tests.support.crash.stories import STORIES, IncidentStory, story_violations
from tests.support.crash.story_run import MINUTE, SecondWorker, StoryRun, UndeliverableError
from tests.support.drivers import read_documents
from tests.support.harness import Harness


def play_story(story: IncidentStory, plan: FaultPlan, beside: SecondWorker) -> list[str]:
    """Tells the story under a plan, lets two more ticks pass, and says what is wrong then."""
    run = StoryRun(story.harness(), plan, beside)
    try:
        story.play(run)
        for _ in range(2):
            run.drain()
            run.harness.clock.advance(MINUTE)
            run.tick()
        run.drain()
    except (UndeliverableError, AssertionError) as wrong:
        return [str(wrong)]
    return story_violations(story, run.harness)


RECURRENCE = "tide-00011-new"


def resolved_harness() -> Harness:
    """Fixed, closed, and then a later revision with the fix is deployed."""
    setting = Harness()
    next(story for story in STORIES if story.end is IncidentState.RESOLVED).play(StoryRun(setting, FaultPlan()))
    setting.clock.advance(MINUTE)
    setting.cloud.deploy_manually(setting.services["shore.tide"], RECURRENCE, commit_id("later"))
    return setting


def play_recurrence(plan: FaultPlan, beside: SecondWorker) -> list[str]:
    """What is wrong at the end."""
    setting = resolved_harness()
    run = StoryRun(setting, plan, beside)
    try:
        run.log(setting.log_entry(revision=RECURRENCE))
        run.drain()
        for _ in range(2):
            setting.clock.advance(MINUTE)
            run.tick()
            run.drain()
    except (UndeliverableError, AssertionError) as wrong:
        return [str(wrong)]
    (issue,) = setting.issues.issues
    incidents = read_documents(setting, "incidents")
    first, second = sorted(incidents)
    marks = [comment.partition("\n")[0] for comment in issue.comments]
    facts = {
        "states": (
            [incidents[incident]["state"] for incident in (first, second)],
            [IncidentState.RESOLVED, IncidentState.PROPOSED],
        ),
        "open": ((issue.is_open, issue.reopen_count, issue.close_count), (True, 1, 1)),
        "marker": (issue.body.partition("\n")[0], f"<!-- provenfix:incident={second} -->"),
        "comments of the second": (
            [mark.split()[2] for mark in marks if second in mark],
            ["part=recurred", "part=proposed"],
        ),
        "comments that say the same": (len(marks) - len(set(marks)), 0),
        "says how it stands": ("Waiting for a decision in the chat" in issue.body, True),
        "messages": (len(setting.chat.posted), 2),
    }
    return [f"{name}: {is_}, must be {must_be}" for name, (is_, must_be) in facts.items() if is_ != must_be]
