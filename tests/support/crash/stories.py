"""The ways that an incident can go, each run once without faults; and what must be true at its end."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.decision import ClickKind
from shared.proposal.rollout import WATCH_DURATION, ProbeResult
from shared.proposal.trial import REQUIRED_ROUNDS
from shared.service import PAGER
from shared.workflow.flow import IncidentState
from shared.workflow.issue.issue_updates import COMMANDS_HINT
from shared.workflow.rollout.run_trial import BRANCH_CHECK_INTERVAL, MAX_UNFIXED_AGE
from tests.support.commit_graph import commit_id
from tests.support.crash.invariants import is_active
from tests.support.crash.story_run import MINUTE, StoryRun
from tests.support.harness import APPROVER, SECOND_APPROVER, Harness, button_click, watched_service
from tests.support.memory import MemoryStore
from tests.support.trials import CLOSE_1011, FAILS, TRIED_URL, harness_with_trial

Play = Callable[[StoryRun], None]


@dataclass(frozen=True)
class IncidentStory:
    """`end` is the state of the incident; the figures are what may have reached the outside, exactly."""

    name: str
    play: Play
    end: IncidentState
    messages: int = 1
    deployments: int = 0
    closes: int = 0
    shifts: tuple[int, ...] = ()
    incidents: int = 1
    reminders: int = 0
    """In the channel, and by the pager."""
    harness: Callable[[], Harness] = Harness
    records: int = 0
    """Of deployments at the code host, each with one success."""
    shifted_deployments: tuple[int, ...] = ()
    """Which deployment each of the shifts was for, by number, -1 for what served before; () for the usual order."""
    shares_ends_with_first: bool = False
    """Begins and ends with the calls of the first story, which go wrong there: only those in between do so here."""
    list_faulty_calls: Callable[[Sequence[str]], Iterable[int]] | None = None
    """Which of the calls go wrong, by number, each in a quarter of the ways; all in every way where it is None."""


def _ask(run: StoryRun) -> None:
    run.log(run.harness.log_entry())
    run.drain()


def _approve(run: StoryRun) -> None:
    _ask(run)
    run.click(button_click(run.harness.chat.posted[0].message))
    run.drain()


def _deploy(run: StoryRun) -> None:
    _approve(run)
    _finish_rollout(run)


def _finish_rollout(run: StoryRun) -> None:
    """Ticks: at most two more than it takes without faults."""
    run.harness.clock.advance(2 * MINUTE)
    run.tick()
    for _ in range(2):
        if not run.harness.cloud.shifts:
            run.harness.clock.advance(2 * MINUTE)
            run.tick()


def _resolve(run: StoryRun) -> None:
    _approve(run)
    _act_and_close(run)


def _act_and_close(run: StoryRun) -> None:
    """The approval is acted on, and watched to its end."""
    _finish_rollout(run)
    run.harness.logs.request_counts[run.harness.cloud.operations[0].revision] = 480
    run.harness.clock.advance(WATCH_DURATION + MINUTE)
    run.tick()


def _resolve_in_steps(run: StoryRun) -> None:
    _deploy(run)
    for _ in range(2):
        run.harness.clock.advance(MINUTE)
        run.tick()
    run.harness.logs.request_counts[run.harness.cloud.operations[0].revision] = 480
    run.harness.clock.advance(WATCH_DURATION + MINUTE)
    run.tick()


def _roll_back_on_probe(run: StoryRun) -> None:
    _deploy(run)
    run.harness.probe.result = ProbeResult(ok=False, detail="closed with 1011")
    for _ in range(2):
        run.harness.clock.advance(MINUTE)
        run.tick()


def _roll_back_on_recurrence(run: StoryRun) -> None:
    _deploy(run)
    run.harness.clock.advance(5 * MINUTE)
    run.log(run.harness.log_entry(revision=run.harness.cloud.operations[0].revision))
    run.tick()


def _fail_deployment(run: StoryRun) -> None:
    run.harness.cloud.failure_reason = "the build failed"
    _approve(run)
    run.harness.clock.advance(2 * MINUTE)
    run.tick()


def _deny(run: StoryRun) -> None:
    _ask(run)
    run.click(button_click(run.harness.chat.posted[0].message, ClickKind.DENY))
    run.drain()
    run.tick()


def _deny_after_approval(run: StoryRun) -> None:
    _ask(run)
    message = run.harness.chat.posted[0].message
    run.click(button_click(message))
    run.click(button_click(message, ClickKind.DENY, token="t2"))
    run.drain()
    run.tick()


def _expire(run: StoryRun) -> None:
    _ask(run)
    run.harness.clock.advance(timedelta(hours=6))
    run.tick()


def _snooze_and_expire(run: StoryRun) -> None:
    """Reminded of in time, snoozed, reminded of once more; then time runs out. No other tick reminds of it."""
    _ask(run)
    for kind in (ClickKind.SNOOZE, None):
        for wait in (10 * MINUTE, MINUTE) if kind else (59 * MINUTE, 2 * MINUTE, 30 * MINUTE):
            run.harness.clock.advance(wait)
            run.tick()
        if kind is not None:
            run.click(button_click(run.harness.chat.posted[0].message, kind, token="t2"))
    run.harness.clock.advance(timedelta(hours=6))
    run.tick()


def _list_reminder_calls(calls: Sequence[str]) -> list[int]:
    """From each reminder's tick on to its end, the snooze between them, and all that ends the alerts."""
    reminded = [number for number, call in enumerate(calls) if call == "pager.alert"]
    resolved = [number for number, call in enumerate(calls) if call == "pager.resolve"]
    faulty = [number for at in reminded for number in range(at - 5, at + 9)]
    return [*faulty, *range(resolved[0] - 3, min(resolved[-1] + 6, len(calls)))]


