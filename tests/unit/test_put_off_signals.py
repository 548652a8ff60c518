"""A signal that comes while it is put off is not lost, and not early."""

import os
import signal
from collections.abc import Iterator

import pytest

from functions.local.server_process import defer_signals


@pytest.fixture(autouse=True)
def _handlers_are_put_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    yield
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_raised_once_the_block_has_ended(number: signal.Signals) -> None:
    done = []

    def interrupted() -> None:
        with defer_signals():
            os.kill(os.getpid(), number)
            done.append("rest")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["rest"]


def test_without_a_signal_nothing_is_raised() -> None:
    with defer_signals():
        pass


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with defer_signals():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
