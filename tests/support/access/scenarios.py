"""The ways of an incident that between them make every call that the functions can make, run through real adapters."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from functions.demo.fast_import import run_git
from functions.local.stack_folder import override_environ
from shared.adapters.slack.interaction import DENY, SNOOZE
from shared.adapters.system import SystemClock
from shared.proposal.rollout import WATCH_DURATION
from shared.workflow.ledger import LEASE
from tests.support.access.call_recorder import ObservedCalls, observe_calls
from tests.support.access.function_runner import FunctionRunner
from tests.support.clock import FakeClock
from tests.support.github.clients import make_app
from tests.support.github.server import FakeRequest, FakeResponse, Handler
from tests.support.google_cloud import IMAGE, PROJECT, REGION, digest_of
from tests.support.history_builder import HistoryBuilder, broken_source, running_python, valid_source
from tests.support.loopback import platform_entry, serve_loopback

FILE = "app/relay.py"
LATIN_1_FILE = "app/accents.py"
_LATIN = "# -*- coding: latin-1 -*-\nACCENT = 'é'\n".encode("latin-1")
"""No UTF-8, so that GitHub gives it as a blob only."""
WORKFLOW = ".github/workflows/deploy.yml"
_WORKFLOW = "name: Deploy\nrun-name: Deploy ${{ inputs.commit }}\non: workflow_dispatch\n"
BAD_LINE = 5
CLOSE_1011 = "connection closed: received 1011 (internal error)"
_LEASE_EXPIRY = LEASE + timedelta(minutes=1)


def write_history(path: Path, head: str = "later") -> HistoryBuilder:
    """good, broken, attempt, fixed, later, worse; the branch ends at `head`. Without a fix there, nothing was good."""
    story = HistoryBuilder(path)
    first = broken_source(3) if head == "attempt" else valid_source()
    files: dict[str, str | bytes | None] = {
        FILE: first,
        "Dockerfile": "FROM python:3.11-slim\n",
        LATIN_1_FILE: _LATIN,
        "main.py": "def answer():\n    from app import relay\n\n    return relay\n",
        WORKFLOW: _WORKFLOW,
    }
    story.commit("good", files)
    story.commit("broken", {FILE: broken_source(9)})
    story.commit("attempt", {FILE: broken_source(BAD_LINE)})
    story.commit("fixed", {FILE: valid_source(1)})
    story.commit("later", {"app/other.py": valid_source(2)})
    story.commit("worse", {FILE: broken_source(7)})
    story.write_repository(head)
    return story


@dataclass
class Scenario:
    """One incident's outside and functions."""

    story: HistoryBuilder
    player: FunctionRunner

    def log_failure(self, revision: str = "tide-1", number: int = 0) -> None:
        """The service logs the error line by line, as Python prints it; the sink matches the last line."""
        now = self.player.clock.now()
        lines = (
            f'  File "/app/{FILE}", line {BAD_LINE}',
            "    oops = = 1",
            "           ^",
            "SyntaxError: invalid syntax",
        )
        self.player.deliver_entries(
            *(
                platform_entry(line, revision, now + timedelta(milliseconds=index), f"{revision}-{number}-{index}")
                for index, line in enumerate(lines)
            )
        )

    def ask(self) -> None:
        self.log_failure()
        self.player.drain()

    def approve(self) -> None:
        self.ask()
        assert self.player.click() == 200

    def finish_rollout(self) -> None:
        """Two ticks: one for the operation, one for the traffic."""
        for _ in range(3):
            self.player.tick()

    def count_requests(self, revision: str) -> None:
        """The revision answered some."""
        for number in range(3):
            entry = platform_entry("", revision, self.player.clock.now(), f"r{number}")
            name = f"projects/{PROJECT}/logs/run.googleapis.com%2Frequests"
            self.player.outside.cloud.log.append({**entry, "logName": name, "severity": "INFO"})

    @property
    def issue(self) -> dict[str, Any]:
        ((_, issue),) = self.player.outside.board.issues.items()
        return issue.value


