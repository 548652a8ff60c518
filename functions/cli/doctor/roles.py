"""Checks of each function's permissions: one for each role and resource of the table of access.

Tested as the function itself, by `testIamPermissions`. Firestore has no such method: there a document is read, and one
that does not exist is changed on the condition that it exists; this fails with 404 if permitted, with 403 if not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from functions.cli.access import Access, Role
from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, CheckUnavailable, build_missing_result, build_ok_result
from shared.adapters.google.image_name import parse_image_name
from shared.secret import SecretReference, SecretSource
from shared.service import Service

_MISSING_DOCUMENT = "documents/doctor/nobody?currentDocument.exists=true"


@dataclass(frozen=True, slots=True)
class Installation:
    """Where provenfix runs, and what it refers to. `secrets` by their key in provenfix.yaml."""

    project: str
    prefix: str
    database: str
    services: Sequence[Service]
    secrets: Mapping[str, SecretReference | None]

    @property
    def triggers(self) -> Sequence[str]:
        """By which services are deployed."""
        return list(
            dict.fromkeys(service.deploy_trigger for service in self.services if service.deploy_method == "cloud_build")
        )


@dataclass(frozen=True, slots=True)
class Resource:
    """What a role is bound to: where its API knows it, and how gcloud does."""

    name: str
    api: str
    path: str
    bind_command: str


class RoleChecks:
    """The checks of all functions."""

    def __init__(self, access: Access, accounts: Accounts, installation: Installation) -> None:
        self._access, self._accounts, self._installation = access, accounts, installation

    def checks(self) -> Iterator[Check]:
        """By function, in the order of the table."""
        for function in self._access.functions:
            for key, permissions in self._access.required_permissions(function).items():
                role = self._access.roles[key]
                name = role.role or role.custom
                for thing in self._list_resources(function, role.bound_to):
                    yield Check(
                        "role",
                        f"{function}: {name} on {thing}",
                        lambda f=function, r=role, p=permissions, t=thing: self._check_role(f, r, list(p), t),  # type: ignore[misc]
                    )

    def _list_resources(self, function: str, bound_to: str) -> Sequence[str]:  # noqa: PLR0911  # one for each kind
        use, installation = self._access.functions[function], self._installation
        if bound_to == "topic":
            return [f"topic {installation.prefix}{resource_name}" for resource_name in use.topics]
        if bound_to == "secret":
            references = [installation.secrets.get(key) for key in use.secrets]
            names = [
                resource_name.name
                for resource_name in references
                if resource_name is not None and resource_name.source is SecretSource.SECRET_MANAGER
            ]
            return [f"secret {name.partition('/versions/')[0]}" for name in names]
        if bound_to == "database":
            return [f"database {installation.database}"]
        if bound_to == "project":
            return [
                f"project {resource_name}"
                for resource_name in dict.fromkeys(service.project for service in installation.services)
            ]
        if bound_to == "trigger":
            return [
                f"project {resource_name}"
                for resource_name in dict.fromkeys(at.split("/")[1] for at in installation.triggers)
            ]
        if bound_to == "builder":
            return [f"builder {resource_name}" for resource_name in installation.triggers]
        if bound_to == "compile":
            return []  # the functions are called, which shows more: see compilers.py
        return [f"{bound_to} {service.id}" for service in installation.services]

    def _check_role(self, function: str, role: Role, permissions: list[str], resource_name: str) -> CheckResult:
        kind, _, name = resource_name.partition(" ")
        if kind == "database":
            lacking = self._missing_document_permissions(function, permissions)
            bind = f"gcloud projects add-iam-policy-binding {self._installation.project}"
            resource = Resource(name, role.api, "", bind)
        else:
            resource = self._find_resource(kind, name)
            if not resource.path:
                return build_ok_result("it names no account to impersonate")
            lacks = self._accounts.function_client(function).find_missing_permissions(
                resource.api, resource.path, permissions
            )
            if lacks is None:
                raise CheckUnavailable(f"{resource.name} does not exist.")
            lacking = lacks
        if not lacking:
            return build_ok_result()
        project = (
            resource.path.partition("projects/")[2].partition("/")[0].partition(":")[0] or self._installation.project
        )
        member = (
            f"--member=serviceAccount:{self._accounts.service_account_email(function)} --role={role.full_name(project)}"
        )
        return build_missing_result(
            f"It lacks {', '.join(lacking)}.", f"{resource.bind_command} {member}{self._format_condition_option(kind)}"
        )

    def _format_condition_option(self, kind: str) -> str:
        if kind != "database":
            return " --condition=None" if kind == "project" else ""
        name = f"projects/{self._installation.project}/databases/{self._installation.database}"
        return f""" --condition='title=database,expression=resource.name == "{name}"'"""

    def _missing_document_permissions(self, function: str, permissions: list[str]) -> list[str]:
        account = self._accounts.function_client(function)
        root = f"/v1/projects/{self._installation.project}/databases/{self._installation.database}"
        read = account.call("GET", "firestore.googleapis.com", f"{root}/documents/incidents?pageSize=1")
        written = account.call("PATCH", "firestore.googleapis.com", f"{root}/{_MISSING_DOCUMENT}", {"fields": {}})
        refused = {"get": read, "list": read, "create": written, "update": written}
        return [permission for permission in permissions if refused[permission.rpartition(".")[2]].is_denied]

    def _find_resource(self, kind: str, name: str) -> Resource:
        if kind == "topic":
            path = f"/v1/projects/{self._installation.project}/topics/{name}"
            bind = f"gcloud pubsub topics add-iam-policy-binding {name} --project={self._installation.project}"
            return Resource(f"The topic {name}", "pubsub.googleapis.com", path, bind)
        if kind == "secret":
            project, secret = name.split("/")[1], name.split("/")[3]
            bind = f"gcloud secrets add-iam-policy-binding {secret} --project={project}"
            return Resource(f"The secret {secret}", "secretmanager.googleapis.com", f"/v1/{name}", bind)
        if kind == "project":
            bind = f"gcloud projects add-iam-policy-binding {name}"
            return Resource(f"The project {name}", "cloudresourcemanager.googleapis.com", f"/v3/projects/{name}", bind)
        if kind == "builder":
            return self._find_builder(name)
        service = next(candidate for candidate in self._installation.services if candidate.id == name)
        return self._find_service_resource(kind, service)

    def _find_builder(self, trigger: str) -> Resource:
        answer = self._accounts.user_client.get("cloudbuild.googleapis.com", f"/v1/{trigger}")
        if not answer.is_success:
            raise CheckUnavailable(f"The trigger {trigger} does not exist.")
        email = str(answer.value.get("serviceAccount") or "").rpartition("/")[2]
        return _format_account_resource(email) if email else Resource(f"The trigger {trigger}", "", "", "")

    def _find_service_resource(self, kind: str, service: Service) -> Resource:
        run = f"/v2/projects/{service.project}/locations/{service.region}/services/{service.name}"
        if kind == "service":
            where = f"--region={service.region} --project={service.project}"
            bind = f"gcloud run services add-iam-policy-binding {service.name} {where}"
            return Resource(f"The service {service.id}", "run.googleapis.com", run, bind)
        answer = self._accounts.user_client.get("run.googleapis.com", run)
        if not answer.is_success:
            raise CheckUnavailable(f"The service {service.id} does not exist.")
        template = answer.value.get("template") or {}
        if kind == "runtime":
            return _format_account_resource(str(template.get("serviceAccount") or ""))
        image = parse_image_name(_read_serving_image(template.get("containers") or [{}]))
        if not image.package:
            raise CheckUnavailable(f"{service.id} runs an image that is not kept in Artifact Registry.")
        path = image.package.partition("/packages/")[0]
        _, project, _, location, _, repository = path.split("/")
        bind = f"gcloud artifacts repositories add-iam-policy-binding {repository} --location={location}"
        return Resource(
            f"The repository {repository}",
            "artifactregistry.googleapis.com",
            f"/v1/{path}",
            f"{bind} --project={project}",
        )


def _read_serving_image(containers: Sequence[Mapping[str, object]]) -> str:
    """Of the container with the port, as `find_serving_container` chooses it."""
    serving = next((container for container in containers if container.get("ports")), containers[0])
    return str(serving.get("image", ""))


def _format_account_resource(email: str) -> Resource:
    bind = f"gcloud iam service-accounts add-iam-policy-binding {email}"
    return Resource(f"The account {email}", "iam.googleapis.com", f"/v1/projects/-/serviceAccounts/{email}", bind)
