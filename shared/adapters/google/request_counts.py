"""How many requests a revision answered, from Cloud Monitoring: one question, however many there were.

Cloud Logging would be asked page by page, and answers sixty questions a minute for a whole project
(https://cloud.google.com/logging/quotas, read 2026-11-26). A request is in the metric some three minutes after it was
answered (https://cloud.google.com/monitoring/api/metrics_gcp_p_z, read 2026-11-26).
"""

import json
from collections.abc import Callable
from datetime import datetime
from math import ceil
from urllib.parse import urlencode

from shared.adapters.google.credentials import renew_token
from shared.adapters.google.errors import find_rule, require_grants_in_effect
from shared.adapters.http import HttpClient, HttpResponse, NoResponse
from shared.errors import Reject, Retry
from shared.secret import Secret
from shared.service import Service
from shared.text.timestamps import format_rfc3339

MONITORING_API = "https://monitoring.googleapis.com"
_SECONDS = 10.0
_SHORTEST_PERIOD = 60
"""Seconds; Monitoring aligns to no less."""


class RequestCounts:
    """Reads with a token of Google's. `address` replaces Monitoring's: a double."""

    def __init__(self, token: Callable[[], Secret], address: str = "") -> None:
        self._token = token
        self._address = address or MONITORING_API
        self._http = HttpClient(_SECONDS)

    def count(self, service: Service, revision: str, since: datetime, until: datetime, *, is_failed: bool) -> int:
        """Of a revision; those alone that it answered with a server error where `is_failed`. Raises Retry, Reject."""
        period = max(_SHORTEST_PERIOD, ceil((until - since).total_seconds() / _SHORTEST_PERIOD) * _SHORTEST_PERIOD)
        query = urlencode(
            {
                "filter": _filter(service, revision, is_failed=is_failed),
                "interval.startTime": format_rfc3339(since),
                "interval.endTime": format_rfc3339(until),
                "aggregation.alignmentPeriod": f"{period}s",
                "aggregation.perSeriesAligner": "ALIGN_SUM",
                "aggregation.crossSeriesReducer": "REDUCE_SUM",
            }
        )
        url = f"{self._address}/v3/projects/{service.project}/timeSeries?{query}"
        response = self._get(url)
        if response.status == 401 and renew_token(self._token):
            response = self._get(url)
        if not response.is_success:
            raise _translate_failure(response.status, service.project)
        try:
            series = json.loads(response.body).get("timeSeries", [])
            return sum(int(point["value"]["int64Value"]) for line in series for point in line["points"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Reject("invalid", f"Cloud Monitoring answered no counts ({type(error).__name__})") from None

    def _get(self, url: str) -> HttpResponse:
        try:
            return self._http.request("GET", url, {"Authorization": f"Bearer {self._token().reveal()}"})
        except NoResponse as error:
            raise Retry(str(error)) from error


def _filter(service: Service, revision: str, *, is_failed: bool) -> str:
    terms = [
        'metric.type="run.googleapis.com/request_count"',
        'resource.type="cloud_run_revision"',
        f'resource.labels.service_name="{service.name}"',
        f'resource.labels.location="{service.region}"',
        f'resource.labels.revision_name="{revision}"',
        *(['metric.labels.response_code_class="5xx"'] if is_failed else []),
    ]
    return " AND ".join(terms)


def _translate_failure(status: int, project: str) -> Retry | Reject:
    action = f"Cloud Monitoring, project {project}"
    require_grants_in_effect(action, str(status))
    rule = find_rule(str(status))
    reason = rule.reason if rule is not None else "invalid"
    return Reject(reason, f"{action}: {status}") if reason else Retry(f"{action}: {status}")
