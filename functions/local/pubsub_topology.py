"""Makes in the Pub/Sub emulator what Terraform makes in the cloud: topics, subscriptions, dead letters."""

from datetime import timedelta

from functions.local.topology import DEAD_LETTERS, SUBSCRIBERS, DeliveryPolicy


def create_topics(project: str, prefix: str, policy: DeliveryPolicy) -> None:
    """One topic and one subscription of the same name for each reader, and one of each for the dead letters."""
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient  # noqa: PLC0415

    retry = {
        "minimum_backoff": timedelta(seconds=policy.min_retry_delay),
        "maximum_backoff": timedelta(seconds=policy.max_retry_delay),
    }
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        dead = publisher.topic_path(project, prefix + DEAD_LETTERS)
        publisher.create_topic(name=dead)
        subscriber.create_subscription(
            name=subscriber.subscription_path(project, prefix + DEAD_LETTERS), topic=dead, ack_deadline_seconds=60
        )
        for reader in SUBSCRIBERS:
            topic = publisher.topic_path(project, prefix + reader.topic)
            publisher.create_topic(name=topic)
            subscriber.create_subscription(
                request={
                    "name": subscriber.subscription_path(project, prefix + reader.topic),
                    "topic": topic,
                    "ack_deadline_seconds": policy.lease,
                    "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": policy.attempts},
                    "retry_policy": retry,
                }
            )