def _harness_with_records() -> Harness:
    return Harness({"shore.tide": watched_service(deployment_records=True)})


def _list_record_calls(calls: Sequence[str]) -> list[int]:
    """The two effects, what is asked of the ledger around them, and what follows to the end."""
    first = next(number for number, call in enumerate(calls) if call == "deployment_records.create_record")
    return [*range(first - 3, min(first + 14, len(calls)))]


def _make_stale(run: StoryRun) -> None:
    _ask(run)
    run.click(button_click(run.harness.chat.posted[0].message))
    run.harness.cloud.deploy_manually(run.harness.services["shore.tide"], "tide-00008-hand", None)
    run.drain()
    run.tick()


def _mute(run: StoryRun) -> None:
    _ask(run)
    run.harness.issues.issues[0].labels.add("provenfix:wrong")
    run.tick()


def _close_manually(run: StoryRun) -> None:
    _deploy(run)
    run.harness.issues.issues[0].is_open = False
    run.tick()


def _log_symptom_first(run: StoryRun) -> None:
    run.harness.log_entry()  # logged before the close, and delivered by nobody
    run.log(run.harness.log_entry(CLOSE_1011))
    run.tick()
    run.harness.clock.advance(timedelta(seconds=30))
    _resolve(run)


def _log_symptom_alone(run: StoryRun) -> None:
    run.harness.prover.kind, run.harness.prover.reason = ActionKind.NONE, Reason.CLOSE_1011_WITHOUT_CAUSE
    run.log(run.harness.log_entry(CLOSE_1011))
    run.harness.clock.advance(3 * MINUTE)
    run.tick()
    run.drain()


def _propose_nothing(run: StoryRun) -> None:
    run.harness.prover.kind, run.harness.prover.reason = ActionKind.NONE, Reason.DYNAMIC_CODE
    _ask(run)


def _never_fix(run: StoryRun) -> None:
    run.harness.prover.kind, run.harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    _ask(run)
    run.harness.clock.advance(MAX_UNFIXED_AGE)
    run.tick()


