"""Checks of the log sinks: each exists, has the filter of this version, and may publish."""

from collections.abc import Iterator, Sequence

from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, CheckUnavailable, build_missing_result, build_ok_result
from shared.errors import UsageError
from shared.filters.rendering import Sink, render_sink_filter
from shared.service import Service
from shared.workflow import flow

_LOGGING = "logging.googleapis.com"
_PUBSUB = "pubsub.googleapis.com"
_TOPICS = {Sink.SIGNALS: flow.LOG_ENTRIES, Sink.REVISIONS: flow.TICK}


class SinkChecks:
    """`functions` are the names of provenfix's own functions, which every filter leaves out."""

    def __init__(
        self, accounts: Accounts, project: str, prefix: str, services: Sequence[Service], functions: Sequence[str]
    ) -> None:
        self._client, self._project, self._prefix = accounts.user_client, project, prefix
        self._services, self._functions = services, functions

    def checks(self) -> Iterator[Check]:
        """Two for each sink: the filter is Cloud Logging's matter, who may publish is Pub/Sub's."""
        for service in self._services:
            for sink in Sink:
                yield Check("sink", self._sink_name(service, sink), lambda s=service, k=sink: self._check_filter(s, k))  # type: ignore[misc]
                publisher = f"{self._sink_name(service, sink)} may publish"
                yield Check("sink", publisher, lambda s=service, k=sink: self._check_publisher(s, k))  # type: ignore[misc]

    def _sink_name(self, service: Service, sink: Sink) -> str:
        """As terraform/sinks.tf names it."""
        return f"{self._prefix}{service.id.removeprefix(f'{service.project}.')}-{sink.value}"

    def _topic_path(self, sink: Sink) -> str:
        return f"projects/{self._project}/topics/{self._prefix}{_TOPICS[sink]}"

    def _check_filter(self, service: Service, sink: Sink) -> CheckResult:
        resource = f'google_logging_project_sink.sink["{service.id} {sink.value}"]'
        apply = f"terraform -chdir=terraform apply -target='{resource}'"
        try:
            expected = render_sink_filter(sink, service, self._project, self._functions)
        except UsageError as wrong:
            return build_missing_result(str(wrong), "correct provenfix.yaml")
        path = f"/v2/projects/{service.project}/sinks/{self._sink_name(service, sink)}"
        held = self._client.get(_LOGGING, path)
        if not held.is_success:
            return build_missing_result("It does not exist: no log entry of the service arrives.", apply)
        if held.value.get("disabled"):
            return build_missing_result("It is disabled.", apply)
        if held.value.get("destination") != f"{_PUBSUB}/{self._topic_path(sink)}":
            return build_missing_result("It has another destination.", apply)
        if str(held.value.get("filter", "")).split() != expected.split():
            return build_missing_result("Its filter differs from the one of this version.", apply)
        return build_ok_result()

    def _check_publisher(self, service: Service, sink: Sink) -> CheckResult:
        held = self._client.get(_LOGGING, f"/v2/projects/{service.project}/sinks/{self._sink_name(service, sink)}")
        writer = str(held.value.get("writerIdentity", ""))
        if not writer:
            raise CheckUnavailable("The sink does not exist.")
        policy = self._client.get(_PUBSUB, f"/v1/{self._topic_path(sink)}:getIamPolicy")
        for binding in policy.value.get("bindings", []):
            if binding.get("role") == "roles/pubsub.publisher" and writer in binding.get("members", ()):
                return build_ok_result()
        grant = f"gcloud pubsub topics add-iam-policy-binding {self._topic_path(sink).rpartition('/')[2]}"
        role = f"--member={writer} --role=roles/pubsub.publisher"
        return build_missing_result(
            "Its writer may not publish to the topic.", f"{grant} --project={self._project} {role}"
        )
