"""One history for each shape in which files break and are mended, and what must be proven of it."""

import re
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.errors import UsageError
from shared.proof.model.finding import ActionKind, Finding, Reason
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    commit_names,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)


@pytest.fixture
def story(tmp_path: Path) -> HistoryBuilder:
    return HistoryBuilder(tmp_path / "repo.git")


def prove_break(
    story: HistoryBuilder, compilers: LocalCompilers, line: int = 5, deployed: str | None = None
) -> Finding:
    """The proof for `app.py` failing on `line`, with the deployed commit given or to be inferred."""
    request = ProofRequest(deployed=story.ids[deployed] if deployed else None, fallback_python=running_python())
    return prove_incident(story.path, make_incident("/srv/app.py", make_sighting(line)), compilers, request)


def prove_break_of(logged: str, story: HistoryBuilder, compilers: LocalCompilers, deployed: str) -> Finding:
    """The proof for a file of another name that fails on line 5."""
    request = ProofRequest(deployed=story.ids[deployed], fallback_python=running_python())
    return prove_incident(story.path, make_incident(logged, make_sighting(5)), compilers, request)


def introduced(proof: Finding) -> str | None:
    return proof.introduced.commit.subject if proof.introduced else None


def fixed(proof: Finding) -> str | None:
    return proof.fix.commit.subject if proof.fix else None


def proposed(proof: Finding) -> str | None:
    return proof.target.commit.subject if proof.target else None


def test_straight_history_gives_break_fix_and_target(story: HistoryBuilder, compilers: LocalCompilers) -> None:
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
    assert (introduced(proof), fixed(proof), proposed(proof)) == ("break", "mend", "later")
    assert commit_names(proof.attempts) == ["claims to fix"]
    assert proof.recommendation.kind is ActionKind.REDEPLOY
    assert proof.target is not None
    assert proof.target.commits_after_deployed == 3