def _fix_later(run: StoryRun) -> None:
    """The fix is merged after the first look."""
    run.harness.histories.head = commit_id("attempt")
    run.harness.prover.kind, run.harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    _ask(run)
    run.harness.histories.head = commit_id("later")
    run.harness.prover.kind, run.harness.prover.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED
    run.harness.clock.advance(BRANCH_CHECK_INTERVAL)
    run.tick()
    run.drain()
    run.click(button_click(run.harness.chat.posted[0].message))
    run.drain()
    _act_and_close(run)


def _choose_rollback(run: StoryRun) -> None:
    _ask(run)
    message = run.harness.chat.posted[0].message
    assert message.alternative is not None
    back = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
    run.click(button_click(back))
    run.click(button_click(message, token="t2"))
    run.drain()
    _act_and_close(run)


def _approve_by_two(run: StoryRun) -> None:
    _ask(run)
    message = run.harness.chat.posted[0].message
    run.click(button_click(message))
    run.tick()
    run.click(button_click(message, user=SECOND_APPROVER, token="t2"))
    run.drain()
    _act_and_close(run)


def _supersede(run: StoryRun) -> None:
    """A user deploys what is broken as well; the second question is answered."""
    _ask(run)
    run.harness.cloud.deploy_manually(run.harness.services["shore.tide"], "tide-00008-hand", commit_id("broken"))
    run.harness.clock.advance(MINUTE)
    run.tick()
    run.drain()
    run.click(button_click(run.harness.chat.posted[-1].message))
    run.drain()
    _act_and_close(run)


def _go_back_after_probe(run: StoryRun) -> None:
    """What was deployed did not hold; the next question is whether to go back further."""
    _deploy(run)
    run.harness.probe.result = ProbeResult(ok=False, detail="closed with 1011")
    for _ in range(2):
        run.harness.clock.advance(MINUTE)
        run.tick()
    _ask_to_go_back(run)


def _go_back_after_failure(run: StoryRun) -> None:
    run.harness.cloud.failure_reason = "the build failed"
    _deploy(run)
    run.harness.cloud.failure_reason = ""
    _ask_to_go_back(run)


def _ask_to_go_back(run: StoryRun) -> None:
    run.drain()
    run.harness.probe.result = ProbeResult(ok=True)
    run.click(button_click(run.harness.chat.posted[-1].message, token="t3"))
    run.drain()
    for _ in range(4):
        run.harness.clock.advance(2 * MINUTE)
        run.tick()
    run.harness.logs.request_counts[run.harness.cloud.operations[-1].revision] = 480
    run.harness.clock.advance(WATCH_DURATION + MINUTE)
    run.tick()


def _ask_for_trial(run: StoryRun) -> None:
    """A close that nothing explains, and a commit that may end it."""
    run.log(run.harness.log_entry(CLOSE_1011))
    run.harness.clock.advance(3 * MINUTE)
    run.tick()
    run.drain()
    run.click(button_click(run.harness.chat.posted[0].message))
    run.drain()


def _run_trial(run: StoryRun) -> None:
    """Ticks: at most two more than it takes without faults."""
    for _ in range(REQUIRED_ROUNDS + 2):
        run.harness.clock.advance(2 * MINUTE)
        run.tick()


def _prove_by_trial(run: StoryRun) -> None:
    """It holds where the serving revision fails; then the traffic is asked for, which is an approval of its own."""
    _ask_for_trial(run)
    _run_trial(run)
    run.drain()
    run.click(button_click(run.harness.chat.posted[-1].message, ClickKind.DENY, token="t2"))
    run.drain()
    run.tick()


def _prove_nothing_by_trial(run: StoryRun) -> None:
    _ask_for_trial(run)
    run.harness.probe.results_by_url[TRIED_URL] = FAILS
    _run_trial(run)


def _list_trial_calls(calls: Sequence[str]) -> Iterable[int]:
    """From the deployment to the question about the traffic, if there is one; without the second of three equal rounds.

    What comes before and after are the calls of every other story.
    """
    begin = calls.index("deployer.start")
    probes = [number for number in range(begin, len(calls)) if calls[number] == "probe.check"]
    asked = max(number for number, call in enumerate(calls) if call == "chat.post")
    end = asked + 2 if asked > begin else len(calls)
    left_out = range(probes[2], probes[4]) if len(probes) > 4 else range(0)
    return [number for number in range(begin, end) if number not in left_out]


