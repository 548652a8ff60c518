"""`provenfix doctor` against doubles: all well, each failed check with its remedy, nobody to ask, no secret shown."""

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from functions.cli.doctor import accounts, http, runner
from functions.cli.doctor import slack as doctor_slack
from functions.cli.doctor.accounts import LOGIN_COMMAND
from functions.cli.doctor.check import Check, CheckResult, CheckState, CheckUnavailable, build_ok_result
from functions.cli.doctor.command import run_doctor
from shared.secret import Secret
from shared.service import Service
from tests.support.github.api_description import operation_id
from tests.support.github.server import FakeGitHub, FakeRequest, FakeResponse, serve_fake
from tests.support.google_project import BUILDER, FUNCTIONS, OPERATIONS_PROJECT, RUNTIME_ACCOUNT, TRIGGER, GoogleProject
from tests.support.google_rest import COMPILE, GoogleRest
from tests.support.history_builder import running_python
from tests.support.slack.workspace import APP, TEAM, FakeWorkspace

SERVICE = Service("tide", "shore", "europe-west6", "acme/chat", "C0TIDE0000", approver_group="S0CREW0000")
IMAGE = "europe-west6-docker.pkg.dev/shore/boats/tide@sha256:" + "0" * 64
NAMES = ("signing", "bot", "app", "github", "webhook")
PLANTED = {f"projects/{OPERATIONS_PROJECT}/secrets/{name}/versions/1": f'PLANTED-{name}-"quoted"' for name in NAMES}
OTHER = "3.13" if running_python() != "3.13" else "3.12"


@dataclass
class Repository:
    """A GitHub that asks for permissions; `denied` are the ends of paths, with the verb."""

    denied: set[tuple[str, str]] = field(default_factory=set)
    hooks: list[dict[str, Any]] = field(
        default_factory=lambda: [{"active": True, "events": ["issues", "issue_comment"]}]
    )

    def __call__(self, asked: FakeRequest) -> FakeResponse:
        operation_id(asked.method, asked.path)  # GitHub describes it
        name = asked.path.removeprefix("/repos/acme/chat").rpartition("/")[2]
        if (asked.method, name) in self.denied:
            return FakeResponse(403, {"message": "Resource not accessible by personal access token PLANTED-github"})
        if asked.method == "POST":
            return FakeResponse(422, {"message": "Validation Failed"})
        return FakeResponse(200, self.hooks if name == "hooks" else {})


@dataclass
class Stand:
    """All doubles, and the command on them."""

    project: GoogleProject
    slack: FakeWorkspace
    repository: Repository
    rest: GoogleRest
    github: FakeGitHub
    config: Path
    capsys: pytest.CaptureFixture[str]

    def told(self) -> tuple[int, list[str]]:
        """The exit code, and a line for each thing."""
        code = run_doctor(self.config, "", "text")
        out, err = self.capsys.readouterr()
        assert "PLANTED" not in out + err
        assert err == "", err[-900:]
        return code, out.splitlines()[:-1]

    def findings(self) -> list[dict[str, str]]:
        """What fails, as `--format json` says it."""
        run_doctor(self.config, "", "json")
        out, err = self.capsys.readouterr()
        assert "PLANTED" not in out + err
        return [each for each in json.loads(out) if each["state"] not in {CheckState.OK, CheckState.UNSEEN}]

    def amiss(self) -> list[str]:
        code, lines = self.told()
        wrong = [line for line in lines if not line.startswith(("ok ", "unseen "))]
        assert code == bool(wrong)
        return wrong


@pytest.fixture(scope="module")
def doubles() -> Iterator[tuple[GoogleRest, FakeGitHub, FakeWorkspace]]:
    rest, github, slack = GoogleRest(), FakeGitHub(), FakeWorkspace()
    with ExitStack() as stack:
        every: tuple[Any, ...] = (rest, github, slack)
        for double in every:
            stack.enter_context(serve_fake(double))
        yield rest, github, slack


