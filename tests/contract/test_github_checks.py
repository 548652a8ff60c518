"""What a commit's checks amount to: check runs and commit statuses as GitHub tells them, and the required ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import graphql
import pytest

from shared.adapters.github.checks import GitHubChecks
from shared.proof.model.target import CheckStatus
from shared.service import Service
from tests.support.github.clients import SleepingClock, open_client
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake

SERVICE = Service("chat", "acme-prod", "europe-west1", REPOSITORY, "C0CHAT")
COMMIT = "a" * 40
Node = Mapping[str, Any]
Place = Callable[[Sequence[str]], Node]
"""Where GitHub names required checks: names in, fields of a branch out."""


def run(name: str, conclusion: str | None) -> Node:
    status = "COMPLETED" if conclusion else "IN_PROGRESS"
    return {"__typename": "CheckRun", "name": name, "status": status, "conclusion": conclusion}


def status(context: str, state: str) -> Node:
    return {"__typename": "StatusContext", "context": context, "state": state}


def protection(required: Sequence[str]) -> Node:
    """As administrators see a protected branch."""
    return {"branchProtectionRule": {"requiredStatusChecks": [{"context": name} for name in required]}}


def visible(required: Sequence[str]) -> Node:
    """As everybody else sees it."""
    return {"refUpdateRule": {"requiredStatusCheckContexts": list(required)}}


def ruleset(required: Sequence[str]) -> Node:
    """A rule for each, and one of another kind."""
    checks = [{"__typename": "RequiredStatusChecksParameters", "requiredStatusChecks": [{"context": name}]}
              for name in required]  # fmt: skip
    other = {"__typename": "PullRequestParameters"}
    return {"rules": {"nodes": [{"parameters": each} for each in [other, None, *checks]]}}


PLACES = [protection, visible, ruleset]


def told(
    nodes: Sequence[Node] | None, required: Sequence[str] = (), branch: str = "", place: Place = protection
) -> tuple[CheckStatus, FakeGitHub]:
    """The state of a commit with these contexts, a hundred to a page."""

    def contexts(_: object, first: int, after: str | None = None) -> Node:
        start = int(after or 0)
        page = {"hasNextPage": len(nodes or ()) > start + first, "endCursor": str(start + first)}
        return {"nodes": list(nodes or ())[start : start + first], "pageInfo": page}

    rollup = None if nodes is None else {"contexts": contexts}
    protected = place(required) if required else {}
    fake = FakeGitHub(
        extra_fields={
            "object": lambda _, oid: {"__typename": "Commit", "statusCheckRollup": rollup} if oid == COMMIT else None,
            "defaultBranchRef": protected,
            "ref": lambda _, qualifiedName: protected if qualifiedName == "refs/heads/live" else None,  # noqa: N803
        }
    )
    service = Service("chat", "acme-prod", "europe-west1", REPOSITORY, "C0CHAT", branch=branch)
    with serve_fake(fake):
        return GitHubChecks(open_client(fake.address)).get_status(service, COMMIT), fake


@pytest.mark.parametrize(
    ("nodes", "state"),
    [
        (None, CheckStatus.UNKNOWN),
        ([], CheckStatus.UNKNOWN),
        ([run("test", "SUCCESS"), status("ci/build", "SUCCESS")], CheckStatus.GREEN),
        ([run("test", "SUCCESS"), run("docs", "SKIPPED"), run("lint", "NEUTRAL")], CheckStatus.GREEN),
        ([run("test", None)], CheckStatus.PENDING),
        ([status("ci/build", "PENDING"), run("test", "SUCCESS")], CheckStatus.PENDING),
        ([status("ci/build", "EXPECTED")], CheckStatus.PENDING),
        ([run("test", "FAILURE"), run("slow", None)], CheckStatus.RED),
        ([run("test", "SUCCESS"), status("ci/build", "FAILURE")], CheckStatus.RED),
        ([status("ci/build", "ERROR")], CheckStatus.RED),
        *(([run("test", each)], CheckStatus.RED) for each in ("CANCELLED", "TIMED_OUT", "ACTION_REQUIRED", "STALE")),
    ],
)
def test_the_worst_state_counts(nodes: Sequence[Node] | None, state: CheckStatus) -> None:
    assert told(nodes)[0] is state


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("branch", ["", "live"])
def test_where_some_checks_are_required_only_these_count(branch: str, place: Place) -> None:
    nodes = [run("test", "SUCCESS"), run("nightly", "FAILURE"), status("ci/build", "PENDING")]
    assert told(nodes, ["test"], branch, place)[0] is CheckStatus.GREEN
    assert told(nodes, ["test", "ci/build"], branch, place)[0] is CheckStatus.PENDING
    assert told(nodes, ["nightly"], branch, place)[0] is CheckStatus.RED
    assert told(nodes, ["never ran"], branch, place)[0] is CheckStatus.PENDING
    assert told(None, ["test"], branch, place)[0] is CheckStatus.PENDING


def test_what_any_place_requires_is_required() -> None:
    nodes = [run("test", "SUCCESS"), run("lint", "FAILURE"), run("docs", "FAILURE")]
    both = lambda names: {**protection(names), **ruleset(["lint"])}  # noqa: E731
    assert told(nodes, ["test"], place=protection)[0] is CheckStatus.GREEN
    assert told(nodes, ["test"], place=both)[0] is CheckStatus.RED


def test_what_may_not_be_seen_requires_nothing() -> None:
    """Without the permission to administer, GitHub answers with the field empty and an error beside it."""

    def forbidden(_: object) -> None:
        raise graphql.GraphQLError("Resource not accessible by integration", extensions={"type": "FORBIDDEN"})

    seen = {"branchProtectionRule": forbidden, **visible(["test"])}
    nodes = [run("test", "SUCCESS"), run("nightly", "FAILURE")]
    assert told(nodes, ["test"], place=lambda _: seen)[0] is CheckStatus.GREEN


def test_a_failure_on_a_later_page_counts() -> None:
    nodes = [run(f"test {number}", "SUCCESS") for number in range(150)]
    state, fake = told([*nodes, run("last", "FAILURE")])
    assert state is CheckStatus.RED
    assert len(fake.requests) == 2


def test_an_answer_is_used_again_for_moments_only() -> None:
    rollup = {"contexts": {"nodes": [run("test", None)], "pageInfo": {"hasNextPage": False}}}
    node = {"__typename": "Commit", "statusCheckRollup": rollup}
    fake = FakeGitHub(extra_fields={"object": node, "defaultBranchRef": None})
    clock = SleepingClock()
    with serve_fake(fake):
        checks = GitHubChecks(open_client(fake.address, clock))
        assert [checks.get_status(SERVICE, COMMIT) for _ in range(3)] == [CheckStatus.PENDING] * 3
        assert len(fake.requests) == 1
        clock.sleep(21)
        rollup["contexts"] = {"nodes": [run("test", "SUCCESS")], "pageInfo": {"hasNextPage": False}}
        assert checks.get_status(SERVICE, COMMIT) is CheckStatus.GREEN
    assert len(fake.requests) == 2
