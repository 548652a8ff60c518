"""The check of the traffic can fail: what GitHub would not take, or would not say, is a violation."""

import pytest

from shared.adapters.github.client import GitHubClient
from tests.support.github.api_description import DescriptionChecker
from tests.support.github.clients import SleepingClock, open_client
from tests.support.github.issue_tracker import IssueTracker
from tests.support.github.server import REPOSITORY, FakeGitHub, FakeRequest, FakeResponse, serve_fake

ISSUES = f"/repos/{REPOSITORY}/issues"


@pytest.mark.parametrize(
    ("verb", "path", "body", "violation"),
    [
        ("POST", ISSUES, {"body": "b"}, "'title' is a required property"),
        ("POST", ISSUES, {"title": "t", "body": "b", "colour": "red"}, "no properties"),
        ("POST", ISSUES, {"title": "t", "body": 7}, "7 is not of type 'string'"),
        ("PATCH", f"{ISSUES}/1", {"state": "shut"}, "'shut' is not one of"),
        ("GET", f"{ISSUES}?sort=title", None, "sort=title"),
        ("GET", f"{ISSUES}?colour=red", None, "no parameter colour"),
        ("GET", "/nowhere", None, "describes no GET /nowhere"),
    ],
)
def test_undescribed_request_is_a_violation(
    verb: str, path: str, body: dict[str, object] | None, violation: str
) -> None:
    with serve_fake(FakeGitHub(extra_routes=[lambda _: FakeResponse(200, [])])) as fake:
        github = open_client(fake.address)
        with pytest.raises(AssertionError, match=violation):
            github.send_json(verb, path, body) if body is not None else github.get_json(path)


@pytest.mark.parametrize("missing", ["title", "number", "labels_url", "created_at"])
def test_undescribed_answer_is_a_violation(missing: str) -> None:
    board = IssueTracker(SleepingClock().now)

    def careless(asked: FakeRequest) -> FakeResponse | None:
        told = board(asked)
        if told is not None and isinstance(told.value, dict):
            told.value.pop(missing)
        return told

    with (
        serve_fake(FakeGitHub(extra_routes=[careless])) as fake,
        pytest.raises(AssertionError, match=f"'{missing}' is a required"),
    ):
        opened(open_client(fake.address))


def test_what_is_right_is_counted(github_described: DescriptionChecker) -> None:
    before = github_described.checked.get("issues/create", 0)
    with serve_fake(FakeGitHub(extra_routes=[IssueTracker(SleepingClock().now)])) as fake:
        opened(open_client(fake.address))
    assert github_described.checked["issues/create"] == before + 1


def test_a_query_that_the_schema_refuses_is_refused_by_the_fake() -> None:
    fake = FakeGitHub()
    asked = FakeRequest("POST", "/graphql", {}, {}, {"query": "{ repository { colour } }", "variables": {}})
    with pytest.raises(AssertionError, match="colour"):
        fake.answer(asked)


def opened(github: GitHubClient) -> object:
    return github.send_json("POST", ISSUES, {"title": "t", "body": "b"})
