"""Histories in which a file breaks and is fixed, on one line and by merges."""

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.recommendation import ActionKind, Reason
from tests.support.graph_shapes.proving import fix_subject, introducing_subject, prove_break, shape, target_subject
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    commit_names,
    valid_source,
)


@shape
def straight_history_gives_break_fix_and_target(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("claims to fix", {"app.py": broken_source(9)})
    story.commit("unrelated", {"other.py": valid_source()})
    story.commit("mend", {"app.py": valid_source(1)})
    story.commit("later", {"other.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, line=9)
    assert proof.deployed.commit is not None
    assert proof.deployed.commit.subject == "claims to fix"
    assert (introducing_subject(proof), fix_subject(proof), target_subject(proof)) == ("break", "mend", "later")
    assert commit_names(proof.attempts) == ["claims to fix"]
    assert proof.recommendation.kind is ActionKind.REDEPLOY
    assert proof.target is not None
    assert proof.target.commits_after_deployed == 3


@shape
def latest_of_several_breaks_and_fixes_counts(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    for name, source in [
        ("start", valid_source()), ("break 1", broken_source(5)), ("mend 1", valid_source(1)),
        ("break 2", broken_source(7)), ("worse", broken_source(8, 3)),
        ("mend 2", valid_source(2)), ("break 3", broken_source(9)), ("mend 3", valid_source(3)),
    ]:  # fmt: skip
        story.commit(name, {"app.py": source})
    story.write_repository()
    middle = prove_break(story, compilers, line=8)
    assert (introducing_subject(middle), fix_subject(middle), target_subject(middle)) == ("break 2", "mend 2", "mend 3")
    first = prove_break(story, compilers, line=5)
    assert (introducing_subject(first), fix_subject(first), target_subject(first)) == ("break 1", "mend 1", "mend 3")
    assert first.attempts == ()


@shape
def broken_head_is_not_the_target(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.commit("harmless", {"other.py": valid_source()})
    story.commit("break again", {"app.py": broken_source(6)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (fix_subject(proof), target_subject(proof)) == ("mend", "harmless")
    assert [(refused.commit.subject, refused.gate) for refused in proof.refused_commits] == [
        ("break again", "incident_file")
    ]


@shape
def break_arrives_by_a_merge(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("side breaks", {"app.py": broken_source(5)}, "start")
    story.commit("main moves", {"other.py": valid_source()}, "start")
    story.commit("merge", {"app.py": broken_source(5)}, "main moves", "side breaks")
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="merge")
    assert (introducing_subject(proof), fix_subject(proof)) == ("side breaks", "mend")


@shape
def merge_itself_breaks_the_file(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("left", {"app.py": valid_source(1)}, "start")
    story.commit("right", {"app.py": valid_source(2)}, "start")
    story.commit("bad merge", {"app.py": broken_source(5)}, "left", "right")
    story.commit("mend", {"app.py": valid_source(3)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (introducing_subject(proof), fix_subject(proof)) == ("bad merge", "mend")


@shape
def fix_on_one_side_of_a_merge_is_found(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("hotfix", {"app.py": valid_source(1)}, "break")
    story.commit("main tries", {"app.py": broken_source(8)}, "break")
    story.commit("merge hotfix", {"app.py": valid_source(1)}, "main tries", "hotfix")
    story.commit("later", {"other.py": valid_source()})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="break")
    assert (introducing_subject(proof), fix_subject(proof), target_subject(proof)) == ("break", "hotfix", "later")


@shape
def side_that_never_had_the_break_is_no_fix(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("old side", {"app.py": valid_source(1)}, "start")
    story.commit("merge keeps the break", {"app.py": broken_source(5)}, "break", "old side")
    story.write_repository()
    proof = prove_break(story, compilers, deployed="break")
    assert proof.fix is None
    assert proof.recommendation.kind is ActionKind.ROLLBACK
    assert proof.rollback is not None
    assert proof.rollback.commit.subject == "start"


@shape
def merge_that_takes_the_side_without_the_break_is_the_fix(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("old side", {"app.py": valid_source(1)}, "start")
    story.commit("merge", {"app.py": valid_source(1)}, "break", "old side")
    story.write_repository()
    assert fix_subject(prove_break(story, compilers)) == "merge"


@shape
def file_that_arrives_broken_is_its_own_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"other.py": "here = 1\n"})
    story.commit("arrives", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source()})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert introducing_subject(proof) == "arrives"
    assert proof.introduced is not None
    assert proof.introduced.was_added_broken


@shape
def first_commit_can_be_the_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("arrives", {"app.py": broken_source(5)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert introducing_subject(proof) == "arrives"
    assert proof.recommendation.kind is ActionKind.NONE
    assert proof.recommendation.reason is Reason.NO_FIX


@shape
def criss_cross_merges_are_resolved(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("left", {"app.py": broken_source(5)}, "start")
    story.commit("right", {"app.py": valid_source(1)}, "start")
    story.commit("left takes right", {"app.py": broken_source(6)}, "left", "right")
    story.commit("right takes left", {"app.py": valid_source(1)}, "right", "left")
    story.commit("join", {"app.py": broken_source(6)}, "left takes right", "right takes left")
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="left takes right", line=6)
    assert (introducing_subject(proof), fix_subject(proof), target_subject(proof)) == ("left", "mend", "mend")
    earlier = prove_break(story, compilers, deployed="left")
    assert (fix_subject(earlier), target_subject(earlier)) == ("right takes left", "mend")
