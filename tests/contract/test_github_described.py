"""The check of the traffic can fail: what GitHub would not take, or would not say, is a violation."""

import pytest

from shared.adapters.github.client import GitHubClient
from tests.support.github.board import Board
from tests.support.github.described import Described
from tests.support.github.opened import Turned, client
from tests.support.github.server import REPOSITORY, Asked, FakeGitHub, Told, serving

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
def test_a_request_that_github_does_not_describe(
    verb: str, path: str, body: dict[str, object] | None, violation: str
) -> None:
    with serving(FakeGitHub(extra=[lambda _: Told(200, [])])) as fake:
        github = client(fake.address)
        with pytest.raises(AssertionError, match=violation):
            github.write(verb, path, body) if body is not None else github.get(path)


@pytest.mark.parametrize("missing", ["title", "number", "labels_url", "created_at"])
def test_an_answer_that_github_would_not_give(missing: str) -> None:
    board = Board(Turned().now)

    def careless(asked: Asked) -> Told | None:
        told = board(asked)
        if told is not None and isinstance(told.value, dict):
            told.value.pop(missing)
        return told

    with (
        serving(FakeGitHub(extra=[careless])) as fake,
        pytest.raises(AssertionError, match=f"'{missing}' is a required"),
    ):
        opened(client(fake.address))


def test_what_is_right_is_counted(github_described: Described) -> None:
    before = github_described.checked.get("issues/create", 0)
    with serving(FakeGitHub(extra=[Board(Turned().now)])) as fake:
        opened(client(fake.address))
    assert github_described.checked["issues/create"] == before + 1


def test_a_query_that_the_schema_refuses_is_refused_by_the_fake() -> None:
    fake = FakeGitHub()
    asked = Asked("POST", "/graphql", {}, {}, {"query": "{ repository { colour } }", "variables": {}})
    with pytest.raises(AssertionError, match="colour"):
        fake.answer(asked)


def opened(github: GitHubClient) -> object:
    return github.write("POST", ISSUES, {"title": "t", "body": "b"})
