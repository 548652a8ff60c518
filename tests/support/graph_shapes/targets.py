"""Histories that differ in what may be deployed: the deployed commit, other broken files, roots and gates."""

import re

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.proof_context import ProofRequest
from tests.support.graph_shapes.proving import fix_subject, prove_break, prove_shape, shape, target_subject
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    running_python,
    valid_source,
)

DOCKERFILE = "FROM python:{}\n"
MATCH = "match 1:\n    case 1:\n        pass\n"


@shape
def deployed_commit_is_not_on_the_branch(story: HistoryBuilder, compilers: LocalCompilers) -> None:
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


@shape
def line_failing_on_another_branch_names_no_deployed_commit(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("feature breaks", {"app.py": broken_source(5)}, "start")
    story.commit("main moves", {"app.py": valid_source(1)}, "start")
    story.write_repository("main moves", feature="feature breaks")
    proof = prove_break(story, compilers)
    assert (proof.deployed.commit, proof.deployed.corroborated, proof.broken) == (None, False, None)
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_ON_BRANCH)
    assert (proof.rollback, proof.target) == (None, None)
    assert story.ids["feature breaks"] in proof.recommendation.detail


@shape
def two_broken_files_must_both_be_mended(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break both", {"app.py": broken_source(5), "jobs.py": broken_source(7)})
    story.commit("mend one", {"app.py": valid_source(1)})
    story.commit("mend the other", {"jobs.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert proof.broken is not None
    assert [(file.path, file.line) for file in proof.broken.also_broken] == [("jobs.py", 7)]
    assert (fix_subject(proof), target_subject(proof)) == ("mend one", "mend the other")


@shape
def second_broken_file_is_never_mended(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break both", {"app.py": broken_source(5), "jobs.py": broken_source(7)})
    story.commit("mend one", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert fix_subject(proof) == "mend one"
    assert proof.target is None
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NO_TARGET)
    assert proof.refused_commits[0].gate == "also_broken"


@shape
def fix_that_breaks_another_file(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "jobs.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend and break", {"app.py": valid_source(1), "jobs.py": broken_source(3)})
    story.commit("mend that", {"jobs.py": valid_source(1)})
    story.commit("break that again", {"jobs.py": broken_source(4)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (fix_subject(proof), target_subject(proof)) == ("mend and break", "mend that")
    assert [refused.gate for refused in proof.refused_commits] == ["newly_broken"]


@shape
def new_file_that_arrives_broken_holds_the_target_back(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.commit("add a broken one", {"fresh.py": broken_source(2)})
    story.write_repository()
    assert target_subject(prove_break(story, compilers)) == "mend"


@shape
def broken_tests_and_ignored_files_do_not_count(story: HistoryBuilder, compilers: LocalCompilers) -> None:
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
    assert target_subject(proof) == "mend"


@shape
def configured_source_roots_decide(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"svc/app.py": valid_source(), "tools/old.py": broken_source(2)})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.commit("mend", {"svc/app.py": valid_source(1)})
    story.write_repository()
    failing = make_incident("app.py", make_sighting(5))
    everything = prove_shape(story, failing, compilers)
    assert everything.target is None
    only = prove_shape(
        story, failing, compilers, ProofRequest(source_roots=("svc/",), fallback_python=running_python())
    )
    assert target_subject(only) == "mend"


@shape
def fix_on_an_unmerged_branch_is_named(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("hotfix", {"app.py": valid_source(1)}, "break")
    story.write_repository("break", hotfix="hotfix", before="start")
    proof = prove_break(story, compilers)
    assert proof.fix is not None
    assert (proof.fix.where, proof.fix.ref, fix_subject(proof)) == ("unmerged_branch", "refs/heads/hotfix", "hotfix")
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.FIX_UNMERGED)


@shape
def fix_in_a_pull_request_is_named(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("proposal", {"app.py": valid_source(1)}, "break")
    story.write_repository("break", **{"refs/pull/12/head": "proposal"})
    proof = prove_break(story, compilers)
    assert proof.fix is not None
    assert (proof.fix.where, proof.fix.pull_request) == ("open_pull_request", 12)
    assert proof.recommendation.reason is Reason.FIX_IN_PULL_REQUEST


@shape
def given_commit_that_compiles_is_a_conflict(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="mend")
    assert proof.deployed.commit is not None
    assert (proof.deployed.commit.subject, proof.deployed.source) == ("break", "inferred")
    assert f"{story.ids['mend']}, app.py compiles" in proof.deployed.conflict


@shape
def given_commit_that_fails_elsewhere_is_not_corroborated(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, line=6, deployed="break")
    assert not proof.deployed.corroborated
    assert proof.deployed.source == "given"
    assert (proof.recommendation.kind, proof.recommendation.reason) == (ActionKind.NONE, Reason.NOT_CORROBORATED)
    assert set(re.findall(r"\bline (\d+)", proof.recommendation.detail)) == {"5", "6"}


@shape
def a_target_must_compile_on_the_python_of_its_own_image(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"Dockerfile": DOCKERFILE.format("3.11"), "app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.commit("down to 3.9", {"Dockerfile": DOCKERFILE.format("3.9"), "fresh.py": MATCH})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert proof.deployed.python == "3.11"
    assert f"at {story.ids['break']}" in proof.deployed.python_source
    assert target_subject(proof) == "mend"
    assert [refused.gate for refused in proof.refused_commits] == ["own_python"]


@shape
def a_source_root_may_be_written_in_any_way(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"svc/app.py": valid_source(), "svc/jobs.py": valid_source()})
    story.commit("break", {"svc/app.py": broken_source(5)})
    story.commit("mend and break", {"svc/app.py": valid_source(1), "svc/jobs.py": broken_source(3)})
    story.write_repository()
    for root in ("svc", "./svc", "svc/", "./svc/../svc"):
        request = ProofRequest(source_roots=(root,), fallback_python=running_python())
        assert prove_shape(story, make_incident("app.py", make_sighting(5)), compilers, request).target is None
