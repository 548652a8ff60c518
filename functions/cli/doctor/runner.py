"""Runs all checks side by side and yields their results within one deadline, whatever any of them does."""

import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from functions.cli.doctor.check import Check, CheckResult, CheckState, CheckUnavailable

TIMEOUT_SECONDS = 45.0
"""For all together; a check without an answer by then is unknown."""
CONCURRENT_CHECKS = 16


def run_checks(
    checks: Sequence[Check], progress: Callable[[str], None], timeout_seconds: float = TIMEOUT_SECONDS
) -> Iterator[tuple[Check, CheckResult]]:
    """Yields results in the order of the checks. The threads are daemons: none keeps the command from ending."""
    waiting: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, CheckResult]] = SimpleQueue()
    for index in range(len(checks)):
        waiting.put(index)
    for _ in range(min(CONCURRENT_CHECKS, len(checks))):
        Thread(target=_run_waiting, args=(checks, waiting, done), daemon=True).start()
    until, results = time.monotonic() + timeout_seconds, dict[int, CheckResult]()
    while len(results) < len(checks):
        progress(f"{len(results)} of {len(checks)} checked")
        try:
            index, result = done.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        results[index] = result
    late = CheckResult(CheckState.UNKNOWN, f"No answer within {timeout_seconds:.0f} seconds.")
    for index, check in enumerate(checks):
        yield check, results.get(index, late)


def _run_waiting(
    checks: Sequence[Check], waiting: "SimpleQueue[int]", done: "SimpleQueue[tuple[int, CheckResult]]"
) -> None:
    while True:
        try:
            index = waiting.get_nowait()
        except Empty:
            return
        done.put((index, _run_check(checks[index])))


def _run_check(check: Check) -> CheckResult:
    try:
        return check.run()
    except CheckUnavailable as why:
        return CheckResult(CheckState.UNKNOWN, str(why), why.remedy)
    except Exception as error:  # noqa: BLE001  # one check must not prevent the results of the others
        return CheckResult(CheckState.UNKNOWN, f"It could not be checked ({type(error).__name__}).")