def _harness_with_rollback() -> Harness:
    setting = Harness()
    setting.prover.offers_rollback = True
    return setting


def _harness_with_reminders() -> Harness:
    reminded = watched_service(remind_after=10 * MINUTE, escalate_to=PAGER, runbook_url="https://wiki.invalid/tide")
    return Harness({"shore.tide": reminded})


def _harness_with_quorum() -> Harness:
    return Harness({"shore.tide": watched_service(approvers=(APPROVER, SECOND_APPROVER), quorum=2)})


def _harness_with_steps() -> Harness:
    return Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))})


def _harness_with_pipeline() -> Harness:
    setting = Harness()
    setting.cloud.deploys_by_pipeline = True
    setting.cloud.address = "https://pf-1---tide.invalid"
    return setting


def _deploy_by_pipeline(run: StoryRun) -> None:
    _approve(run)
    for _ in range(3):
        run.harness.clock.advance(2 * MINUTE)
        run.tick()
    run.harness.clock.advance(WATCH_DURATION + MINUTE)
    run.tick()


STORIES = (
    IncidentStory("mended and closed", _resolve, IncidentState.RESOLVED, deployments=1, closes=1, shifts=(100,)),
    IncidentStory(
        "mended in steps",
        _resolve_in_steps,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(10, 50, 100),
        harness=_harness_with_steps,
    ),
    IncidentStory(
        "mended by a pipeline",
        _deploy_by_pipeline,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(0, 100),
        harness=_harness_with_pipeline,
    ),
    IncidentStory(
        "mended and recorded at the code host",
        _resolve,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
        harness=_harness_with_records,
        list_faulty_calls=_list_record_calls,
        records=1,
    ),
    IncidentStory("the probe fails", _roll_back_on_probe, IncidentState.ROLLED_BACK, deployments=1, shifts=(100, 100)),
    IncidentStory("it recurs", _roll_back_on_recurrence, IncidentState.ROLLED_BACK, deployments=1, shifts=(100, 100)),
    IncidentStory("the deployment fails", _fail_deployment, IncidentState.FAILED, deployments=1, shifts=(100,)),
    IncidentStory(
        "gone back after the probe failed",
        _go_back_after_probe,
        IncidentState.RESOLVED,
        messages=2,
        deployments=2,
        closes=1,
        shifts=(100, 100, 100),
        shifted_deployments=(0, -1, 1),
        harness=_harness_with_rollback,
        shares_ends_with_first=True,
    ),
    IncidentStory(
        "gone back after the deployment failed",
        _go_back_after_failure,
        IncidentState.RESOLVED,
        messages=2,
        deployments=2,
        closes=1,
        shifts=(100, 100),
        shifted_deployments=(-1, 1),
        harness=_harness_with_rollback,
        shares_ends_with_first=True,
    ),
    IncidentStory(
        "proven by a trial",
        _prove_by_trial,
        IncidentState.DENIED,
        messages=2,
        deployments=1,
        harness=harness_with_trial,
        list_faulty_calls=_list_trial_calls,
    ),
    IncidentStory(
        "tried, and nothing proven",
        _prove_nothing_by_trial,
        IncidentState.TRIED,
        deployments=1,
        shifts=(100,),
        shifted_deployments=(-1,),
        harness=harness_with_trial,
        list_faulty_calls=_list_trial_calls,
    ),
    IncidentStory("denied", _deny, IncidentState.DENIED),
    IncidentStory("approved, then denied", _deny_after_approval, IncidentState.DENIED),
    IncidentStory("nobody decides", _expire, IncidentState.EXPIRED),
    IncidentStory(
        "reminded, snoozed and never decided",
        _snooze_and_expire,
        IncidentState.EXPIRED,
        harness=_harness_with_reminders,
        reminders=2,
        list_faulty_calls=_list_reminder_calls,
    ),
    IncidentStory("somebody deploys in between", _make_stale, IncidentState.REFUSED),
    IncidentStory(
        "gone back instead",
        _choose_rollback,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
        harness=_harness_with_rollback,
        shares_ends_with_first=True,
    ),
    IncidentStory(
        "approved by two",
        _approve_by_two,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
        harness=_harness_with_quorum,
        shares_ends_with_first=True,
    ),
    IncidentStory(
        "overtaken and asked anew",
        _supersede,
        IncidentState.RESOLVED,
        messages=2,
        deployments=1,
        closes=1,
        shifts=(100,),
        shares_ends_with_first=True,
    ),
    IncidentStory("marked as wrong", _mute, IncidentState.MUTED),
    IncidentStory("closed by hand while watched", _close_manually, IncidentState.MUTED, deployments=1, shifts=(100,)),
    IncidentStory(
        "the symptom comes first",
        _log_symptom_first,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
        incidents=2,
    ),
    IncidentStory("a symptom without a cause", _log_symptom_alone, IncidentState.REPORTED, messages=1),
    IncidentStory("nothing to propose", _propose_nothing, IncidentState.REPORTED, messages=0),
    IncidentStory("never mended", _never_fix, IncidentState.REPORTED, messages=0),
    IncidentStory(
        "mended after the first look",
        _fix_later,
        IncidentState.RESOLVED,
        deployments=1,
        closes=1,
        shifts=(100,),
    ),
)


