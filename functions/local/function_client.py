"""The client of one function: carries a delivery to it, and returns whether the function took it.

Connections are kept, because a new one for each message costs more than the message.
"""

import base64
import json
from typing import Protocol

from functions.local.server_process import LOOPBACK
from shared.adapters.delivery import Delivery
from shared.adapters.http import HttpClient, NoResponse
from shared.text.timestamps import format_rfc3339

_EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def build_cloud_event(delivery: Delivery, project: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers. `delivery.topic` is the topic's bare name."""
    published = format_rfc3339(delivery.published_at)
    message = {
        "data": base64.b64encode(delivery.data).decode("ascii"),
        "attributes": dict(delivery.attributes),
        "messageId": delivery.id,
        "publishTime": published,
    }
    subscription = f"projects/{project}/subscriptions/{delivery.topic}"
    body = {"message": message, "subscription": subscription, "deliveryAttempt": delivery.attempt}
    headers = {
        "ce-id": delivery.id,
        "ce-source": f"//pubsub.googleapis.com/projects/{project}/topics/{delivery.topic}",
        "ce-specversion": "1.0",
        "ce-type": _EVENT_TYPE,
        "ce-time": published,
        "content-type": "application/json",
    }
    return json.dumps(body).encode(), headers


class DeliveryTarget(Protocol):
    """Takes deliveries from several threads at once."""

    def deliver(self, delivery: Delivery) -> bool:
        """Whether the delivery is done with; False means: deliver again."""

    def close(self) -> None:
        """Nothing will be carried any more."""


class FunctionClient:
    """Posts to the function on a port of the loopback, from several threads at once."""

    def __init__(self, port: int, project: str, timeout_seconds: float) -> None:
        """`timeout_seconds` is how long one call may take; then it counts as refused, whatever comes of it."""
        self._url = f"http://{LOOPBACK}:{port}/"
        self._project = project
        self._http = HttpClient(timeout_seconds)

    def deliver(self, delivery: Delivery) -> bool:
        """True for a 2xx answer; everything else, silence included, means: deliver again."""
        body, headers = build_cloud_event(delivery, self._project)
        for _ in range(2):  # a server may close a kept connection just then: that is no answer of the function
            try:
                return self._http.request("POST", self._url, headers, body).is_success
            except NoResponse as error:
                if error.is_timeout:
                    break
        return False

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()
