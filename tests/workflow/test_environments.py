"""Several services and environments from one deployment; what is not configured is recorded and never touched."""

from dataclasses import replace

import pytest

from shared.service import Service
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.drivers import MINUTE, documents, pressed, redeployed, tick
from tests.support.function_clients import doors, sunk
from tests.support.harness import Setting, service

LIVE = service("tide", environment="live")
SHAM = service("tide", project="shore-test", environment="test", channel="C-TEST")
EBB = service("ebb", environment="live")


@pytest.fixture
def setting() -> Setting:
    return Setting({each.id: each for each in (LIVE, SHAM, EBB)})


def logged_by(setting: Setting, of: Service) -> str:
    """The same error, logged by each."""
    setting.clock.turn(MINUTE)
    entry = replace(setting.entry(revision=f"{of.name}-00007-old", name=of.name), project=of.project)
    setting.logs.all[-1] = entry
    return record_log_entry(setting.process(), entry).incident


def test_one_failure_in_three_places_is_three_incidents(setting: Setting) -> None:
    incidents = [logged_by(setting, each) for each in (LIVE, SHAM, EBB)]
    for incident in incidents:
        investigate_incident(setting.process(), incident)
    stored = documents(setting, "incidents")
    assert [stored[each]["service"] for each in incidents] == ["shore.tide", "shore-test.tide", "shore.ebb"]
    assert len({str(stored[each]["fingerprint"]) for each in incidents}) == 3
    assert [posted.channel for posted in setting.chat.all] == ["C-TIDE", "C-TEST", "C-EBB"]
    reports = [documents(setting, "reports")[each]["report"] for each in incidents]
    assert [each["incident"]["environment"] for each in reports if isinstance(each, dict)] == ["live", "test", "live"]


def test_a_rollout_in_one_environment_touches_no_other(setting: Setting) -> None:
    for each in (LIVE, SHAM, EBB):
        investigate_incident(setting.process(), logged_by(setting, each))
    setting.bus.waiting.clear()
    assert pressed(setting, channel="C-EBB").is_accepted
    redeployed(setting)
    tick(setting, 2 * MINUTE)
    assert [operation.service for operation in setting.cloud.operations] == ["shore.ebb"]
    assert {service for service, _, _ in setting.cloud.shifts} == {"shore.ebb"}


def test_an_approval_from_another_environments_channel_decides_nothing(setting: Setting) -> None:
    investigate_incident(setting.process(), logged_by(setting, LIVE))
    assert not pressed(setting, channel="C-TEST").is_accepted


class Untouched:
    """A port that nobody may ask anything."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked about a service that nobody has configured")


@pytest.mark.parametrize(("project", "name"), [("shore", "flood"), ("elsewhere", "tide"), ("shore", "")])
def test_a_service_that_is_not_configured_is_recorded_as_such_and_never_touched(
    setting: Setting, project: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = replace(setting.entry(name="tide"), project=project, service=name)
    untouched = {"logs", "issues", "chat", "revisions", "deployer", "probe", "checks", "histories", "bus"}
    with doors(setting, lambda port, real: Untouched() if port in untouched else real) as opened:
        assert opened.deliver("record", sunk(entry)).status_code == 204
    assert "refused:unknown_service" in capsys.readouterr().out
    assert documents(setting, "incidents") == {}
    [stored] = documents(setting, "rejections").values()
    assert stored["reason"] == "unknown_service"
    assert str(stored["detail"]).startswith(f"{project}.{name}")
