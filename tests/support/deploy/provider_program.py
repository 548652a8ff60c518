"""A stand-in for Terraform's google provider: the published schema comes in, plans and invented results go out.

Started by Terraform from a filesystem mirror, in a virtual environment of its own. It validates what the schema and
its documentation tell (Terraform itself does most of it), plans computed attributes as unknown, and, when something is
applied, invents them, so that whatever refers to them can be judged. It reaches nothing and nobody.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tf.provider
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.runner import run_provider
from tf.types import Unknown
from tf.utils import read_dynamic_value, to_dynamic_value

sys.path.insert(0, str(Path(__file__).parent))
import delayed_platform  # type: ignore[import-not-found]  # beside this file, which runs in an environment of its own

NESTING = pb.Schema.NestedBlock.NestingMode
MODES = {
    "required": {"required": True},
    "optional": {"optional": True},
    "computed": {"computed": True},
    "id": {"optional": True, "computed": True},
}
Block = dict[str, Any]


def block(told: Block) -> Any:
    """A block in the protocol's words."""
    attributes = [
        pb.Schema.Attribute(name=name, type=json.dumps(attribute["type"]).encode(), **MODES[attribute["mode"]])
        for name, attribute in told["attributes"].items()
    ]
    nested = [
        pb.Schema.NestedBlock(
            type_name=name,
            block=block(nested_block["block"]),
            nesting=NESTING.Value(nested_block["nesting"].upper()),
            min_items=int(nested_block["required"] and nested_block["nesting"] != "single"),
            max_items=int(nested_block["single"] and nested_block["nesting"] != "single"),
        )
        for name, nested_block in told["blocks"].items()
    ]
    return pb.Schema.Block(attributes=attributes, block_types=nested)


def inner(told: Block, value: Any) -> Iterator[tuple[str, Block, Any]]:
    """Name, schema and value of each block inside a value."""
    for name, nested_block in told["blocks"].items():
        held = value.get(name)
        if held is None or held is Unknown:
            continue
        for item in [held] if nested_block["nesting"] == "single" else held:
            yield name, nested_block["block"], item


def wrong(told: Block, value: Any, address: str) -> Iterator[str]:
    """A sentence for each value that the documentation does not list."""
    for name, attribute in told["attributes"].items():
        held = value.get(name)
        if attribute["values"] and isinstance(held, str) and held not in attribute["values"]:
            yield f"{address}.{name}: {held} is not one of {', '.join(attribute['values'])}."
    for name, schema, item in inner(told, value):
        yield from wrong(schema, item, f"{address}.{name}")


def unset(told: Block, value: Any) -> Iterator[tuple[Any, str, Any]]:
    """The object, name and type of each attribute that is for the provider to say."""
    for name, attribute in told["attributes"].items():
        if attribute["mode"] in {"computed", "id"} and (value[name] is None or value[name] is Unknown):
            yield value, name, attribute["type"]
    for _, schema, item in inner(told, value):
        yield from unset(schema, item)


def invented(kind: str, root: Any, name: str, wanted: Any) -> Any:
    """What the platform would say, near enough for others to refer to; the same for the same arguments."""
    given = {key: held for key, held in root.items() if held is not Unknown}
    project, called = given.get("project") or "no-project", given.get("name") or given.get("secret_id")
    account = f"{root.get('account_id')}@{project}.iam.gserviceaccount.com"
    shapes = {
        ("google_service_account", "email"): account,
        ("google_service_account", "member"): f"serviceAccount:{account}",
        ("google_service_account", "name"): f"projects/{project}/serviceAccounts/{account}",
        ("google_service_account", "id"): f"projects/{project}/serviceAccounts/{account}",
        ("google_logging_project_sink", "writer_identity"): f"serviceAccount:{_log_writer(project)}",
        ("google_logging_project_settings", "logging_service_account_id"): _log_writer(project),
        ("google_logging_folder_sink", "writer_identity"): f"serviceAccount:{_log_writer(_folder(given))}",
        ("google_logging_folder_settings", "logging_service_account_id"): _log_writer(_folder(given)),
        ("google_cloudfunctions2_function", "uri"): _address(given),
        ("google_cloud_run_v2_service", "uri"): _address(given),
        ("google_project_iam_custom_role", "name"): f"projects/{project}/roles/{root.get('role_id')}",
        ("google_pubsub_topic", "id"): f"projects/{project}/topics/{called}",
        ("google_pubsub_subscription", "id"): f"projects/{project}/subscriptions/{called}",
        ("google_secret_manager_secret", "id"): f"projects/{project}/secrets/{called}",
        ("google_secret_manager_secret_version", "version"): "1",
        ("google_cloudbuild_trigger", "service_account"): _builder(project, root.get("trigger_id")),
        ("google_project", "number"): _number(root.get("project_id")),
    }
    if (kind, name) in shapes:
        return shapes[kind, name]
    if (kind, name) == ("google_cloud_run_v2_service", "template"):
        return [_template(wanted, project, called)]
    if isinstance(wanted, str):
        return {"number": 0, "bool": False}.get(wanted, f"{kind}.{name} of {called or account}")
    return {} if wanted[0] == "map" else []


def _number(project: object) -> str:
    return str(int.from_bytes(str(project).encode()[-4:], "big"))


def _address(given: Any) -> str:
    """The one that follows from the name: https://cloud.google.com/run/docs/triggering/https-request"""
    return f"https://{given.get('name')}-{_number(given.get('project'))}.{given.get('location')}.run.app"


