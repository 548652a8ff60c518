"""The ways that an incident can go, each told once without faults; and what must be true at its end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.proof.model.finding import ActionKind, Reason
from shared.proposal.decision import ClickKind
from shared.proposal.verdict import WATCH_DURATION, ProbeResult
from shared.workflow.flow import IncidentState
from shared.workflow.issue.issue_updates import COMMANDS_HINT
from shared.workflow.verify import BRANCH_CHECK_INTERVAL, MAX_UNFIXED_AGE
from tests.support.crash.run import MINUTE, Run
from tests.support.harness import APPROVER, SECOND, Setting, click, service
from tests.support.memory import MemoryStore
from tests.support.past import commit_id

Told = Callable[[Run], None]
CLOSED = "connection closed: received 1011 (internal error)"


@dataclass(frozen=True)
class Story:
    """`end` is the state of the incident; the figures are what may have reached the outside, exactly."""

    name: str
    told: Told
    end: IncidentState
    messages: int = 1
    deployments: int = 0
    closes: int = 0
    shifts: tuple[int, ...] = ()
    incidents: int = 1
    setting: Callable[[], Setting] = Setting
    ran: tuple[int, ...] = ()
    """Which deployment each of the shifts was for, by number, -1 for what served before; () for the usual order."""
    as_first: bool = False
    """Begins and ends with the calls of the first story, which go wrong there: only those in between do so here."""


def _asked(run: Run) -> None:
    run.log(run.setting.entry())
    run.drain()


def _approved(run: Run) -> None:
    _asked(run)
    run.click(click(run.setting.chat.all[0].message))
    run.drain()


def _deployed(run: Run) -> None:
    _approved(run)
    _served(run)


def _served(run: Run) -> None:
    """Ticks: at most two more than it takes without faults."""
    run.setting.clock.turn(2 * MINUTE)
    run.tick()
    for _ in range(2):
        if not run.setting.cloud.shifts:
            run.setting.clock.turn(2 * MINUTE)
            run.tick()


def _resolved(run: Run) -> None:
    _approved(run)
    _closed(run)


def _closed(run: Run) -> None:
    """The approval is acted on, and watched to its end."""
    _served(run)
    run.setting.logs.answered[run.setting.cloud.operations[0].revision] = 480
    run.setting.clock.turn(WATCH_DURATION + MINUTE)
    run.tick()


def _in_steps(run: Run) -> None:
    _deployed(run)
    for _ in range(2):
        run.setting.clock.turn(MINUTE)
        run.tick()
    run.setting.logs.answered[run.setting.cloud.operations[0].revision] = 480
    run.setting.clock.turn(WATCH_DURATION + MINUTE)
    run.tick()


def _rolled_back_by_probe(run: Run) -> None:
    _deployed(run)
    run.setting.probe.answer = ProbeResult(ok=False, detail="closed with 1011")
    for _ in range(2):
        run.setting.clock.turn(MINUTE)
        run.tick()


def _rolled_back_by_recurrence(run: Run) -> None:
    _deployed(run)
    run.setting.clock.turn(5 * MINUTE)
    run.log(run.setting.entry(revision=run.setting.cloud.operations[0].revision))
    run.tick()


def _failed(run: Run) -> None:
    run.setting.cloud.fails = "the build failed"
    _approved(run)
    run.setting.clock.turn(2 * MINUTE)
    run.tick()


def _denied(run: Run) -> None:
    _asked(run)
    run.click(click(run.setting.chat.all[0].message, ClickKind.DENY))
    run.drain()
    run.tick()


def _denied_after_approval(run: Run) -> None:
    _asked(run)
    message = run.setting.chat.all[0].message
    run.click(click(message))
    run.click(click(message, ClickKind.DENY, token="t2"))
    run.drain()
    run.tick()


def _expired(run: Run) -> None:
    _asked(run)
    run.setting.clock.turn(timedelta(hours=6))
    run.tick()


def _stale(run: Run) -> None:
    _asked(run)
    run.click(click(run.setting.chat.all[0].message))
    run.setting.cloud.deploy_by_hand(run.setting.services["shore.tide"], "tide-00008-hand", None)
    run.drain()
    run.tick()


def _muted(run: Run) -> None:
    _asked(run)
    run.setting.issues.all[0].labels.add("provenfix:wrong")
    run.tick()


def _closed_by_hand(run: Run) -> None:
    _deployed(run)
    run.setting.issues.all[0].is_open = False
    run.tick()


def _symptom_first(run: Run) -> None:
    run.setting.entry()  # logged before the close, and delivered by nobody
    run.log(run.setting.entry(CLOSED))
    run.tick()
    run.setting.clock.turn(timedelta(seconds=30))
    _resolved(run)


def _symptom_alone(run: Run) -> None:
    run.setting.answer.kind, run.setting.answer.reason = ActionKind.NONE, Reason.CLOSE_1011_WITHOUT_CAUSE
    run.log(run.setting.entry(CLOSED))
    run.setting.clock.turn(3 * MINUTE)
    run.tick()
    run.drain()


def _nothing_to_propose(run: Run) -> None:
    run.setting.answer.kind, run.setting.answer.reason = ActionKind.NONE, Reason.DYNAMIC_CODE
    _asked(run)


def _never_mended(run: Run) -> None:
    run.setting.answer.kind, run.setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    _asked(run)
    run.setting.clock.turn(MAX_UNFIXED_AGE)
    run.tick()


def _mended_later(run: Run) -> None:
    """The fix is merged after the first look."""
    run.setting.pasts.head = commit_id("attempt")
    run.setting.answer.kind, run.setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    _asked(run)
    run.setting.pasts.head = commit_id("later")
    run.setting.answer.kind, run.setting.answer.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED
    run.setting.clock.turn(BRANCH_CHECK_INTERVAL)
    run.tick()
    run.drain()
    run.click(click(run.setting.chat.all[0].message))
    run.drain()
    _closed(run)


def _gone_back(run: Run) -> None:
    _asked(run)
    message = run.setting.chat.all[0].message
    assert message.alternative is not None
    back = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
    run.click(click(back))
    run.click(click(message, token="t2"))
    run.drain()
    _closed(run)


def _by_two(run: Run) -> None:
    _asked(run)
    message = run.setting.chat.all[0].message
    run.click(click(message))
    run.tick()
    run.click(click(message, user=SECOND, token="t2"))
    run.drain()
    _closed(run)


def _overtaken(run: Run) -> None:
    """Somebody deploys what is broken as well; the second question is answered."""
    _asked(run)
    run.setting.cloud.deploy_by_hand(run.setting.services["shore.tide"], "tide-00008-hand", commit_id("broken"))
    run.setting.clock.turn(MINUTE)
    run.tick()
    run.drain()
    run.click(click(run.setting.chat.all[-1].message))
    run.drain()
    _closed(run)


def _gone_back_after_the_probe(run: Run) -> None:
    """What was deployed did not hold; the next question is whether to go back further."""
    _deployed(run)
    run.setting.probe.answer = ProbeResult(ok=False, detail="closed with 1011")
    for _ in range(2):
        run.setting.clock.turn(MINUTE)
        run.tick()
    _asked_to_go_back(run)


def _gone_back_after_a_failure(run: Run) -> None:
    run.setting.cloud.fails = "the build failed"
    _deployed(run)
    run.setting.cloud.fails = ""
    _asked_to_go_back(run)


def _asked_to_go_back(run: Run) -> None:
    run.drain()
    run.setting.probe.answer = ProbeResult(ok=True)
    run.click(click(run.setting.chat.all[-1].message, token="t3"))
    run.drain()
    for _ in range(4):
        run.setting.clock.turn(2 * MINUTE)
        run.tick()
    run.setting.logs.answered[run.setting.cloud.operations[-1].revision] = 480
    run.setting.clock.turn(WATCH_DURATION + MINUTE)
    run.tick()


def _with_a_way_back() -> Setting:
    setting = Setting()
    setting.answer.back = True
    return setting


def _of_two() -> Setting:
    return Setting({"shore.tide": service(approvers=(APPROVER, SECOND), quorum=2)})


def _stepped() -> Setting:
    return Setting({"shore.tide": service(traffic_steps=(10, 50, 100))})


def _piped() -> Setting:
    setting = Setting()
    setting.cloud.piped = True
    setting.cloud.address = "https://pf-1---tide.invalid"
    return setting


def _by_a_pipeline(run: Run) -> None:
    _approved(run)
    for _ in range(3):
        run.setting.clock.turn(2 * MINUTE)
        run.tick()
    run.setting.clock.turn(WATCH_DURATION + MINUTE)
    run.tick()


STORIES = (
    Story("mended and closed", _resolved, IncidentState.RESOLVED, deployments=1, closes=1, shifts=(100,)),
    Story(
        "mended in steps", _in_steps, IncidentState.RESOLVED, deployments=1, closes=1, shifts=(10, 50, 100), setting=_stepped
    ),
    Story(
        "mended by a pipeline",
        _by_a_pipeline,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(0, 100),
        setting=_piped,
    ),
    Story("the probe fails", _rolled_back_by_probe, IncidentState.ROLLED_BACK, deployments=1, shifts=(100, 100)),
    Story("it recurs", _rolled_back_by_recurrence, IncidentState.ROLLED_BACK, deployments=1, shifts=(100, 100)),
    Story("the deployment fails", _failed, IncidentState.FAILED, deployments=1, shifts=(100,)),
    Story(
        "gone back after the probe failed",
        _gone_back_after_the_probe,
        IncidentState.RESOLVED,
        messages=2,
        deployments=2,
        closes=1,
        shifts=(100, 100, 100),
        ran=(0, -1, 1),
        setting=_with_a_way_back,
        as_first=True,
    ),
    Story(
        "gone back after the deployment failed",
        _gone_back_after_a_failure,
        IncidentState.RESOLVED,
        messages=2,
        deployments=2,
        closes=1,
        shifts=(100, 100),
        ran=(-1, 1),
        setting=_with_a_way_back,
        as_first=True,
    ),
    Story("denied", _denied, IncidentState.DENIED),
    Story("approved, then denied", _denied_after_approval, IncidentState.DENIED),
    Story("nobody decides", _expired, IncidentState.EXPIRED),
    Story("somebody deploys in between", _stale, IncidentState.REFUSED),
    Story(
        "gone back instead",
        _gone_back,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
        setting=_with_a_way_back,
        as_first=True,
    ),
    Story(
        "approved by two",
        _by_two,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
        setting=_of_two,
        as_first=True,
    ),
    Story(
        "overtaken and asked anew",
        _overtaken,
        IncidentState.RESOLVED,
        messages=2,
        deployments=1,
        closes=1,
        shifts=(100,),
        as_first=True,
    ),
    Story("marked as wrong", _muted, IncidentState.MUTED),
    Story("closed by hand while watched", _closed_by_hand, IncidentState.MUTED, deployments=1, shifts=(100,)),
    Story(
        "the symptom comes first", _symptom_first, IncidentState.RESOLVED, deployments=1, closes=1, shifts=(100,), incidents=2
    ),
    Story("a symptom without a cause", _symptom_alone, IncidentState.REPORTED, messages=0),
    Story("nothing to propose", _nothing_to_propose, IncidentState.REPORTED, messages=0),
    Story("never mended", _never_mended, IncidentState.REPORTED, messages=0),
    Story(
        "mended after the first look",
        _mended_later,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
    ),
)


def violations(story: Story, setting: Setting) -> list[str]:
    """What is not as it must be at the end of a story; two more ticks have passed by then."""
    assert isinstance(setting.store, MemoryStore)
    incidents = setting.store.all("incidents")
    states = sorted(str(incident["state"]) for incident in incidents.values())
    expected = sorted([story.end.value, *[IncidentState.ABSORBED.value] * (story.incidents - 1)])
    comments = [comment.partition("\n")[0] for issue in setting.issues.all for comment in issue.comments]
    found = {
        "states": (states, expected),
        "issues": (len(setting.issues.all), 1),
        "comments that say the same": (len(comments) - len(set(comments)), 0),
        "issues that look as if it went on": (
            [each.title for each in setting.issues.all if COMMANDS_HINT[:20] in each.body],
            [],
        ),
        "messages": (len(setting.chat.all), story.messages),
        "deployments": (len(setting.cloud.operations), story.deployments),
        "closes": (sum(issue.closes for issue in setting.issues.all), story.closes),
        "shifts": (tuple(dict.fromkeys(setting.cloud.shifts)), _shifts(story, setting)),
        "messages that wait": (len(setting.bus.waiting), 0),
        "incidents not at rest": ([key for key, each in incidents.items() if each["active_for"]], []),
    }
    return [f"{name}: {is_}, must be {must_be}" for name, (is_, must_be) in found.items() if is_ != must_be]


def _shifts(story: Story, setting: Setting) -> tuple[tuple[str, str, int], ...]:
    """Each once, first those of the new revision; a rollback, or a failure, gives all back to the old one."""
    if story.ran:
        named = [each.revision for each in setting.cloud.operations] + ["tide-00007-old"]
        return tuple(("shore.tide", named[place], share) for place, share in zip(story.ran, story.shifts, strict=True))
    new = setting.cloud.operations[0].revision if setting.cloud.operations else ""
    back = story.end in {IncidentState.ROLLED_BACK, IncidentState.FAILED}
    revisions = [new] * (len(story.shifts) - back) + ["tide-00007-old"] * back
    return tuple(("shore.tide", revision, share) for revision, share in zip(revisions, story.shifts, strict=True))
