"""What `record_log_entry` asks for one entry: the log for its neighbours, the repository for a commit."""

from datetime import timedelta

import pytest

from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, read_signal
from shared.proposal.rollout import WATCH_DURATION
from shared.workflow.investigation.cause_of_close import is_tied_by_log
from shared.workflow.reassemble_signal import reassemble_signal
from shared.workflow.record import record_log_entry
from tests.support.commit_graph import FakeHistories
from tests.support.drivers import MINUTE, read_incident, read_state, run_tick, start_watching
from tests.support.harness import Harness
from tests.support.log_samples import TRACEBACK


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


def test_of_two_tracebacks_beside_a_line_its_own_is_read(harness: Harness) -> None:
    told = {}
    for name in ("berth", "crane"):
        lines = (
            "Traceback (most recent call last):",
            f'  File "/app/{name}.py", line 3, in <module>',
            '    url = os.environ["HARBOUR_URL"]',
            '  File "<frozen os>", line 685, in __getitem__',
            "KeyError: 'HARBOUR_URL'",
        )
        harness.clock.advance(timedelta(seconds=2))
        told[name] = [harness.log_entry(line) for line in lines][1]
    found = {name: reassemble_signal(harness.start_process(), entry) for name, entry in told.items()}
    assert {name: read.path for name, read in found.items() if isinstance(read, Signal)} == {
        "berth": "/app/berth.py", "crane": "/app/crane.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_tied"),
    [
        ("WebSocket /ws closed: code=1011", True),
        ("Container called exit(1).", True),
        (TRACEBACK, False),
        ("all passengers aboard", False),
    ],
)
def test_the_log_shows_what_closed_a_connection_and_nothing_else(text: str, *, is_tied: bool) -> None:
    entry = LogEntry(position=0, text=text)
    assert is_tied_by_log(entry, read_signal(entry)) is is_tied


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
