"""Several services and environments from one deployment; what is not configured is recorded and never touched."""

from dataclasses import replace

import pytest

from shared.service import Service
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.drivers import MINUTE, press_button, read_documents, redeploy_approved, run_tick
from tests.support.function_clients import open_function_clients, wrap_entry
from tests.support.harness import Harness, watched_service

LIVE = watched_service("tide", environment="live")
SHAM = watched_service("tide", project="shore-test", environment="test", channel="C-TEST")
EBB = watched_service("ebb", environment="live")


@pytest.fixture
def harness() -> Harness:
    return Harness({each.id: each for each in (LIVE, SHAM, EBB)})


def logged_by(harness: Harness, of: Service) -> str:
    """The same error, logged by each."""
    harness.clock.advance(MINUTE)
    entry = replace(harness.log_entry(revision=f"{of.name}-00007-old", name=of.name), project=of.project)
    harness.logs.kept[-1] = entry
    return record_log_entry(harness.start_process(), entry).incident


def test_one_failure_in_three_places_is_three_incidents(harness: Harness) -> None:
    incidents = [logged_by(harness, each) for each in (LIVE, SHAM, EBB)]
    for incident in incidents:
        investigate_incident(harness.start_process(), incident)
    stored = read_documents(harness, "incidents")
    assert [stored[each]["service"] for each in incidents] == ["shore.tide", "shore-test.tide", "shore.ebb"]
    assert len({str(stored[each]["fingerprint"]) for each in incidents}) == 3
    assert [posted.channel for posted in harness.chat.posted] == ["C-TIDE", "C-TEST", "C-EBB"]
    reports = [read_documents(harness, "reports")[each]["report"] for each in incidents]
    assert [each["incident"]["environment"] for each in reports if isinstance(each, dict)] == ["live", "test", "live"]


def test_a_rollout_in_one_environment_touches_no_other(harness: Harness) -> None:
    for each in (LIVE, SHAM, EBB):
        investigate_incident(harness.start_process(), logged_by(harness, each))
    harness.bus.waiting.clear()
    assert press_button(harness, channel="C-EBB").is_accepted
    redeploy_approved(harness)
    run_tick(harness, 2 * MINUTE)
    assert [operation.service for operation in harness.cloud.operations] == ["shore.ebb"]
    assert {service for service, _, _ in harness.cloud.shifts} == {"shore.ebb"}


def test_an_approval_from_another_environments_channel_decides_nothing(harness: Harness) -> None:
    investigate_incident(harness.start_process(), logged_by(harness, LIVE))
    assert not press_button(harness, channel="C-TEST").is_accepted


class Untouched:
    """A port that nobody may ask anything."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked about a service that nobody has configured")


@pytest.mark.parametrize(("project", "name"), [("shore", "flood"), ("elsewhere", "tide"), ("shore", "")])
def test_unconfigured_service_is_recorded_and_never_touched(
    harness: Harness, project: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = replace(harness.log_entry(name="tide"), project=project, service=name)
    untouched = {"logs", "issues", "chat", "revisions", "deployer", "probe", "checks", "open_history", "bus"}
    with open_function_clients(harness, lambda port, real: Untouched() if port in untouched else real) as opened:
        assert opened.deliver("record", wrap_entry(entry)).status_code == 204
    assert "refused:unknown_service" in capsys.readouterr().out
    assert read_documents(harness, "incidents") == {}
    [stored] = read_documents(harness, "rejections").values()
    assert stored["reason"] == "unknown_service"
    assert str(stored["detail"]).startswith(f"{project}.{name}")
