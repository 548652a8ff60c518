"""A question promises what follows where it is asked: a platform's steps, a command's run, or nothing at all."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from shared.adapters.slack.deploy_commands import deploy_command
from shared.adapters.slack.interaction import APPROVE, DENY
from shared.config.settings import Settings, read_all_settings
from shared.proposal.state_words import QUESTION_WORDS
from shared.proposal.states import ProposalStatus
from shared.service import RolloutMode, Service
from tests.support.proof_samples import HEAD
from tests.support.slack.questions import SERVICE, button_elements, question_message, thread_text, visible_text
from tests.support.slack.rendering import render_message

FILE = {
    "services": [
        {
            "name": "tide",
            "project": "shore",
            "region": "europe-west6",
            "repository": "./tide",
            "channel": "C1",
            "probe_url": "wss://tide.example/ws",
        }
    ]
}
COMMAND = replace(
    SERVICE, rollout_mode=RolloutMode.COMMAND, deploy_command=("./deploy.sh", "{commit}"), traffic_steps=(100,)
)
BY_HAND = replace(SERVICE, rollout_mode=RolloutMode.MANUAL, repository="/srv/chat", traffic_steps=(100,))


def settings(folder: Path, platform: str, **more: object) -> Settings:
    service = {**FILE["services"][0], **more}
    (folder / "own.yaml").write_text(json.dumps({"services": [service]}), "utf-8")
    variables = {"PROVENFIX_CONFIG": str(folder / "own.yaml"), "PROVENFIX_EMBEDDED": str(folder)}
    return read_all_settings(variables | ({"PROVENFIX_PLATFORM": platform} if platform else {}))


@pytest.mark.parametrize(
    ("platform", "more", "acting", "steps"),
    [
        ("", {}, RolloutMode.PLATFORM, (10, 50, 100)),
        ("served", {"deploy_command": ["true"]}, RolloutMode.PLATFORM, (10, 50, 100)),
        ("watched", {}, RolloutMode.MANUAL, (100,)),
        ("watched", {"deploy_command": ["true"], "traffic_steps": [5, 100]}, RolloutMode.COMMAND, (100,)),
    ],
)
def test_what_acts_follows_from_where_it_runs(
    tmp_path: Path, platform: str, more: dict[str, object], acting: RolloutMode, steps: tuple[int, ...]
) -> None:
    (service,) = settings(tmp_path, platform, **more).services.values()
    assert (service.rollout_mode, service.traffic_steps) == (acting, steps)


def test_without_a_deployer_the_command_replaces_the_button() -> None:
    sent = render_message(BY_HAND, question_message())
    assert button_elements(sent) == {}
    text = visible_text(sent)
    checkout, _, deploy = deploy_command(BY_HAND, HEAD.id).partition(" && ")
    assert shlex.split(checkout) == ["git", "-C", "/srv/chat", "checkout", "--detach", HEAD.id]
    assert shlex.split(deploy)[:5] == ["gcloud", "run", "deploy", "chat-backend", "--source=/srv/chat"]
    assert f"{checkout} && {deploy}" in text
    assert "Approve" not in text
    assert "traffic" not in text


@pytest.mark.parametrize("promise", ["without traffic", "in steps", "at its own address", "rolled back automatically"])
def test_a_command_promises_nothing_that_a_platform_would_do(promise: str) -> None:
    probed = {"probe_url": "wss://chat.example/ws"}
    assert promise in _all_text(replace(SERVICE, **probed))  # type: ignore[arg-type]
    by_command = replace(COMMAND, **probed)  # type: ignore[arg-type]
    assert promise not in _all_text(by_command)
    assert {APPROVE, DENY} <= set(button_elements(render_message(by_command, question_message())))
    assert "./deploy.sh" in visible_text(render_message(by_command, question_message()))
    assert "./deploy.sh" in thread_text(by_command)


def _all_text(service: Service) -> str:
    return visible_text(render_message(service, question_message())) + thread_text(service)


def test_command_failure_message_does_not_mention_traffic() -> None:
    failed = replace(question_message(), standing=ProposalStatus.FAILED)
    meaning = QUESTION_WORDS[ProposalStatus.FAILED].meaning
    assert meaning in visible_text(render_message(SERVICE, failed))
    assert meaning not in visible_text(render_message(COMMAND, failed))


@pytest.mark.parametrize(
    ("more", "command"),
    [
        (
            {"deploy_method": "cloud_build", "deploy_trigger": "projects/P/locations/L/triggers/deploy-chat"},
            "gcloud builds triggers run deploy-chat --project=P --region=L --sha=abc",
        ),
        (
            {"deploy_method": "github_workflow", "deploy_workflow": "deploy.yml", "branch": "main"},
            "gh workflow run deploy.yml --ref main -f commit=abc",
        ),
        (
            {"repository": "/srv/a b; rm"},
            "git -C '/srv/a b; rm' checkout --detach abc && "
            "gcloud run deploy chat-backend '--source=/srv/a b; rm' --project=quay --region=europe-west6",
        ),
    ],
)
def test_the_command_is_that_of_the_way_in_which_the_service_is_deployed(more: dict[str, str], command: str) -> None:
    assert deploy_command(replace(BY_HAND, **more), "abc") == command  # type: ignore[arg-type]
