"""A thousand stories that nobody has thought of; `make bench` tells twenty thousand (PROVENFIX_EXAMPLES)."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.crash.machine import Weather

EXAMPLES = int(os.environ.get("PROVENFIX_EXAMPLES", "1000"))


def test_no_weather_breaks_a_rule() -> None:
    run_state_machine_as_test(
        Weather,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
