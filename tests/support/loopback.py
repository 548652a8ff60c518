"""All that the functions talk to, on loopback: a repository in; addresses, a configuration and a way to look in, out.

Google's gRPC (a Cloud Run, its builds, images and log), Google's HTTP (with a topic that keeps what is published),
GitHub and Slack. Firestore is not here: it has an emulator.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.github.actions import FakeActions
from tests.support.github.check_runs import CheckRunBoard
from tests.support.github.clients import TokenEndpoint
from tests.support.github.deployments import DeploymentBoard
from tests.support.github.git_backend import GitBackend
from tests.support.github.issue_tracker import IssueTracker
from tests.support.github.server import REPOSITORY, FakeGitHub, FakeRequest, FakeResponse, serve_fake
from tests.support.google_cloud import PROJECT, REGION, GoogleCloud
from tests.support.google_rest import COMPILE, GoogleRest
from tests.support.google_rpc import serve_google
from tests.support.slack.workspace import FakeWorkspace

CHANNEL, APPROVER, GROUP, TEAM = "C0TIDE0000", "U0NORA0000", "S0CREW0000", "T0SHORE000"
SERVICE = "tide"
PUBLISH_SUFFIX, ENQUEUE = ":publish", "/v2/enqueue"
SECRET_VERSIONS = {
    f"projects/{PROJECT}/secrets/{name}/versions/1": f"{name}-of-these-tests"
    for name in ("signing", "bot", "app", "github", "webhook", "pager")
}
_TOKEN = "  token: {{secret: projects/{project}/secrets/github/versions/1}}"
_APP = """  app:
    id: 41
    installation: 7
    private_key: {{secret: projects/{project}/secrets/github/versions/1}}"""
_SIGNED = "signing_secret: {{secret: projects/{project}/secrets/signing/versions/1}}"
_BY_SOCKET = "socket_mode: true\n  app_token: {{secret: projects/{project}/secrets/app/versions/1}}"
_CONFIGURATION = """\
version: 1
services:
  - name: {service}
    project: {project}
    region: {region}
    repository: {repository}
    channel: {channel}
    team: {team}
    approver_group: {group}
    python: "{python}"
    {more}
slack:
  signing_secret: {{secret: projects/{project}/secrets/signing/versions/1}}
  bot_token: {{secret: projects/{project}/secrets/bot/versions/1}}
github:
  token: {{secret: projects/{project}/secrets/github/versions/1}}
  webhook_secret: {{secret: projects/{project}/secrets/webhook/versions/1}}
pager:
  routing_key: {{secret: projects/{project}/secrets/pager/versions/1}}
compilers:
  "{python}": {rest}{compile}