def story_violations(story: IncidentStory, harness: Harness) -> list[str]:
    """What is not as it must be at the end of a story; two more ticks have passed by then."""
    assert isinstance(harness.store, MemoryStore)
    incidents = harness.store.documents("incidents")
    states = sorted(str(incident["state"]) for incident in incidents.values())
    expected = sorted([story.end.value, *[IncidentState.ABSORBED.value] * (story.incidents - 1)])
    comments = [comment.partition("\n")[0] for issue in harness.issues.issues for comment in issue.comments]
    facts = {
        "states": (states, expected),
        "issues": (len(harness.issues.issues), 1),
        "comments that say the same": (len(comments) - len(set(comments)), 0),
        "issues that look as if it went on": (
            [issue.title for issue in harness.issues.issues if COMMANDS_HINT[:20] in issue.body],
            [],
        ),
        "messages": (len(harness.chat.posted), story.messages),
        "records": (len(harness.deployment_records.entries), story.records),
        "successes": (len(harness.deployment_records.succeeded), story.records),
        "reminders": (sum(len(posted.reminders) for posted in harness.chat.posted), story.reminders),
        "alerts": (len(harness.pager.alerts), story.reminders),
        "alerts that still ring": (harness.pager.ringing, set()),
        "deployments": (len(harness.cloud.operations), story.deployments),
        "closes": (sum(issue.close_count for issue in harness.issues.issues), story.closes),
        "shifts": (tuple(dict.fromkeys(harness.cloud.shifts)), _shifts(story, harness)),
        "messages that wait": (len(harness.bus.waiting), 0),
        "incidents not at rest": ([key for key, incident in incidents.items() if is_active(incident)], []),
    }
    return [f"{name}: {is_}, must be {must_be}" for name, (is_, must_be) in facts.items() if is_ != must_be]


def _shifts(story: IncidentStory, harness: Harness) -> tuple[tuple[str, str, int], ...]:
    """Each once, first those of the new revision; a rollback, or a failure, gives all back to the old one."""
    if story.shifted_deployments:
        named = [operation.revision for operation in harness.cloud.operations] + ["tide-00007-old"]
        return tuple(
            ("shore.tide", named[index], share)
            for index, share in zip(story.shifted_deployments, story.shifts, strict=True)
        )
    new = harness.cloud.operations[0].revision if harness.cloud.operations else ""
    back = story.end in {IncidentState.ROLLED_BACK, IncidentState.FAILED}
    revisions = [new] * (len(story.shifts) - back) + ["tide-00007-old"] * back
    return tuple(("shore.tide", revision, share) for revision, share in zip(revisions, story.shifts, strict=True))
