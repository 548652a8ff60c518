"""Checks of the log sinks: each exists, has the filter of this version, and may publish."""

import re
from collections.abc import Iterator, Sequence

from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import (
    Check,
    CheckResult,
    CheckState,
    CheckUnavailable,
    build_missing_result,
    build_ok_result,
)
from shared.errors import UsageError
from shared.filters.rendering import Sink, render_sink_filter
from shared.service import Service
from shared.workflow import flow

_LOGGING = "logging.googleapis.com"
_PUBSUB = "pubsub.googleapis.com"
_REQUEST_LOG = re.compile(r"run\.googleapis\.com(?:/|%2[Ff])requests")
_RUN_LOG = re.compile(r"run\.googleapis\.com|cloud_run_revision")
_OTHER_RESOURCE = re.compile(r'resource\.type\s*=\s*"?(?!cloud_run_revision)\w+')
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
        for project in dict.fromkeys(service.log_project or service.project for service in self._services):
            yield Check("sink", f"_Default of {project}", lambda at=project: self._check_default_sink(at))  # type: ignore[misc]
        for service in self._services:
            for sink in Sink:
                yield Check("sink", self._sink_name(service, sink), lambda s=service, k=sink: self._check_filter(s, k))  # type: ignore[misc]
                publisher = f"{self._sink_name(service, sink)} may publish"
                yield Check("sink", publisher, lambda s=service, k=sink: self._check_publisher(s, k))  # type: ignore[misc]

    def _check_default_sink(self, project: str) -> CheckResult:
        """It puts the log where provenfix reads it: https://cloud.google.com/logging/docs/routing/overview#default-bucket.

        How many requests there were, Cloud Monitoring tells, so their log may be left out.
        """
        held = self._client.get(_LOGGING, f"/v2/projects/{project}/sinks/_Default")
        if not held.is_success or held.value.get("disabled"):
            return build_missing_result(
                "It keeps no log, so nothing can be read around a failure.",
                f"gcloud logging sinks update _Default --no-disabled --project={project}, or name log_project",
            )
        active = [item for item in held.value.get("exclusions", ()) if not item.get("disabled")]
        doubtful = [str(item.get("name", "")) for item in active if _may_leave_out(str(item.get("filter", "")))]
        if not doubtful:
            return build_ok_result()
        return CheckResult(
            CheckState.UNSEEN,
            f"It leaves out entries ({', '.join(doubtful)}): what it leaves out of a service's log proves nothing.",
            "compare its exclusions with what the services log, or name log_project in provenfix.yaml",
        )

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


def _may_leave_out(filter_text: str) -> bool:
    """Whether an exclusion may be about what services log, beside the log of their requests."""
    rest = _REQUEST_LOG.sub("", filter_text)
    if rest != filter_text and not _RUN_LOG.search(rest.replace("cloud_run_revision", "")):
        return False
    return bool(_RUN_LOG.search(rest)) or not _OTHER_RESOURCE.search(rest)
