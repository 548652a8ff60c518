"""Random histories (edits that break, fix, merge, rename, delete) against an oracle that compiles every commit.

The oracle knows the whole plan: what the file was called and held at each commit, and which commits descend from which.
It shares no code with the search.
"""

import os

from hypothesis import HealthCheck, assume, given, settings

from shared.adapters.compilers.best_compilers import LocalCompilers
from tests.support.random_histories import DrawnHistory, histories, prove_drawn

EXAMPLES = int(os.environ.get("PROVENFIX_HISTORIES", "200"))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(drawn=histories())
def test_introduced_fix_target_and_rollback_agree_with_the_oracle(
    compilers: LocalCompilers, drawn: DrawnHistory
) -> None:
    assume(drawn.deployed >= 0)
    story, proof = prove_drawn(drawn, compilers, given_commit=True)
    fix = drawn.fix()
    assert proof.deployed.corroborated
    assert proof.introduced is not None
    assert story.name_of(proof.introduced.commit.id) in {f"c{origin}" for origin in drawn.origins()}
    assert story.name_of(proof.fix.commit.id if proof.fix and proof.fix.where == "merged" else None) == (
        None if fix is None else f"c{fix}"
    )
    target = None if fix is None else drawn.target(fix)
    assert story.name_of(proof.target.commit.id if proof.target else None) == (None if target is None else f"c{target}")
    back = drawn.back(int(proof.introduced.commit.subject.removeprefix("c")))
    rollback = proof.rollback or proof.alternative_rollback
    assert story.name_of(rollback.commit.id if rollback else None) == (None if back is None else f"c{back}")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(drawn=histories())
def test_inferred_commit_is_the_version_held_when_logged(compilers: LocalCompilers, drawn: DrawnHistory) -> None:
    assume(drawn.deployed in drawn.ancestors(drawn.head))
    story, proof = prove_drawn(drawn, compilers, given_commit=False)
    deployed_state = drawn.states[drawn.deployed]
    matching = [
        commit
        for commit in sorted(drawn.ancestors(drawn.head))
        if (state := drawn.states[commit]).name == deployed_state.name
        and state.line == deployed_state.line
        and all(
            (drawn.states[parent].name, drawn.states[parent].source) != (state.name, state.source)
            for parent in drawn.parents[commit]
        )
    ]
    assert {story.name_of(oid) for oid in proof.deployed.candidates} == {f"c{commit}" for commit in matching}
    assert proof.deployed.commit is not None
    assert proof.deployed.commit.subject == f"c{drawn.likeliest(matching)}"
