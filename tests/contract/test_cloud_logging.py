"""Cloud Logging's adapter against an in-process server, under the same questions as the fake and the log files."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.logging_v2.types import ListLogEntriesResponse

from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_logging import CloudLogging, QueryLimits, quote_value
from shared.adapters.logs.log_json import parse_json_entry
from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.adapters.standins.simulated_platform import FolderLogs
from shared.detection.entry import LogEntry
from shared.errors import Reject, Retry
from shared.ports import MAX_NEIGHBOURS, Logs
from shared.service import Service
from tests.support.google_cloud import GoogleCloud
from tests.support.google_rpc import serve_google

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
AT = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
LIST = "/google.logging.v2.LoggingServiceV2/ListLogEntries"
BROKEN = 'File "/app/tide.py", line 7\nSyntaxError: invalid syntax'


def logged(seconds: float, text: str, log: str = "stderr", instance: str = "i1", **labels: str) -> dict[str, Any]:
    resource = {"project_id": "shore", "service_name": "tide", "revision_name": "tide-1", "location": "europe-west6"}
    return {
        "timestamp": (AT + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z"),
        "insertId": f"{text}-{seconds}",
        "logName": f"projects/shore/logs/run.googleapis.com%2F{log}",
        "textPayload": text,
        "labels": {"instanceId": instance},
        "resource": {"type": "cloud_run_revision", "labels": {**resource, **labels}},
    }


LOG = [
    logged(0, "Traceback"),
    logged(1, 'File "/app/tide.py", line 7'),
    logged(2, BROKEN),
    logged(2, "another instance", instance="i2"),
    logged(3, "another revision", revision_name="tide-2"),
    logged(3, "another service", service_name="ebb"),
    logged(4, "GET /", log="requests"),
    logged(5, "GET /", log="requests"),
    logged(5, "GET / again", log="requests", revision_name="tide-2"),
    logged(60, "later"),
]


@pytest.fixture(scope="module")
def cloud_and_clients() -> Iterator[tuple[GoogleCloud, GoogleClients]]:
    cloud = GoogleCloud()
    with serve_google(cloud.answers) as channel:
        yield cloud, GoogleClients(channel)


@pytest.fixture
def cloud(cloud_and_clients: tuple[GoogleCloud, GoogleClients]) -> GoogleCloud:
    cloud, _ = cloud_and_clients
    cloud.log = list(LOG)
    cloud.answers.calls.clear()
    return cloud


@pytest.fixture(params=["cloud", "files", "sqlite"])
def open_logs(
    request: pytest.FixtureRequest,
    cloud: GoogleCloud,
    cloud_and_clients: tuple[GoogleCloud, GoogleClients],
    tmp_path: Path,
) -> Iterator[Callable[[list[dict[str, Any]]], Logs]]:
    """Opens a log that holds these entries."""
    with ExitStack() as opened:

        def open_them(entries: list[dict[str, Any]]) -> Logs:
            if request.param == "cloud":
                cloud.log = entries
                return CloudLogging(cloud_and_clients[1])
            if request.param == "files":
                (tmp_path / "log.json").write_text(json.dumps(entries))
                return FolderLogs(tmp_path)
            kept = SqliteLogs(tmp_path / "logs.sqlite")
            opened.callback(kept.close)
            kept.write(entries)
            return kept

        yield open_them


@pytest.fixture
def logs(open_logs: Callable[[list[dict[str, Any]]], Logs]) -> Logs:
    return open_logs(list(LOG))


def texts(entries: Sequence[LogEntry]) -> list[str]:
    return [each.text for each in entries]


class TestBoth:
    def test_neighbours_are_of_the_same_instance_revision_and_log_and_near(self, logs: Logs) -> None:
        found = logs.read_neighbours(parse_json_entry(LOG[2], 0))
        assert texts(found) == ["Traceback", 'File "/app/tide.py", line 7', BROKEN]

    def test_an_entry_that_is_not_in_the_log_yet_is_among_its_own_neighbours(self, logs: Logs) -> None:
        new = replace(parse_json_entry(LOG[2], 0), insert_id="new", text="new", timestamp=AT + timedelta(seconds=1.5))
        assert texts(logs.read_neighbours(new))[-2:] == ["new", BROKEN]

    def test_neighbours_in_a_storm_are_the_nearest(self, open_logs: Callable[[list[dict[str, Any]]], Logs]) -> None:
        storm = [logged(number / 1000, f"line {number}") for number in range(MAX_NEIGHBOURS + 1_000)]
        found = texts(open_logs(storm).read_neighbours(parse_json_entry(storm[1_000], 0)))
        reach = len(found) // 2
        assert 100 <= reach <= MAX_NEIGHBOURS // 2
        assert found == [f"line {number}" for number in range(1_000 - reach, 1_000 - reach + len(found))]

    def test_an_entry_without_a_time_has_no_neighbours(self, logs: Logs) -> None:
        entry = replace(parse_json_entry(LOG[2], 0), timestamp=None)
        assert logs.read_neighbours(entry) == [entry]

    def test_entries_are_those_of_the_service_in_their_order(self, logs: Logs) -> None:
        found = texts(logs.read_entries(TIDE, AT, AT + timedelta(seconds=30)))
        assert [text for text in found if not text.startswith("GET /")] == [
            "Traceback", 'File "/app/tide.py", line 7', BROKEN, "another instance", "another revision"
        ]  # fmt: skip

    def test_entries_can_be_those_of_one_revision(self, logs: Logs) -> None:
        assert texts(logs.read_entries(TIDE, AT, AT + timedelta(seconds=30), "tide-2"))[:1] == ["another revision"]

    def test_requests_are_counted_by_revision_from_a_moment_on(self, logs: Logs) -> None:
        assert [logs.count_requests(TIDE, "tide-1", AT + timedelta(seconds=wait)) for wait in (0, 5, 6)] == [2, 1, 0]
        assert logs.count_requests(TIDE, "tide-2", AT) == 1


class TestBounds:
    def test_no_more_pages_are_asked_for_than_are_wanted(
        self, cloud: GoogleCloud, cloud_and_clients: tuple[GoogleCloud, GoogleClients]
    ) -> None:
        cloud.log = [logged(n / 1000, f"line {n}") for n in range(50)]
        few = CloudLogging(cloud_and_clients[1], QueryLimits(entries=5))
        assert len(few.read_entries(TIDE, AT, AT + timedelta(hours=1))) == 5
        assert cloud.answers.count_calls(LIST) == 3

    def test_a_search_that_finds_nothing_page_after_page_ends(
        self, cloud: GoogleCloud, cloud_and_clients: tuple[GoogleCloud, GoogleClients], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        empty = ListLogEntriesResponse(next_page_token="on and on")
        monkeypatch.setitem(cloud.answers.methods, LIST, lambda _: empty)
        assert CloudLogging(cloud_and_clients[1], QueryLimits(pages=4)).count_requests(TIDE, "tide-1", AT) == 0
        assert cloud.answers.count_calls(LIST) == 4

    def test_every_question_has_two_ends(
        self, cloud: GoogleCloud, cloud_and_clients: tuple[GoogleCloud, GoogleClients]
    ) -> None:
        assert cloud.log
        logs = CloudLogging(cloud_and_clients[1])
        logs.read_neighbours(parse_json_entry(LOG[2], 0))
        logs.read_entries(TIDE, AT, AT + timedelta(seconds=30))
        logs.count_requests(TIDE, "tide-1", AT)
        logs.count_failed_requests(TIDE, "tide-1", AT)
        asked = {request.filter for called, request in cloud.answers.calls if called == LIST}
        assert len(asked) == 4
        assert all("timestamp>=" in each and "timestamp<=" in each for each in asked)

    def test_a_log_that_is_kept_in_another_project_is_read_there(
        self, cloud: GoogleCloud, cloud_and_clients: tuple[GoogleCloud, GoogleClients]
    ) -> None:
        """Its entries keep the labels of where they were written, and the filter names those."""
        logs = CloudLogging(cloud_and_clients[1], log_projects={TIDE.project: "log-keeper"})
        assert len(logs.read_neighbours(parse_json_entry(LOG[2], 0))) == 3
        logs.read_entries(TIDE, AT, AT + timedelta(seconds=30))
        asked = {tuple(request.resource_names) for called, request in cloud.answers.calls if called == LIST}
        assert asked == {("projects/log-keeper",)}

    def test_no_more_bytes_are_read_than_are_wanted(
        self, cloud: GoogleCloud, cloud_and_clients: tuple[GoogleCloud, GoogleClients]
    ) -> None:
        cloud.log = [logged(n / 1000, "x" * 100_000) for n in range(50)]
        small = CloudLogging(cloud_and_clients[1], QueryLimits(megabytes=1.0))
        assert len(small.read_entries(TIDE, AT, AT + timedelta(hours=1))) == 5

    @pytest.mark.parametrize(
        ("code", "error"), [(grpc.StatusCode.UNAVAILABLE, Retry), (grpc.StatusCode.PERMISSION_DENIED, Reject)]
    )
    def test_an_error_says_whether_to_try_again(
        self,
        cloud: GoogleCloud,
        cloud_and_clients: tuple[GoogleCloud, GoogleClients],
        code: grpc.StatusCode,
        error: type[Exception],
    ) -> None:
        cloud.answers.failures[LIST] = [code]
        with pytest.raises(error, match=f"Cloud Logging.*{TIDE.project}"):
            CloudLogging(cloud_and_clients[1]).count_requests(TIDE, "tide-1", AT)


def test_a_value_cannot_end_its_quotes() -> None:
    assert quote_value('a" OR severity>=DEFAULT\n\\') == '"a\\" OR severity>=DEFAULT \\\\"'
