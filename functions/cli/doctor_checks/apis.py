"""Which APIs are switched on: projects and APIs in, one check for each pair out."""

from collections.abc import Iterator, Mapping, Sequence

from functions.cli.access import Access
from functions.cli.doctor_checks.accounts import Accounts
from functions.cli.doctor_checks.finding import Check, Found, missing, ok

_USAGE = "serviceusage.googleapis.com"
_WATCHED = frozenset(("service", "runtime", "repository", "project", "trigger"))
"""What roles are bound to in the project of a watched service; the rest is where provenfix runs."""
_BESIDES = ("cloudscheduler.googleapis.com", "cloudfunctions.googleapis.com", "iamcredentials.googleapis.com")
"""What no function calls, and the deployment or this command needs where provenfix runs."""


def apis(access: Access, accounts: Accounts, own: str, watched: Sequence[str]) -> Iterator[Check]:
    """`own` is where provenfix runs, `watched` are the projects of the services."""
    wanted: Mapping[str, set[str]] = {project: set() for project in (own, *watched)}
    for role in access.roles.values():
        for project in watched if role.bound_to in _WATCHED else (own,):
            wanted[project].add(role.api)
    wanted[own].update(_BESIDES)
    for project, names in wanted.items():
        for name in sorted(names):
            yield Check("api", f"{name} in {project}", lambda at=project, api=name: _enabled(accounts, at, api))  # type: ignore[misc]


def _enabled(accounts: Accounts, project: str, api: str) -> Found:
    answer = accounts.person.get(_USAGE, f"/v1/projects/{project}/services/{api}")
    if answer.value.get("state") == "ENABLED":
        return ok()
    return missing("It is not enabled.", f"gcloud services enable {api} --project={project}")
