"""Posts deliveries to a function as Eventarc does, and says whether it took them.

Connections are kept, one for each thread, because a new one for each message costs more than the message.
"""

import base64
import json
import threading
from http.client import HTTPConnection, HTTPException
from typing import Protocol

from functions.local.server_process import LOOPBACK
from shared.adapters.delivery import Delivery
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
    """Posts to the function on a port of the loopback."""

    def __init__(self, port: int, project: str, timeout_seconds: float) -> None:
        """`seconds` is how long one call may take; then it counts as refused, whatever comes of it."""
        self._port = port
        self._project = project
        self._seconds = timeout_seconds
        self._local = threading.local()
        self._connections: list[HTTPConnection] = []

    def deliver(self, delivery: Delivery) -> bool:
        """True for a 2xx answer; everything else, silence included, means: deliver again."""
        body, headers = build_cloud_event(delivery, self._project)
        for _ in range(2):  # a server may close a kept connection just then: that is no answer of the function
            connection = self._connection()
            try:
                connection.request("POST", "/", body, headers)
                answer = connection.getresponse()
                answer.read()
            except ConnectionError:
                connection.close()  # the next request opens it again
            except (OSError, HTTPException):
                connection.close()
                return False
            else:
                return 200 <= answer.status < 300
        return False

    def close(self) -> None:
        """Hangs up, in all threads."""
        for connection in self._connections:
            connection.close()

    def _connection(self) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = HTTPConnection(LOOPBACK, self._port, timeout=self._seconds)
            self._connections.append(connection)
        return connection
