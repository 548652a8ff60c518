"""A trigger of Cloud Build as a pipeline: an order in, the build that the trigger made of its commit out.

The build is known by a substitution that names the order. A trigger takes substitutions that its configuration does
not use: https://cloud.google.com/build/docs/api/reference/rest/v1/RepoSource
"""

from itertools import islice
from typing import TYPE_CHECKING

from shared.adapters.google.asking import SECONDS, asking
from shared.adapters.google.clients import Clients
from shared.adapters.google.provenance import digests
from shared.adapters.google.rollout_note import mark
from shared.adapters.pipeline import SKEW, Order, Run
from shared.proposal.rollout import DeploymentProgress
from shared.service import Service
from shared.text.timestamps import format_rfc3339

if TYPE_CHECKING:
    from google.cloud.devtools.cloudbuild_v1 import Build

SUBSTITUTION = "_PROVENFIX"
_PAGE = 50
_MOST_PAGES = 4
_RUNNING = frozenset(("STATUS_UNKNOWN", "PENDING", "QUEUED", "WORKING"))


class CloudBuildPipeline:
    """Implements `shared.adapters.pipeline.Pipeline`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def check(self, service: Service, order: Order) -> None:
        """A build carries its order."""

    def find(self, service: Service, order: Order) -> Run | None:
        """See `shared.adapters.pipeline.Pipeline`."""
        parent, _, _ = service.deploy_trigger.partition("/triggers/")
        request = {
            "parent": parent,
            "project_id": parent.split("/")[1],
            "filter": f'create_time>="{format_rfc3339(order.since - SKEW)}"',
            "page_size": _PAGE,
        }
        with asking(f"Cloud Build, builds of {service.name}"):
            pages = self._clients.builds.list_builds(request, timeout=SECONDS, retry=None).pages
            builds = [build for page in islice(pages, _MOST_PAGES) for build in page.builds]
        return next((_run(each) for each in builds if each.substitutions.get(SUBSTITUTION) == mark(order.marker)), None)

    def begin(self, service: Service, order: Order) -> None:
        """See `shared.adapters.pipeline.Pipeline`."""
        path = service.deploy_trigger
        source = {"commit_sha": order.commit, "substitutions": {SUBSTITUTION: mark(order.marker)}}
        request = {"name": path, "project_id": path.split("/")[1], "trigger_id": path.rpartition("/")[2]}
        with asking(f"Cloud Build, {path}"):
            self._clients.builds.run_build_trigger({**request, "source": source}, timeout=SECONDS, retry=None)


def _run(build: "Build") -> Run:
    status = build.status.name
    if status in _RUNNING:
        return Run(DeploymentProgress.RUNNING)
    if status == "SUCCESS":
        return Run(DeploymentProgress.DONE, build=str(build.id), digests=tuple(digests(build)))
    told = f" {build.status_detail}" if build.status_detail else ""
    return Run(DeploymentProgress.FAILED, f"Build {build.id} ended with {status}.{told} {build.log_url}".strip(), str(build.id))
