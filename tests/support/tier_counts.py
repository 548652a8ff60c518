"""`python -m tests.support.tier_counts`: how many tests each tier has, and all of them together."""

import sys
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
_OPTIONS = ("--collect-only", "-o", "addopts=", "-p", "no:terminal", "-p", "no:cacheprovider")


class _Counter:
    """A plugin of pytest: counts the collected tests by the folder that they are in."""

    def __init__(self) -> None:
        self.tiers: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.tiers.update(item.path.relative_to(TESTS).parts[0] for item in items)


def main() -> int:
    """Prints one line for each tier; pytest's own exit code where a file cannot be collected."""
    counter = _Counter()
    failed = int(pytest.main([*_OPTIONS, str(TESTS)], plugins=[counter]))
    for tier, count in sorted(counter.tiers.items()):
        print(f"{tier:<10}{count:>7,}")
    print(f"{'together':<10}{counter.tiers.total():>7,}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
