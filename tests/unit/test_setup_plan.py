"""The plan of a setup, its answers and its state: values in, values out."""

from dataclasses import replace
from pathlib import Path

import pytest

from functions.setup.answers import (
    Answers,
    WatchedService,
    check_answers,
    list_missing,
    parse_people,
    parse_repositories,
    parse_services,
)
from functions.setup.configuration import render_configuration
from functions.setup.plan import function_url, list_secrets, plan_steps
from functions.setup.ports import Place
from functions.setup.state import Facts, SetupState, state_from_text, state_to_text
from functions.setup.step import StepName
from shared.config.loader import parse_configuration
from shared.errors import UsageError

PLACE = Place(Path("/home/anne/state"), Path("/home/anne/provenfix.yaml"), Path("/home/anne/provenfix"))
KNOWN = (
    WatchedService("chat", "europe-west1"), WatchedService("chat", "us-central1"), WatchedService("voice", "us-east1")
)  # fmt: skip
ANSWERS = Answers(
    project="reef-ops", watched_project="reef-prod", services=KNOWN[:1], region="europe-west1",
    repositories={"chat": "reefers/chat"}, channel="C0REEF0000", approvers=("U0ANNE0000",),
)  # fmt: skip


def test_every_step_is_planned_once_in_its_order() -> None:
    assert [step.name for step in plan_steps(ANSWERS, PLACE)] == list(StepName)


def test_every_step_says_what_it_does_and_what_takes_it_back_where_it_makes_something() -> None:
    looks = {StepName.PROJECT, StepName.SLACK_CHANNEL, StepName.BUNDLE, StepName.DOCTOR, StepName.TRIAL}
    for step in plan_steps(ANSWERS, PLACE):
        assert step.commands or step.notes, step.name
        assert bool(step.undo or step.undo_note) is (step.name not in looks), step.name


def test_who_only_looks_needs_nothing_of_slack_and_no_webhook() -> None:
    answers = replace(ANSWERS, read_only="issue", channel="", approvers=())
    assert list_missing(answers) == []
    assert {step.name for step in plan_steps(answers, PLACE)} == set(StepName) - {
        StepName.SLACK_APP, StepName.SLACK_CHANNEL
    }  # fmt: skip
    assert list(list_secrets(answers)) == ["github.token"]


@pytest.mark.parametrize("read_only", ["issue", "log"])
def test_its_file_names_no_chat(read_only: str) -> None:
    answers = replace(ANSWERS, read_only=read_only, channel="", approvers=())
    facts: dict[StepName, Facts] = {
        StepName.GITHUB_APP: {
            "id": "17",
            "provenfix-github-app-key": "projects/reef-ops/secrets/provenfix-github-app-key/versions/1",
        },
        StepName.GITHUB_INSTALLATION: {"installation": "18"},
    }
    state = SetupState(answers)
    for name, found in facts.items():
        state = state.with_begun(name, found)
    file = parse_configuration(render_configuration(answers, state))
    assert (file.read_only, file.slack, file.services[0].channel) == (read_only, None, "")


def test_a_state_is_read_as_it_was_written() -> None:
    step = plan_steps(ANSWERS, PLACE)[0]
    state = SetupState(ANSWERS).with_begun(StepName.APIS).with_done(step, {"number": "417"})
    assert state_from_text(state_to_text(state)) == state
    assert state.is_done(step)
    assert not state.without(step.name).is_done(step)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "1", '{"version": 2}', '{"version": 1, "answers": {}, "steps": {}}', "no"]
)
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        state_from_text(text)


def test_another_answer_makes_the_steps_that_it_changes_undone() -> None:
    state = SetupState(ANSWERS)
    for step in plan_steps(ANSWERS, PLACE):
        state = state.with_done(step, {})
    changed = replace(ANSWERS, approvers=("U0BELA0000",))
    assert [step.name for step in plan_steps(changed, PLACE) if not state.is_done(step)] == [StepName.CONFIGURATION]


def test_a_name_in_two_regions_needs_its_region() -> None:
    assert parse_services(["voice", "chat@us-central1"], KNOWN) == (KNOWN[2], KNOWN[1])
    for wrong in ("chat", "fax", "voice@europe-west1"):
        with pytest.raises(UsageError):
            parse_services([wrong], KNOWN)


def test_one_repository_for_all_or_one_for_each() -> None:
    services = (KNOWN[0], KNOWN[2])
    assert parse_repositories(["reefers/all"], services) == {"chat": "reefers/all", "voice": "reefers/all"}
    assert parse_repositories(["voice=reefers/voice"], services) == {"voice": "reefers/voice"}
    for wrong in (["fax=reefers/fax"], ["./here"], ["chat"], ["chat=reefers/a", "voice=others/b"]):
        with pytest.raises(UsageError):
            parse_repositories(wrong, services)


def test_ids_of_slack_are_told_apart_by_their_first_letter() -> None:
    assert parse_people(["U0ANNE0000", "C0REEF0000"]) == ("C0REEF0000", ("U0ANNE0000",))
    for wrong in ([], ["C0REEF0000"], ["U0ANNE0000"], ["#ops", "U0ANNE0000"], ["C0REEF0000", "U0ANNE0000", "C1"]):
        with pytest.raises(UsageError):
            parse_people(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"watched_project": "reef-ops"}, {"region": "Europe"}, {"channel": "#ops"}, {"approvers": ("anne",)},
        {"pythons": ("3.11.7",)}, {"github_app": "17"}, {"project": "Reef Ops"},
    ],
)  # fmt: skip
def test_an_answer_that_the_configuration_would_refuse_is_refused_at_once(change: dict[str, object]) -> None:
    check_answers(ANSWERS)
    with pytest.raises(UsageError) as refused:
        check_answers(replace(ANSWERS, **change))  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


def test_what_nobody_has_answered_is_listed_by_its_option() -> None:
    assert list_missing(Answers()) == [
        "--project", "--watched-project", "--service", "--region", "--repository", "--channel", "--approver"
    ]  # fmt: skip
    assert list_missing(ANSWERS) == []


def test_the_address_of_a_function_follows_from_its_name() -> None:
    assert function_url(ANSWERS, "417", "decide") == "https://provenfix-decide-417.europe-west1.run.app"
