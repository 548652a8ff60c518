"""`python -m tests.bench.import_verdicts [TREES] [FIRST_SEED] [PROBES]`: the verdicts on imports against real imports.

Each tree is started once for each of its probes. Prints the share of right, unknown and wrong verdicts for each family,
and every wrong one as it is met. Exits 1 where there is one.
"""

import sys
from collections.abc import Sequence

from tests.support.generated_imports import NAMES, generate_service
from tests.support.import_comparison import Comparison, compare_services
from tests.support.import_oracle import run_services

_BATCH = 50


def main(arguments: Sequence[str]) -> int:
    """0 where no verdict is wrong."""
    count, first, probes = (*map(int, arguments), *(5_000, 0, 3)[len(arguments) :])
    comparison = Comparison()
    for begin in range(first, first + count, _BATCH):
        services = [generate_service(seed, probes) for seed in range(begin, min(begin + _BATCH, first + count))]
        compare_services(services, run_services(services, NAMES), comparison, begin)
        print(f"\r{begin + len(services) - first} trees, {len(comparison.wrong)} wrong", end="", flush=True)
    reasons = [f"  {number} unknown: {reason}" for reason, number in comparison.reasons.most_common(12)]
    print("", *comparison.list_shares(), *reasons, *comparison.wrong, sep="\n")
    return int(bool(comparison.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
