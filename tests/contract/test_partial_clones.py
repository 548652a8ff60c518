"""A clone without blobs: what it lacks is not judged, and told where it was asked for, with what fetches it."""

import shlex
from pathlib import Path

import pytest

from shared.adapters.git.repository import GitRepository
from tests.contract.test_git_copies import away, clone, unchanged
from tests.support.cli_runs import ANSWER, facts, incident, log_at, plumb
from tests.support.evidence_checker import unsupported_in
from tests.support.history_builder import Story, broken, good


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return incident(tmp_path / "origin.git")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return log_at(tmp_path)


@pytest.fixture
def copy(story: Story, tmp_path: Path) -> Path:
    """As `git clone --filter=blob:none` makes it, with the files of the head alone."""
    return clone(story, tmp_path / "copy", "--filter=blob:none")


def blob_of(story: Story, name: str) -> str:
    return plumb(story.path, "rev-parse", f"{story.ids[name]}:app/relay.py")


def test_a_given_commit_whose_file_is_not_here_is_not_judged(story: Story, copy: Path, log: Path) -> None:
    held = blob_of(story, "calm")
    away(story)
    (report,) = unchanged(copy, log, "--deployed", story.ids["calm"]).reports
    assert report["decision"] == {
        "kind": "none", "reason": "contents_not_in_this_copy", "detail": report["decision"]["detail"]
    }  # fmt: skip
    assert (report["deployed"]["commit"], report["deployed"]["corroborated"]) == (story.ids["calm"], False)
    assert "compiles" not in str(report)
    [note] = report["unseen"]
    assert held in note
    assert unsupported_in(report) == []


def test_the_command_that_is_told_fetches_what_is_missing(story: Story, copy: Path, log: Path) -> None:
    """One step after the other, until the whole answer is there; what is told stays true on the way."""
    commands = []
    for _ in range(5):
        (report,) = unchanged(copy, log, "--deployed", story.ids["claim"]).reports
        if not report["unseen"]:
            break
        [note] = report["unseen"]
        command = shlex.split(note.rpartition(": ")[2])
        assert command[:2] == ["git", "fetch"]
        plumb(copy, *command[1:])
        commands.append(command)
    assert len(commands) > 1
    assert "--refetch" not in commands[0]
    assert facts(story, unchanged(copy, log, "--deployed", story.ids["claim"])) == ANSWER


def test_versions_that_are_not_here_are_no_versions_that_do_not_fail(story: Story, copy: Path, log: Path) -> None:
    away(story)
    (report,) = unchanged(copy, log).reports
    assert report["decision"]["reason"] == "contents_not_in_this_copy"
    assert report["deployed"]["commit"] is None
    assert "--refetch" in report["unseen"][0]
    assert unsupported_in(report) == []


def test_a_break_whose_former_version_is_not_here_is_nobodys(story: Story, copy: Path, log: Path) -> None:
    held = blob_of(story, "calm")
    for name in ("break", "claim", "fix", "later"):
        plumb(copy, "checkout", "--quiet", "--detach", story.ids[name])  # fetches the blobs of that commit
    away(story)
    ended = unchanged(copy, log, "--deployed", story.ids["claim"])
    assert facts(story, ended) == {**ANSWER, "introduced": None}
    assert held in ended.reports[0]["unseen"][0]


def test_a_file_that_may_have_been_renamed_was_not_deleted(tmp_path: Path) -> None:
    story = Story(tmp_path / "renamed.git")
    story.commit("start", {"app/relay.py": good(), "app/keep.py": "kept = 1\n"})
    story.commit("break", {"app/relay.py": broken(5)})
    story.commit("rename", {"app/relay.py": None, "app/wire.py": broken(5, 1)})
    story.commit("later", {"app/keep.py": "kept = 2\n"})
    story.commit("gone", {"app/wire.py": None})
    story.write()
    copy = clone(story, tmp_path / "copy", "--filter=blob:none")
    for name in ("start", "break"):
        plumb(copy, "checkout", "--quiet", "--detach", story.ids[name])
    away(story)
    (report,) = unchanged(copy, log_at(tmp_path), "--deployed", story.ids["break"]).reports
    assert (report["fix"], report["target"]) == (None, None)
    assert report["unseen"]


def test_nothing_is_said_of_what_nobody_asked_for(story: Story, copy: Path, log: Path) -> None:
    for name in story.ids.values():
        plumb(copy, "checkout", "--quiet", "--detach", name)
    away(story)
    ended = unchanged(copy, log)
    assert facts(story, ended) == ANSWER
    assert ended.reports[0]["unseen"] == []


def test_the_command_names_the_remote_that_the_clone_was_made_from(story: Story, copy: Path) -> None:
    plumb(copy, "remote", "rename", "origin", "upstream")
    with GitRepository(str(copy)) as history:
        assert history.read(blob_of(story, "calm")) is None
        [note] = history.describe_gaps()
    assert shlex.split(note.rpartition(": ")[2])[-2:] == ["upstream", blob_of(story, "calm")]
