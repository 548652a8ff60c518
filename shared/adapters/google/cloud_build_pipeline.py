"""A trigger of Cloud Build as a pipeline: an order in, the build that the trigger made of its commit out.

The build is known by a substitution that names the order. A trigger takes substitutions that its configuration does
not use: https://cloud.google.com/build/docs/api/reference/rest/v1/RepoSource
"""

from itertools import islice
from typing import TYPE_CHECKING

from shared.adapters.google.asking import TIMEOUT_SECONDS, translate_errors
from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.provenance import image_digests
from shared.adapters.google.rollout_note import label_value
from shared.adapters.pipeline import CLOCK_SKEW, DeployOrder, PipelineRun
from shared.proposal.rollout import DeploymentProgress
from shared.service import Service
from shared.text.timestamps import format_rfc3339

if TYPE_CHECKING:
    from google.cloud.devtools.cloudbuild_v1 import Build

ORDER_SUBSTITUTION = "_PROVENFIX"
_BUILDS_PER_PAGE = 50
_MAX_BUILD_PAGES = 4
_RUNNING_STATUSES = frozenset(("STATUS_UNKNOWN", "PENDING", "QUEUED", "WORKING"))


class CloudBuildPipeline:
    """Implements `shared.adapters.pipeline.Pipeline`."""

    def __init__(self, clients: GoogleClients) -> None:
        self._clients = clients

    def require_traceable(self, service: Service, order: DeployOrder) -> None:
        """A build carries its order."""

    def find_run(self, service: Service, order: DeployOrder) -> PipelineRun | None:
        """See `shared.adapters.pipeline.Pipeline`."""
        parent, _, _ = service.deploy_trigger.partition("/triggers/")
        request = {
            "parent": parent,
            "project_id": parent.split("/")[1],
            "filter": f'create_time>="{format_rfc3339(order.since - CLOCK_SKEW)}"',
            "page_size": _BUILDS_PER_PAGE,
        }
        with translate_errors(f"Cloud Build, builds of {service.name}"):
            pages = self._clients.builds.list_builds(request, timeout=TIMEOUT_SECONDS, retry=None).pages
            builds = [build for page in islice(pages, _MAX_BUILD_PAGES) for build in page.builds]
        return next((_parse_build(each) for each in builds if each.substitutions.get(ORDER_SUBSTITUTION) == label_value(order.marker)), None)

    def start_run(self, service: Service, order: DeployOrder) -> None:
        """See `shared.adapters.pipeline.Pipeline`."""
        path = service.deploy_trigger
        source = {"commit_sha": order.commit, "substitutions": {ORDER_SUBSTITUTION: label_value(order.marker)}}
        request = {"name": path, "project_id": path.split("/")[1], "trigger_id": path.rpartition("/")[2]}
        with translate_errors(f"Cloud Build, {path}"):
            self._clients.builds.run_build_trigger({**request, "source": source}, timeout=TIMEOUT_SECONDS, retry=None)


def _parse_build(build: "Build") -> PipelineRun:
    status = build.status.name
    if status in _RUNNING_STATUSES:
        return PipelineRun(DeploymentProgress.RUNNING)
    if status == "SUCCESS":
        return PipelineRun(DeploymentProgress.DONE, build=str(build.id), digests=tuple(image_digests(build)))
    told = f" {build.status_detail}" if build.status_detail else ""
    return PipelineRun(DeploymentProgress.FAILED, f"Build {build.id} ended with {status}.{told} {build.log_url}".strip(), str(build.id))
