"""Checks that the APIs are enabled in each project."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from functions.cli.access import Access
from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, build_missing_result, build_ok_result

_USAGE = "serviceusage.googleapis.com"
_SERVICE_PROJECT_BINDINGS = frozenset(("service", "runtime", "repository", "project", "trigger"))
"""What roles are bound to in the project of a watched service; the rest is where provenfix runs."""
_OWN_PROJECT_APIS = ("cloudscheduler.googleapis.com", "cloudfunctions.googleapis.com", "iamcredentials.googleapis.com")
"""What no function calls, and the deployment or this command needs where provenfix runs."""


def list_api_checks(
    access: Access, accounts: Accounts, own_project: str, service_projects: Sequence[str]
) -> Iterator[Check]:
    """`own_project` is where provenfix runs, `service_projects` are those of the watched services."""
    apis: Mapping[str, set[str]] = {project: set() for project in (own_project, *service_projects)}
    for role in access.roles.values():
        for project in service_projects if role.bound_to in _SERVICE_PROJECT_BINDINGS else (own_project,):
            apis[project].add(role.api)
    apis[own_project].update(_OWN_PROJECT_APIS)
    for project, names in apis.items():
        for name in sorted(names):
            yield Check("api", f"{name} in {project}", partial(_check_api_enabled, accounts, project, name))


def _check_api_enabled(accounts: Accounts, project: str, api: str) -> CheckResult:
    answer = accounts.user_client.get(_USAGE, f"/v1/projects/{project}/services/{api}")
    if answer.value.get("state") == "ENABLED":
        return build_ok_result()
    return build_missing_result("It is not enabled.", f"gcloud services enable {api} --project={project}")
