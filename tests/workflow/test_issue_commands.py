"""What a person wishes of an incident at its issue: a wish in, its outcome and the stored incident out."""

from dataclasses import dataclass, field

import pytest

from shared.errors import Reject
from shared.ports import IssueCommand, IssueEvent
from shared.proof.model.finding import ActionKind, Reason
from shared.proof.model.ports import Compilers, History
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.issue_commands import handle_issue_command
from shared.workflow.prover import ReadChecks
from shared.workflow.supersede import MIN_QUESTION_AGE
from tests.support.drivers import MINUTE, documents, incident_document, opened, proposed, state, tick
from tests.support.harness import Setting
from tests.support.past import KnownAnswer, commit, commit_id
from tests.support.people import FakePeople


@pytest.fixture
def setting() -> Setting:
    return Setting()


def _unfixed(setting: Setting) -> str:
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    incident = opened(setting)
    investigate_incident(setting.process(), incident)
    setting.bus.waiting.clear()
    assert state(setting, incident) == "unfixed"
    return incident


def _wished(incident: str, wish: IssueCommand = IssueCommand.REINVESTIGATE, delivery: str = "d-1", issue: int = 1) -> IssueEvent:
    return IssueEvent(wish, delivery, "harbour/tide", issue, incident, "nora")


def test_what_is_not_mended_is_looked_at_again_once_for_each_delivery(setting: Setting) -> None:
    incident = _unfixed(setting)
    assert handle_issue_command(setting.process(), FakePeople(), _wished(incident)).name == "asked_again"
    asked = incident_document(setting, incident)
    assert (asked["state"], asked["look"], asked["proposal"], asked["message"]) == ("opened", 2, "", "")
    assert handle_issue_command(setting.process(), FakePeople(), _wished(incident)).name == "duplicate"
    assert incident_document(setting, incident) == asked
    assert len(setting.bus.waiting) == 1
    assert documents(setting, "deliveries") == {"d-1": {"incident": incident, "wish": "reinvestigate"}}


def test_one_that_is_at_rest_forgets_how_it_ended(setting: Setting) -> None:
    incident = proposed(setting)
    tick(setting, setting.services["shore.tide"].proposal_ttl)
    assert state(setting, incident) == "expired"
    assert handle_issue_command(setting.process(), FakePeople(), _wished(incident)).name == "asked_again"
    asked = incident_document(setting, incident)
    assert (asked["state"], asked["ending"], asked["ending_why"], asked["rest_at"]) == ("opened", "", "", "")
    assert (asked["proposal"], asked["message"]) == ("", "")


def test_a_second_wish_changes_nothing_while_the_first_is_looked_at(setting: Setting) -> None:
    incident = _unfixed(setting)
    handle_issue_command(setting.process(), FakePeople(), _wished(incident))
    asked = incident_document(setting, incident)
    handle_issue_command(setting.process(), FakePeople(), _wished(incident, delivery="d-2"))
    assert incident_document(setting, incident) == asked


def test_a_muted_issue_ends_the_incident_and_a_wish_to_mute_an_open_one_does_nothing(setting: Setting) -> None:
    incident = proposed(setting)
    assert handle_issue_command(setting.process(), FakePeople(), _wished(incident, IssueCommand.MUTE)).name == "nothing"
    setting.issues.all[0].is_open = False
    assert handle_issue_command(setting.process(), FakePeople(), _wished(incident, IssueCommand.MUTE, "d-2")).name == "muted"
    stored = incident_document(setting, incident)
    assert (stored["state"], stored["ending"]) == ("proposed", "muted")
    tick(setting)
    assert state(setting, incident) == "muted"


@pytest.mark.parametrize("wish", IssueCommand)
def test_a_wish_at_another_issue_is_refused(setting: Setting, wish: IssueCommand) -> None:
    incident = proposed(setting)
    with pytest.raises(Reject, match="foreign_issue"):
        handle_issue_command(setting.process(), FakePeople(), _wished(incident, wish, issue=2))
    assert documents(setting, "deliveries") == {}


@dataclass
class _Noting(KnownAnswer):
    """Notes which commits the gates were asked about."""

    asked: list[str] = field(default_factory=list)

    def _objection(
        self, proposal: Proposal, service: Service, history: History, compilers: Compilers, checks: ReadChecks
    ) -> str:
        self.asked.append(proposal.commit)
        return super()._objection(proposal, service, history, compilers, checks)


def test_what_was_merged_since_is_judged_itself_and_not_what_was_proposed() -> None:
    noting = _Noting()
    setting = Setting(answer=noting)
    setting.pasts.graph[commit_id("newest")] = commit("newest", "later")
    incident = proposed(setting)
    setting.pasts.head = commit_id("newest")
    tick(setting, MIN_QUESTION_AGE + MINUTE)
    assert noting.asked == [commit_id("newest")]
    asked = incident_document(setting, incident)
    assert (asked["look"], asked["looked_at"]) == (2, "2026-04-07T09:01:00Z")
