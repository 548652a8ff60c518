"""`python -m tests.bench.name_verdicts COUNT FIRST`: verdicts on names and calls, held against real interpreters.

Draws COUNT modules and COUNT services, each in two versions, from the seed FIRST on; judges them, runs them, and prints
how often each state was given, every wrong verdict, and the share that is not known. The interpreters take turns.
"""

import sys
from collections import Counter

from shared.adapters.compilers.interpreters import find_installed_versions, find_interpreter
from tests.support.call_oracle import compare_calls
from tests.support.scope_oracle import compare_scopes

_BATCH = 50


def main(arguments: list[str]) -> int:
    """1 where a verdict is wrong."""
    count, first = int(arguments[0]), int(arguments[1])
    versions = [version for version in find_installed_versions() if int(version.partition(".")[2]) >= 8]
    states: Counter[str] = Counter()
    wrong: list[str] = []
    for batch, start in enumerate(range(first, first + count, _BATCH)):
        python = versions[batch % len(versions)]
        interpreter = find_interpreter(python)
        assert interpreter is not None
        seeds = range(start, min(start + _BATCH, first + count))
        for compare in (compare_scopes, compare_calls):
            tally = compare(interpreter.interpreter, python, seeds)
            states += tally.states
            wrong += tally.wrong
        interpreter.close()
        print(f"{start + len(seeds) - first} drawn, {len(wrong)} wrong", flush=True)
    print(*wrong, sep="\n")
    print(*(f"{state}: {number}" for state, number in sorted(states.items())), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