@contextmanager
def open_scenario(
    folder: Path,
    observed: ObservedCalls,
    number: int,
    head: str = "later",
    more: str = "",
    *,
    as_app: bool = False,
    by_socket: bool = False,
) -> Iterator[Scenario]:
    """A service that runs `attempt`, of which a label names the build; `later` has an image that only a tag names."""
    story, clock = write_history(folder / "repo.git", head), FakeClock()
    time = patch.object(SystemClock, "now", lambda _: clock.now())
    with (
        time,
        serve_loopback(story.path, clock.now) as around,
        override_environ(around.environment),
        observe_calls(observed),
    ):
        cloud = around.cloud
        cloud.add_build(story.ids["attempt"], "old")
        cloud.tags[story.ids["later"]] = digest_of("new")
        cloud.tags[story.ids["fixed"]] = digest_of("fixed")
        cloud.tags["base"] = digest_of("base")
        cloud.deploy_manually("tide", f"{IMAGE}:base", "tide-1", {"gcb-build-id": "b-old"})
        config = folder / "provenfix.yaml"
        text = around.configuration(running_python(), more, as_app=as_app, by_socket=by_socket)
        config.write_text(text, "utf-8")
        if as_app:
            around.rest.secrets[f"projects/{PROJECT}/secrets/github/versions/1"] = make_app().key().reveal()
        # State is kept by project, so that each play begins with none.
        player = FunctionRunner.start(around, observed, clock, config, {"PROVENFIX_PROJECT": f"quay-{number}"})
        try:
            yield Scenario(story, player)
        finally:
            player.close()


def repair_and_recur(play: Scenario) -> None:
    """Proposed, approved, deployed, watched, closed; logged again without the fix, and by an unknown build."""
    play.approve()
    play.player.drain()
    play.finish_rollout()
    revision = play.player.outside.cloud.services[next(iter(play.player.outside.cloud.services))].template.revision
    play.count_requests(revision)
    play.player.tick(WATCH_DURATION)
    assert play.issue["state"] == "closed"
    cloud = play.player.outside.cloud
    cloud.tags["hand"] = digest_of("hand")
    cloud.deploy_manually("tide", f"{IMAGE}:hand", "tide-7", {"gcb-build-id": "b-old"})
    play.log_failure("tide-7", 1)
    play.player.drain()
    assert play.issue["state"] == "closed"
    cloud.deploy_manually("tide", f"{IMAGE}:hand", "tide-8", {})
    play.log_failure("tide-8", 2)
    play.player.drain()
    assert len(play.player.outside.board.issues) == 2


def lose_answers(play: Scenario) -> None:
    """The answers to an issue, to a message and to its details are lost; the next delivery looks for what was done."""
    play.log_failure()
    _lose_answer(play, "POST", "/issues")
    play.player.drain(lambda status: status == 503)
    play.player.clock.advance(_LEASE_EXPIRY)
    for _ in ("the question", "the details below it"):
        play.player.outside.slack.lost_method = "chat.postMessage"
        _deliver_again(play, "investigate", {"incident": _incident(play)}, 503)
        play.player.clock.advance(_LEASE_EXPIRY)
    _deliver_again(play, "investigate", {"incident": _incident(play)}, 204)
    assert len(play.player.outside.board.issues) == len(play.player.outside.slack.messages) == 1
    assert len(play.player.outside.slack.replies) == 1
    play.player.clock.advance(timedelta(hours=6))
    _lose_answer(play, "POST", "/comments")
    assert play.player.go_round() == [204, 503]
    play.player.tick(_LEASE_EXPIRY)
    assert _has_distinct_comments(play)


