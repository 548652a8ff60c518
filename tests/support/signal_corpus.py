"""Every text that the tests of signals read, as log entries: the tests run once more, and what they read is kept.

So a shape that is added to those tests is tried on the filters of the sinks without being written twice.
"""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from shared.detection import collect
from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SkipReason, read_signal
from tests.support import log_samples
from tests.support.log_samples import export_entry

_UNIT_TESTS = Path(__file__).parents[1] / "unit"
SIGNAL_TESTS = tuple(
    _UNIT_TESTS / name
    for name in (
        "test_signal.py",
        "test_signal_close_code.py",
        "test_collect.py",
        "test_failed_start.py",
        "test_websocket_exception.py",
        "test_bare_messages.py",
        "test_causes.py",
        "test_connections_and_chains.py",
        "test_ties.py",
    )
)
_OPTIONS = ("-o", "addopts=", "-p", "no:terminal", "-p", "no:faulthandler", "-p", "no:cacheprovider", "--capture=no")
"""A run within a run shows nothing, and leaves the outer one as it is."""


class _Recorder:
    """A plugin of pytest: keeps what `read_signal` is given while a test runs."""

    def __init__(self) -> None:
        self.texts: dict[str, Signal | SkipReason] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Function) -> Generator[None, object, object]:
        with pytest.MonkeyPatch.context() as patch:
            for module in (log_samples, collect, item.module):
                patch.setattr(module, "read_signal", self._read, raising=module is not item.module)
            return (yield)

    def _read(self, entry: LogEntry) -> Signal | SkipReason:
        self.texts[entry.text] = read_signal(LogEntry(0, entry.text))
        return read_signal(entry)


def collect_texts(folder: Path) -> dict[str, Signal | SkipReason]:
    """Each text once, with what it is on its own. `folder` is where the tests may write; it is emptied first."""
    recorder = _Recorder()
    assert pytest.main([*_OPTIONS, f"--basetemp={folder}", *map(str, SIGNAL_TESTS)], plugins=[recorder]) == 0
    return recorder.texts


def entry_shapes(text: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The forms in which a service may log one text, each with its name."""
    yield "text", export_entry(text)
    yield "text without a severity", export_entry(text, severity=...)
    yield "escaped text", export_entry(text.replace("\\", "\\\\").replace("\n", "\\n"))
    for key in ("message", "msg", "event", "exc_info", "exception", "stack_trace", "error"):
        yield key, export_entry(None, jsonPayload={"logger": "ferry", key: text})
    for key in ("message", "stack", "value"):
        yield f"error.{key}", export_entry(None, jsonPayload={"message": "it failed", "error": {key: text}})
    for key in ("log", "body", "fault", "exception.stacktrace"):
        yield key, export_entry(None, jsonPayload={"logger": "ferry", key: text})
    yield "nested", export_entry(None, jsonPayload={"message": "it failed", "a": {"b": [{"log": text}]}})
    yield "lines", export_entry(None, jsonPayload={"message": "it failed", "log": text.splitlines()})
    yield "list of errors", export_entry(None, jsonPayload={"exception": [{"exc_value": "first"}, {"exc_value": text}]})
