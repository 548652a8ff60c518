"""A close of one's own whose process died before it was recorded: it is no person's, and the incident ends resolved."""

import pytest

from shared.ports import WRONG_LABEL, IssueCommand, IssueEvent
from shared.proposal.rollout import WATCH_DURATION
from shared.workflow.effects import close_effect_key
from shared.workflow.issue.issue_commands import handle_issue_command, is_automation_stopped
from shared.workflow.ledger import LEASE, is_claimed, read_result
from shared.workflow.records import incident_record
from tests.support.drivers import MINUTE, read_state, run_tick, start_watching
from tests.support.harness import Harness
from tests.support.issues import FakeIssues
from tests.support.people import FakePeople
from tests.support.ticks import play_tick


class _Died(BaseException):
    pass


class _DiesAfterTheClose:
    """An issue tracker whose caller does not live to hear that the issue was closed."""

    def __init__(self, issues: FakeIssues) -> None:
        self._issues = issues

    def __getattr__(self, name: str) -> object:
        return self._close if name == "close" else getattr(self._issues, name)

    def _close(self, service: object, number: int) -> None:
        self._issues.close(service, number)  # type: ignore[arg-type]
        raise _Died


def _died_after_its_close(harness: Harness) -> str:
    incident = start_watching(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 10
    harness.clock.advance(WATCH_DURATION)
    dying = harness.start_process(lambda name, port: _DiesAfterTheClose(harness.issues) if name == "issues" else port)
    with pytest.raises(_Died):
        play_tick(dying)
    assert not harness.issues.issues[0].is_open
    context = harness.start_process()
    assert is_claimed(context, close_effect_key(incident))
    assert read_result(context, close_effect_key(incident)) is None
    return incident


def test_it_is_not_taken_for_a_persons(harness: Harness) -> None:
    incident = _died_after_its_close(harness)
    context = harness.start_process()
    record = incident_record.require_incident(context, incident)
    assert not is_automation_stopped(context, harness.services["shore.tide"], record)
    harness.issues.issues[0].labels.add(WRONG_LABEL)
    assert is_automation_stopped(context, harness.services["shore.tide"], record)


def test_the_code_hosts_news_of_it_mute_nothing(harness: Harness) -> None:
    incident = _died_after_its_close(harness)
    closed = IssueEvent(IssueCommand.MUTE, "d-1", "harbour/tide", 1, incident, "provenfix[bot]")
    assert handle_issue_command(harness.start_process(), FakePeople(), closed).name == "nothing"


def test_the_next_process_ends_it_as_resolved_and_closes_nothing_twice(harness: Harness) -> None:
    incident = _died_after_its_close(harness)
    run_tick(harness, LEASE + MINUTE)
    assert (read_state(harness, incident), harness.issues.issues[0].close_count) == ("resolved", 1)
    assert read_result(harness.start_process(), close_effect_key(incident)) == {}


def test_a_close_that_nobody_here_began_is_a_persons(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.issues.issues[0].is_open = False
    context = harness.start_process()
    assert is_automation_stopped(
        context, harness.services["shore.tide"], incident_record.require_incident(context, incident)
    )
