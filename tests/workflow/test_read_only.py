"""The profile of the first day: an incident is proven and reported, nobody is asked, and no port that acts is used."""

import json
from dataclasses import replace

import pytest

from shared.adapters.standins.log_issues import LogIssues
from shared.config.loader import parse_configuration
from shared.errors import ConfigurationError
from shared.proof.model.recommendation import ActionKind, Reason
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.commit_graph import commit_id
from tests.support.drivers import MINUTE, open_incident, read_documents, read_state, run_tick
from tests.support.harness import Harness, watched_service

CLOSE = "WebSocket /ws closed: code=1011"
ENTRY = "  - {name: chat, project: tea-prod, region: europe-west1, repository: tea/chat"


@pytest.fixture
def harness() -> Harness:
    return Harness({"shore.tide": watched_service(is_read_only=True, channel="")})


def test_what_would_be_proposed_is_reported(harness: Harness) -> None:
    """The same incident leads to a question where people may be asked: `test_investigate.py`."""
    incident = open_incident(harness)
    assert investigate_incident(harness.start_process(), incident).name == IncidentState.REPORTED.value
    (issue,) = harness.issues.issues
    assert commit_id("later")[:7] in issue.body
    assert harness.chat.posted == []
    assert read_documents(harness, "proposals") == {}


def test_nobody_gets_a_notice_either(harness: Harness) -> None:
    """A close without a cause is opened by a round of `verify`, which this profile has as well."""
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.CLOSE_1011_UNPROVEN
    incident = record_log_entry(harness.start_process(), harness.log_entry(CLOSE)).incident
    run_tick(harness, 2 * MINUTE)
    investigate_incident(harness.start_process(), incident)
    assert read_state(harness, incident) == "reported"
    assert len(harness.issues.issues) == 1
    assert harness.chat.posted == []


def test_only_the_log_has_the_report_where_no_issue_may_be_written(harness: Harness) -> None:
    lines: list[str] = []
    incident = open_incident(harness)
    context = replace(harness.start_process(), issues=LogIssues(lines.append))
    assert investigate_incident(context, incident).name == IncidentState.REPORTED.value
    (line,) = (json.loads(text) for text in lines)
    report = line["provenfix"]
    assert (report["function"], report["outcome"], report["service"]) == ("investigate", "report", "shore.tide")
    assert commit_id("later")[:7] in report["body"]
    assert investigate_incident(context, incident).name == "duplicate"
    assert len(lines) == 1
    assert harness.issues.issues == []


@pytest.mark.parametrize("character", ["x", "“", "😀", "\n"])
def test_a_report_of_any_text_is_one_entry_that_the_log_takes(character: str) -> None:
    lines: list[str] = []
    LogIssues(lines.append).open(watched_service(), "m", "title", character * 150_000)
    (line,) = lines
    assert len(line.encode()) < 256_000
    assert set(json.loads(line)["provenfix"]["body"]) == {character}


def test_a_channel_is_needed_only_where_somebody_is_asked() -> None:
    with pytest.raises(ConfigurationError, match=r"services\[0\]\.channel is missing"):
        parse_configuration(f"services:\n{ENTRY}}}\n")
    file = parse_configuration(f"read_only: log\nservices:\n{ENTRY}}}\n")
    assert (file.read_only, file.services[0].channel) == ("log", "")
