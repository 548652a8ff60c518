"""Every text that the tests of signals read, as log entries: the tests run once more, and what they read is kept.

So a shape that is added to those tests is tried on the filters of the sinks without being written twice.
"""

import inspect
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from shared.detection import collect
from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SkipReason, read_signal
from tests.support import log_samples
from tests.support.log_samples import export_entry
from tests.unit import test_collect, test_signal, test_signal_close_code

SIGNAL_TESTS = (test_signal, test_signal_close_code, test_collect)
_READERS = (log_samples, test_signal, collect)


def collect_texts(folder: Path) -> dict[str, Signal | SkipReason]:
    """Each text once, with what it is on its own. `folder` is where the tests may write."""
    kept: dict[str, Signal | SkipReason] = {}

    def keeping(entry: LogEntry) -> Signal | SkipReason:
        kept[entry.text] = read_signal(LogEntry(0, entry.text))
        return read_signal(entry)

    with pytest.MonkeyPatch.context() as patched:
        for module in _READERS:
            patched.setattr(module, "read_signal", keeping)
        for number, (test, arguments) in enumerate(
            case for module in SIGNAL_TESTS for case in _parametrized_cases(module)
        ):
            own = folder / str(number)
            own.mkdir()
            test(**arguments, **({"tmp_path": own} if "tmp_path" in inspect.signature(test).parameters else {}))
    return kept


def entry_shapes(text: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The forms in which a service may log one text, each with its name."""
    yield "text", export_entry(text)
    yield "text without a severity", export_entry(text, severity=...)
    yield "escaped text", export_entry(text.replace("\\", "\\\\").replace("\n", "\\n"))
    for key in ("message", "msg", "event", "exc_info", "exception", "stack_trace", "error"):
        yield key, export_entry(None, jsonPayload={"logger": "ferry", key: text})
    for key in ("message", "stack", "value"):
        yield f"error.{key}", export_entry(None, jsonPayload={"message": "it failed", "error": {key: text}})
    yield "list of errors", export_entry(None, jsonPayload={"exception": [{"exc_value": "first"}, {"exc_value": text}]})


def _parametrized_cases(module: ModuleType) -> Iterator[tuple[Callable[..., None], dict[str, object]]]:
    for name, test in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("test_"):
            continue
        marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        for chosen in itertools.product(*(_arguments(mark) for mark in marks)):
            yield test, {name: value for arguments in chosen for name, value in arguments.items()}


def _arguments(mark: pytest.Mark) -> list[dict[str, object]]:
    names, given = mark.args
    split = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    found: list[dict[str, object]] = []
    for each in given:
        values = getattr(each, "values", each) if type(each).__name__ == "ParameterSet" else each
        together = values if len(split) > 1 or type(each).__name__ == "ParameterSet" else (values,)
        found.append(dict(zip(split, together, strict=True)))
    return found
