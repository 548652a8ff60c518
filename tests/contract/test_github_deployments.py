"""GitHub's records of deployments: written once, found again, read as a source; held to GitHub's own description."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.github.deployments import GitHubDeployments
from shared.deployment_records import DeploymentEntry
from shared.errors import Reject, Retry
from tests.support.github.api_description import DescriptionChecker, check_traffic
from tests.support.github.clients import open_client
from tests.support.github.deployments import DeploymentBoard
from tests.support.github.server import REPOSITORY, FakeGitHub, FakeRequest, FakeResponse, Handler, serve_fake
from tests.support.harness import watched_service

SERVICE = watched_service(repository=REPOSITORY, environment="production")
COMMIT, OTHER = "a" * 40, "b" * 40
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
ENTRY = DeploymentEntry("i-1", COMMIT, "verified", "https://github.com/acme/chat/issues/7")


class Stand:
    def __init__(self, github: FakeGitHub, held: DescriptionChecker) -> None:
        self.github, self.held, self.board = github, held, DeploymentBoard()
        github.extra_routes.append(self.board)
        self.records = GitHubDeployments(open_client(github.address))

    def lose_answer(self) -> None:
        """The next change is carried out, and its answer lost."""

        def lose(asked: FakeRequest, answer: Handler) -> FakeResponse:
            done = answer(asked)
            if asked.method != "POST":
                return done
            self.github.interceptor = None
            return replace(done, lost_by="reset")

        self.github.interceptor = lose


@pytest.fixture
def stand() -> Iterator[Stand]:
    fake = FakeGitHub()
    with serve_fake(fake), check_traffic() as held:
        yield Stand(fake, held)


def test_a_record_is_written_with_its_success_and_found_again(stand: Stand) -> None:
    assert stand.records.find_record(SERVICE, ENTRY) is None
    made = stand.records.create_record(SERVICE, ENTRY)
    assert not stand.records.has_success(SERVICE, made)
    stand.records.set_success(SERVICE, made, ENTRY)
    assert stand.records.has_success(SERVICE, made)
    assert stand.records.find_record(SERVICE, ENTRY) == made
    assert stand.records.find_record(SERVICE, replace(ENTRY, marker="i-2")) is None
    (record,) = stand.board.records
    assert (record["ref"], record["environment"], record["payload"]["service"]) == (COMMIT, "production", SERVICE.id)
    (status,) = record["statuses"]
    assert (status["state"], status["auto_inactive"], status["log_url"]) == ("success", True, ENTRY.log_url)


def test_a_payload_that_comes_back_as_text_is_read_too(stand: Stand) -> None:
    made = stand.records.create_record(SERVICE, ENTRY)
    stand.board.answers_payload_as_text = True
    assert stand.records.find_record(SERVICE, ENTRY) == made


def test_a_lost_answer_is_delivered_again_and_what_was_written_is_found(stand: Stand) -> None:
    stand.lose_answer()
    with pytest.raises(Retry):
        stand.records.create_record(SERVICE, ENTRY)
    made = stand.records.find_record(SERVICE, ENTRY)
    assert made is not None
    stand.lose_answer()
    with pytest.raises(Retry):
        stand.records.set_success(SERVICE, made, ENTRY)
    assert stand.records.has_success(SERVICE, made)


def test_an_app_without_the_permission_is_refused(stand: Stand) -> None:
    stand.board.refuses = True
    with pytest.raises(Reject, match="github_refused"):
        stand.records.create_record(SERVICE, ENTRY)
    with pytest.raises(Reject, match="github_refused"):
        stand.records.list_successes(SERVICE, NOON, NOON)


def test_only_successes_of_that_time_and_environment_are_listed(stand: Stand) -> None:
    hour = timedelta(hours=1)
    stand.board.add(OTHER, "production", NOON - 3 * hour, "success")
    stand.board.add(COMMIT, "production", NOON - hour, "in_progress", "success", "inactive")
    stand.board.add(OTHER, "production", NOON - hour, "in_progress", "failure")
    stand.board.add(OTHER, "staging", NOON - hour, "success")
    stand.board.add(OTHER, "production", NOON + hour, "success")
    listed = stand.records.list_successes(SERVICE, NOON - 2 * hour, NOON)
    assert [(record.commit, record.created_at) for record in listed] == [(COMMIT, NOON - hour)]
    anywhere = stand.records.list_successes(replace(SERVICE, environment=""), NOON - 2 * hour, NOON)
    assert {record.environment for record in anywhere} == {"production", "staging"}