def remind(play: Scenario) -> None:
    """Nobody clicks: channel and pager are reminded, and the answer to the reminder is lost. Then it is snoozed."""
    play.ask()
    play.player.outside.slack.lost_method = "chat.postMessage"
    play.player.clock.advance(timedelta(minutes=15))
    assert play.player.go_round() == [204, 503]
    play.player.tick(_LEASE_EXPIRY)
    assert play.player.click(SNOOZE) == 200
    play.player.tick()
    assert len(play.player.outside.slack.replies) == 2  # the details, and the reminder
    play.player.clock.advance(timedelta(hours=6))
    play.player.tick()
    alerts = play.player.outside.alerts
    assert {alert["routing_key"] for alert in alerts} == {"pager-of-these-tests"}
    assert [alert["event_action"] for alert in alerts] == ["trigger", "resolve"]
    assert len({alert["dedup_key"] for alert in alerts}) == 1


def deny(play: Scenario) -> None:
    play.ask()
    assert play.player.click(DENY) == 200
    play.player.tick()


def publish_approval_twice(play: Scenario) -> None:
    """The approval is published, and its answer is lost: its receiver, or the next tick, publishes it once more."""
    play.ask()
    _lose_publish_answer(play)
    assert play.player.click() == 200
    play.player.clock.advance(_LEASE_EXPIRY)
    play.player.drain()
    assert play.player.outside.cloud.deployments == 1


def redeploy_on_tick(play: Scenario) -> None:
    """The approval never reaches `redeploy`: the next tick does all of its work."""
    play.ask()
    _lose_publish_answer(play)
    assert play.player.click() == 200
    play.player.outside.published.clear()
    play.player.forget_processes()
    play.player.tick(_LEASE_EXPIRY)
    assert play.player.outside.cloud.deployments == 1


def investigate_again(play: Scenario) -> None:
    """No fix is merged; a collaborator asks for another look, then the branch moves."""
    play.ask()
    event = {"action": "created", "comment": {"body": "/provenfix reinvestigate"}}
    assert play.player.deliver_issue_event("issue_comment", "72d3162e-cc78-11e3", **event) == 204
    play.player.drain()
    run_git([f"--git-dir={play.story.path}", "update-ref", "refs/heads/main", play.story.ids["later"]])
    play.player.forget_processes()
    play.player.tick(timedelta(minutes=11))
    _lose_answer(play, "POST", "/comments")
    play.player.drain(lambda status: status == 503)
    play.player.clock.advance(_LEASE_EXPIRY)
    _deliver_again(play, "investigate", {"incident": _incident(play)}, 204)
    assert len(play.player.outside.slack.messages) == 1
    assert _has_distinct_comments(play)
    play.issue["state"] = "closed"
    assert play.player.deliver_issue_event("issues", "72d3162e-cc78-11e4", action="closed") == 204


def ask_anew(play: Scenario) -> None:
    """A newer commit is merged while the question waits: it is proven as well, and the question is asked anew."""
    play.ask()
    run_git([f"--git-dir={play.story.path}", "update-ref", "refs/heads/main", play.story.ids["later"]])
    play.player.forget_processes()
    play.player.tick(timedelta(minutes=61))
    play.player.drain()
    assert len(play.player.outside.slack.messages) == 2


def replace_while_watched(play: Scenario) -> None:
    """A later deployment of the owners serves while the rollout is watched: whether it has the fix is looked up."""
    play.approve()
    play.player.drain()
    play.finish_rollout()
    cloud = play.player.outside.cloud
    cloud.tags["hand"] = digest_of("hand")
    cloud.deploy_manually("tide", f"{IMAGE}:hand", "tide-7", {"commit-sha": play.story.ids["later"]})
    play.player.tick()
    assert play.issue["state"] == "open"


def report_unexplained_symptom(play: Scenario) -> None:
    """A close code that nothing explains: it is reported when it has waited."""
    play.player.deliver_entries(platform_entry(CLOSE_1011, "tide-1", play.player.clock.now(), "c1"))
    play.player.tick(timedelta(minutes=3))
    play.player.drain()


def deploy_by_trigger(play: Scenario) -> None:
    """The owners' own build deploys."""
    _deploy_by_pipeline(play)
    build = play.player.outside.cloud.finish_build(image="piped")
    _label_pipeline_revision(play, {"gcb-build-id": build.id})


