"""Checks in, findings out: all at once, each by itself, and all within one deadline, whatever any of them does."""

import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from functions.cli.doctor_checks.finding import Check, Found, State, Unanswered

SECONDS = 45.0
"""For all together; what has no answer by then is unknown."""
AT_ONCE = 16


def examine(
    checks: Sequence[Check], progress: Callable[[str], None], seconds: float = SECONDS
) -> Iterator[tuple[Check, Found]]:
    """In the order of the checks. The threads are daemons: none of them keeps the command from ending."""
    waiting: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, Found]] = SimpleQueue()
    for place in range(len(checks)):
        waiting.put(place)
    for _ in range(min(AT_ONCE, len(checks))):
        Thread(target=_work, args=(checks, waiting, done), daemon=True).start()
    until, found = time.monotonic() + seconds, dict[int, Found]()
    while len(found) < len(checks):
        progress(f"{len(found)} of {len(checks)} looked at")
        try:
            place, result = done.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        found[place] = result
    late = Found(State.UNKNOWN, f"There was no answer within {seconds:.0f} seconds.")
    for place, check in enumerate(checks):
        yield check, found.get(place, late)


def _work(checks: Sequence[Check], waiting: "SimpleQueue[int]", done: "SimpleQueue[tuple[int, Found]]") -> None:
    while True:
        try:
            place = waiting.get_nowait()
        except Empty:
            return
        done.put((place, _looked(checks[place])))


def _looked(check: Check) -> Found:
    try:
        return check.look()
    except Unanswered as why:
        return Found(State.UNKNOWN, str(why), why.mend)
    except Exception as error:  # noqa: BLE001  # one check must not keep the others from being told
        return Found(State.UNKNOWN, f"It could not be looked at ({type(error).__name__}).")
