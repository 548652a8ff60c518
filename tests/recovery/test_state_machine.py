"""A thousand stories that nobody has thought of; `python -m tests.bench.soak` tells twenty thousand."""

import os

from tests.support.crash.soak import run_stories

EXAMPLES = int(os.environ.get("PROVENFIX_EXAMPLES", "600"))


def test_no_sequence_of_failures_breaks_a_rule() -> None:
    run_stories(EXAMPLES, the_same=True)