def deploy_by_workflow(play: Scenario) -> None:
    """A workflow of the repository deploys; the answer that it has begun is lost, and it is looked for."""
    play.approve()
    _lose_answer(play, "POST", "/dispatches")
    ((_, message),) = play.player.outside.published
    play.player.drain(lambda status: status == 503)
    play.player.clock.advance(_LEASE_EXPIRY)
    _deliver_again(play, "redeploy", dict(message), 204)
    assert _start_pipeline(play) == 1
    play.player.tick()
    play.player.outside.actions.runs[-1].conclusion = "success"
    _label_pipeline_revision(play, {"commit-sha": play.story.ids["later"]})


def start_pipeline_on_tick(play: Scenario) -> None:
    """The approval never reaches `redeploy`: the next tick begins the owners' pipeline."""
    play.ask()
    _lose_publish_answer(play)
    assert play.player.click() == 200
    play.player.outside.published.clear()
    play.player.tick(_LEASE_EXPIRY)
    assert _start_pipeline(play) == 1


def check_commits(play: Scenario) -> None:
    """A push and a pull request get a check run, of which one answer is lost; a broken revision opens an incident."""
    play.player.tick()
    ids, player, cloud = play.story.ids, play.player, play.player.outside.cloud
    push = {"ref": "refs/heads/main", "before": ids["later"], "after": ids["worse"]}
    assert player.deliver_event("push", push, "72d3162e-cc78-11e5") == 204
    _lose_answer(play, "POST", "/check-runs")
    ((_, message),) = player.outside.published
    player.drain(lambda status: status == 503)
    player.clock.advance(_LEASE_EXPIRY)
    _deliver_again(play, "check", dict(message), 204)
    assert [run["conclusion"] for run in player.outside.check_runs.runs] == ["failure"]
    request = {"head": {"sha": ids["worse"], "repo": None}, "base": {"sha": ids["later"], "ref": "main"}}
    pulled = {"action": "opened", "pull_request": request}
    assert player.deliver_event("pull_request", pulled, "72d3162e-cc78-11e6") == 204
    player.drain()
    assert len(player.outside.check_runs.runs) == 2
    cloud.tags[ids["worse"]] = digest_of("worse")
    cloud.add_build(ids["worse"], "worse")
    for number, name in ((2, "later"), (3, "worse")):
        cloud.deploy_manually("tide", f"{IMAGE}:{ids[name]}", f"tide-{number}", {"gcb-build-id": f"b-{name}"})
        player.tick()
        topics = [topic for topic, _ in player.outside.published]
        assert topics == ["check-requested"]
        player.drain()
    assert [issue.value["state"] for issue in player.outside.board.issues.values()] == ["open"]


def watch_radar(play: Scenario) -> None:
    """A fix is merged and not deployed, and nobody has hit the failure: a line is posted, and the answer is lost."""
    play.player.tick()
    topics = [topic for topic, _ in play.player.outside.published]
    assert topics == ["check-requested"]
    play.player.drain()
    play.player.outside.slack.lost_method = "chat.postMessage"
    play.player.clock.advance(timedelta(minutes=1))
    assert 503 in play.player.go_round()
    play.player.tick(_LEASE_EXPIRY)
    assert len(play.player.outside.slack.messages) == 1


def record_deployment(play: Scenario) -> None:
    """The platform names no commit, and a record does; what is deployed is recorded, and both answers are lost."""
    player, cloud, board = play.player, play.player.outside.cloud, play.player.outside.deployments
    cloud.deploy_manually("tide", f"{IMAGE}:base", "tide-2")
    board.add(play.story.ids["attempt"], "production", player.clock.now(), "success")
    play.log_failure("tide-2")
    player.drain()
    assert player.click() == 200
    player.drain()
    play.finish_rollout()
    play.count_requests(cloud.services[next(iter(cloud.services))].template.revision)
    player.clock.advance(WATCH_DURATION)
    for path in ("/deployments", "/statuses"):
        _lose_answer(play, "POST", path)
        assert 503 in player.go_round()
        player.clock.advance(_LEASE_EXPIRY)
    player.tick()
    assert [[status["state"] for status in record["statuses"]] for record in board.records[1:]] == [["success"]]


