"""The stand-ins of one machine: they keep what they receive in the store, and are found by a second process."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import DeployedCompilers, LocalCompilers
from shared.adapters.slack.interaction import build_denial_dialog
from shared.adapters.slack.message_layout import build_detail_blocks, build_message_body
from shared.adapters.standins.chat_and_issues import DIALOGS_KIND, GROUPS_KIND
from shared.adapters.standins.simulated_platform import FolderLogs, NoChecks, NoProbe
from shared.config.secret_references import Secrets
from shared.config.settings import Settings
from shared.credentials import build_secret_reader
from shared.errors import Reject, UsageError
from shared.ports import IssueState, ReasonDialog
from shared.proof.model.compilation import Source
from shared.proof.model.target import CheckStatus
from shared.proposal.decision import ClickKind
from shared.proposal.proposal import Message
from shared.proposal.rollout import DeploymentProgress
from shared.proposal.states import ProposalStatus
from shared.secret import Secret, SecretReference, SecretSource
from shared.service import Service
from shared.wiring import build_context
from shared.workflow.context import Context
from tests.support.harness import button_click

SERVICE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
OTHER = Service("ebb", "shore", "europe-west6", "harbour/ebb", "C2")
MESSAGE = Message(
    "p-1", "i-1", "c" * 40, "e" * 16, "Title", ("one", "two"), "url", ProposalStatus.OPEN, datetime.now(UTC)
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(local_folder=tmp_path, sqlite_folder=tmp_path, services={SERVICE.id: SERVICE})


@pytest.fixture
def here(settings: Settings) -> Context:
    return build_context(settings)


def test_an_issue_is_found_by_its_marker_from_another_process(here: Context, settings: Settings) -> None:
    opened = here.issues.open(SERVICE, "<!-- m -->", "Title", "<!-- m -->\nBody")
    assert opened.number == 1
    assert build_context(settings).issues.find(SERVICE, "<!-- m -->") == opened
    assert here.issues.find(OTHER, "<!-- m -->") is None
    assert here.issues.find(SERVICE, "<!-- n -->") is None


def test_issues_are_numbered_by_repository(here: Context) -> None:
    numbers = [
        here.issues.open(service, str(n), "t", "b").number for n, service in enumerate((SERVICE, SERVICE, OTHER))
    ]
    assert numbers == [1, 2, 1]


def test_an_issue_is_commented_and_closed_and_stays_closed(here: Context) -> None:
    number = here.issues.open(SERVICE, "m", "t", "m b").number
    assert not here.issues.has_comment(SERVICE, number, "k1")
    here.issues.comment(SERVICE, number, "k1", "k1 words")
    assert here.issues.has_comment(SERVICE, number, "k1")
    assert here.issues.state(SERVICE, number) == IssueState(is_open=True, labels=frozenset(), body="m b")
    for _ in range(2):
        here.issues.close(SERVICE, number)
    assert here.issues.state(SERVICE, number) == IssueState(is_open=False, labels=frozenset(), body="m b")


def test_a_label_that_a_person_adds_in_the_store_is_seen(here: Context) -> None:
    number = here.issues.open(SERVICE, "m", "t", "m b").number
    (stored,) = here.store.find("local-issues", "marker", "m")
    here.store.replace("local-issues", stored.key, {**stored.value, "labels": ["provenfix:wrong"]}, stored.version)
    assert here.issues.state(SERVICE, number).labels == {"provenfix:wrong"}


def test_what_does_not_exist_is_refused(here: Context) -> None:
    with pytest.raises(Reject, match="no_such_issue"):
        here.issues.close(SERVICE, 7)
    with pytest.raises(Reject, match="no_such_message"):
        here.chat.update(SERVICE, "nowhere", MESSAGE)
    with pytest.raises(Reject, match="no_such_operation"):
        here.deployer.state(SERVICE, "nothing")


def test_a_message_is_found_by_its_marker_and_updated(here: Context, settings: Settings) -> None:
    reference = here.chat.post(SERVICE, "p-1", MESSAGE)
    assert build_context(settings).chat.find(SERVICE, "p-1") == reference
    assert here.chat.find(SERVICE, "p-2") is None
    here.chat.update(SERVICE, reference, MESSAGE)
    stored = here.store.read("local-messages", reference)
    assert stored is not None
    assert stored.value["updates"] == 1


def test_beside_a_message_lies_what_slack_would_get_of_it(here: Context) -> None:
    reference = here.chat.post(SERVICE, "p-1", MESSAGE)
    for message in (MESSAGE, replace(MESSAGE, standing=ProposalStatus.DENIED, by="U0MIRA")):
        here.chat.update(SERVICE, reference, message)
        stored = here.store.read("local-messages", reference)
        assert stored is not None
        assert stored.value["body"] == json.loads(json.dumps(build_message_body(SERVICE, message)))


def test_thread_reply_is_stored_as_sent_to_slack(here: Context) -> None:
    reference = here.chat.post(SERVICE, "p-1", MESSAGE)
    here.chat.reply(SERVICE, reference, "d-1", ["one", "`two` <b>"])
    [stored] = here.store.find("local-replies", "message", reference)
    text, blocks = build_detail_blocks(["one", "`two` <b>"])
    assert stored.value["body"] == {"text": text, "blocks": json.loads(json.dumps(blocks))}


def test_a_dialog_is_kept_under_the_click_that_asked_for_it(here: Context) -> None:
    assert isinstance(here.chat, ReasonDialog)
    asked = button_click(MESSAGE, ClickKind.DENY)
    here.chat.open_reason_dialog(asked)
    stored = here.store.read(DIALOGS_KIND, asked.token)
    assert stored is not None
    assert stored.value == {"user": asked.user, "view": json.loads(json.dumps(build_denial_dialog(asked)))}


def test_members_of_a_group_are_a_document(here: Context) -> None:
    assert here.chat.list_group_members("S1") == ()
    here.store.create(GROUPS_KIND, "S1", {"members": ["U1", "U2"]})
    assert list(here.chat.list_group_members("S1")) == ["U1", "U2"]


def test_before_anything_is_deployed_here_a_revision_has_no_commit(here: Context) -> None:
    serving = here.revisions.get_service_state(SERVICE)
    assert (serving.revision.commit, list(serving.traffic.values())) == (None, [100])
    logged = here.revisions.get_revision(SERVICE, "tide-00007-abc")
    assert logged is not None
    assert (logged.name, logged.commit) == ("tide-00007-abc", None)


def test_deployment_is_found_by_marker_and_gets_traffic_on_shift(here: Context, settings: Settings) -> None:
    before = here.revisions.get_service_state(SERVICE)
    operation = here.deployer.start(SERVICE, "p-1", "c" * 40, before.etag)
    assert build_context(settings).deployer.find(SERVICE, "p-1") == operation
    done = here.deployer.state(SERVICE, operation)
    assert done.progress is DeploymentProgress.DONE
    assert here.revisions.get_service_state(SERVICE).revision == before.revision
    here.deployer.shift_traffic(SERVICE, done.revision, 10)
    assert here.revisions.get_service_state(SERVICE).traffic == {done.revision: 10, before.revision.name: 90}
    here.deployer.shift_traffic(SERVICE, done.revision, 100)
    serving = here.revisions.get_service_state(SERVICE)
    assert (serving.revision.commit, serving.traffic) == ("c" * 40, {done.revision: 100})


def test_a_deployment_against_an_older_state_is_refused(here: Context) -> None:
    etag = here.revisions.get_service_state(SERVICE).etag
    here.deployer.start(SERVICE, "p-1", "c" * 40, etag)
    with pytest.raises(Reject, match="stale"):
        here.deployer.start(SERVICE, "p-2", "d" * 40, etag)


def logged(at: datetime, text: str, **labels: str) -> str:
    resource = {"project_id": "shore", "service_name": "tide", "revision_name": "tide-1"} | labels
    log = labels.pop("log", "run.googleapis.com%2Fstderr")
    entry = {"timestamp": at.isoformat(), "insertId": text, "logName": f"projects/shore/logs/{log}"}
    return json.dumps(entry | {"textPayload": text, "labels": {"instanceId": "i"}, "resource": {"labels": resource}})


def test_log_folder_answers_neighbours_requests_and_entries(tmp_path: Path) -> None:
    at = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
    near, far = at + timedelta(seconds=2), at + timedelta(seconds=60)
    lines = [logged(far, "far"), logged(near, "near"), logged(at, "first"), logged(at, "ebb", service_name="ebb")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (tmp_path / "b.jsonl").write_text(logged(far, "GET", log="run.googleapis.com%2Frequests"))
    logs = FolderLogs(tmp_path)
    first = logs.read_entries(SERVICE, at, at)[0]
    assert [one.text for one in logs.read_neighbours(first)] == ["first", "near"]
    assert [one.text for one in logs.read_entries(SERVICE, near, far)] == ["near", "far", "GET"]
    assert [logs.count_requests(SERVICE, "tide-1", since) for since in (at, far + timedelta(seconds=1))] == [1, 0]
    assert FolderLogs(tmp_path / "none").read_entries(SERVICE, at, far) == []


def test_who_cannot_be_asked_says_so() -> None:
    assert NoChecks().get_status(SERVICE, "c") is CheckStatus.UNKNOWN
    assert "nobody has connected" in NoProbe().check(SERVICE).detail


class TestWiring:
    def test_in_the_cloud_an_adapter_that_is_missing_says_so_when_it_is_asked(self) -> None:
        cloud = build_context(Settings(project="shore"))
        with pytest.raises(UsageError, match=r"'issues'.*\bgithub\.token\b"):
            cloud.issues.find(SERVICE, "m")
        with pytest.raises(UsageError, match=SERVICE.repository):
            cloud.open_history(SERVICE)

    def test_without_a_project_there_is_no_world(self) -> None:
        with pytest.raises(UsageError, match="set PROVENFIX_PROJECT"):
            build_context(Settings())

    def test_the_switch_in_the_store_stops_deployments(self, here: Context) -> None:
        assert not here.is_kill_switch_on("shore.tide")
        here.store.create("switches", "kill", {"by": "U1"})
        assert here.is_kill_switch_on("shore.tide")

    def test_the_switch_of_the_settings_stops_deployments(self, settings: Settings) -> None:
        assert build_context(replace(settings, kill_switch=True)).is_kill_switch_on("shore.tide")

    def test_a_secret_of_the_environment_is_read_when_it_is_needed(self) -> None:
        reference = SecretReference(SecretSource.ENVIRONMENT, "SIGNING")
        held = Settings(secrets=Secrets(slack_signing_secret=reference, values={"SIGNING": Secret("hush")}))
        assert build_secret_reader(held, reference, "slack.signing_secret")().reveal() == "hush"

    def test_a_secret_that_is_missing_is_named(self) -> None:
        with pytest.raises(UsageError, match=r"^slack\.signing_secret (?!.*SIGNING)"):
            build_secret_reader(Settings(), None, "slack.signing_secret")()
        with pytest.raises(UsageError, match=r"^slack\.signing_secret .*\bSIGNING\b"):
            build_secret_reader(
                Settings(), SecretReference(SecretSource.ENVIRONMENT, "SIGNING"), "slack.signing_secret"
            )()


def test_threads_take_turns_with_an_interpreter() -> None:
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = LocalCompilers()
    compilers = DeployedCompilers({}, lambda _: Secret(""), found)
    sources = [Source(f"{n}.py", b"x = (\n" * (n % 2) + b"y = 1\n" * n) for n in range(400)]
    try:
        with ThreadPoolExecutor(8) as pool:
            verdicts = list(pool.map(lambda source: compilers.compiler_for(running).compile(source).compiles, sources))
        assert verdicts == [n % 2 == 0 for n in range(400)]
        assert compilers.compiler_for(running) is compilers.compiler_for(running)
        assert found.processes_started == 1
    finally:
        compilers.close()
