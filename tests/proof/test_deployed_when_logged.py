"""Which version was deployed is what the branch held when it was logged; where two files fit, none is chosen."""

from datetime import timedelta

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

MOMENT = timedelta(seconds=30)


def logged(
    story: HistoryBuilder, compilers: LocalCompilers, when: str | None, line: int = 5, path: str = "app.py"
) -> Finding:
    """The proof for a bare name, logged half a minute after a commit; with None, without a time."""
    seen_at = story.committed_at(when) + MOMENT if when else None
    return prove_incident(story.path, make_incident(path, make_sighting(line, seen_at=seen_at)), compilers)


def deployed(proof: Finding) -> str | None:
    return proof.deployed.commit.subject if proof.deployed.commit else None


def two_namesakes(story: HistoryBuilder) -> None:
    """`old/app.py` fails and is fixed long before `new/app.py` fails on the same line."""
    story.commit("start", {"old/app.py": valid_source(), "new/app.py": valid_source(1)})
    story.commit("break old", {"old/app.py": broken_source(5)})
    story.commit("mend old", {"old/app.py": valid_source(2)})
    story.commit("break new", {"new/app.py": broken_source(5, 1)})


def test_a_file_that_was_mended_before_gives_way_to_one_that_failed_then(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    two_namesakes(story)
    story.commit("mend new", {"new/app.py": valid_source(3)})
    story.write_repository()
    proof = logged(story, compilers, "break new")
    assert (deployed(proof), proof.broken and proof.broken.path) == ("break new", "new/app.py")
    assert proof.deployed.corroborated
    earlier = logged(story, compilers, "break old")
    assert (deployed(earlier), earlier.broken and earlier.broken.path) == ("break old", "old/app.py")


def test_deleted_fixed_file_gives_way_to_one_that_failed_then(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    two_namesakes(story)
    story.commit("remove new", {"new/app.py": None})
    story.write_repository()
    proof = logged(story, compilers, "break new")
    assert (deployed(proof), proof.broken and proof.broken.path) == ("break new", "new/app.py")


@pytest.mark.parametrize("when", ["later", None])
def test_two_files_of_which_neither_failed_then_are_ambiguous(
    story: HistoryBuilder, compilers: LocalCompilers, when: str | None
) -> None:
    two_namesakes(story)
    story.commit("mend new", {"new/app.py": valid_source(3)})
    story.commit("later", {"keep.py": valid_source(9)})
    story.write_repository()
    proof = logged(story, compilers, when)
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.AMBIGUOUS)
    assert (proof.deployed.commit, proof.deployed.corroborated, proof.broken, proof.target) == (None, False, None, None)
    assert set(proof.deployed.candidates) == {story.ids["break old"], story.ids["break new"]}


def test_two_files_that_both_failed_then_are_ambiguous(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"old/app.py": valid_source(), "new/app.py": valid_source(1)})
    story.commit("break both", {"old/app.py": broken_source(5), "new/app.py": broken_source(5, 1)})
    story.commit("mend both", {"old/app.py": valid_source(), "new/app.py": valid_source(1)})
    story.write_repository()
    proof = logged(story, compilers, "break both")
    assert proof.recommendation.reason is Reason.AMBIGUOUS
    assert all(path in proof.recommendation.detail for path in ("new/app.py", "old/app.py"))


def test_replaced_version_is_found_when_no_other_file_fits(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "other/app.py": valid_source(1)})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(2)})
    story.commit("later", {"other/app.py": valid_source(3)})
    story.write_repository()
    proof = logged(story, compilers, "later")
    assert (deployed(proof), proof.recommendation.kind) == ("break", ActionKind.REDEPLOY)


def test_of_one_file_the_version_that_the_branch_held_then_counts(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    """A merged branch had made another version of it later, which the branch itself never held."""
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)}, "start")
    story.commit("side breaks", {"app.py": broken_source(5, 1)}, "start")
    story.commit("side mends", {"app.py": valid_source(2)}, "side breaks")
    story.commit("merge", {"app.py": valid_source(2)}, "break", "side mends")
    story.write_repository()
    proof = logged(story, compilers, "side breaks")
    assert deployed(proof) == "break"
    assert set(proof.deployed.candidates) == {story.ids["break"], story.ids["side breaks"]}


def test_an_uncommitted_tree_stays_possible(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "other/app.py": valid_source(1)})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("break further up", {"app.py": broken_source(9)})
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()
    proof = logged(story, compilers, "break", line=9)
    assert (deployed(proof), proof.deployed.uncommitted_tree) == ("break further up", True)
    assert proof.recommendation.kind is ActionKind.REDEPLOY


def test_a_source_root_that_was_there_as_deployed_is_accepted(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"svc/app.py": valid_source(), "svc/jobs.py": valid_source()})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.commit(
        "mend and move",
        {"svc/app.py": None, "svc/jobs.py": None, "core/app.py": valid_source(1), "core/jobs.py": valid_source()},
    )
    story.write_repository()
    for named in (story.ids["break"], None):
        request = ProofRequest(source_roots=("svc",), deployed=named, fallback_python=running_python())
        seen = make_sighting(5, seen_at=story.committed_at("break") + MOMENT)
        proof = prove_incident(story.path, make_incident("/srv/app.py", seen), compilers, request)
        assert deployed(proof) == "break"
        assert proof.target is None  # nothing lies below that root any more: what would be shipped was not looked at
