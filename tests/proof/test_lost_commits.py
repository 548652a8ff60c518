"""What going back to an earlier commit takes out of service, on real histories and where nobody can count it."""

from dataclasses import replace
from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.finding import Rollback
from shared.proof.proof_context import ProofRequest
from shared.report.facts.fix_history import UNKNOWN_LOSS, describe_lost_commits, summarise_lost_commits
from shared.report.report import build_report
from shared.report.report_json import report_to_json
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)


def test_a_rollback_names_what_the_deployed_commit_has_more(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("good", {"app/relay.py": valid_source()})
    story.commit("break", {"app/relay.py": broken_source(5)})
    story.commit("notes", {"notes.md": "Relay.\n"}, "good")
    story.commit("merge", {"app/relay.py": broken_source(5)}, "break", "notes")
    story.write_repository()
    failing = make_incident("/srv/app/relay.py", make_sighting(5, seen_at=story.committed_at("merge")))
    request = ProofRequest(deployed=story.ids["merge"], fallback_python=running_python())
    proof = prove_incident(story.path, failing, compilers, request)
    assert proof.rollback is not None
    assert story.name_of(proof.rollback.commit.id) == "good"
    assert {story.name_of(commit.id) for commit in proof.rollback.lost_commits} == {"break", "notes", "merge"}
    assert describe_lost_commits(proof.rollback, 2).startswith("loses 3 commits: ")
    assert describe_lost_commits(proof.rollback, 2).endswith(" and 1 more")
    shown = report_to_json(build_report(failing, proof))["rollback"]
    assert isinstance(shown, dict)
    assert shown["lost_count"] == 3


def test_a_loss_that_nobody_counted_is_not_told_as_none(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("good", {"app/relay.py": valid_source()})
    story.commit("break", {"app/relay.py": broken_source(5)})
    story.write_repository()
    failing = make_incident("/srv/app/relay.py", make_sighting(5, seen_at=story.committed_at("break")))
    proof = prove_incident(story.path, failing, compilers)
    assert proof.rollback is not None
    uncounted = Rollback(proof.rollback.commit)
    assert describe_lost_commits(uncounted, 3) == summarise_lost_commits(uncounted) == UNKNOWN_LOSS
    shown = report_to_json(build_report(failing, replace(proof, rollback=uncounted)))["rollback"]
    assert isinstance(shown, dict)
    assert (shown["lost_commits"], shown["lost_count"]) == ([], None)