def test_latest_of_several_breaks_and_fixes_counts(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    for name, source in [
        ("start", valid_source()), ("break 1", broken_source(5)), ("mend 1", valid_source(1)),
        ("break 2", broken_source(7)), ("worse", broken_source(8, 3)), ("mend 2", valid_source(2)),
        ("break 3", broken_source(9)), ("mend 3", valid_source(3)),
    ]:  # fmt: skip
        story.commit(name, {"app.py": source})
    story.write_repository()
    middle = prove_break(story, compilers, line=8)
    assert (introduced(middle), fixed(middle), proposed(middle)) == ("break 2", "mend 2", "mend 3")
    first = prove_break(story, compilers, line=5)
    assert (introduced(first), fixed(first), proposed(first)) == ("break 1", "mend 1", "mend 3")
    assert first.attempts == ()


def test_broken_head_is_not_the_target(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.commit("harmless", {"other.py": valid_source()})
    story.commit("break again", {"app.py": broken_source(6)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (fixed(proof), proposed(proof)) == ("mend", "harmless")
    assert [(refused.commit.subject, refused.gate) for refused in proof.refused_commits] == [
        ("break again", "incident_file")
    ]


def test_break_arrives_by_a_merge(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("side breaks", {"app.py": broken_source(5)}, "start")
    story.commit("main moves", {"other.py": valid_source()}, "start")
    story.commit("merge", {"app.py": broken_source(5)}, "main moves", "side breaks")
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="merge")
    assert (introduced(proof), fixed(proof)) == ("side breaks", "mend")


def test_merge_itself_breaks_the_file(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("left", {"app.py": valid_source(1)}, "start")
    story.commit("right", {"app.py": valid_source(2)}, "start")
    story.commit("bad merge", {"app.py": broken_source(5)}, "left", "right")
    story.commit("mend", {"app.py": valid_source(3)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (introduced(proof), fixed(proof)) == ("bad merge", "mend")


def test_fix_on_one_side_of_a_merge_is_found(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("hotfix", {"app.py": valid_source(1)}, "break")
    story.commit("main tries", {"app.py": broken_source(8)}, "break")
    story.commit("merge hotfix", {"app.py": valid_source(1)}, "main tries", "hotfix")
    story.commit("later", {"other.py": valid_source()})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="break")
    assert (introduced(proof), fixed(proof), proposed(proof)) == ("break", "hotfix", "later")


def test_side_that_never_had_the_break_is_no_fix(story: HistoryBuilder, compilers: LocalCompilers) -> None:
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


def test_merge_that_takes_the_side_without_the_break_is_the_fix(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("old side", {"app.py": valid_source(1)}, "start")
    story.commit("merge", {"app.py": valid_source(1)}, "break", "old side")
    story.write_repository()
    assert fixed(prove_break(story, compilers)) == "merge"


def test_rename_between_break_and_fix_is_followed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("move", {"app.py": None, "core/run.py": broken_source(5)})
    story.commit("move again", {"core/run.py": None, "core/main.py": broken_source(5, 1)})
    story.commit("mend", {"core/main.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (introduced(proof), fixed(proof), proposed(proof)) == ("break", "mend", "mend")
    assert proof.fix is not None
    assert proof.fix.path == "core/main.py"


def test_rename_between_break_and_deployment_is_followed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"old.py": valid_source()})
    story.commit("break", {"old.py": broken_source(5)})
    story.commit("move", {"old.py": None, "app.py": broken_source(5, 2)})
    story.commit("touch", {"app.py": broken_source(5, 3)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="touch")
    assert (introduced(proof), fixed(proof)) == ("break", "mend")
    assert proof.introduced is not None
    assert proof.introduced.path == "old.py"
    assert commit_names(proof.attempts) == ["move", "touch"]


def test_rename_can_be_the_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"old.py": valid_source()})
    story.commit("move and break", {"old.py": None, "app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert introduced(proof) == "move and break"
    assert proof.introduced is not None
    assert not proof.introduced.was_added_broken


def test_deletion_is_the_fix(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "keep.py": "kept = 1\n"})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("remove", {"app.py": None})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (fixed(proof), proposed(proof)) == ("remove", "remove")
    assert proof.fix is not None
    assert proof.fix.is_deletion


def test_file_that_arrives_broken_is_its_own_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"other.py": "here = 1\n"})
    story.commit("arrives", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source()})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert introduced(proof) == "arrives"
    assert proof.introduced is not None
    assert proof.introduced.was_added_broken


def test_first_commit_can_be_the_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("arrives", {"app.py": broken_source(5)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert introduced(proof) == "arrives"
    assert proof.recommendation.kind is ActionKind.NONE
    assert proof.recommendation.reason is Reason.NO_FIX


def test_deployed_commit_is_not_on_the_branch(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("feature breaks", {"app.py": broken_source(5)}, "start")
    story.commit("main moves", {"app.py": valid_source(1)}, "start")
    story.write_repository("main moves", feature="feature breaks")
    proof = prove_break(story, compilers, deployed="feature breaks")
    assert proof.deployed.commit is not None
    assert proof.deployed.commit.subject == "feature breaks"
    assert proof.fix is None
    assert proof.target is None
    assert proof.recommendation.kind is ActionKind.ROLLBACK
    assert proof.rollback is not None
    assert proof.rollback.commit.subject == "start"


def test_line_failing_on_another_branch_names_no_deployed_commit(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("feature breaks", {"app.py": broken_source(5)}, "start")
    story.commit("main moves", {"app.py": valid_source(1)}, "start")
    story.write_repository("main moves", feature="feature breaks")
    proof = prove_break(story, compilers)
    assert (proof.deployed.commit, proof.deployed.corroborated, proof.broken) == (None, False, None)
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_ON_BRANCH)
    assert (proof.rollback, proof.target) == (None, None)
    assert story.ids["feature breaks"] in proof.recommendation.detail


def test_two_broken_files_must_both_be_mended(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break both", {"app.py": broken_source(5), "jobs.py": broken_source(7)})
    story.commit("mend one", {"app.py": valid_source(1)})
    story.commit("mend the other", {"jobs.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert proof.broken is not None
    assert [(other.path, other.line) for other in proof.broken.also_broken] == [("jobs.py", 7)]
    assert (fixed(proof), proposed(proof)) == ("mend one", "mend the other")


def test_second_broken_file_is_never_mended(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break both", {"app.py": broken_source(5), "jobs.py": broken_source(7)})
    story.commit("mend one", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert fixed(proof) == "mend one"
    assert proof.target is None
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NO_TARGET)
    assert proof.refused_commits[0].gate == "also_broken"


def test_fix_that_breaks_another_file(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend and break", {"app.py": valid_source(1), "jobs.py": broken_source(3)})
    story.commit("mend that", {"jobs.py": valid_source(1)})
    story.commit("break that again", {"jobs.py": broken_source(4)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (fixed(proof), proposed(proof)) == ("mend and break", "mend that")
    assert [refused.gate for refused in proof.refused_commits] == ["newly_broken"]


def test_new_file_that_arrives_broken_holds_the_target_back(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.commit("add a broken one", {"fresh.py": broken_source(2)})
    story.write_repository()
    assert proposed(prove_break(story, compilers)) == "mend"


def test_broken_tests_and_ignored_files_do_not_count(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    ignore = "# comment\nscripts\n*.gen.py\n!\n"
    story.commit("start", {"app.py": valid_source(), ".dockerignore": ignore, "tests/data.py": broken_source(2)})
    story.commit(
        "break", {"app.py": broken_source(5), "scripts/old.py": broken_source(2), "x.gen.py": broken_source(3)}
    )
    story.commit("mend", {"app.py": valid_source(1), "sub/test_it.py": broken_source(2)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert proof.broken is not None
    assert proof.broken.also_broken == ()
    assert proposed(proof) == "mend"


def test_configured_source_roots_decide(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"svc/app.py": valid_source(), "tools/old.py": broken_source(2)})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.commit("mend", {"svc/app.py": valid_source(1)})
    story.write_repository()
    failing = make_incident("app.py", make_sighting(5))
    everything = prove_incident(story.path, failing, compilers)
    assert everything.target is None
    only = prove_incident(
        story.path, failing, compilers, ProofRequest(source_roots=("svc/",), fallback_python=running_python())
    )
    assert proposed(only) == "mend"


def test_fix_on_an_unmerged_branch_is_named(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("hotfix", {"app.py": valid_source(1)}, "break")
    story.write_repository("break", hotfix="hotfix", before="start")
    proof = prove_break(story, compilers)
    assert proof.fix is not None
    assert (proof.fix.where, proof.fix.ref, fixed(proof)) == ("unmerged_branch", "refs/heads/hotfix", "hotfix")
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.FIX_UNMERGED)


def test_fix_in_a_pull_request_is_named(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("proposal", {"app.py": valid_source(1)}, "break")
    story.write_repository("break", **{"refs/pull/12/head": "proposal"})
    proof = prove_break(story, compilers)
    assert proof.fix is not None
    assert (proof.fix.where, proof.fix.pull_request) == ("open_pull_request", 12)
    assert proof.recommendation.reason is Reason.FIX_IN_PULL_REQUEST


def test_given_commit_that_compiles_is_a_conflict(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="mend")
    assert proof.deployed.commit is not None
    assert (proof.deployed.commit.subject, proof.deployed.source) == ("break", "inferred")
    assert f"{story.ids['mend']}, app.py compiles" in proof.deployed.conflict


def test_given_commit_that_fails_elsewhere_is_not_corroborated(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, line=6, deployed="break")
    assert not proof.deployed.corroborated
    assert proof.deployed.source == "given"
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_CORROBORATED)
    assert set(re.findall(r"\bline (\d+)", proof.recommendation.detail)) == {"5", "6"}


def test_file_deleted_at_the_head_is_handled(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"deep/app.py": valid_source(), "keep.py": "kept = 1\n"})
    story.commit("break", {"deep/app.py": broken_source(5)})
    story.commit("mend", {"deep/app.py": valid_source(1)})
    story.commit("remove", {"deep/app.py": None})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (introduced(proof), fixed(proof), proposed(proof)) == ("break", "mend", "remove")


def test_criss_cross_merges_are_resolved(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("left", {"app.py": broken_source(5)}, "start")
    story.commit("right", {"app.py": valid_source(1)}, "start")
    story.commit("left takes right", {"app.py": broken_source(6)}, "left", "right")
    story.commit("right takes left", {"app.py": valid_source(1)}, "right", "left")
    story.commit("join", {"app.py": broken_source(6)}, "left takes right", "right takes left")
    story.commit("mend", {"app.py": valid_source(2)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="left takes right", line=6)
    assert (introduced(proof), fixed(proof), proposed(proof)) == ("left", "mend", "mend")
    earlier = prove_break(story, compilers, deployed="left")
    assert (fixed(earlier), proposed(earlier)) == ("right takes left", "mend")


def test_namesake_in_another_folder_is_another_file(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"chat/app.py": valid_source(), "jobs/app.py": valid_source()})
    story.commit("break", {"chat/app.py": broken_source(5)})
    story.commit("break the namesake", {"jobs/app.py": broken_source(7)})
    story.commit("mend", {"chat/app.py": valid_source(1)})
    story.commit("namesake is still broken", {"jobs/app.py": broken_source(7, 1)})
    story.commit("mend the namesake", {"jobs/app.py": valid_source(1)})
    story.write_repository()
    failing = make_incident("app.py", make_sighting(5, seen_at=story.committed_at("break")))
    proof = prove_incident(story.path, failing, compilers)
    assert (introduced(proof), fixed(proof), proposed(proof)) == ("break", "mend", "mend the namesake")
    assert proof.attempts == ()


def test_rename_with_new_line_ends_is_followed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"old.py": valid_source()})
    story.commit("break", {"old.py": broken_source(5)})
    story.commit("move to Windows", {"old.py": None, "app.py": broken_source(5, 1).replace("\n", "\r\n")})
    story.commit("move back", {"app.py": None, "core/run.py": broken_source(5, 2)})
    story.commit("mend", {"core/run.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="move to Windows")
    assert (introduced(proof), fixed(proof)) == ("break", "mend")


def test_module_becomes_a_package(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("make a package", {"app.py": None, "app/__init__.py": broken_source(5)})
    story.commit("mend", {"app/__init__.py": valid_source(1)})
    story.write_repository()
    assert (introduced(proof := prove_break(story, compilers)), fixed(proof)) == ("break", "mend")
    later = prove_break_of("/srv/app/__init__.py", story, compilers, "make a package")
    assert (introduced(later), fixed(later)) == ("break", "mend")


def test_moved_beside_a_copy_keeps_its_file_name(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit(
        "move, and keep a backup", {"app.py": None, "chat/app.py": broken_source(5), "a_backup.py": broken_source(5)}
    )
    story.commit("mend", {"chat/app.py": valid_source(1)})
    story.write_repository()
    assert fixed(prove_break(story, compilers)) == "mend"


def test_name_changes_only_its_case(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"App.py": valid_source()})
    story.commit("break", {"App.py": broken_source(5)})
    story.commit("lower the name", {"App.py": None, "app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="lower the name")
    assert (introduced(proof), fixed(proof)) == ("break", "mend")


def test_deleted_file_is_found_under_its_logged_name(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"chat/app.py": valid_source(), "keep.py": "kept = 1\n"})
    story.commit("break", {"chat/app.py": broken_source(5)})
    story.commit("move", {"chat/app.py": None, "core/app.py": broken_source(5)})
    story.commit("mend", {"core/app.py": valid_source(1)})
    story.commit("remove", {"core/app.py": None})
    story.write_repository()
    for logged_at, deployed in [("break", "break"), ("mend", "move")]:
        proof = prove_incident(
            story.path, make_incident("app.py", make_sighting(5, seen_at=story.committed_at(logged_at))), compilers
        )
        assert proof.deployed.commit is not None
        assert proof.deployed.commit.subject == deployed
        assert proof.deployed.candidates == (story.ids["move"], story.ids["break"])
        assert (introduced(proof), fixed(proof), proposed(proof)) == ("break", "mend", "remove")


def test_two_files_of_one_name_that_fit_equally_are_not_told_apart(
    story: HistoryBuilder, compilers: LocalCompilers
) -> None:
    story.commit("start", {"chat/app.py": valid_source(), "core/app.py": valid_source()})
    story.commit("break both", {"chat/app.py": broken_source(5), "core/app.py": broken_source(5)})
    story.write_repository()
    proof = prove_incident(story.path, make_incident("app.py", make_sighting(5)), compilers)
    assert not proof.deployed.corroborated
    assert all(path in proof.recommendation.detail for path in ("chat/app.py", "core/app.py"))


def test_names_that_a_mended_file_was_given_later_cost_nothing(tmp_path: Path, compilers: LocalCompilers) -> None:
    started = []
    for moves in (0, 5):
        story = HistoryBuilder(tmp_path / f"moved-{moves}.git")
        story.commit("start", {"app.py": valid_source()})
        story.commit("break", {"app.py": broken_source(5)})
        story.commit("mend", {"app.py": valid_source(1)})
        for move in range(moves):
            old = f"m{move - 1}.py" if move else "app.py"
            story.commit(f"move {move}", {old: None, f"m{move}.py": valid_source(1)})
        story.write_repository()
        request = ProofRequest(deployed=story.ids["break"], fallback_python=running_python())
        with GitRepository(str(story.path)) as history:
            proof = prove(make_incident("app.py", make_sighting(5)), history, compilers, request, lambda _: None)
            started.append(history.processes_started)
        assert fixed(proof) == "mend"
        assert proposed(proof) == list(story.names)[-1]
    assert started[0] == started[1]


DOCKERFILE = "FROM python:{}\n"
MATCH = "match 1:\n    case 1:\n        pass\n"


def test_a_target_must_compile_on_the_python_of_its_own_image(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"Dockerfile": DOCKERFILE.format("3.11"), "app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.commit("down to 3.9", {"Dockerfile": DOCKERFILE.format("3.9"), "fresh.py": MATCH})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert proof.deployed.python == "3.11"
    assert f"at {story.ids['break']}" in proof.deployed.python_source
    assert proposed(proof) == "mend"
    assert [refused.gate for refused in proof.refused_commits] == ["own_python"]


@pytest.mark.parametrize("root", ["nosuch", "../..", "/etc", "app.py/"])
def test_a_source_root_without_any_source_is_refused(
    story: HistoryBuilder, compilers: LocalCompilers, root: str
) -> None:
    story.commit("start", {"svc/app.py": valid_source()})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.write_repository()
    with pytest.raises(UsageError, match=re.escape(f"--source-root {root}")):
        prove_incident(
            story.path, make_incident("app.py", make_sighting(5)), compilers, ProofRequest(source_roots=(root,))
        )


def test_a_source_root_may_be_written_in_any_way(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"svc/app.py": valid_source(), "svc/jobs.py": valid_source()})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.commit("mend and break", {"svc/app.py": valid_source(1), "svc/jobs.py": broken_source(3)})
    story.write_repository()
    for root in ("svc", "./svc", "svc/", "./svc/../svc"):
        request = ProofRequest(source_roots=(root,), fallback_python=running_python())
        assert prove_incident(story.path, make_incident("app.py", make_sighting(5)), compilers, request).target is None


@pytest.mark.parametrize(
    "ignore", [{".dockerignore": "*\n"}, {".gcloudignore": "*.py\n"}, {"svc/.dockerignore": "jobs.py\n"}]
)
def test_an_ignore_file_that_no_build_can_have_read_does_not_count(
    story: HistoryBuilder, compilers: LocalCompilers, ignore: dict[str, str | bytes | None]
) -> None:
    story.commit("start", {"svc/app.py": valid_source(), "svc/jobs.py": valid_source(), **ignore})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.commit("mend", {"svc/app.py": valid_source(1)})
    story.commit("break the other", {"svc/jobs.py": broken_source(3)})
    story.write_repository()
    assert proposed(prove_break(story, compilers)) == "mend"
