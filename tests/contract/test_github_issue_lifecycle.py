"""An incident's whole life, steps and ledger and all, as GitHub keeps it: on `emulate`, and on the described fake."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.github.client import GitHubClient, Timing
from shared.adapters.github.credentials import FixedToken
from shared.adapters.github.issues import GitHubIssues
from shared.proposal.rollout import WATCH_DURATION
from shared.report.incident_status import format_state_marker
from shared.secret import Secret
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.commit_graph import commit_id
from tests.support.drivers import MINUTE, read_documents, run_tick, start_watching
from tests.support.github.clients import SleepingClock
from tests.support.github.emulator import TOKEN, run_github_emulator
from tests.support.github.issue_tracker import IssueTracker
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.harness import Harness, watched_service

ISSUES = f"/repos/{REPOSITORY}/issues"


@pytest.fixture(params=["emulate", "fake"])
def github(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubClient]:
    clock = SleepingClock()
    pace = Timing(clock, clock.sleep)
    if request.param == "emulate":
        with run_github_emulator(tmp_path_factory.mktemp("emulate")) as address:
            yield GitHubClient(FixedToken(lambda: Secret(TOKEN)), pace, address)
        return
    with serve_fake(FakeGitHub(extra_routes=[IssueTracker(clock.now)])) as fake:
        yield GitHubClient(FixedToken(lambda: Secret("github_pat_x")), pace, fake.address)


def on(github: GitHubClient) -> Harness:
    setting = Harness(services={"shore.tide": watched_service(repository=REPOSITORY)})
    setting.issues = GitHubIssues(github)  # type: ignore[assignment]  # the real adapter in the fake's place
    return setting


def kept(github: GitHubClient) -> tuple[dict[str, Any], list[str]]:
    """The only issue, and what its comments are about."""
    (issue,) = github.get_json(ISSUES, state="all")
    comments = github.get_json(f"{ISSUES}/{issue['number']}/comments")
    return issue, re.findall(r" part=(\S+) -->", "\n".join(each["body"] for each in comments))


def test_one_issue_lives_from_the_question_to_its_regression(github: GitHubClient) -> None:
    setting = on(github)
    start_watching(setting)
    issue, told = kept(github)
    assert issue["state"] == "open"
    assert {label["name"] for label in issue["labels"]} == {
        "provenfix",
        "service:tide",
        "environment:shore",
        "signal:syntax_error",
    }
    assert told == ["proposed", "approved", "deployed"]
    assert format_state_marker("watching") in issue["body"]
    setting.logs.request_counts[setting.cloud.operations[0].revision] = 480
    run_tick(setting, WATCH_DURATION + MINUTE)
    issue, told = kept(github)
    assert (issue["state"], told[-1]) == ("closed", "resolved")
    assert format_state_marker("resolved") in issue["body"].partition("## Summary")[0]

    setting.clock.advance(timedelta(days=3))
    setting.cloud.deploy_manually(setting.services["shore.tide"], "tide-00011-new", commit_id("later"))
    second = record_log_entry(setting.start_process(), setting.log_entry(revision="tide-00011-new")).incident
    investigate_incident(setting.start_process(), second)
    issue, told = kept(github)
    assert (issue["state"], told[-2:]) == ("open", ["recurred", "proposed"])
    assert issue["body"].startswith(f"<!-- provenfix:incident={second} -->\n<!-- provenfix:state -->")
    assert read_documents(setting, "incidents")[second]["issue"] == {
        "number": issue["number"],
        "url": issue["html_url"],
    }
