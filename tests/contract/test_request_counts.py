"""How many requests a revision answered, from Monitoring; and a log whose reads for a minute are used up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import grpc
import pytest

from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_logging import QUOTA_REASON, QUOTA_SECONDS, CloudLogging
from shared.adapters.google.request_counts import RequestCounts
from shared.errors import Reject, Retry
from shared.secret import Secret
from shared.service import Service
from tests.support.github.server import FakeRequest, FakeResponse, serve_fake
from tests.support.google_cloud import GoogleCloud
from tests.support.google_rpc import serve_google

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
AT = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
LIST = "/google.logging.v2.LoggingServiceV2/ListLogEntries"


@dataclass
class FakeMonitoring:
    """Its metrics of one revision: a point for each minute, which is what it aligns to at least."""

    address: str = ""
    status: int = 200
    requests: list[FakeRequest] = field(default_factory=list)
    points: tuple[int, ...] = (7, 5)

    def answer(self, asked: FakeRequest) -> FakeResponse:
        self.requests.append(asked)
        if self.status != 200:
            return FakeResponse(self.status, {"error": {"code": self.status}})
        assert asked.headers["authorization"] == "Bearer of-this-test"
        assert int(asked.query["aggregation.alignmentPeriod"].removesuffix("s")) >= 60
        assert asked.query["interval.startTime"] < asked.query["interval.endTime"]
        points = [{"value": {"int64Value": str(count)}} for count in self.points]
        return FakeResponse(200, {"timeSeries": [{"points": points}]} if points else {})


@pytest.fixture
def monitoring() -> Iterator[FakeMonitoring]:
    with serve_fake(cast("Any", FakeMonitoring())) as fake:
        yield cast("Any", fake)


@pytest.fixture
def cloud() -> GoogleCloud:
    return GoogleCloud()


@pytest.fixture
def clients(cloud: GoogleCloud) -> Iterator[GoogleClients]:
    with serve_google(cloud.answers) as channel:
        yield GoogleClients(channel)


def counting(clients: GoogleClients, monitoring: FakeMonitoring) -> CloudLogging:
    return CloudLogging(clients, counts=RequestCounts(lambda: Secret("of-this-test"), monitoring.address))


def test_a_count_is_one_question_and_none_to_the_log(
    clients: GoogleClients, cloud: GoogleCloud, monitoring: FakeMonitoring
) -> None:
    logs = counting(clients, monitoring)
    assert logs.count_requests(TIDE, "tide-1", AT) == 12
    monitoring.points = ()
    assert logs.count_failed_requests(TIDE, "tide-1", AT) == 0
    every, failed = (asked.query["filter"] for asked in monitoring.requests)
    assert ('revision_name="tide-1"' in every, "5xx" in every, "5xx" in failed) == (True, False, True)
    assert cloud.answers.count_calls(LIST) == 0


def test_a_service_that_was_made_just_now_is_asked_about_a_whole_minute(
    clients: GoogleClients, monitoring: FakeMonitoring
) -> None:
    assert counting(clients, monitoring).count_requests(TIDE, "tide-1", datetime.now(UTC) + timedelta(hours=1)) == 12


def test_who_may_not_read_metrics_counts_in_the_log(
    clients: GoogleClients, cloud: GoogleCloud, monitoring: FakeMonitoring
) -> None:
    monitoring.status = 403
    assert counting(clients, monitoring).count_requests(TIDE, "tide-1", AT) == 0
    assert cloud.answers.count_calls(LIST) == 1
    monitoring.status = 503
    with pytest.raises(Retry):
        counting(clients, monitoring).count_requests(TIDE, "tide-1", AT)


@pytest.mark.parametrize("points", [[{"value": {}}], "text", [None]])
def test_an_answer_that_is_none_is_refused(
    monitoring: FakeMonitoring, points: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = RequestCounts(lambda: Secret("of-this-test"), monitoring.address)
    monkeypatch.setattr(monitoring, "answer", lambda _: FakeResponse(200, {"timeSeries": [{"points": points}]}))
    with pytest.raises(Reject, match="invalid"):
        counts.count(TIDE, "tide-1", AT, AT + timedelta(hours=1), is_failed=False)


def test_a_log_whose_quota_is_used_up_is_left_alone_for_a_while(clients: GoogleClients, cloud: GoogleCloud) -> None:
    """A storm would ask once for each of its entries, and use up the next minute as well."""
    now = [0.0]
    logs = CloudLogging(clients, clock=lambda: now[0])
    cloud.answers.failures[LIST] = [grpc.StatusCode.RESOURCE_EXHAUSTED]
    for _ in range(50):
        with pytest.raises(Retry) as refused:
            logs.read_entries(TIDE, AT, AT + timedelta(hours=1))
        assert refused.value.reason == QUOTA_REASON
    assert cloud.answers.count_calls(LIST) == 1
    now[0] = QUOTA_SECONDS
    assert logs.read_entries(TIDE, AT, AT + timedelta(hours=1)) == []
