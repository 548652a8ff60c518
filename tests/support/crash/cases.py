"""The ways in which a call of a story goes wrong: each alone, and those of both kinds together, all or one in turn."""

import os
from itertools import product

from tests.support.crash.faults import Fault
from tests.support.crash.story_run import SecondWorker

Case = tuple[Fault, SecondWorker]

IS_EXHAUSTIVE = bool(os.environ.get("PROVENFIX_EVERY_CASE"))
CASES = [case for case in product(Fault, SecondWorker) if case != (Fault.NONE, SecondWorker.ALONE)]
"""All but the one without any fault, which is played first."""
TOGETHER = [(fault, beside) for fault, beside in CASES if fault is not Fault.NONE and beside is not SecondWorker.ALONE]
"""A fault while a second worker is at the same message."""


def vary_call(number: int) -> list[Case]:
    """Returns each fault alone, a second worker without a fault, and of both together one case in turn."""
    if IS_EXHAUSTIVE:
        return CASES
    return [case for case in CASES if case not in TOGETHER or case == TOGETHER[number % len(TOGETHER)]]
