"""A setup against programs, Slack and GitHub that behave as theirs do: it ends at the first incident, and goes on."""

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import yaml

from functions.local.topology import READ_ONLY_FUNCTIONS
from functions.setup import plan
from functions.setup.adapters.programs import LocalPrograms
from functions.setup.answers import merge_answers
from functions.setup.questions import complete_answers
from functions.setup.run_setup import require_secrets, run_steps, undo_steps
from functions.setup.step import StepName
from shared.config.loader import read_configuration
from shared.errors import InputError, UsageError
from tests.support.github.api_description import DescriptionChecker
from tests.support.setup.world import (
    APPROVER,
    CHANNEL,
    OWNER,
    PRIVATE_KEY,
    PROJECT,
    SECRETS,
    WATCHED,
    SetupWorld,
    open_setup_world,
    query_of,
    write_programs,
)
from tests.support.slack.workspace import APP, TEAM

MAX_QUESTIONS = 8


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SetupWorld]:
    with open_setup_world(tmp_path) as opened:
        yield opened


def run(world: SetupWorld, **answers: object) -> None:
    """As one call of the command: everything that it knows is in the state file."""
    session = world.open_session()
    session.state = replace(session.state, answers=merge_answers(session.answers, answers))
    complete_answers(session, is_present=True)
    run_steps(session)


def test_from_an_empty_project_to_the_end_of_the_first_incident(world: SetupWorld) -> None:
    run(world)
    assert len(world.person.questions) <= MAX_QUESTIONS
    project = world.read()
    assert project["applied"] == 1
    assert set(plan.APIS) <= set(project["apis"])
    assert project["identities"] == ["pubsub"]
    assert [len(secret["versions"]) for secret in project["secrets"].values()] == [1, 1, 1, 1]
    assert {secret["locations"] for secret in project["secrets"].values()} == {"europe-west1"}
    assert project["secrets"][plan.GITHUB_APP_KEY]["versions"] == [PRIVATE_KEY]
    assert project["buckets"] == {f"gs://{PROJECT}-provenfix-state": {"versioning": True}}
    assert [entry["labels"]["service_name"] for entry in project["entries"]] == ["chat"]
    assert any("file_not_found" in line for line in world.person.lines)
    assert [line for line in world.person.lines if "opened i-" in line] == ["record: opened i-0001"]


