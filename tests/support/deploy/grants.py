"""Who may do what, twice: as a state grants it, and as `terraform/access.yaml` says that the functions' calls need it.

A grant is the account (without its domain), the role, and the one thing that it is bound to.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from shared.config.model import Configuration
from tests.support.deploy.deployment import PROJECT, REGION, Resource
from tests.support.deploy.terraform import CONFIGURATION

Access = Mapping[str, Any]


class Grant(NamedTuple):
    """`shop-ops/record`, `roles/pubsub.publisher`, `topic provenfix-tick`."""

    member: str
    role: str
    thing: str


def _push(function: str) -> str:
    return f"provenfix-push-{function}@shop-ops"


PLATFORM = frozenset(
    (
        # Pub/Sub moves what could not be delivered, and signs its calls as the callers' accounts.
        Grant("pubsub agent", "roles/pubsub.publisher", "topic shop-ops/provenfix-dead-letters"),
        *(
            Grant("pubsub agent", "roles/pubsub.subscriber", f"subscription shop-ops/provenfix-{topic}")
            for topic in ("log-entries", "incident-opened", "redeploy-approved", "check-requested")
        ),
        *(
            Grant(
                "pubsub agent", "roles/iam.serviceAccountOpenIdTokenCreator", f"account provenfix-push-{name}@shop-ops"
            )
            for name in ("record", "investigate", "redeploy", "check", "verify")
        ),
        # Each caller calls its one function.
        *(
            Grant(
                f"provenfix-push-{name}@shop-ops",
                "roles/run.invoker",
                f"service shop-ops/europe-west1/provenfix-{name}",
            )
            for name in ("record", "investigate", "redeploy", "check", "verify")
        ),
        # Builds of the functions.
        Grant("provenfix-build@shop-ops", "roles/logging.logWriter", "project shop-ops"),
        Grant("provenfix-build@shop-ops", "roles/storage.objectViewer", "project shop-ops if"),
        Grant(
            "provenfix-build@shop-ops",
            "roles/artifactregistry.writer",
            "repository shop-ops/europe-west1/provenfix-functions",
        ),
        # The canary writes a log, and its sink publishes as the log writer of its project.
        Grant("provenfix-canary@shop-ops", "roles/logging.logWriter", "project shop-ops"),
        Grant("log writer of shop-ops", "roles/pubsub.publisher", "topic shop-ops/provenfix-log-entries"),
    )
)
"""What no call of a function needs and the platform does, each with its reason."""


def read_access_table() -> Access:
    """`terraform/access.yaml`."""
    told: Access = yaml.safe_load((CONFIGURATION / "access.yaml").read_text("utf-8"))
    return told


def granted_by_state(state: Iterable[Resource]) -> set[Grant]:
    """All that a state grants."""
    return {
        Grant(_member(resource.values["member"]), resource.values["role"], _thing(resource))
        for resource in state
        if resource.type.endswith("_iam_member")
    }


def needed_by_table(told: Access, config: Configuration) -> set[Grant]:
    """All that the calls of access.yaml need for the services of a configuration, and what the platform needs."""
    own = {grant for name in told["functions"] for grant in _of_function(told, name, config)}
    sinks = {
        Grant(f"log writer of {entry.project}", "roles/pubsub.publisher", f"topic {PROJECT}/provenfix-{topic}")
        for entry in config.services
        for topic in ("log-entries", "tick")
    }
    return own | sinks | PLATFORM


def roles_of(told: Access, function: str) -> set[str]:
    """The names of the roles that a function's calls need."""
    return {role for call in told["functions"][function]["google"] for role in told["google"][call]}


def _of_function(told: Access, name: str, config: Configuration) -> Iterator[Grant]:
    member = f"provenfix-{name}@{PROJECT}"
    yield Grant(member, "roles/secretmanager.secretAccessor", f"secret {PROJECT}/provenfix-config")  # mounted
    for role_name in roles_of(told, name):
        role = told["roles"][role_name]
        for project, thing in _things(told, name, role["bound_to"], config):
            yield Grant(member, role.get("role") or f"projects/{project}/roles/{role['custom']}", thing)


