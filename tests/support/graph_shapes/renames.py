"""Histories in which a broken file is renamed, moved, copied or deleted."""

from shared.adapters.compilers.best_compilers import LocalCompilers
from tests.support.graph_shapes.proving import (
    fix_subject,
    introducing_subject,
    prove_break,
    prove_break_of,
    prove_shape,
    shape,
    target_subject,
)
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    commit_names,
    make_incident,
    make_sighting,
    valid_source,
)


@shape
def rename_between_break_and_fix_is_followed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("move", {"app.py": None, "core/run.py": broken_source(5)})
    story.commit("move again", {"core/run.py": None, "core/main.py": broken_source(5, 1)})
    story.commit("mend", {"core/main.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (introducing_subject(proof), fix_subject(proof), target_subject(proof)) == ("break", "mend", "mend")
    assert proof.fix is not None
    assert proof.fix.path == "core/main.py"


@shape
def rename_between_break_and_deployment_is_followed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"old.py": valid_source()})
    story.commit("break", {"old.py": broken_source(5)})
    story.commit("move", {"old.py": None, "app.py": broken_source(5, 2)})
    story.commit("touch", {"app.py": broken_source(5, 3)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="touch")
    assert (introducing_subject(proof), fix_subject(proof)) == ("break", "mend")
    assert proof.introduced is not None
    assert proof.introduced.path == "old.py"
    assert commit_names(proof.attempts) == ["move", "touch"]


@shape
def rename_can_be_the_break(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"old.py": valid_source()})
    story.commit("move and break", {"old.py": None, "app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert introducing_subject(proof) == "move and break"
    assert proof.introduced is not None
    assert not proof.introduced.was_added_broken


@shape
def deletion_is_the_fix(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source(), "keep.py": "kept = 1\n"})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("remove", {"app.py": None})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (fix_subject(proof), target_subject(proof)) == ("remove", "remove")
    assert proof.fix is not None
    assert proof.fix.is_deletion


@shape
def file_deleted_at_the_head_is_handled(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"deep/app.py": valid_source(), "keep.py": "kept = 1\n"})
    story.commit("break", {"deep/app.py": broken_source(5)})
    story.commit("mend", {"deep/app.py": valid_source(1)})
    story.commit("remove", {"deep/app.py": None})
    story.write_repository()
    proof = prove_break(story, compilers)
    assert (introducing_subject(proof), fix_subject(proof), target_subject(proof)) == ("break", "mend", "remove")


@shape
def namesake_in_another_folder_is_another_file(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"chat/app.py": valid_source(), "jobs/app.py": valid_source()})
    story.commit("break", {"chat/app.py": broken_source(5)})
    story.commit("break the namesake", {"jobs/app.py": broken_source(7)})
    story.commit("mend", {"chat/app.py": valid_source(1)})
    story.commit("namesake is still broken", {"jobs/app.py": broken_source(7, 1)})
    story.commit("mend the namesake", {"jobs/app.py": valid_source(1)})
    story.write_repository()
    failing = make_incident("app.py", make_sighting(5, seen_at=story.committed_at("break")))
    proof = prove_shape(story, failing, compilers)
    assert (introducing_subject(proof), fix_subject(proof), target_subject(proof)) == (
        "break",
        "mend",
        "mend the namesake",
    )
    assert proof.attempts == ()


@shape
def rename_with_new_line_ends_is_followed(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"old.py": valid_source()})
    story.commit("break", {"old.py": broken_source(5)})
    story.commit("move to Windows", {"old.py": None, "app.py": broken_source(5, 1).replace("\n", "\r\n")})
    story.commit("move back", {"app.py": None, "core/run.py": broken_source(5, 2)})
    story.commit("mend", {"core/run.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="move to Windows")
    assert (introducing_subject(proof), fix_subject(proof)) == ("break", "mend")


@shape
def module_becomes_a_package(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit("make a package", {"app.py": None, "app/__init__.py": broken_source(5)})
    story.commit("mend", {"app/__init__.py": valid_source(1)})
    story.write_repository()
    assert (introducing_subject(proof := prove_break(story, compilers)), fix_subject(proof)) == ("break", "mend")
    later = prove_break_of("/srv/app/__init__.py", story, compilers, "make a package")
    assert (introducing_subject(later), fix_subject(later)) == ("break", "mend")


@shape
def moved_beside_a_copy_keeps_its_file_name(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"app.py": valid_source()})
    story.commit("break", {"app.py": broken_source(5)})
    story.commit(
        "move, and keep a backup", {"app.py": None, "chat/app.py": broken_source(5), "a_backup.py": broken_source(5)}
    )
    story.commit("mend", {"chat/app.py": valid_source(1)})
    story.write_repository()
    assert fix_subject(prove_break(story, compilers)) == "mend"


@shape
def name_changes_only_its_case(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"App.py": valid_source()})
    story.commit("break", {"App.py": broken_source(5)})
    story.commit("lower the name", {"App.py": None, "app.py": broken_source(5)})
    story.commit("mend", {"app.py": valid_source(1)})
    story.write_repository()
    proof = prove_break(story, compilers, deployed="lower the name")
    assert (introducing_subject(proof), fix_subject(proof)) == ("break", "mend")


@shape
def deleted_file_is_found_under_its_logged_name(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"chat/app.py": valid_source(), "keep.py": "kept = 1\n"})
    story.commit("break", {"chat/app.py": broken_source(5)})
    story.commit("move", {"chat/app.py": None, "core/app.py": broken_source(5)})
    story.commit("mend", {"core/app.py": valid_source(1)})
    story.commit("remove", {"core/app.py": None})
    story.write_repository()
    for logged_at, deployed in [("break", "break"), ("mend", "move")]:
        proof = prove_shape(
            story, make_incident("app.py", make_sighting(5, seen_at=story.committed_at(logged_at))), compilers
        )
        assert proof.deployed.commit is not None
        assert proof.deployed.commit.subject == deployed
        assert proof.deployed.candidates == (story.ids["move"], story.ids["break"])
        assert (introducing_subject(proof), fix_subject(proof), target_subject(proof)) == ("break", "mend", "remove")


@shape
def two_files_of_one_name_that_fit_equally_are_not_told_apart(story: HistoryBuilder, compilers: LocalCompilers) -> None:
    story.commit("start", {"chat/app.py": valid_source(), "core/app.py": valid_source()})
    story.commit("break both", {"chat/app.py": broken_source(5), "core/app.py": broken_source(5)})
    story.write_repository()
    proof = prove_shape(story, make_incident("app.py", make_sighting(5)), compilers)
    assert not proof.deployed.corroborated
    assert all(path in proof.recommendation.detail for path in ("chat/app.py", "core/app.py"))