def test_the_same_with_programs_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes, pipes and exit codes are real; a secret reaches them by its pipe alone."""
    monkeypatch.setenv("PATH", f"{write_programs(tmp_path)}:/usr/bin:/bin")
    monkeypatch.setenv("SETUP_WORLD", str(tmp_path))
    with open_setup_world(tmp_path, LocalPrograms()) as world:
        run(world)
        project = world.read()
    assert project["applied"] == 1
    assert project["secrets"][plan.GITHUB_APP_KEY]["versions"] == [PRIVATE_KEY]
    assert [call for call in project["calls"] for secret in SECRETS if secret.strip() in call] == []


def test_the_file_that_is_written_names_what_was_found(world: SetupWorld) -> None:
    run(world)
    file = read_configuration(world.paths.config)
    (service,) = (entry.service for entry in file.services)
    assert (service.project, service.name, service.region) == (WATCHED, "chat", "europe-west1")
    assert (service.channel, service.approvers, service.team, service.chat_app) == (CHANNEL, (APPROVER,), TEAM, APP)
    assert file.github is not None
    assert file.github.app is not None
    assert (file.github.app.id, file.github.app.installation) == ("9001", 4711)
    assert file.github.app.private_key.secret == f"projects/{PROJECT}/secrets/{plan.GITHUB_APP_KEY}/versions/1"
    assert file.slack is not None


def test_no_secret_is_on_the_disk_in_an_argument_or_on_the_terminal(world: SetupWorld) -> None:
    run(world)
    texts = [*world.read()["calls"], *world.person.lines, *world.person.pages]
    texts += [file.read_text("utf-8", "replace") for file in world.paths.folder.rglob("*") if file.is_file()]
    texts.append(world.paths.config.read_text("utf-8"))
    assert len(texts) > 50
    for secret in SECRETS:
        assert [text for text in texts if secret.strip() in text] == []


def test_the_rights_to_ask_as_each_account_are_bounded_and_taken_back(world: SetupWorld) -> None:
    world.doctor_codes = [1, 1, 0]  # the grants have not arrived yet
    run(world)
    project = world.read()
    assert project["granted"] == len(plan.CHECKED_FUNCTIONS)
    assert project["bindings"] == []
    added = world.calls("gcloud iam service-accounts add-iam-policy-binding")
    assert all("--condition=title=provenfix-setup,expression=request.time < timestamp(" in call for call in added)


def test_the_providers_are_pinned_for_other_machines_as_well(world: SetupWorld) -> None:
    """What Terraform writes by itself is refused on any other platform."""
    run(world)
    locked = (world.paths.root / ".terraform.lock.hcl").read_text("utf-8")
    assert set(locked.split()) == set(plan.LOCKED_PLATFORMS)
    init, lock, *_ = (call.split()[2] for call in world.calls("terraform"))
    assert (init, lock) == ("init", "providers")


def test_only_the_user_may_read_the_state(world: SetupWorld) -> None:
    run(world)
    assert stat.S_IMODE((world.paths.folder / "setup.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(world.paths.folder.stat().st_mode) == 0o700


def test_the_pages_are_given_the_addresses_that_the_functions_will_have(world: SetupWorld) -> None:
    run(world)
    decide, github = (f"https://provenfix-{name}-417002331.europe-west1.run.app" for name in ("decide", "github"))
    (slack,) = (page for page in world.person.pages if page.startswith("https://api.slack.com/apps?"))
    assert f"request_url: {decide}" in query_of(slack)["manifest_yaml"]
    (manifest,) = world.registry.manifests
    assert manifest["hook_attributes"] == {"url": github, "active": True}
    assert manifest["public"] is False
    assert len(manifest["name"]) <= 34


def test_githubs_answers_are_those_that_it_describes(world: SetupWorld) -> None:
    """The fake's answers to the exchange of the code, and ours to its page."""
    run(world)
    checker = DescriptionChecker()
    for verb, path, told in world.registry.exchanges:
        answer = requests.Response()
        answer.status_code, answer._content = told.status, json.dumps(told.value).encode()
        checker.check(verb, f"https://api.github.com{path}", None, answer)
    assert checker.checked == {"users/get-by-username": 1, "apps/create-from-manifest": 1}


Fault = Callable[[SetupWorld], object]


def _fails(command: str, times: int = 1) -> Fault:
    return lambda world: world.change(fail=[command] * times)


def _lose_slack(world: SetupWorld) -> None:
    world.slack.token = "xoxb-another-one"


def _leave_channel(world: SetupWorld) -> None:
    world.slack.channels[CHANNEL] = False


def _break_github(world: SetupWorld) -> None:
    world.registry.unavailable = 1


FAULTS: dict[StepName, Fault] = {
    StepName.PROJECT: _fails("gcloud billing"),
    StepName.CREDENTIALS: _fails("gcloud auth application-default login"),
    StepName.APIS: _fails("gcloud services enable"),
    StepName.IDENTITIES: _fails("gcloud beta"),
    StepName.STATE: _fails("gcloud storage buckets update"),
    StepName.SECRETS: _fails("gcloud secrets create provenfix-github-app-key"),
    StepName.SLACK_APP: _lose_slack,
    StepName.SLACK_CHANNEL: _leave_channel,
    StepName.GITHUB_APP: _break_github,
    StepName.GITHUB_INSTALLATION: lambda world: setattr(world.registry, "forgotten", 1),
    StepName.CONFIGURATION: lambda world: world.paths.config.write_text("version: 1  # mine\n", "utf-8"),
    StepName.BUNDLE: lambda world: setattr(world, "bundle_errors", 1),
    StepName.TERRAFORM: _fails("terraform -chdir=", 1),
    StepName.DOCTOR: lambda world: setattr(world, "doctor_codes", [1] * 5),
    StepName.TRIAL: _fails("gcloud logging write"),
}