def _log_writer(project: str) -> str:
    """All sinks of a project publish as this one; the real name has the project's number in place of its id."""
    return f"service-{project}@gcp-sa-logging.iam.gserviceaccount.com"


def _folder(given: Any) -> str:
    """Its number, with or without `folders/` before it: all sinks of a folder publish as one account, too."""
    return f"folder-{str(given.get('folder')).removeprefix('folders/')}"


def _builder(project: str, trigger: str | None) -> str:
    """The account that a trigger names; one of a project's builds by default names none."""
    return (
        "" if trigger == "plain" else f"projects/{project}/serviceAccounts/{trigger}@{project}.iam.gserviceaccount.com"
    )


def _template(wanted: Any, project: str, called: str | None) -> Any:
    """What runs in a watched service, as an account of its own: a container without a port, and the one that serves.

    Its image is in its project's repository, but that of `voice` in a project of images and that of `fax` in Container
    Registry.
    """
    shapes = {"voice": "us-docker.pkg.dev/shop-images/shared/voice", "fax": f"eu.gcr.io/{project}/sent/fax"}
    image = shapes.get(str(called), f"europe-west1-docker.pkg.dev/{project}/images/{called}")
    beside, serving = _empty(wanted[1][1]["containers"][1]), _empty(wanted[1][1]["containers"][1])
    beside |= {"image": "docker.io/acme/log-shipper:1", "ports": []}
    serving |= {"image": f"{image}@sha256:{'0' * 64}", "ports": [{"container_port": 8080, "name": "http1"}]}
    account = f"{called}@{project}.iam.gserviceaccount.com"
    return _empty(wanted[1]) | {"service_account": account, "containers": [beside, serving]}


def _empty(wanted: Any) -> dict[str, Any]:
    """An object of a type, with nothing in it."""
    return dict.fromkeys(wanted[1])


def filled(kind: str, told: Block, value: Any) -> Any:
    """The same value with nothing left open."""
    for at, name, wanted in list(unset(told, value)):
        at[name] = invented(kind, value, name, wanted)
    return value


class SchemaOnly(rpc.ProviderServicer):  # type: ignore[misc]  # the library has no types
    """Answers Terraform's questions from the schema alone."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    def GetMetadata(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.GetMetadata.Response(
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self._told["resources"]],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self._told["data"]],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        def each(kind: str) -> dict[str, Any]:
            return {name: pb.Schema(version=0, block=block(schema)) for name, schema in self._told[kind].items()}

        return pb.GetProviderSchema.Response(
            provider=pb.Schema(version=0, block=block(self._told["provider"])),
            provider_meta=pb.Schema(version=0, block=pb.Schema.Block()),
            resource_schemas=each("resources"),
            data_source_schemas=each("data"),
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.ConfigureProvider.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        sentences = wrong(
            self._told["resources"][request.type_name], read_dynamic_value(request.config), request.type_name
        )
        diagnostics = [pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=sentence) for sentence in sentences]
        return pb.ValidateResourceConfig.Response(diagnostics=diagnostics)

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.UpgradeResourceState.Response(upgraded_state=to_dynamic_value(json.loads(request.raw_state.json)))

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.ReadResource.Response(new_state=request.current_state)

    def ReadDataSource(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        value = read_dynamic_value(request.config)
        kept = filled(request.type_name, self._told["data"][request.type_name], value)
        return pb.ReadDataSource.Response(state=to_dynamic_value(kept))

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        value = read_dynamic_value(request.proposed_new_state)
        if value is not None:
            for at, name, _ in list(unset(self._told["resources"][request.type_name], value)):
                at[name] = Unknown
        return pb.PlanResourceChange.Response(planned_state=_dynamic(value))

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        value = read_dynamic_value(request.planned_state)
        refused = ""
        if value is not None:
            value = filled(request.type_name, self._told["resources"][request.type_name], value)
            if read_dynamic_value(request.prior_state) is None:
                refused = _create(request.type_name, value)
        if refused:
            error = pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=refused)
            return pb.ApplyResourceChange.Response(new_state=_dynamic(None), diagnostics=[error])
        return pb.ApplyResourceChange.Response(new_state=_dynamic(value))

    def ImportResourceState(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """What an id such as `projects/P/secrets/S` tells; the rest is for a plan to change."""
        told = self._told["resources"][request.type_name]
        blocks: dict[str, Any] = {
            name: None if block["nesting"] == "single" else [] for name, block in told["blocks"].items()
        }
        _, project, _, name = request.id.split("/")
        value = dict.fromkeys(told["attributes"]) | blocks | {"id": request.id, "project": project, "secret_id": name}
        state = pb.ImportResourceState.ImportedResource(type_name=request.type_name, state=to_dynamic_value(value))
        return pb.ImportResourceState.Response(imported_resources=[state])

    def StopProvider(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return pb.StopProvider.Response()


def _create(kind: str, value: Any) -> str:
    """Why it is not made, "" where it is."""
    if kind == "time_sleep":
        delayed_platform.sleep(value["create_duration"])
        return ""
    return str(delayed_platform.create(kind, value))


def _dynamic(value: Any) -> Any:
    """Nothing is a message of its own: the absence of a resource."""
    return to_dynamic_value(value) if value is not None else pb.DynamicValue(msgpack=b"\xc0")


if __name__ == "__main__":
    with open(sys.argv.pop(1), encoding="utf-8") as file:  # noqa: PTH123
        schemas = json.load(file)
    tf.provider.ProviderServicer = lambda _: SchemaOnly(schemas)  # the runner makes its own otherwise
    run_provider(None)
