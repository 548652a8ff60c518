"""Checks of the log sinks: each exists, has the filter of this version, and may publish."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from shared.filters.rendering import LogSink, Sink, list_sinks, render_sink_filter
from shared.service import Service
from shared.workflow import flow

_LOGGING = "logging.googleapis.com"
_PUBSUB = "pubsub.googleapis.com"
_REQUEST_LOG = re.compile(r"run\.googleapis\.com(?:/|%2[Ff])requests")
_RUN_LOG = re.compile(r"run\.googleapis\.com|cloud_run_revision")
_OTHER_RESOURCE = re.compile(r'resource\.type\s*=\s*"?(?!cloud_run_revision)\w+')
_TOPICS = {Sink.SIGNALS: flow.LOG_ENTRIES, Sink.REVISIONS: flow.TICK}


@dataclass(frozen=True, slots=True)
class SinkSetting:
    """What the sinks of an installation follow from: `prefix` begins every name, `functions` are provenfix's own, which
    every filter leaves out, and `folder` is that of the sinks, "" where those of each project deliver.
    """

    project: str
    prefix: str
    services: Sequence[Service]
    functions: Sequence[str]
    folder: str = ""


class SinkChecks:
    """Looks with the user's own rights."""

    def __init__(self, accounts: Accounts, setting: SinkSetting) -> None:
        self._client, self._setting = accounts.user_client, setting

    def checks(self) -> Iterator[Check]:
        """Two for each sink: the filter is Cloud Logging's matter, who may publish is Pub/Sub's."""
        services = self._setting.services
        for project in dict.fromkeys(service.log_project or service.project for service in services):
            yield Check("sink", f"_Default of {project}", lambda at=project: self._check_default_sink(at))  # type: ignore[misc]
        for sink in list_sinks(services, self._setting.folder):
            name = f"{self._setting.prefix}{sink.name} of {sink.parent.partition('/')[2]}"
            yield Check("sink", name, lambda at=sink: self._check_filter(at))  # type: ignore[misc]
            yield Check("sink", f"{name} may publish", lambda at=sink: self._check_publisher(at))  # type: ignore[misc]

    def _check_default_sink(self, project: str) -> CheckResult:
        """It puts the log where provenfix reads it: https://cloud.google.com/logging/docs/routing/overview#default-bucket.

        Cloud Monitoring counts the requests, so their log may be left out.
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

    def _sink_path(self, sink: LogSink) -> str:
        return f"/v2/{sink.parent}/sinks/{self._setting.prefix}{sink.name}"

    def _topic_path(self, sink: LogSink) -> str:
        return f"projects/{self._setting.project}/topics/{self._setting.prefix}{_TOPICS[sink.kind]}"

    def _check_filter(self, sink: LogSink) -> CheckResult:
        kind = "folder" if sink.parent.startswith("folders/") else "project"
        apply = f"terraform -chdir=terraform apply -target='google_logging_{kind}_sink.sink[\"{sink.key}\"]'"
        try:
            expected = render_sink_filter(sink.kind, sink.services, self._setting.project, self._setting.functions)
        except UsageError as wrong:
            return build_missing_result(str(wrong), "correct provenfix.yaml")
        held = self._client.get(_LOGGING, self._sink_path(sink))
        if not held.is_success:
            return build_missing_result("It does not exist: no log entry of its services arrives.", apply)
        differences = {
            "It is disabled.": bool(held.value.get("disabled")),
            "It has another destination.": held.value.get("destination") != f"{_PUBSUB}/{self._topic_path(sink)}",
            "Its filter differs from the one of this version.": (
                str(held.value.get("filter", "")).split() != expected.split()
            ),
            "It leaves out the projects in the folder.": kind == "folder" and not held.value.get("includeChildren"),
        }
        difference = next((sentence for sentence, differs in differences.items() if differs), "")
        return build_missing_result(difference, apply) if difference else build_ok_result()

    def _check_publisher(self, sink: LogSink) -> CheckResult:
        held = self._client.get(_LOGGING, self._sink_path(sink))
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
            "Its writer may not publish to the topic.", f"{grant} --project={self._setting.project} {role}"
        )


def _may_leave_out(filter_text: str) -> bool:
    """Whether an exclusion may be about what services log, beside the log of their requests."""
    rest = _REQUEST_LOG.sub("", filter_text)
    if rest != filter_text and not _RUN_LOG.search(rest.replace("cloud_run_revision", "")):
        return False
    return bool(_RUN_LOG.search(rest)) or not _OTHER_RESOURCE.search(rest)