@pytest.fixture
def stand(
    doubles: tuple[GoogleRest, FakeGitHub, FakeWorkspace],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Stand:
    rest, github, slack = doubles
    for verb in ("GET", "POST"):  # read GitHub's description once, not in each of the threads that ask at once
        operation_id(verb, "/repos/acme/chat/issues")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
    probe = f"{rest.address}/healthy"
    service = replace(SERVICE, probe_url=probe)
    project, repository = GoogleProject(service, IMAGE, PLANTED), Repository()
    rest.extra_routes[:] = [project, lambda asked: FakeResponse(200) if asked.path == "/healthy" else None]
    github.extra_routes[:] = [repository]
    slack.__init__(  # type: ignore[misc]  # the server stays, and everything in it is new
        channels={SERVICE.channel: True}, groups={SERVICE.approver_group: ("U0NORA0000",)},
        token=PLANTED[f"projects/{OPERATIONS_PROJECT}/secrets/bot/versions/1"], address=slack.address,
    )  # fmt: skip
    config = tmp_path / "provenfix.yaml"
    config.write_text(_configuration(rest.address + COMPILE, probe), "utf-8")
    told = f"rest={rest.address} github={github.address} slack={slack.address}/api/"
    monkeypatch.setenv("PROVENFIX_DOUBLES", told)
    return Stand(project, slack, repository, rest, github, config, capsys)


def _configuration(compiler: str, probe: str) -> str:
    secret = {name: f"{{secret: projects/{OPERATIONS_PROJECT}/secrets/{name}/versions/1}}" for name in NAMES}
    return f"""\
services:
  - {{name: tide, project: shore, region: europe-west6, repository: acme/chat, channel: C0TIDE0000,
     approver_group: S0CREW0000, python: "{running_python()}", probe_url: "{probe}"}}
slack: {{signing_secret: {secret["signing"]}, bot_token: {secret["bot"]}}}
github: {{token: {secret["github"]}, webhook_secret: {secret["webhook"]}}}
compilers: {{"{running_python()}": "{compiler}"}}
own: {{project: {OPERATIONS_PROJECT}, functions: [{", ".join(FUNCTIONS)}]}}
"""


def test_where_all_is_well_every_line_says_ok(stand: Stand) -> None:
    code, lines = stand.told()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert code == 0
    kinds = {line.split()[1] for line in lines}
    assert kinds == {
        "credentials", "api", "secret", "database", "ttl", "topic", "subscription", "dead", "sink", "role", "slack",
        "github", "compile", "probe",
    }  # fmt: skip


def _gone(path: str) -> Callable[[Stand], object]:
    return lambda stand: stand.project.missing_paths.add(path)


def _changed(path: str, **to: object) -> Callable[[Stand], object]:
    return lambda stand: stand.project.overrides.update({path: to})


def _lacks(function: str, permission: str) -> Callable[[Stand], object]:
    return lambda stand: stand.project.missing_permissions.update({function: {permission}})


_SUBSCRIPTION = f"/v1/projects/{OPERATIONS_PROJECT}/subscriptions/provenfix-incident-opened"
_SINK = "/v2/projects/shore/sinks/provenfix-signals"
AMISS: dict[str, tuple[Callable[[Stand], object], str, str]] = {
    "api": (
        _changed("/v1/projects/shore/services/run.googleapis.com", state="DISABLED"),
        "api run.googleapis.com in shore: It is not enabled.",
        "gcloud services enable run.googleapis.com --project=shore",
    ),
    "secret": (
        _gone(f"/v1/projects/{OPERATIONS_PROJECT}/secrets/webhook/versions/1:access"),
        "secret github.webhook_secret: This version does not exist",
        "gcloud secrets versions add webhook --data-file=- --project=quay-ops",
    ),
    "database": (
        _gone(f"/v1/projects/{OPERATIONS_PROJECT}/databases/(default)"),
        "database (default): It does not exist.",
        "gcloud firestore databases create --database='(default)' --location=REGION --project=quay-ops",
    ),
    "ttl": (
        _changed(
            f"/v1/projects/{OPERATIONS_PROJECT}/databases/(default)/collectionGroups/caps/fields/expires", ttlConfig={}
        ),
        "ttl caps.expires: Expired documents are never deleted.",
        "gcloud firestore fields ttls update expires --collection-group=caps --enable-ttl",
    ),
    "topic": (
        _gone(f"/v1/projects/{OPERATIONS_PROJECT}/topics/provenfix-tick"),
        "topic provenfix-tick: It does not exist.",
        "gcloud pubsub topics create provenfix-tick --project=quay-ops",
    ),
    "subscription that calls nobody": (
        _changed(_SUBSCRIPTION, pushConfig={}),
        "subscription provenfix-incident-opened: It does not call the function.",
        "terraform -chdir=terraform apply -target='google_pubsub_subscription.push[\"investigate\"]'",
    ),
    "subscription that is impatient": (
        _changed(_SUBSCRIPTION, ackDeadlineSeconds=10),
        "Its acknowledgement deadline is shorter than the functions may run.",
        "gcloud pubsub subscriptions update provenfix-incident-opened --project=quay-ops --ack-deadline=600",
    ),
    "dead letter policy": (
        _changed(_SUBSCRIPTION, deadLetterPolicy={}),
        "dead letter provenfix-incident-opened: Messages that keep failing are lost: there is no dead-letter topic.",
        "--dead-letter-topic=provenfix-dead-letters --max-delivery-attempts=50",
    ),
    "dead letter grant": (
        _changed(f"{_SUBSCRIPTION}:getIamPolicy", bindings=[]),
        "Pub/Sub may not acknowledge messages of it.",
        "--member=serviceAccount:service-41000@gcp-sa-pubsub.iam.gserviceaccount.com --role=roles/pubsub.subscriber",
    ),
    "dead letters that nobody may bury": (
        _changed(f"/v1/projects/{OPERATIONS_PROJECT}/topics/provenfix-dead-letters:getIamPolicy", bindings=[]),
        "Pub/Sub may not publish to it.",
        "gcloud pubsub topics add-iam-policy-binding provenfix-dead-letters",
    ),
    "dead letters that nothing keeps": (
        _gone(f"/v1/projects/{OPERATIONS_PROJECT}/subscriptions/provenfix-dead-letters"),
        "Messages that could not be delivered are lost.",
        "gcloud pubsub subscriptions create provenfix-dead-letters --topic=provenfix-dead-letters",
    ),
    "filter": (
        _changed(_SINK, filter='severity="ERROR"'),
        "sink provenfix-signals of shore: Its filter differs from the one of this version.",
        "terraform -chdir=terraform apply -target='google_logging_project_sink.sink[\"shore signals\"]'",
    ),
    "sink that leads elsewhere": (
        _changed(_SINK, destination="pubsub.googleapis.com/projects/x/topics/y"),
        "It has another destination.",
        "terraform -chdir=terraform apply",
    ),
    "sink that may not publish": (
        _changed(f"/v1/projects/{OPERATIONS_PROJECT}/topics/provenfix-tick:getIamPolicy", bindings=[]),
        "sink provenfix-revisions of shore may publish: Its writer may not publish to the topic.",
        "gcloud pubsub topics add-iam-policy-binding provenfix-tick --project=quay-ops",
    ),
    "role on a service": (
        _lacks("redeploy", "run.services.update"),
        "role redeploy: provenfixDeployer on service shore.tide: It lacks run.services.update.",
        "gcloud run services add-iam-policy-binding tide --region=europe-west6 --project=shore "
        "--member=serviceAccount:provenfix-redeploy@quay-ops.iam.gserviceaccount.com "
        "--role=projects/shore/roles/provenfixDeployer",
    ),
    "role on an account": (
        _lacks("redeploy", "iam.serviceAccounts.actAs"),
        "It lacks iam.serviceAccounts.actAs.",
        f"gcloud iam service-accounts add-iam-policy-binding {RUNTIME_ACCOUNT}",
    ),
    "role on a repository": (
        _lacks("verify", "artifactregistry.versions.get"),
        "It lacks artifactregistry.versions.get.",
        "gcloud artifacts repositories add-iam-policy-binding boats --location=europe-west6 --project=shore",
    ),
    "role on a project": (
        _lacks("record", "logging.logEntries.list"),
        "It lacks logging.logEntries.list.",
        "gcloud projects add-iam-policy-binding shore",
    ),
    "role on the database": (
        _lacks("github", "datastore.entities.update"),
        "role github: provenfixDocuments on database (default): It lacks datastore.entities.create, "
        "datastore.entities.update.",
        'expression=resource.name == "projects/quay-ops/databases/(default)"',
    ),
    "account that is not lent": (
        lambda stand: stand.project.not_impersonable.add("decide"),
        "unknown  4 checks: You may not impersonate provenfix-decide@quay-ops.iam.gserviceaccount.com",
        "--role=roles/iam.serviceAccountTokenCreator --condition='title=doctor,expression=request.time < timestamp(",
    ),
    "scope": (
        lambda stand: setattr(stand.slack, "scopes", ("chat:write", "groups:history")),
        "slack scopes of the bot's token: It lacks usergroups:read.",
        "then reinstall the app",
    ),
    "token of Slack": (
        lambda stand: setattr(stand.slack, "token", "another"),
        "Slack refuses the token: invalid_auth.",
        "api.slack.com/apps",
    ),
    "user group": (
        lambda stand: stand.slack.groups.clear(),
        "slack user group S0CREW0000: Slack answers no_such_subteam.",
        "correct approver_group in provenfix.yaml (S0CREW0000)",
    ),
    "empty user group": (
        lambda stand: stand.slack.groups.update({"S0CREW0000": ()}),
        "It has no members, so nobody can approve.",
        "add members to the group",
    ),
    "channel": (
        lambda stand: stand.slack.channels.update({"C0TIDE0000": False}),
        "slack channel C0TIDE0000: Slack answers not_in_channel.",
        "/invite @provenfix",
    ),
    "permission to read": (
        lambda stand: stand.repository.denied.add(("GET", "check-runs")),
        "github acme/chat: checks read: The token may not read it.",
        "give the token checks: read on acme/chat",
    ),
    "permission to write": (
        lambda stand: stand.repository.denied.add(("POST", "issues")),
        "github acme/chat: issues write: The token may read it, but not write.",
        "give the token issues: write on acme/chat",
    ),
    "webhook": (
        lambda stand: stand.repository.hooks.clear(),
        "No active webhook sends issue events.",
        "https://github.com/acme/chat/settings/hooks",
    ),
    "compile function": (
        lambda stand: stand.rest.extra_routes.insert(
            0, lambda asked: FakeResponse(403) if asked.path == COMPILE else None
        ),
        "It refuses calls of investigate.",
        "--role=roles/run.invoker",
    ),
    "version that nobody compiles": (
        lambda stand: stand.config.write_text(
            stand.config.read_text().replace(f'{{"{running_python()}":', f'{{"{OTHER}":')
        ),
        f"compile {running_python()}: A service runs on this version, but no "
        "compile function exists for it; only ruff would check its code.",
        "google_cloudfunctions2_function.compile",
    ),
    "probe": (
        lambda stand: stand.config.write_text(stand.config.read_text().replace("/healthy", "/ill")),
        "probe shore.tide: The probe fails: answered 404.",
        "gcloud run services describe tide --region=europe-west6 --project=shore",
    ),
    "approvers": (
        lambda stand: stand.config.write_text(stand.config.read_text().replace("approver_group: S0CREW0000, ", "")),
        "slack approvers of shore.tide: No approvers are configured, so nobody can approve.",
        "add approvers or approver_group",
    ),
}


@pytest.mark.parametrize("what", AMISS)
def test_what_is_amiss_is_one_line_with_what_mends_it(stand: Stand, what: str) -> None:
    spoil, told, mend = AMISS[what]
    spoil(stand)
    lines = stand.amiss()
    assert [line for line in lines if told in line and mend in line.partition(" -> ")[2]], lines


def _deployed_by(stand: Stand, how: str) -> None:
    stand.config.write_text(stand.config.read_text().replace("probe_url:", f"{how}, probe_url:"))


def _asked_in(stand: Stand, team: str, app: str) -> list[str]:
    """The state of each line about the workspace and the app, for a service that names them."""
    _deployed_by(stand, f"team: {team}, chat_app: {app}")
    return [line.split()[0] for line in stand.told()[1] if " slack workspace " in line or " slack app " in line]


def test_workspace_and_app_are_those_of_the_token(stand: Stand) -> None:
    """Every click is refused where one of them is another; the app's id stands in no answer without a further scope."""
    stand.slack.scopes = (*stand.slack.scopes, "users:read")
    assert _asked_in(stand, TEAM, APP) == ["ok", "ok"]
    assert stand.slack.called_methods.count("bots.info") == 1


def test_a_workspace_or_an_app_of_somebody_else_is_amiss(stand: Stand) -> None:
    stand.slack.scopes = (*stand.slack.scopes, "users:read")
    assert _asked_in(stand, "T0ELSEWHERE", "A0ELSEWHERE") == ["missing", "missing"]


def test_app_hidden_from_the_token_is_reported_as_unknown(stand: Stand) -> None:
    assert _asked_in(stand, TEAM, "A0ELSEWHERE") == ["ok", "unseen"]
    assert stand.told()[0] == 0


def test_an_organisation_that_a_token_is_installed_for_is_its_workspace(stand: Stand) -> None:
    stand.slack.organisation = "E0FLEET"
    assert _asked_in(stand, "E0FLEET", APP)[0] == "ok"


def test_where_no_service_names_workspace_or_app_nobody_is_asked_for_them(stand: Stand) -> None:
    assert not [line for line in stand.told()[1] if " slack workspace " in line or " slack app " in line]
    assert "bots.info" not in stand.slack.called_methods


def test_what_a_trigger_needs_is_looked_for_where_one_deploys(stand: Stand) -> None:
    stand.project.missing_permissions["redeploy"] = {"cloudbuild.builds.create"}
    assert stand.amiss() == []
    _deployed_by(stand, f"deploy_method: cloud_build, deploy_trigger: {TRIGGER}")
    [create] = stand.findings()
    assert (create["state"], create["kind"]) == (CheckState.MISSING, "role")
    assert create["name"] == "redeploy: provenfixTriggerRunner on project yard"
    assert "cloudbuild.builds.create" in create["detail"]
    options = ["--role=projects/yard/roles/provenfixTriggerRunner", "--condition=None"]
    assert create["mend"].split()[-2:] == options
    stand.project.missing_permissions = {"redeploy": {"iam.serviceAccounts.actAs"}}
    assert [line.partition(" -> ")[2].split()[4] for line in stand.amiss()] == [RUNTIME_ACCOUNT, BUILDER]


def test_a_trigger_without_an_account_asks_for_none(stand: Stand) -> None:
    _deployed_by(stand, f"deploy_method: cloud_build, deploy_trigger: {TRIGGER}")
    stand.project.overrides[f"/v1/{TRIGGER}"] = {"serviceAccount": ""}
    assert stand.amiss() == []
    stand.project.missing_paths.add(f"/v1/{TRIGGER}")
    found = stand.findings()
    assert [each["name"].partition(": ")[2] for each in found] == [f"roles/iam.serviceAccountUser on builder {TRIGGER}"]
    assert all(each["state"] == CheckState.UNKNOWN and TRIGGER in each["detail"] for each in found)


def test_what_a_workflow_needs_is_looked_for_where_one_deploys(stand: Stand) -> None:
    stand.repository.denied.add(("POST", "dispatches"))
    assert stand.amiss() == []
    _deployed_by(stand, "deploy_method: github_workflow, deploy_workflow: deploy.yml")
    [found] = stand.findings()
    assert (found["state"], found["kind"], found["name"]) == (CheckState.MISSING, "github", "acme/chat: actions write")
    assert found["mend"].endswith("actions: write on acme/chat")


def test_whether_an_apps_key_may_be_read_is_asked_of_those_who_read_it(stand: Stand) -> None:
    key = f"projects/{OPERATIONS_PROJECT}/secrets/github/versions/1"
    app = f"github: {{app: {{id: 12, installation: 7, private_key: {{secret: {key}}}}}, webhook_secret"
    text = stand.config.read_text()
    stand.config.write_text(re.sub(r"github: \{token: \{.*?\}, webhook_secret", app, text))
    stand.project.missing_permissions["investigate"] = {"secretmanager.versions.access"}
    secret = f"secret projects/{OPERATIONS_PROJECT}/secrets/github"
    wanted = f"role investigate: roles/secretmanager.secretAccessor on {secret}: It lacks"
    assert [line for line in stand.amiss() if wanted in line]


def test_credentials_that_are_slow_to_be_missed_are_looked_for_once(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def none() -> Secret:
        asked.append("once")
        raise CheckUnavailable("This machine has no usable Google credentials.", LOGIN_COMMAND)

    monkeypatch.setenv("PROVENFIX_DOUBLES", os.environ["PROVENFIX_DOUBLES"].split(" ", 1)[1])  # without Google's
    monkeypatch.setattr(accounts, "_read_default_token", none)
    assert len(stand.findings()) > 60
    assert asked == ["once"]


def test_what_only_an_administrator_sees_is_neither_amiss_nor_called_well(stand: Stand) -> None:
    stand.repository.denied.add(("GET", "hooks"))
    code, lines = stand.told()
    assert code == 0
    assert [line.split()[:3] for line in lines if not line.startswith("ok ")] == [["unseen", "github", "acme/chat:"]]


def test_whoever_may_look_at_nothing_is_told_so_line_by_line(stand: Stand) -> None:
    stand.project.sees_nothing = True
    lines = stand.amiss()
    assert all(line.startswith("unknown ") for line in lines if " topic " in line)
    assert not any("Traceback" in line for line in lines)


def test_without_a_network_there_is_a_sentence_for_each_and_no_traceback(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:  # bound and never listening: every connection is refused
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("PROVENFIX_DOUBLES", f"rest={nobody} github={nobody} slack={nobody}/api/")
        unknown = [finding for finding in stand.findings() if finding["state"] == CheckState.UNKNOWN]
        code, lines = stand.told()
    assert code == 1
    assert len(unknown) > 90
    assert all("(ConnectionRefusedError)" in finding["detail"] for finding in unknown)
    assert len([line for line in lines if line.startswith("unknown ")]) < 5


def test_without_credentials_one_line_names_the_one_command(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    doubles = os.environ["PROVENFIX_DOUBLES"].split(" ", 1)[1]
    monkeypatch.setenv("PROVENFIX_DOUBLES", doubles)  # without Google's
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    [line] = [line for line in stand.amiss() if line.endswith(f"-> {LOGIN_COMMAND}")]
    topics = [finding for finding in stand.findings() if finding["kind"] == "topic"]
    assert [finding["mend"] for finding in topics] == [LOGIN_COMMAND] * 7
    assert line.startswith("unknown ")


def test_json_says_the_same(stand: Stand) -> None:
    stand.project.missing_paths.add(f"/v1/projects/{OPERATIONS_PROJECT}/topics/provenfix-tick")
    assert run_doctor(stand.config, "", "json") == 1
    out, err = stand.capsys.readouterr()
    assert "PLANTED" not in out + err
    told = json.loads(out)
    assert {frozenset(each) for each in told} == {frozenset(("kind", "name", "state", "detail", "mend"))}
    [wrong] = [each for each in told if each["state"] == "missing"]
    assert (wrong["kind"], wrong["name"]) == ("topic", "provenfix-tick")


def test_an_answer_that_repeats_a_secret_is_not_repeated(stand: Stand) -> None:
    bot = PLANTED[f"projects/{OPERATIONS_PROJECT}/secrets/bot/versions/1"]
    stand.slack.token = ""
    stand.slack.channels.clear()
    stand.rest.extra_routes.insert(
        0, lambda asked: FakeResponse(200, {"version": bot}) if asked.path == COMPILE else None
    )
    assert len(stand.amiss()) >= 3  # the reader looks for what was planted


def test_checks_are_independent_and_bounded_in_time() -> None:
    held = socket.socketpair()

    def hangs() -> CheckResult:
        held[0].recv(1)
        return build_ok_result()

    def breaks() -> CheckResult:
        raise KeyError("PLANTED")

    def asks() -> CheckResult:
        raise CheckUnavailable("Nobody is there.", "call somebody")

    checks = [Check("a", str(place), look) for place, look in enumerate((hangs, breaks, asks, build_ok_result))]
    found = [found for _, found in runner.run_checks(checks, lambda _: None, timeout_seconds=0.3)]
    for each in held:
        each.close()
    assert [each.state for each in found] == [CheckState.UNKNOWN, CheckState.UNKNOWN, CheckState.UNKNOWN, CheckState.OK]
    late, broken, asked = (each.detail for each in found[:3])
    assert " 0 seconds" in late
    assert ("KeyError" in broken, "PLANTED" in broken) == (True, False)
    assert (asked, found[2].remedy) == ("Nobody is there.", "call somebody")


def test_only_a_user_names_the_billed_project(stand: Stand) -> None:
    """Google's APIs refuse a person's request that counts for no project; an account's counts for its own."""
    charged: dict[str, set[str]] = {}

    def look(asked: FakeRequest) -> None:
        if "googleapis.com/" in asked.path:
            who = "the person" if asked.headers.get("authorization") == "Bearer of-this-machine" else "an account"
            charged.setdefault(who, set()).add(asked.headers.get("x-goog-user-project", ""))

    stand.rest.extra_routes.insert(0, look)
    stand.told()
    assert charged == {"the person": {OPERATIONS_PROJECT}, "an account": {""}}


def test_no_token_follows_a_redirect(stand: Stand) -> None:
    away = FakeResponse(302, {}, {"Location": f"{stand.rest.address}/caught"})
    stand.rest.extra_routes.insert(0, lambda asked: away if asked.path.endswith("/topics/provenfix-tick") else None)
    answer = http.GoogleClient(lambda: Secret("PLANTED"), stand.rest.address).call(
        "GET", "pubsub.googleapis.com", f"/v1/projects/{OPERATIONS_PROJECT}/topics/provenfix-tick"
    )
    assert answer.status == 302


def test_where_provenfix_only_looks_no_right_to_act_and_nothing_of_slack_is_looked_for(stand: Stand) -> None:
    """Each of the accounts that are not there would be unknown otherwise."""
    text = re.sub(r"(?m)^slack: .*\n", "", "read_only: issue\n" + stand.config.read_text("utf-8"))
    stand.config.write_text(re.sub(r", webhook_secret: \{[^}]*\}", "", text), "utf-8")
    stand.project.missing_permissions.update(
        {"verify": {"run.services.update", "iam.serviceAccounts.actAs"}, "redeploy": {"run.services.get"}}
    )
    code, lines = stand.told()
    assert (code, [line for line in lines if not line.startswith("ok ")]) == (0, [])
    assert not [line for line in lines if " slack " in line or "redeploy" in line or "decide" in line]
    assert [line for line in lines if " topic provenfix-tick" in line]


@pytest.mark.parametrize("is_on", [True, False])
def test_with_socket_mode_the_app_token_is_tried_and_no_signing_secret_looked_for(stand: Stand, *, is_on: bool) -> None:
    secret = f"projects/{OPERATIONS_PROJECT}/secrets/app/versions/1"
    text = stand.config.read_text("utf-8")
    changed = re.sub(r"signing_secret: \{[^}]*\}", f"socket_mode: true, app_token: {{secret: {secret}}}", text)
    stand.config.write_text(changed, "utf-8")
    stand.slack.has_socket_mode = is_on
    code, lines = stand.told()
    assert not [line for line in lines if "signing" in line]
    (line,) = [line for line in lines if " slack Socket Mode" in line]
    assert (line.startswith("ok "), code) == (is_on, 0 if is_on else 1)
    assert [line for line in lines if "secrets/app" in line or "slack.app_token" in line]


def test_without_a_webhook_secret_the_function_for_it_is_not_looked_for(stand: Stand) -> None:
    text = stand.config.read_text("utf-8")
    stand.config.write_text(re.sub(r", webhook_secret: \{[^}]*\}", "", text), "utf-8")
    stand.project.missing_permissions.update({"github": {"pubsub.topics.publish"}})
    code, lines = stand.told()
    assert (code, [line for line in lines if " role github: " in line]) == (0, [])


DEFAULT_SINK = "/v2/projects/shore/sinks/_Default"
REQUESTS = 'resource.type="cloud_run_revision" AND LOG_ID("run.googleapis.com/requests")'
EXCLUSIONS = {
    "nothing": ([], ""),
    "the requests, which Monitoring counts": ([{"name": "no-requests", "filter": REQUESTS}], ""),
    "another kind of thing": ([{"name": "vms", "filter": 'resource.type="gce_instance" severity<ERROR'}], ""),
    "what is disabled": ([{"name": "old", "filter": "severity<ERROR", "disabled": True}], ""),
    "what services print": ([{"name": "no-stdout", "filter": 'LOG_ID("run.googleapis.com/stdout")'}], "no-stdout"),
    "requests and more": ([{"name": "both", "filter": f'{REQUESTS} OR LOG_ID("run.googleapis.com/stderr")'}], "both"),
    "all that is no error": ([{"name": "quiet", "filter": "severity<ERROR"}], "quiet"),
}


@pytest.mark.parametrize("what", EXCLUSIONS)
def test_what_the_default_sink_leaves_out_is_seen(stand: Stand, what: str) -> None:
    exclusions, named = EXCLUSIONS[what]
    stand.project.overrides[DEFAULT_SINK] = {"exclusions": exclusions}
    code, lines = stand.told()
    (line,) = (line for line in lines if "sink _Default of shore" in line)
    assert code == 0
    assert line.startswith("unseen " if named else "ok ")
    assert named in line


def test_a_log_that_is_kept_elsewhere_is_looked_for_there(stand: Stand) -> None:
    """Where nothing is kept, every look around a failure would be inconclusive."""
    stand.project.overrides[DEFAULT_SINK] = {"disabled": True}
    (line,) = stand.amiss()
    assert line.startswith("missing  sink _Default of shore")
    text = stand.config.read_text("utf-8").replace("project: shore,", "project: shore, log_project: shore-logs,")
    stand.config.write_text(text, "utf-8")
    assert stand.amiss() == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (FakeResponse(503, {"ok": False}), "Slack answered 503; try again."),
        (
            FakeResponse(429, {"ok": False, "error": "ratelimited"}, {"retry-after": "1"}),
            "Slack answered 429; try again.",
        ),
        (FakeResponse(502), "Slack answered 502; try again."),
        (FakeResponse(200), "Slack refuses the token: an unknown error."),
        (FakeResponse(200, [1]), "Slack did not answer (no JSON object)."),
        (FakeResponse(200, {"ok": False, "error": "<script>"}), "Slack refuses the token: an unknown error."),
        (FakeResponse(200, {}, lost_by="timeout"), "Slack did not answer (RemoteDisconnected)."),
    ],
)
def test_a_slack_that_gives_no_answer_is_one_sentence_and_is_asked_once(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, answer: FakeResponse, sentence: str
) -> None:
    asked: list[str] = []

    def respond(request: FakeRequest) -> FakeResponse:
        asked.append(request.path)
        return answer

    monkeypatch.setattr(stand.slack, "answer", respond)
    found = [finding for finding in stand.findings() if finding["kind"] == "slack"]
    assert found[0]["detail"] == sentence
    assert asked.count("/api/auth.test") == 1


def test_without_slacks_client_a_sentence_says_what_to_install(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_slack, "single_call", _Missing())
    found = {finding["detail"] for finding in stand.findings() if finding["kind"] == "slack"}
    assert found == {"This needs what a light installation leaves out: install provenfix[slack]."}


class _Missing:
    """A module of which a library is not installed, as `shared.lazy_modules` binds it."""

    def __getattr__(self, name: str) -> object:
        raise ModuleNotFoundError(name="slack_sdk")
