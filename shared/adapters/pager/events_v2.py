"""Sends a reminder, and its end, as an Events v2 body to a webhook by which PagerDuty and its peers alert on call.

https://developer.pagerduty.com/docs/send-alert-event (read 2026-11-26): 202 takes an event, 400 refuses it for good,
429 and 5xx ask for another attempt. Events of one `dedup_key` are one alert; `resolve` ends it.
"""

import json
from collections.abc import Callable

from shared.adapters.http import HttpClient, NoResponse
from shared.errors import Reject, Retry
from shared.ports import Document
from shared.proposal.proposal import Reminder
from shared.secret import Secret
from shared.service import Service
from shared.text.escaping import to_one_line, truncate
from shared.text.timestamps import format_rfc3339

_TIMEOUT_SECONDS = 8.0
_MAX_SUMMARY_LENGTH = 1_024
_MAX_DEDUP_KEY_LENGTH = 255
_MAX_RESPONSE_BYTES = 1 << 16
_TOO_MANY_REQUESTS = 429


class EventsPager:
    """Implements `shared.ports.Pager`. `routing_key` is the secret that names the receiver."""

    def __init__(self, url: str, routing_key: Callable[[], Secret]) -> None:
        self._url = url
        self._routing_key = routing_key

    def alert(self, service: Service, reminder: Reminder) -> None:
        """See `shared.ports.Pager`. Raises Retry, and Reject for what the receiver refuses for good."""
        self._send(build_event(service, reminder))

    def resolve(self, service: Service, marker: str) -> None:  # noqa: ARG002  # all services share one receiver
        """See `shared.ports.Pager`. Raises as `alert` does; an alert that the receiver does not know is no error."""
        self._send(build_resolve_event(marker))

    def _send(self, body: Document) -> None:
        event = {"routing_key": self._routing_key().reveal(), **body}
        http = HttpClient(_TIMEOUT_SECONDS, max_bytes=_MAX_RESPONSE_BYTES)
        try:
            headers = {"Content-Type": "application/json"}
            response = http.request("POST", self._url, headers, json.dumps(event).encode())
        except NoResponse as lost:
            raise Retry(f"the pager's webhook: {lost}") from lost
        finally:
            http.close()
        if response.is_success:
            return
        # The answer is not repeated: it may hold the key.
        if response.status == _TOO_MANY_REQUESTS or response.status >= 500:
            raise Retry(f"the pager's webhook answered {response.status}")
        raise Reject("alert_refused", f"the pager's webhook answered {response.status}; check pager.routing_key")


def build_resolve_event(marker: str) -> Document:
    """The body that ends an alert, without its key."""
    return {"event_action": "resolve", "dedup_key": _build_dedup_key(marker)}


def _build_dedup_key(marker: str) -> str:
    return marker[:_MAX_DEDUP_KEY_LENGTH]


def build_event(service: Service, reminder: Reminder) -> Document:
    """The body without its key."""
    links = [
        {"href": url, "text": words}
        for url, words in ((reminder.issue_url, "Issue with the full proof"), (service.runbook_url, "Runbook"))
        if url.startswith("https://")
    ]
    summary = truncate(f"Waiting for a decision: {to_one_line(reminder.title)}", _MAX_SUMMARY_LENGTH)
    return {
        "event_action": "trigger",
        "dedup_key": _build_dedup_key(reminder.marker),
        "client": "provenfix",
        "payload": {
            "summary": summary,
            "source": f"{service.name} in {service.environment_name}",
            "severity": "critical",
            "timestamp": format_rfc3339(reminder.asked_at),
            "component": service.name,
            "group": service.project,
            "custom_details": {
                "channel": f"#{service.channel_name}" if service.channel_name else service.channel,
                "expires_at": format_rfc3339(reminder.expires_at),
            },
        },
        "links": links,
    }
