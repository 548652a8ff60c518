"""Every definite verdict on an import is what Python does: shown by starting generated services."""

from tests.support.generated_imports import NAMES, generate_service
from tests.support.import_comparison import Comparison, compare_services
from tests.support.import_oracle import run_services

TREES = 120
"""`python -m tests.bench.import_verdicts` tries thousands."""


def test_no_definite_verdict_is_wrong() -> None:
    services = [generate_service(seed, 3) for seed in range(TREES)]
    comparison = Comparison()
    compare_services(services, run_services(services, NAMES), comparison)
    assert not comparison.wrong
    for family in ("import_name", "module", "binding"):
        assert comparison.counts[family, "right"] > TREES / 2, family
