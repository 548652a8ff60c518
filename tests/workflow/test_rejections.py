"""Rejections are kept with their reason, redacted, and once a day for each source."""

from datetime import timedelta

from shared.workflow.records.rejections import record_rejection
from tests.support.drivers import read_documents
from tests.support.harness import Harness
from tests.support.memory import MemoryStore


def test_a_flood_costs_one_write() -> None:
    setting = Harness()
    assert isinstance(setting.store, MemoryStore)
    world = setting.start_process()
    for number in range(1000):
        record_rejection(world, "record", "not_json", f"entry {number}")
    record_rejection(setting.start_process(), "record", "not_json", "in another process")
    assert sum(setting.store.writes.values()) == 1
    assert [each["detail"] for each in read_documents(setting, "rejections").values()] == ["entry 0"]


def test_sources_reasons_and_days_are_kept_apart() -> None:
    setting = Harness()
    record_rejection(setting.start_process(), "record", "not_json", "")
    record_rejection(setting.start_process(), "decide", "not_json", "")
    record_rejection(setting.start_process(), "record", "too_large", "")
    setting.clock.advance(timedelta(days=1))
    record_rejection(setting.start_process(), "record", "not_json", "")
    assert len(read_documents(setting, "rejections")) == 4


def test_a_detail_is_redacted_and_then_cut() -> None:
    setting = Harness()
    record_rejection(setting.start_process(), "record", "not_json", "password=hunter2hunter2 " + "x" * 5000)
    (kept,) = read_documents(setting, "rejections").values()
    assert "hunter2" not in str(kept["detail"])
    assert len(str(kept["detail"])) <= 2000
