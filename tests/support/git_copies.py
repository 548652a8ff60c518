"""What test_git_copies and other tests share."""

from pathlib import Path

from tests.support import cli_runs
from tests.support.cli_runs import (
    CommandResult,
    run_investigate,
    run_plumbing,
)
from tests.support.history_builder import HistoryBuilder


def clone_repository(story: HistoryBuilder, to: Path, *options: str) -> Path:
    """A clone over git's own protocol, so that depth and filters count."""
    run_plumbing(story.path, "config", "uploadpack.allowFilter", "true")
    run_plumbing(story.path, "config", "uploadpack.allowAnySHA1InWant", "true")
    run_plumbing(story.path.parent, "clone", "--quiet", *options, story.path.as_uri(), str(to))
    return to


def hide_objects(story: HistoryBuilder) -> None:
    """Moves the remote away, so that nothing can be fetched from it."""
    story.path.rename(story.path.with_name("moved away"))


def assert_untouched(folder: Path, log: Path, *more: str) -> CommandResult:
    """Investigates, and sees to it that the repository is as it was."""
    before = cli_runs.snapshot_files(folder)
    ended = run_investigate(folder, log, *more)
    assert cli_runs.snapshot_files(folder) == before
    return ended
