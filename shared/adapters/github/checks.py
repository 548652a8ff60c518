"""What the code host's checks say about a commit, and the check runs that are written on it.

`GitHubChecks` asks for check runs and commit statuses in one query, and returns a `CheckStatus`. `GitHubCheckRuns`
writes check runs on the commits of a service's repository, and finds those that were written.
https://docs.github.com/en/rest/checks/runs
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.adapters.github.client import GitHubClient
from shared.adapters.github.queries import Query
from shared.errors import Reject
from shared.proof.model.target import CheckStatus
from shared.pushes import MAX_ANNOTATIONS, Annotation, CheckRun
from shared.service import Service
from shared.text.escaping import truncate

_STATES: Mapping[str, CheckStatus] = {
    "SUCCESS": CheckStatus.GREEN,
    "NEUTRAL": CheckStatus.GREEN,
    "SKIPPED": CheckStatus.GREEN,
    "EXPECTED": CheckStatus.PENDING,
    "PENDING": CheckStatus.PENDING,
}
"""Conclusions of check runs and states of commit statuses; every other one is a failure."""

_CONTEXTS = (
    "... on Commit { statusCheckRollup { contexts(first: 100%s) { pageInfo { hasNextPage endCursor } "
    "nodes { __typename ... on CheckRun { name status conclusion } ... on StatusContext { context state } } } } }"
)
_REQUIRED = (
    "branchProtectionRule { requiredStatusChecks { context } } refUpdateRule { requiredStatusCheckContexts } "
    "rules(first: 100) { nodes { parameters { ... on RequiredStatusChecksParameters { "
    "requiredStatusChecks { context } } } } }"
)
"""Three places that may name required checks: a protected branch as administrators see it, as other users see it,
and the active rulesets of repository and organisation.
"""
_MAX_PAGES = 10
_CACHE_LIFETIME = timedelta(seconds=20)
"""An investigation asks twice within moments."""


class GitHubChecks:
    """Implements `shared.ports.CheckRuns`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github
        self._cache: dict[tuple[str, str], tuple[datetime, CheckStatus]] = {}

    def get_status(self, service: Service, commit: str) -> CheckStatus:
        """Green only where every required check is; without required ones, every check there is. Raises Retry."""
        key, now = (service.repository, commit), self._github.now()
        asked_at, state = self._cache.get(key, (None, CheckStatus.UNKNOWN))
        if asked_at is None or now > asked_at + _CACHE_LIFETIME:
            state = self._query_state(service, commit)
            self._cache = {
                cached_key: cached for cached_key, cached in self._cache.items() if now <= cached[0] + _CACHE_LIFETIME
            }
            self._cache[key] = (now, state)
        return state

    def _query_state(self, service: Service, commit: str) -> CheckStatus:
        states: dict[str, list[CheckStatus]] = {}
        required: frozenset[str] = frozenset()
        after = ""
        for page in range(_MAX_PAGES):
            repository = self._query_page(service, commit, after)
            required = _read_required_contexts(repository) if page == 0 else required
            rollup = (repository.get("at") or {}).get("statusCheckRollup")
            if rollup is None:
                break
            for node in rollup["contexts"]["nodes"]:
                states.setdefault(node.get("name") or node.get("context") or "", []).append(_parse_state(node))
            if not rollup["contexts"]["pageInfo"]["hasNextPage"]:
                break
            after = rollup["contexts"]["pageInfo"]["endCursor"]
        if not states:
            return CheckStatus.PENDING if required else CheckStatus.UNKNOWN
        return _find_worst_state(
            [state for name in required or states for state in states.get(name, [CheckStatus.PENDING])]
        )

    def _query_page(self, service: Service, commit: str, after: str) -> Mapping[str, Any]:
        query = Query()
        fields = _CONTEXTS % (f", after: {query.add_variable(after)}" if after else "")
        query.parts.append(f"at: object(oid: {query.add_variable(commit, 'GitObjectID!')}) {{ {fields} }}")
        if service.branch:
            branch = query.add_variable(f"refs/heads/{service.branch}")
            query.parts.append(f"branch: ref(qualifiedName: {branch}) {{ {_REQUIRED} }}")
        else:
            query.parts.append(f"branch: defaultBranchRef {{ {_REQUIRED} }}")
        owner, _, name = service.repository.partition("/")
        return self._github.query(*query.build(owner, name))["repository"] or {}


def _read_required_contexts(repository: Mapping[str, Any]) -> frozenset[str]:
    """The contexts that branch protection and rulesets ask for; none where they do not say."""
    branch = repository.get("branch") or {}
    protection, visible = branch.get("branchProtectionRule") or {}, branch.get("refUpdateRule") or {}
    rules = ((rule or {}).get("parameters") or {} for rule in (branch.get("rules") or {}).get("nodes") or ())
    parameter_sets = (protection, *rules)
    named = (
        check["context"] for parameters in parameter_sets for check in parameters.get("requiredStatusChecks") or ()
    )
    return frozenset([*named, *(context for context in visible.get("requiredStatusCheckContexts") or () if context)])


def _parse_state(node: Mapping[str, Any]) -> CheckStatus:
    if node["__typename"] == "CheckRun":
        return (
            _STATES.get(node["conclusion"] or "", CheckStatus.RED)
            if node["status"] == "COMPLETED"
            else CheckStatus.PENDING
        )
    return _STATES.get(node["state"], CheckStatus.RED)


def _find_worst_state(states: Sequence[CheckStatus]) -> CheckStatus:
    return next((status for status in (CheckStatus.RED, CheckStatus.PENDING) if status in states), CheckStatus.GREEN)


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
