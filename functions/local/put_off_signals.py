"""Puts Ctrl-C and SIGTERM off while a block runs, so that a process is never started and then forgotten.

In: nothing. Out: the signal, raised as KeyboardInterrupt once the block has ended, if one came.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_DEFERRED_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Handlers and not a signal mask: a mask would be inherited by what the block starts."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals never interrupt other threads
        return
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    heard = [number for number in _DEFERRED_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, remember) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
