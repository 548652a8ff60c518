"""A clone without blobs: what it lacks is not judged, and named where it was asked for, with what fetches it."""

import shlex
from pathlib import Path

import pytest

from shared.adapters.git.repository import GitRepository
from tests.support.cli_runs import EXPECTED_COMMITS, named_commits, run_plumbing, write_broken_history, write_log
from tests.support.evidence_checker import find_unsupported_claims_in_json
from tests.support.git_copies import assert_untouched, clone_repository, hide_objects
from tests.support.history_builder import HistoryBuilder, broken_source, valid_source


@pytest.fixture
def story(tmp_path: Path) -> HistoryBuilder:
    return write_broken_history(tmp_path / "origin.git")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path)


@pytest.fixture
def copy(story: HistoryBuilder, tmp_path: Path) -> Path:
    """As `git clone --filter=blob:none` makes it, with the files of the head alone."""
    return clone_repository(story, tmp_path / "copy", "--filter=blob:none")


def blob_of(story: HistoryBuilder, name: str) -> str:
    return run_plumbing(story.path, "rev-parse", f"{story.ids[name]}:app/relay.py")


def test_a_given_commit_whose_file_is_not_here_is_not_judged(story: HistoryBuilder, copy: Path, log: Path) -> None:
    held = blob_of(story, "calm")
    hide_objects(story)
    (report,) = assert_untouched(copy, log, "--deployed", story.ids["calm"]).reports
    assert report["decision"] == {
        "kind": "none", "reason": "contents_not_in_this_copy", "detail": report["decision"]["detail"]
    }  # fmt: skip
    assert (report["deployed"]["commit"], report["deployed"]["corroborated"]) == (story.ids["calm"], False)
    assert "compiles" not in str(report)
    [note] = report["unseen"]
    assert held in note
    assert find_unsupported_claims_in_json(report) == []


def test_the_command_that_is_told_fetches_what_is_missing(story: HistoryBuilder, copy: Path, log: Path) -> None:
    """One step after the other, until the whole answer is there; what is said stays true on the way."""
    commands = []
    for _ in range(5):
        (report,) = assert_untouched(copy, log, "--deployed", story.ids["claim"]).reports
        if not report["unseen"]:
            break
        [note] = report["unseen"]
        command = shlex.split(note.rpartition(": ")[2])
        assert command[:2] == ["git", "fetch"]
        run_plumbing(copy, *command[1:])
        commands.append(command)
    assert len(commands) > 1
    assert "--refetch" not in commands[0]
    assert named_commits(story, assert_untouched(copy, log, "--deployed", story.ids["claim"])) == EXPECTED_COMMITS


def test_versions_that_are_not_here_are_no_versions_that_do_not_fail(
    story: HistoryBuilder, copy: Path, log: Path
) -> None:
    hide_objects(story)
    (report,) = assert_untouched(copy, log).reports
    assert report["decision"]["reason"] == "contents_not_in_this_copy"
    assert report["deployed"]["commit"] is None
    assert "--refetch" in report["unseen"][0]
    assert find_unsupported_claims_in_json(report) == []


def test_a_break_whose_former_version_is_not_here_is_nobodys(story: HistoryBuilder, copy: Path, log: Path) -> None:
    held = blob_of(story, "calm")
    for name in ("break", "claim", "fix", "later"):
        run_plumbing(copy, "checkout", "--quiet", "--detach", story.ids[name])  # fetches the blobs of that commit
    hide_objects(story)
    ended = assert_untouched(copy, log, "--deployed", story.ids["claim"])
    assert named_commits(story, ended) == {**EXPECTED_COMMITS, "introduced": None}
    assert held in ended.reports[0]["unseen"][0]


def test_a_file_that_may_have_been_renamed_was_not_deleted(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "renamed.git")
    story.commit("start", {"app/relay.py": valid_source(), "app/keep.py": "kept = 1\n"})
    story.commit("break", {"app/relay.py": broken_source(5)})
    story.commit("rename", {"app/relay.py": None, "app/wire.py": broken_source(5, 1)})
    story.commit("later", {"app/keep.py": "kept = 2\n"})
    story.commit("gone", {"app/wire.py": None})
    story.write_repository()
    copy = clone_repository(story, tmp_path / "copy", "--filter=blob:none")
    for name in ("start", "break"):
        run_plumbing(copy, "checkout", "--quiet", "--detach", story.ids[name])
    hide_objects(story)
    (report,) = assert_untouched(copy, write_log(tmp_path), "--deployed", story.ids["break"]).reports
    assert (report["fix"], report["target"]) == (None, None)
    assert report["unseen"]


def test_nothing_is_said_of_what_nobody_asked_for(story: HistoryBuilder, copy: Path, log: Path) -> None:
    for name in story.ids.values():
        run_plumbing(copy, "checkout", "--quiet", "--detach", name)
    hide_objects(story)
    ended = assert_untouched(copy, log)
    assert named_commits(story, ended) == EXPECTED_COMMITS
    assert ended.reports[0]["unseen"] == []


def test_the_command_names_the_remote_that_the_clone_was_made_from(story: HistoryBuilder, copy: Path) -> None:
    run_plumbing(copy, "remote", "rename", "origin", "upstream")
    with GitRepository(str(copy)) as history:
        assert history.read(blob_of(story, "calm")) is None
        [note] = history.describe_gaps()
    assert shlex.split(note.rpartition(": ")[2])[-2:] == ["upstream", blob_of(story, "calm")]
