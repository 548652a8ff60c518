"""No definite verdict on an attribute differs from what Python does with the same program."""

from shared.adapters.checkers.ty_checker import TyChecker
from shared.proof.claims.attributes.attribute_judge import AttributeJudge
from shared.proof.claims.checking.two_witnesses import TwoWitnesses
from shared.proof.claims.claim import ClaimFamily, ClaimState
from tests.support.attribute_oracle import compare_with_python


def test_no_verdict_of_the_rules_is_wrong() -> None:
    comparison = compare_with_python(AttributeJudge(), 300, seed=7)
    assert comparison.wrong == []
    for family in (ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.CLASS_ATTRIBUTE):
        assert comparison.counts[family, ClaimState.FAILS] > 10
        assert comparison.counts[family, ClaimState.HOLDS] > 10


def test_with_the_checker_fewer_are_known_and_none_is_wrong() -> None:
    with TyChecker() as checker:
        comparison = compare_with_python(TwoWitnesses(AttributeJudge(), checker), 15, seed=7)
    alone = compare_with_python(AttributeJudge(), 15, seed=7)
    assert comparison.wrong == []
    assert comparison.run_count == alone.run_count
    for family in (ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.CLASS_ATTRIBUTE):
        assert comparison.get_unknown_share(family) >= alone.get_unknown_share(family)
        assert comparison.get_unknown_share(family) < 1
