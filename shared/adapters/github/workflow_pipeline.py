"""Runs a GitHub Actions workflow as the deploy pipeline, and finds the run that it dispatched.

GitHub does not report the inputs of a run, so a run is identified by its name, in which the workflow has to show the
input. A workflow that does not show it is never dispatched, because its run could not be found again.
https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.adapters.deploy_methods import CLOCK_SKEW, DeployOrder, PipelineRun
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.queries import BLOB_FIELDS, Query
from shared.errors import Reject
from shared.proposal.rollout import DeploymentProgress
from shared.service import Service
from shared.text.timestamps import format_rfc3339

if TYPE_CHECKING:
    from github.Workflow import Workflow
    from github.WorkflowRun import WorkflowRun


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
        since = f">={format_rfc3339(order.since - CLOCK_SKEW)}"
        listed = self._workflow(service).get_runs(event="workflow_dispatch", created=since)
        runs = [
            run for run in self._github.read(lambda: listed.get_page(0)) if order.commit in (run.display_title or "")
        ]
        return _parse_run(min(runs, key=lambda run: run.created_at)) if runs else None

    def start_run(self, service: Service, order: DeployOrder) -> None:
        """See `shared.adapters.deploy_methods.Pipeline`."""
        workflow, ref, inputs = self._workflow(service), self._deploy_ref(service), {service.deploy_input: order.commit}
        self._github.write(lambda: workflow.create_dispatch(ref, inputs, throw=True))

    def _workflow(self, service: Service) -> "Workflow":
        return self._github.repository(service.repository).get_workflow(service.deploy_workflow)

    def _deploy_ref(self, service: Service) -> str:
        known = service.deploy_ref or service.branch
        if known:
            return known
        return str(self._query_runs(service, Query(["defaultBranchRef { name }"]))["defaultBranchRef"]["name"])

    def _query_runs(self, service: Service, query: Query) -> Mapping[str, Any]:
        owner, _, name = service.repository.partition("/")
        repository: Mapping[str, Any] | None = self._github.query(*query.build(owner, name))["repository"]
        if repository is None:
            raise Reject("no_workflow", f"{service.repository} does not exist, or may not be read")
        return repository


def _parse_run(run: "WorkflowRun") -> PipelineRun:
    if run.status != "completed":
        return PipelineRun(DeploymentProgress.RUNNING)
    if run.conclusion == "success":
        return PipelineRun(DeploymentProgress.DONE)
    return PipelineRun(DeploymentProgress.FAILED, f"The workflow run {run.html_url} ended with {run.conclusion}.")
