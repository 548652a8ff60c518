"""What `record_log_entry` asks for one entry: the log for its neighbours, the repository for a commit."""

from shared.proposal.rollout import WATCH_DURATION
from shared.workflow.record import record_log_entry
from tests.support.commit_graph import FakeHistories
from tests.support.drivers import MINUTE, read_incident, read_state, run_tick, start_watching
from tests.support.harness import Harness


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


def test_a_source_line_that_names_the_class_ends_no_traceback(harness: Harness) -> None:
    lines = (
        '  File "/app/chat/greeting.py", line 7',
        '    raise SyntaxError ("oops" = 1)',
        "                      ^^^^^^^^^^",
        "SyntaxError: expression cannot contain assignment",
    )
    for line in lines:
        last = harness.log_entry(line)
    outcome = record_log_entry(harness.start_process(), last)
    assert outcome.name == "opened"
    assert read_incident(harness, outcome.incident)["path"] == "chat/greeting.py"


def test_copies_of_a_last_line_ask_the_log_once(harness: Harness) -> None:
    for line in ('  File "/app/chat/greeting.py", line 7', "    oops = = 1", "SyntaxError: invalid syntax"):
        last = harness.log_entry(line)
    logs = _Counted(harness.logs, "read_neighbours")
    world = harness.start_process(lambda name, port: logs if name == "logs" else port)
    names = [record_log_entry(world, last).name for _ in range(20)]
    assert names == ["opened", *["throttled"] * 19]
    assert logs.calls == 1


def test_no_repository_is_asked_about_a_revision_without_a_commit(harness: Harness) -> None:
    incident = start_watching(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 10
    run_tick(harness, WATCH_DURATION)
    assert read_state(harness, incident) == "resolved"
    harness.clock.advance(MINUTE)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", None)
    pasts = _Counted(FakeHistories())
    world = harness.start_process(lambda name, port: pasts if name == "open_history" else port)
    assert record_log_entry(world, harness.log_entry(revision="tide-00009-hand")).name == "opened"
    assert pasts.calls == 0
