"""A thousand stories that nobody has thought of; `python -m tests.bench.weather` tells twenty thousand."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.crash.machine import IncidentMachine

EXAMPLES = int(os.environ.get("PROVENFIX_EXAMPLES", "1000"))


def run_stories(examples: int, *, the_same: bool = False) -> None:
    """Fails with the shortest story that breaks a rule. `the_same`: those of every other run."""
    run_state_machine_as_test(
        IncidentMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=the_same,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_sequence_of_failures_breaks_a_rule() -> None:
    run_stories(EXAMPLES, the_same=True)
