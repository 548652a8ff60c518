"""Checks of topics, subscriptions and dead letters."""

from collections.abc import Iterator, Sequence

from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, CheckUnavailable, build_missing_result, build_ok_result
from functions.local.topology import DEAD_LETTERS, SUBSCRIBERS
from shared.workflow import flow

_PUBSUB = "pubsub.googleapis.com"
_MIN_ACK_SECONDS = 540
"""Seconds: as long as the longest function may take."""


class PubSubChecks:
    """The checks of one project; `prefix` begins all names, `topics` are those that functions read."""

    def __init__(self, accounts: Accounts, project: str, prefix: str, topics: Sequence[str]) -> None:
        self._client, self._project, self._prefix, self._topics = accounts.user_client, project, prefix, topics

    def checks(self) -> Iterator[Check]:
        """In the order of the flow."""
        topics = self._topics
        for topic in (*topics, DEAD_LETTERS):
            yield Check("topic", self._prefix + topic, lambda at=topic: self._check_topic(at))  # type: ignore[misc]
        for topic in topics:
            yield Check("subscription", self._prefix + topic, lambda at=topic: self._check_subscription(at))  # type: ignore[misc]
        yield Check("subscription", self._prefix + DEAD_LETTERS, self._check_dead_letter_subscription)
        for topic in topics:
            if topic not in flow.REPEATED_TOPICS:
                yield Check("dead letter", self._prefix + topic, lambda at=topic: self._check_dead_letter_policy(at))  # type: ignore[misc]
        yield Check(
            "dead letter",
            f"{self._prefix}{DEAD_LETTERS} takes what Pub/Sub gives up",
            self._check_dead_letter_publisher,
        )

    def _path(self, kind: str, name: str) -> str:
        return f"projects/{self._project}/{kind}/{self._prefix}{name}"

    def _check_topic(self, name: str) -> CheckResult:
        if self._client.get(_PUBSUB, f"/v1/{self._path('topics', name)}").is_success:
            return build_ok_result()
        create = f"gcloud pubsub topics create {self._prefix}{name} --project={self._project}"
        return build_missing_result("It does not exist.", create)

    def _read_subscription(self, name: str) -> dict[str, object] | None:
        answer = self._client.get(_PUBSUB, f"/v1/{self._path('subscriptions', name)}")
        return dict(answer.value) if answer.is_success else None

    def _update_command(self, name: str, what: str) -> str:
        return f"gcloud pubsub subscriptions update {self._prefix}{name} --project={self._project} {what}"

    def _check_subscription(self, name: str) -> CheckResult:
        held = self._read_subscription(name)
        if held is None:
            return build_missing_result(
                "It does not exist.", _apply_command(f'google_pubsub_subscription.push["{_find_subscriber(name)}"]')
            )
        if held.get("topic") != self._path("topics", name):
            return build_missing_result(
                "It reads another topic.",
                _apply_command(f'google_pubsub_subscription.push["{_find_subscriber(name)}"]'),
            )
        push = held.get("pushConfig")
        if not isinstance(push, dict) or not push.get("pushEndpoint") or not push.get("oidcToken"):
            return build_missing_result(
                "It does not call the function.",
                _apply_command(f'google_pubsub_subscription.push["{_find_subscriber(name)}"]'),
            )
        if int(str(held.get("ackDeadlineSeconds") or 0)) < _MIN_ACK_SECONDS:
            return build_missing_result(
                "Its acknowledgement deadline is shorter than the functions may run.",
                self._update_command(name, "--ack-deadline=600"),
            )
        return build_ok_result()

    def _check_dead_letter_subscription(self) -> CheckResult:
        held = self._read_subscription(DEAD_LETTERS)
        if held is not None and held.get("topic") == self._path("topics", DEAD_LETTERS):
            return build_ok_result()
        both = f"{self._prefix}{DEAD_LETTERS}"
        create = f"gcloud pubsub subscriptions create {both} --topic={both} --project={self._project}"
        return build_missing_result("Messages that could not be delivered are lost.", create)

    def _check_dead_letter_policy(self, name: str) -> CheckResult:
        held = self._read_subscription(name)
        policy = held.get("deadLetterPolicy") if held is not None else None
        topic = self._path("topics", DEAD_LETTERS)
        if not isinstance(policy, dict) or policy.get("deadLetterTopic") != topic:
            attach = f"--dead-letter-topic={self._prefix}{DEAD_LETTERS} --max-delivery-attempts=50"
            return build_missing_result(
                "Messages that keep failing are lost: there is no dead-letter topic.",
                self._update_command(name, attach),
            )
        if self._has_role("subscriptions", name, "roles/pubsub.subscriber"):
            return build_ok_result()
        grant = (
            f"gcloud pubsub subscriptions add-iam-policy-binding {self._prefix}{name} --project={self._project} "
            f"--member={self._service_agent()} --role=roles/pubsub.subscriber"
        )
        return build_missing_result("Pub/Sub may not acknowledge messages of it.", grant)

    def _check_dead_letter_publisher(self) -> CheckResult:
        if self._has_role("topics", DEAD_LETTERS, "roles/pubsub.publisher"):
            return build_ok_result()
        grant = (
            f"gcloud pubsub topics add-iam-policy-binding {self._prefix}{DEAD_LETTERS} --project={self._project} "
            f"--member={self._service_agent()} --role=roles/pubsub.publisher"
        )
        return build_missing_result("Pub/Sub may not publish to it.", grant)

    def _has_role(self, kind: str, name: str, role: str) -> bool:
        answer = self._client.get(_PUBSUB, f"/v1/{self._path(kind, name)}:getIamPolicy")
        bindings = answer.value.get("bindings", [])
        return any(
            binding.get("role") == role and self._service_agent() in binding.get("members", ()) for binding in bindings
        )

    def _service_agent(self) -> str:
        """Pub/Sub's own account in this project."""
        answer = self._client.get("cloudresourcemanager.googleapis.com", f"/v3/projects/{self._project}")
        number = str(answer.value.get("name", "")).removeprefix("projects/")
        if not number.isdigit():
            raise CheckUnavailable(f"The project {self._project} does not exist.")
        return f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"


def _find_subscriber(topic: str) -> str:
    return next(reader.function for reader in SUBSCRIBERS if reader.topic == topic)


def _apply_command(resource: str) -> str:
    return f"terraform -chdir=terraform apply -target='{resource}'"