def _mend(world: SetupWorld) -> None:
    """What a person does before the command is run again."""
    world.slack.token = SECRETS[0]
    world.slack.channels[CHANNEL] = True
    if world.paths.config.exists() and "# mine" in world.paths.config.read_text("utf-8"):
        world.paths.config.unlink()


def test_each_step_fails_once_and_the_next_run_goes_on_there(world: SetupWorld) -> None:
    assert list(FAULTS) == list(StepName)
    complete_answers(world.open_session(), is_present=True)
    asked = len(world.person.questions)
    for name, fault in FAULTS.items():
        fault(world)
        with pytest.raises((InputError, UsageError)) as stopped:
            run(world)
        assert str(stopped.value).count("\n") == 0
        state = world.open_session().state
        assert not state.steps[name].fingerprint, name
        assert all(state.steps[other].fingerprint for other in list(StepName)[: list(StepName).index(name)]), name
        _mend(world)
    run(world)
    project = world.read()
    assert project["applied"] == 1
    assert [len(secret["versions"]) for secret in project["secrets"].values()] == [1, 1, 1, 1]
    assert (world.registry.converted, len(world.slack.messages), len(project["entries"])) == (1, 1, 1)
    assert project["bindings"] == []
    assert len(world.person.questions) - asked == 1 + 2  # Slack's token, which it refused; then both secrets


def test_an_apps_key_is_stored_again_at_once_because_github_shows_it_only_once(world: SetupWorld) -> None:
    complete_answers(world.open_session(), is_present=True)
    world.change(fail=["gcloud secrets versions add provenfix-github-app-key"] * 2)
    run(world)
    assert world.registry.converted == 1
    assert world.read()["secrets"][plan.GITHUB_APP_KEY]["versions"] == [PRIVATE_KEY]


def test_an_app_whose_key_is_lost_is_named_and_another_one_registered(world: SetupWorld) -> None:
    world.change(fail=["gcloud secrets versions add provenfix-github-app-key"] * 3)
    with pytest.raises(InputError):
        run(world)
    run(world)
    assert any("its key is lost" in line and f"provenfix-{OWNER}" in line for line in world.person.lines)
    assert world.registry.converted == 2


def test_nothing_is_applied_without_consent(world: SetupWorld) -> None:
    world.person.refuses = 1
    with pytest.raises(InputError):
        run(world)
    assert world.read()["applied"] == 0
    run(world)
    assert world.read()["applied"] == 1


def test_what_is_done_is_not_done_again(world: SetupWorld) -> None:
    run(world)
    calls, questions = len(world.read()["calls"]), len(world.person.questions)
    run(world)
    assert (len(world.read()["calls"]), len(world.person.questions)) == (calls, questions)


def test_another_answer_repeats_what_follows_from_it(world: SetupWorld) -> None:
    run(world)
    run(world, approvers=("U0ANNE0000", "U0BELA0000"))
    assert read_configuration(world.paths.config).services[0].approvers == ("U0ANNE0000", "U0BELA0000")
    project = world.read()
    assert (project["applied"], world.registry.converted) == (2, 1)
    assert [len(secret["versions"]) for secret in project["secrets"].values()] == [1, 1, 1, 1]


def test_who_only_looked_gets_the_rest_later(world: SetupWorld) -> None:
    run(world, read_only="log")
    assert {account.removeprefix("provenfix-") for account in world.read()["accounts"]} == set(READ_ONLY_FUNCTIONS)
    assert list(world.read()["secrets"]) == [plan.GITHUB_APP_KEY]
    assert "issues" not in world.registry.manifests[0]["default_permissions"]
    assert world.registry.manifests[0]["default_events"] == []
    session = world.open_session()
    session.keep(replace(session.state, answers=replace(session.answers, read_only="")))
    run(world)
    assert len(world.person.questions) <= MAX_QUESTIONS
    assert len(world.read()["accounts"]) == len(plan.CHECKED_FUNCTIONS)
    file = read_configuration(world.paths.config)
    assert (file.read_only, file.services[0].channel) == ("", CHANNEL)


