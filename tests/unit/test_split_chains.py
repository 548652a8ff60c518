"""Chains of exceptions whose links a platform logged as entries of their own."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.detection.entry import LogEntry
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SkipReason, read_signal
from shared.detection.ties import TieFinder

MISSING = (
    "Traceback (most recent call last):\n"
    '  File "/srv/shop/core/wiring.py", line 41, in wire\n    from shop.parts import clock\n'
    '  File "/srv/shop/parts/__init__.py", line 3, in <module>\n    from shop.gears import turn\n'
    "ModuleNotFoundError: No module named 'shop.gears'"
)
WRAPPED = (
    "Traceback (most recent call last):\n"
    '  File "/usr/local/lib/python3.11/site-packages/gunicorn/arbiter.py", line 608, in spawn_worker\n'
    "    worker.init_process()\n"
    '  File "/srv/shop/main.py", line 9, in <module>\n    wire()\n'
    '  File "/srv/shop/core/wiring.py", line 57, in wire\n    raise RuntimeError(f"wiring failed: {error}")\n'
    "RuntimeError: wiring failed: No module named 'shop.gears'"
)
UNRELATED = WRAPPED.replace("No module named 'shop.gears'", "no clock")
EXIT = "Container called exit(3)."


def tie(texts: list[str], gap: timedelta) -> RaisedException:
    """The exception that the last entry, a failed start, is tied to."""
    finder, at = TieFinder(), datetime(2026, 3, 1, tzinfo=UTC)
    for number, text in enumerate(texts):
        moment = at + gap * number
        entry = LogEntry(number, text, moment, service="shop", revision="shop-1", instance="a1")
        read = read_signal(entry)
        assert read is not SkipReason.NO_TEXT
        finder.add_entry(number, entry, read)
    return finder.resolve()[len(texts) - 1].raised


def test_links_logged_at_once_are_one_chain() -> None:
    raised = tie([MISSING, WRAPPED, EXIT], timedelta(microseconds=40))
    assert raised.exception.error_class == "ModuleNotFoundError"
    assert raised.last_link is not None
    assert raised.last_link.error_class == "RuntimeError"
    assert raised.location is not None
    assert raised.location.path.endswith("shop/parts/__init__.py")


@pytest.mark.parametrize(
    ("texts", "gap"),
    [
        pytest.param([MISSING, WRAPPED, EXIT], timedelta(seconds=2), id="seconds apart"),
        pytest.param([MISSING, UNRELATED, EXIT], timedelta(microseconds=40), id="another message"),
    ],
)
def test_nothing_else_is_joined(texts: list[str], gap: timedelta) -> None:
    assert tie(texts, gap).exception.error_class == "RuntimeError"


def test_an_exception_that_is_logged_twice_is_no_chain() -> None:
    assert not tie([MISSING, MISSING, EXIT], timedelta(microseconds=40)).later_links
