"""What `record_log_entry` asks of the outside for one entry: the log for the lines beside it, the repository for a commit."""

import pytest

from shared.proposal.verdict import WATCH_DURATION
from shared.workflow.record import record_log_entry
from tests.support.drivers import MINUTE, incident_document, state, tick, watching
from tests.support.harness import Setting
from tests.support.past import Pasts


@pytest.fixture
def setting() -> Setting:
    return Setting()


class _Counted:
    """Counts how often a method of a port is called, or the port itself."""

    def __init__(self, port: object, method: str = "") -> None:
        self._port = port
        self._method = method
        self.calls = 0

    def __getattr__(self, method: str) -> object:
        self.calls += method == self._method
        return getattr(self._port, method)

    def __call__(self, *given: object) -> object:
        self.calls += 1
        assert callable(self._port)
        return self._port(*given)


def test_a_source_line_that_names_the_class_ends_no_traceback(setting: Setting) -> None:
    lines = (
        '  File "/app/chat/greeting.py", line 7',
        '    raise SyntaxError ("oops" = 1)',
        "                      ^^^^^^^^^^",
        "SyntaxError: expression cannot contain assignment",
    )
    for line in lines:
        last = setting.entry(line)
    outcome = record_log_entry(setting.process(), last)
    assert outcome.name == "opened"
    assert incident_document(setting, outcome.incident)["path"] == "chat/greeting.py"


def test_copies_of_a_last_line_ask_the_log_once(setting: Setting) -> None:
    for line in ('  File "/app/chat/greeting.py", line 7', "    oops = = 1", "SyntaxError: invalid syntax"):
        last = setting.entry(line)
    logs = _Counted(setting.logs, "around")
    world = setting.process(lambda name, port: logs if name == "logs" else port)
    names = [record_log_entry(world, last).name for _ in range(20)]
    assert names == ["opened", *["throttled"] * 19]
    assert logs.calls == 1


def test_no_repository_is_asked_about_a_revision_without_a_commit(setting: Setting) -> None:
    incident = watching(setting)
    setting.logs.answered[setting.cloud.operations[0].revision] = 10
    tick(setting, WATCH_DURATION)
    assert state(setting, incident) == "resolved"
    setting.clock.turn(MINUTE)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", None)
    pasts = _Counted(Pasts())
    world = setting.process(lambda name, port: pasts if name == "histories" else port)
    assert record_log_entry(world, setting.entry(revision="tide-00009-hand")).name == "opened"
    assert pasts.calls == 0