def _start_pipeline(play: Scenario) -> int:
    return len(play.player.outside.cloud.triggered_builds) + len(play.player.outside.actions.runs)


def _deploy_by_pipeline(play: Scenario) -> None:
    play.approve()
    play.player.drain()
    play.player.tick()


def _label_pipeline_revision(play: Scenario, labels: dict[str, str]) -> None:
    play.player.clock.advance(timedelta(minutes=3))
    play.player.outside.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('piped')}", "tide-2", labels)
    for _ in range(2):
        play.finish_rollout()
    assert play.player.outside.cloud.shares("tide") == {"tide-2": 100}


TRIGGER = f"""deploy_method: cloud_build
    deploy_trigger: projects/{PROJECT}/locations/{REGION}/triggers/deploy-tide"""
BY_WORKFLOW = """deploy_method: github_workflow
    deploy_workflow: deploy.yml"""
REMINDED = """remind_after: 15
    escalate_to: pager"""


def open_socket(play: Scenario) -> None:
    """Where clicks come over a connection, the first probe asks for its address; here none is given."""
    assert play.player.probe_socket() == 503


SCENARIOS: tuple[tuple[Callable[[Scenario], None], str, str], ...] = (
    (repair_and_recur, "later", ""),
    (lose_answers, "later", ""),
    (deny, "later", ""),
    (remind, "later", REMINDED),
    (publish_approval_twice, "later", ""),
    (redeploy_on_tick, "later", ""),
    (investigate_again, "attempt", ""),
    (ask_anew, "fixed", ""),
    (replace_while_watched, "fixed", ""),
    (report_unexplained_symptom, "later", ""),
    (deploy_by_trigger, "later", TRIGGER),
    (start_pipeline_on_tick, "later", TRIGGER),
    (deploy_by_workflow, "later", BY_WORKFLOW),
    (start_pipeline_on_tick, "later", BY_WORKFLOW),
    (check_commits, "later", ""),
    (record_deployment, "later", "deployment_records: true"),
    (watch_radar, "later", "radar: true"),
    (open_socket, "later", ""),
)
PLAYS_AS_APP = (check_commits,)
"""Those in which the functions act as a GitHub App."""
PLAYS_BY_SOCKET = (open_socket,)
"""Those in which Slack's clicks come over a connection."""
"""Each with the commit that the branch ends at when it begins, and with further lines of the service."""


def _deliver_again(play: Scenario, function: str, message: dict[str, str], status: int) -> None:
    assert play.player.deliver(function, message) == status


def _incident(play: Scenario) -> str:
    body = str(play.issue["body"])
    return body.partition("incident=")[2].partition(" ")[0]


def _has_distinct_comments(play: Scenario) -> bool:
    """Whether the issue has comments, and no two that are the same one."""
    marks = [str(comment.value["body"]).partition("\n")[0] for comment in play.player.outside.board.comments[1]]
    return 0 < len(marks) == len(set(marks))


def _lose_answer(play: Scenario, verb: str, path: str) -> None:
    """The next request of this kind is done, and its answer is lost."""
    github = play.player.outside.github

    def trouble(asked: FakeRequest, handler: Handler) -> FakeResponse:
        told = handler(asked)
        if (asked.method, asked.path.endswith(path)) != (verb, True):
            return told
        github.interceptor = None
        return FakeResponse(told.status, lost_by="timeout")

    github.interceptor = trouble


def _lose_publish_answer(play: Scenario) -> None:
    """The next message is taken, and the answer says otherwise; not in a way that the client tries again."""
    around = play.player.outside

    def lost(asked: FakeRequest) -> FakeResponse | None:
        if around.answer_publish(asked) is None:
            return None
        around.rest.extra_routes.remove(lost)
        return FakeResponse(409, {"error": {"code": 409, "status": "ABORTED", "message": "as the test says"}})

    around.rest.extra_routes.insert(0, lost)
