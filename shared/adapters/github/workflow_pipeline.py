"""A workflow as a pipeline: an order in, the run that was dispatched with its commit out.

GitHub does not tell with which inputs a run was started: a run is known by its name, in which the workflow has to show
the input. A workflow that does not is never dispatched, since nobody could find again what came of it.
https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.adapters.deploy_methods import CLOCK_SKEW, DeployOrder, PipelineRun
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.queries import BLOB_FIELDS, Query
from shared.errors import Reject
from shared.proposal.rollout import DeploymentProgress
from shared.service import Service
from shared.text.timestamps import format_rfc3339


class WorkflowPipeline:
    """Implements `shared.adapters.deploy_methods.Pipeline`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def require_traceable(self, service: Service, order: DeployOrder) -> None:  # noqa: ARG002  # as the protocol has it
        """See `shared.adapters.deploy_methods.Pipeline`."""
        path = f".github/workflows/{service.deploy_workflow}"
        query = Query()
        at = query.add_variable(f"{self._deploy_ref(service)}:{path}")
        query.parts.append(f"file: object(expression: {at}) {{ {BLOB_FIELDS} }}")
        text = (self._query_runs(service, query)["file"] or {}).get("text")
        if not text:
            raise Reject("no_workflow", f"there is no {path} on {self._deploy_ref(service)}")
        shown = rf"^run-name:.*\binputs\.{re.escape(service.deploy_input)}\b"
        if re.search(shown, text, re.MULTILINE) is None:
            name = f"run-name: Deploy ${{{{ inputs.{service.deploy_input} }}}}"
            raise Reject("workflow_cannot_be_followed", f"{path} does not show its input in its name: add `{name}`")

    def find_run(self, service: Service, order: DeployOrder) -> PipelineRun | None:
        """See `shared.adapters.deploy_methods.Pipeline`. Of several the first one."""
        given = {
            "event": "workflow_dispatch",
            "created": f">={format_rfc3339(order.since - CLOCK_SKEW)}",
            "per_page": "100",
        }
        told = self._github.get(f"{_workflow_path(service)}/runs", **given)
        runs = [each for each in told["workflow_runs"] if order.commit in (each.get("display_title") or "")]
        return _parse_run(min(runs, key=lambda each: str(each["created_at"]))) if runs else None

    def start_run(self, service: Service, order: DeployOrder) -> None:
        """See `shared.adapters.deploy_methods.Pipeline`."""
        body = {"ref": self._deploy_ref(service), "inputs": {service.deploy_input: order.commit}}
        self._github.write("POST", f"{_workflow_path(service)}/dispatches", body)

    def _deploy_ref(self, service: Service) -> str:
        known = service.deploy_ref or service.branch
        if known:
            return known
        return str(self._query_runs(service, Query(["defaultBranchRef { name }"]))["defaultBranchRef"]["name"])

    def _query_runs(self, service: Service, query: Query) -> Mapping[str, Any]:
        owner, _, name = service.repository.partition("/")
        found: Mapping[str, Any] | None = self._github.query(*query.build(owner, name))["repository"]
        if found is None:
            raise Reject("no_workflow", f"{service.repository} does not exist, or may not be read")
        return found


def _workflow_path(service: Service) -> str:
    return f"/repos/{service.repository}/actions/workflows/{service.deploy_workflow}"


def _parse_run(told: Mapping[str, Any]) -> PipelineRun:
    if told["status"] != "completed":
        return PipelineRun(DeploymentProgress.RUNNING)
    if told["conclusion"] == "success":
        return PipelineRun(DeploymentProgress.DONE)
    return PipelineRun(
        DeploymentProgress.FAILED, f"The workflow run {told['html_url']} ended with {told['conclusion']}."
    )
