"""Times of day are moved to the day on which they were logged."""

from datetime import UTC, date, datetime
from pathlib import Path

from shared.adapters.logs.log_file import LogFile
from shared.detection.collect import collect_incidents
from shared.detection.incident import Incident, move_to_day
from tests.support.log_samples import LINE_624, LINE_676, NOT_AUTHENTICATED, export_entry, time_at, write_log_file


def incident(path: str) -> Incident:
    (found,) = collect_incidents(LogFile(path), service="", environment="").incidents
    return found


def test_every_time_is_moved(tmp_path: Path) -> None:
    console = f"23:59:50  {LINE_624}\n23:59:55  {NOT_AUTHENTICATED}\n00:00:05  {LINE_676}\n"
    moved = move_to_day(incident(write_log_file(tmp_path, console)), date(2026, 2, 28))
    first, second = datetime(2026, 2, 28, 23, 59, 50, tzinfo=UTC), datetime(2026, 3, 1, 0, 0, 5, tzinfo=UTC)
    assert (moved.first_seen, moved.last_seen, moved.dated) == (first, second, False)
    assert [(each.first_seen, each.last_seen, each.first.timestamp) for each in moved.sightings] == [
        (first, first, first),
        (second, second, second),
    ]
    assert [each.first_seen for each in moved.nearby] == [datetime(2026, 2, 28, 23, 59, 55, tzinfo=UTC)]


def test_dated_times_stay(tmp_path: Path) -> None:
    found = incident(write_log_file(tmp_path, [export_entry(LINE_624, at=1)]))
    assert move_to_day(found, date(2020, 1, 1)) == found
    assert found.first_seen == time_at(1)


def test_no_times_stay_none(tmp_path: Path) -> None:
    assert move_to_day(incident(write_log_file(tmp_path, LINE_624)), date(2020, 1, 1)).first_seen is None