def _things(told: Access, name: str, kind: str, config: Configuration) -> Iterator[tuple[str, str]]:
    """The project and the name of each thing of a kind that a function has to do with."""
    function = told["functions"][name]
    if kind == "database":
        yield PROJECT, f"project {PROJECT} if"
    elif kind == "topic":
        yield from ((PROJECT, f"topic {PROJECT}/provenfix-{topic}") for topic in function["topics"])
    elif kind == "secret":
        for key in function["secrets"]:
            reference = reference_of(config, key)
            if reference:
                _, project, _, secret, *_ = reference.split("/")
                yield project, f"secret {project}/{secret}"
    elif kind == "compile":
        for python in {entry.python for entry in config.services if entry.python}:
            yield PROJECT, f"service {PROJECT}/{REGION}/provenfix-compile-py{python.replace('.', '')}"
    else:
        for entry in config.services:
            yield from _of_service(kind, entry)


def _of_service(kind: str, entry: Any) -> Iterator[tuple[str, str]]:
    if kind not in {"trigger", "builder"}:
        yield entry.project, _watched(kind, entry)
    elif entry.deploy_method == "cloud_build":
        yield from _triggered(kind, entry.deploy_trigger)


def _triggered(kind: str, trigger: str) -> Iterator[tuple[str, str]]:
    """The trigger called `plain` names no account."""
    _, project, _, _, _, name = trigger.split("/")
    if kind == "trigger":
        yield project, f"project {project}"
    elif name != "plain":
        yield project, f"account {name}@{project}"


def _watched(kind: str, entry: Any) -> str:
    return {
        "project": f"project {entry.project}",
        "service": f"service {entry.project}/{entry.region}/{entry.name}",
        "repository": "repository shop-images/us/shared"
        if entry.name == "voice"
        else f"repository {entry.project}/europe-west1/images",
        "runtime": f"account {entry.name}@{entry.project}",
    }[kind]


def reference_of(config: Configuration, key: str) -> str:
    """The version in Secret Manager that a key of provenfix.yaml refers to, "" where it is not configured."""
    at: Any = config
    for part in key.split("."):
        at = getattr(at, part, None)
    if at is None and key == "github.token" and config.github and config.github.app:
        at = config.github.app.private_key
    return getattr(at, "secret", None) or ""


def _member(text: str) -> str:
    account = text.removeprefix("serviceAccount:").removesuffix(".iam.gserviceaccount.com")
    if account.endswith("@gcp-sa-pubsub"):
        return "pubsub agent"
    if account.endswith("@gcp-sa-logging"):
        return f"log writer of {account.removeprefix('service-').partition('@')[0]}"
    return account


def _thing(resource: Resource) -> str:
    held = resource.values
    account = str(held.get("service_account_id", "")).rpartition("/")[2].removesuffix(".iam.gserviceaccount.com")
    return {
        "google_project_iam_member": lambda: f"project {held['project']}{' if' if held['condition'] else ''}",
        "google_pubsub_topic_iam_member": lambda: f"topic {held['project']}/{held['topic']}",
        "google_pubsub_subscription_iam_member": lambda: f"subscription {held['project']}/{held['subscription']}",
        "google_secret_manager_secret_iam_member": lambda: f"secret {held['project']}/{held['secret_id']}",
        "google_cloud_run_v2_service_iam_member": lambda: (
            f"service {held['project']}/{held['location']}/{held['name']}"
        ),
        "google_artifact_registry_repository_iam_member": lambda: (
            f"repository {held['project']}/{held['location']}/{held['repository']}"
        ),
        "google_service_account_iam_member": lambda: f"account {account}",
    }[resource.type]()
