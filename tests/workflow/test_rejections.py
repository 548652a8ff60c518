"""What is bounded by the day: rejections with their reason, once for each source, and checks of forks' commits."""

from datetime import timedelta

from shared.workflow.records.rejections import record_rejection
from shared.workflow.records.sound_states import MAX_FORK_CHECKS, count_fork_commit
from tests.support.drivers import read_documents
from tests.support.harness import Harness
from tests.support.memory import MemoryStore


def test_a_flood_costs_one_write() -> None:
    harness = Harness()
    assert isinstance(harness.store, MemoryStore)
    context = harness.start_process()
    for number in range(1000):
        record_rejection(context, "record", "not_json", f"entry {number}")
    record_rejection(harness.start_process(), "record", "not_json", "in another process")
    assert sum(harness.store.writes.values()) == 1
    assert [each["detail"] for each in read_documents(harness, "rejections").values()] == ["entry 0"]


def test_sources_reasons_and_days_are_kept_apart() -> None:
    harness = Harness()
    record_rejection(harness.start_process(), "record", "not_json", "")
    record_rejection(harness.start_process(), "decide", "not_json", "")
    record_rejection(harness.start_process(), "record", "too_large", "")
    harness.clock.advance(timedelta(days=1))
    record_rejection(harness.start_process(), "record", "not_json", "")
    assert len(read_documents(harness, "rejections")) == 4


def test_a_detail_is_redacted_and_then_cut() -> None:
    harness = Harness()
    record_rejection(harness.start_process(), "record", "not_json", "password=hunter2hunter2 " + "x" * 5000)
    (kept,) = read_documents(harness, "rejections").values()
    assert "hunter2" not in str(kept["detail"])
    assert len(str(kept["detail"])) <= 2000


def test_only_so_many_commits_of_forks_are_checked_a_day() -> None:
    harness = Harness()
    context, tide = harness.start_process(), harness.services["shore.tide"]
    commits = [f"{number:040x}" for number in range(MAX_FORK_CHECKS + 1)]
    assert [count_fork_commit(context, tide, commit) for commit in commits] == [*[True] * MAX_FORK_CHECKS, False]
    assert (count_fork_commit(context, tide, commits[0]), count_fork_commit(context, tide, commits[-1])) == (
        True,
        False,
    )
    [tally] = read_documents(harness, "fork_tallies").values()
    assert tally["commits"] == commits[:-1]
    harness.clock.advance(timedelta(days=1))
    assert count_fork_commit(context, tide, commits[-1])