"""


@dataclass(frozen=True)
class NowClock:
    """A clock of a function."""

    now: Any


@dataclass
class LoopbackServices:
    """`published` are messages by topic that nobody has taken, oldest first."""

    cloud: GoogleCloud
    rest: GoogleRest
    github: FakeGitHub
    board: IssueTracker
    slack: FakeWorkspace
    actions: FakeActions
    check_runs: CheckRunBoard
    deployments: DeploymentBoard
    google_address: str
    published: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    """All that was ever published to."""
    alerts: list[Mapping[str, Any]] = field(default_factory=list)
    """What the pager's webhook got."""
    permission: str = "write"
    """Of a user who asks at an issue."""

    @property
    def environment(self) -> dict[str, str]:
        """By which settings and clients find all of it."""
        doubles = {"google": self.google_address, "rest": self.rest.address, "github": self.github.address}
        doubles |= {"slack": f"{self.slack.address}/api/", "pager": f"{self.rest.address}{ENQUEUE}"}
        told = " ".join(f"{name}={address}" for name, address in doubles.items())
        return {
            "PROVENFIX_DOUBLES": told,
            "PROVENFIX_PROJECT": PROJECT,
            "PUBSUB_EMULATOR_HOST": self.rest.address.removeprefix("http://"),
        }

    def configuration(self, python: str, more: str = "", *, as_app: bool = False, by_socket: bool = False) -> str:
        """`provenfix.yaml` for it; `more` are further lines of the service. `as_app`: an App in place of a token.

        `by_socket`: clicks come over a connection, and none is signed.
        """
        form = _CONFIGURATION.replace(_TOKEN, _APP) if as_app else _CONFIGURATION
        form = form.replace(_SIGNED, _BY_SOCKET) if by_socket else form
        return form.format(
            more=more if "radar:" in more else f"radar: false\n    {more}",
            service=SERVICE, project=PROJECT, region=REGION, repository=REPOSITORY, channel=CHANNEL, team=TEAM,
            group=GROUP, python=python, rest=self.rest.address, compile=COMPILE,
        )  # fmt: skip

    def answer_publish(self, asked: FakeRequest) -> FakeResponse | None:
        """Pub/Sub's part."""
        if not asked.path.endswith(PUBLISH_SUFFIX):
            return None
        topic = asked.path.removesuffix(PUBLISH_SUFFIX).rpartition("/")[2].removeprefix("provenfix-")
        self.rest.requested_paths.append("google.pubsub.v1.Publisher/Publish")
        self.topics.append(topic)
        messages = asked.body["messages"]
        self.published += [(topic, json.loads(base64.b64decode(message["data"]))) for message in messages]
        return FakeResponse(200, {"messageIds": [f"m{len(self.topics)}-{index}" for index in range(len(messages))]})

    def answer_time_series(self, asked: FakeRequest) -> FakeResponse | None:
        """Cloud Monitoring's part: the requests that the log holds."""
        if not asked.path.endswith("/timeSeries"):
            return None
        self.rest.requested_paths.append("google.monitoring.v3.MetricService/ListTimeSeries")
        count = sum(
            entry["logName"].endswith("requests")
            and f'"{entry["resource"]["labels"]["revision_name"]}"' in asked.query["filter"]
            and ("5xx" not in asked.query["filter"] or entry.get("httpRequest", {}).get("status", 0) >= 500)
            for entry in self.cloud.log
        )
        points = [{"value": {"int64Value": str(count)}}]
        return FakeResponse(200, {"timeSeries": [{"points": points}]} if count else {})

    def answer_alert(self, asked: FakeRequest) -> FakeResponse | None:
        """The pager's webhook: an event of a known key is the same alert."""
        if asked.path != ENQUEUE:
            return None
        self.alerts.append(asked.body)
        return FakeResponse(202, {"status": "success", "dedup_key": asked.body["dedup_key"]})

    def answer_permission(self, asked: FakeRequest) -> FakeResponse | None:
        """The permission of a collaborator."""
        if not asked.path.endswith("/permission"):
            return None
        return FakeResponse(200, {"permission": self.permission, "role_name": self.permission, "user": None})


def platform_entry(text: str, revision: str, at: datetime, insert_id: str, service: str = SERVICE) -> dict[str, Any]:
    """A log entry as the platform writes it; `text` is all that the service itself says."""
    labels = {"project_id": PROJECT, "location": REGION, "service_name": service, "revision_name": revision}
    return {
        "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fstderr",
        "insertId": insert_id,
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "severity": "ERROR",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "labels": {"instanceId": "0a1b"},
        "textPayload": text,
    }


@contextmanager
def serve_loopback(repository: Path, now: Any) -> Iterator[LoopbackServices]:
    """Serves until the context is left. `now` is the clock of the issues."""
    cloud, actions = GoogleCloud(now=now), FakeActions(now)
    rest, board = GoogleRest(dict(SECRET_VERSIONS)), IssueTracker(now)
    slack = FakeWorkspace(channels={CHANNEL: True}, groups={GROUP: (APPROVER,)})
    with ExitStack() as stack:
        channel = stack.enter_context(serve_google(cloud.answers))
        github = FakeGitHub(GitBackend(repository), extra_routes=[board, actions])
        doubles: tuple[Any, ...] = (rest, github, slack)  # one way to serve what answers requests
        for double in doubles:
            stack.enter_context(serve_fake(double))
        check_runs, deployments = CheckRunBoard(), DeploymentBoard(now)
        services = LoopbackServices(
            cloud, rest, github, board, slack, actions, check_runs, deployments, channel_address(channel)
        )
        github.extra_routes += [services.answer_permission, check_runs, deployments, TokenEndpoint(NowClock(now))]
        rest.extra_routes += [services.answer_publish, services.answer_time_series, services.answer_alert]
        yield services


def channel_address(channel: Any) -> str:
    """`127.0.0.1:PORT` of what a factory of channels connects to."""
    return str(channel()._channel.target().decode()).rpartition("/")[2]
