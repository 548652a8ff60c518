"""`python -m tests.bench.soak [N]`: tells N (20,000) stories to the state machine; prints how many and how long.

In: a number of examples. Out: one line, or the shortest story that breaks a rule.
"""

import sys
import time

from tests.support.crash.soak import run_stories

STORIES = 20_000


def main(count: int = STORIES) -> str:
    """The line that is printed."""
    begun = time.perf_counter()
    run_stories(count)
    return f"{count} stories, no broken rule, {time.perf_counter() - begun:.0f} s"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if len(sys.argv) > 1 else STORIES))
