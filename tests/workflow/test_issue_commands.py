"""What a person wishes of an incident at its issue: a wish in, its outcome and the stored incident out."""

from dataclasses import dataclass, field

import pytest

from shared.errors import Reject
from shared.ports import IssueCommand, IssueEvent
from shared.proof.model.ports import Compilers, History
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.issue_commands import handle_issue_command
from shared.workflow.prover import ReadChecks
from shared.workflow.supersede import MIN_QUESTION_AGE
from tests.support.commit_graph import ScriptedProver, commit_id, make_commit
from tests.support.drivers import (
    MINUTE,
    open_incident,
    propose_deployment,
    read_documents,
    read_incident,
    read_state,
    run_tick,
)
from tests.support.harness import Harness
from tests.support.people import FakePeople


def _unfixed(harness: Harness) -> str:
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    incident = open_incident(harness)
    investigate_incident(harness.start_process(), incident)
    harness.bus.waiting.clear()
    assert read_state(harness, incident) == "unfixed"
    return incident


def _wished(
    incident: str, wish: IssueCommand = IssueCommand.REINVESTIGATE, delivery: str = "d-1", issue: int = 1
) -> IssueEvent:
    return IssueEvent(wish, delivery, "harbour/tide", issue, incident, "nora")


def test_what_is_not_mended_is_looked_at_again_once_for_each_delivery(harness: Harness) -> None:
    incident = _unfixed(harness)
    assert handle_issue_command(harness.start_process(), FakePeople(), _wished(incident)).name == "asked_again"
    asked = read_incident(harness, incident)
    assert (asked["state"], asked["look"], asked["proposal"], asked["message"]) == ("opened", 2, "", "")
    assert handle_issue_command(harness.start_process(), FakePeople(), _wished(incident)).name == "duplicate"
    assert read_incident(harness, incident) == asked
    assert len(harness.bus.waiting) == 1
    assert read_documents(harness, "deliveries") == {"d-1": {"incident": incident, "wish": "reinvestigate"}}


def test_one_that_is_at_rest_forgets_how_it_ended(harness: Harness) -> None:
    incident = propose_deployment(harness)
    run_tick(harness, harness.services["shore.tide"].proposal_ttl)
    assert read_state(harness, incident) == "expired"
    assert handle_issue_command(harness.start_process(), FakePeople(), _wished(incident)).name == "asked_again"
    asked = read_incident(harness, incident)
    assert (asked["state"], asked["ending"], asked["ending_why"], asked["rest_at"]) == ("opened", "", "", "")
    assert (asked["proposal"], asked["message"]) == ("", "")


def test_second_request_changes_nothing_during_the_first(harness: Harness) -> None:
    incident = _unfixed(harness)
    handle_issue_command(harness.start_process(), FakePeople(), _wished(incident))
    asked = read_incident(harness, incident)
    handle_issue_command(harness.start_process(), FakePeople(), _wished(incident, delivery="d-2"))
    assert read_incident(harness, incident) == asked


def test_mute_label_ends_the_incident_and_a_bare_request_does_not(harness: Harness) -> None:
    incident = propose_deployment(harness)
    assert (
        handle_issue_command(harness.start_process(), FakePeople(), _wished(incident, IssueCommand.MUTE)).name
        == "nothing"
    )
    harness.issues.issues[0].is_open = False
    assert (
        handle_issue_command(harness.start_process(), FakePeople(), _wished(incident, IssueCommand.MUTE, "d-2")).name
        == "muted"
    )
    stored = read_incident(harness, incident)
    assert (stored["state"], stored["ending"]) == ("proposed", "muted")
    run_tick(harness)
    assert read_state(harness, incident) == "muted"


@pytest.mark.parametrize("wish", IssueCommand)
def test_request_at_another_issue_is_refused(harness: Harness, wish: IssueCommand) -> None:
    incident = propose_deployment(harness)
    with pytest.raises(Reject, match="foreign_issue"):
        handle_issue_command(harness.start_process(), FakePeople(), _wished(incident, wish, issue=2))
    assert read_documents(harness, "deliveries") == {}


@dataclass
class _Noting(ScriptedProver):
    """Notes which commits the gates were asked about."""

    asked: list[str] = field(default_factory=list)

    def _objection(
        self, proposal: Proposal, service: Service, history: History, compilers: Compilers, checks: ReadChecks
    ) -> str:
        self.asked.append(proposal.commit)
        return super()._objection(proposal, service, history, compilers, checks)


def test_what_was_merged_since_is_judged_itself_and_not_what_was_proposed() -> None:
    noting = _Noting()
    setting = Harness(prover=noting)
    setting.histories.graph[commit_id("newest")] = make_commit("newest", "later")
    incident = propose_deployment(setting)
    setting.histories.head = commit_id("newest")
    run_tick(setting, MIN_QUESTION_AGE + MINUTE)
    assert noting.asked == [commit_id("newest")]
    asked = read_incident(setting, incident)
    assert (asked["look"], asked["looked_at"]) == (2, "2026-04-07T09:01:00Z")
