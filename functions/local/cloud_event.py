"""A delivery becomes the HTTP request that Eventarc makes of it: a CloudEvent in binary mode.

Source: https://cloud.google.com/eventarc/docs/event-format and the `google.cloud.pubsub.topic.v1.MessagePublishedData`
schema: `{"message": {…, "data": base64}, "subscription": "projects/P/subscriptions/S", "deliveryAttempt": N}`.
"""

import base64
import json

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
