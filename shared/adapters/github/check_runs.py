"""Writes check runs on the commits of a service's repository, and finds those that were written.

https://docs.github.com/en/rest/checks/runs
"""

from collections.abc import Mapping
from typing import Any

from shared.adapters.github.client import GitHubClient
from shared.errors import Reject
from shared.pushes import MAX_ANNOTATIONS, Annotation, CheckRun
from shared.service import Service
from shared.text.escaping import truncate

_MAX_TITLE_LENGTH = 255
_MAX_SUMMARY_LENGTH = 60_000
"""GitHub takes 65,535 characters."""
_MAX_MESSAGE_LENGTH = 4_000
"""GitHub takes 64 KB."""


class GitHubCheckRuns:
    """Implements `shared.pushes.CheckRunWriter`. `service.repository` is `owner/name`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def is_available(self) -> bool:
        """GitHub lets only an App write check runs, never a token."""
        return self._github.is_app

    def find_run(self, service: Service, run: CheckRun) -> str | None:
        """The address of the check run with this commit, name and external id. Raises Retry, Reject."""
        path = f"/repos/{service.repository}/commits/{run.commit}/check-runs"
        answer = self._github.find_json(path, check_name=run.name, filter="all", per_page="100")
        runs = answer["check_runs"] if answer is not None else ()
        return next((str(known["html_url"]) for known in runs if known["external_id"] == run.external_id), None)

    def create_run(self, service: Service, run: CheckRun) -> str:
        """*Effect.* Writes the check run. Raises Retry where it may have been written, Reject where it was not."""
        answer = self._github.send_json("POST", f"/repos/{service.repository}/check-runs", _build_body(run))
        if not isinstance(answer, Mapping) or "html_url" not in answer:
            raise Reject("github_refused", "GitHub answered a check run without its address")
        return str(answer["html_url"])

    def find_merge_base(self, service: Service, base: str, head: str) -> str | None:
        """The last commit that two have in common. Raises Retry, Reject."""
        path = f"/repos/{service.repository}/compare/{base}...{head}"
        answer = self._github.find_json(path, per_page="1", page="2")  # a page without files
        return str(answer["merge_base_commit"]["sha"]) if answer is not None else None


def _build_body(run: CheckRun) -> Mapping[str, object]:
    annotations = [_describe(annotation) for annotation in run.annotations[:MAX_ANNOTATIONS]]
    output: dict[str, Any] = {
        "title": truncate(run.title, _MAX_TITLE_LENGTH),
        "summary": truncate(run.summary, _MAX_SUMMARY_LENGTH),
    }
    if annotations:
        output["annotations"] = annotations
    return {
        "name": run.name,
        "head_sha": run.commit,
        "external_id": run.external_id,
        "status": "completed",
        "conclusion": run.conclusion.value,
        "output": output,
    }


def _describe(annotation: Annotation) -> Mapping[str, object]:
    return {
        "path": annotation.path,
        "start_line": annotation.line,
        "end_line": annotation.line,
        "annotation_level": "failure",
        "title": truncate(annotation.title, _MAX_TITLE_LENGTH),
        "message": truncate(annotation.message, _MAX_MESSAGE_LENGTH),
    }