def test_where_nothing_may_be_reached_from_outside_clicks_come_over_a_connection(world: SetupWorld) -> None:
    run(world, socket_mode=True)
    assert len(world.person.questions) <= MAX_QUESTIONS
    assert set(world.read()["secrets"]) == {plan.SLACK_APP_TOKEN, plan.SLACK_BOT_TOKEN, plan.GITHUB_APP_KEY}
    file = read_configuration(world.paths.config)
    assert file.slack is not None
    assert (file.slack.socket_mode, file.slack.signing_secret) == (True, None)
    assert file.github is not None
    assert file.github.webhook_secret is None
    assert world.registry.manifests[0]["hook_attributes"]["active"] is False
    (address,) = [page for page in world.person.pages if "manifest_yaml" in page]
    settings = yaml.safe_load(query_of(address)["manifest_yaml"])["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}
    assert world.read()["applied"] == 1


@pytest.mark.parametrize(
    ("answers", "unset"),
    [
        ({}, ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET")),
        ({"socket_mode": True}, ("SLACK_APP_TOKEN",)),
        ({"github_app": "41", "installation": 7}, ("GITHUB_APP_KEY", "GITHUB_WEBHOOK_SECRET")),
        ({"github_app": "41", "installation": 7, "read_only": "log"}, ("GITHUB_APP_KEY",)),
    ],
)
def test_a_secret_that_nobody_can_type_is_missed_before_anything_is_made(
    world: SetupWorld, answers: dict[str, object], unset: tuple[str, ...]
) -> None:
    world.person.unset = unset
    session = world.open_session()
    session.state = replace(session.state, answers=merge_answers(session.answers, answers))
    complete_answers(session, is_present=True)
    with pytest.raises(UsageError, match=", ".join(unset)):
        require_secrets(session)
    assert world.read()["secrets"] == {}
    world.person.unset = ()
    require_secrets(session)


def test_a_redirect_of_another_registration_is_refused(world: SetupWorld) -> None:
    """A user who guesses the port cannot put an App of their own in the place of this one."""
    world.registry.intruder = "code=theirs&state=guessed"
    run(world)
    assert world.registry.intruded == [403]
    assert world.registry.converted == 1


def test_a_teardown_takes_back_all_of_it_and_goes_on_after_each_failure(world: SetupWorld) -> None:
    run(world)
    for command in ("terraform", "gcloud secrets delete provenfix-github-webhook-secret", "gcloud storage rm"):
        world.change(fail=[command])
        with pytest.raises(InputError):
            undo_steps(world.open_session())
        assert world.read()["buckets"], "the state of what is not destroyed yet"
    undo_steps(world.open_session())
    project = world.read()
    assert (project["applied"], project["secrets"], project["buckets"], project["bindings"]) == (0, {}, {}, [])
    assert project["released"]
    assert not (world.paths.folder / "setup.json").exists()
    assert any("https://github.com/apps" in line or "Delete the GitHub App" in line for line in world.person.lines)


def test_a_setup_that_stopped_early_is_taken_back_as_well(world: SetupWorld) -> None:
    world.change(fail=["gcloud secrets create provenfix-github-webhook-secret"])
    with pytest.raises(InputError):
        run(world)
    undo_steps(world.open_session())
    assert (world.read()["secrets"], world.read()["buckets"]) == ({}, {})
    assert world.calls("terraform") == []


def test_a_project_without_billing_is_told_with_the_command(world: SetupWorld) -> None:
    world.change(projects={PROJECT: {"billing": False}, WATCHED: {"billing": True}})
    with pytest.raises(InputError, match="gcloud billing projects link reef-ops"):
        run(world)
    assert world.read()["apis"] == []
