"""Holds every request to Google to Google's own descriptions of its APIs: a method and its message in, violations out.

A message of gRPC is transcoded as the API's own annotations say, and what results (path, query, body) is checked
against the discovery document, turned into strict JSON Schema: no unknown field, no unknown enum.
"""

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient.discovery_cache  # type: ignore[import-untyped]  # ships no types
from google.api_core import path_template
from google.protobuf.json_format import MessageToDict
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

_DOCUMENTS = Path(googleapiclient.discovery_cache.__file__).parent / "documents"
_APIS = {
    "google.cloud.run.v2": "run.v2",
    "google.devtools.cloudbuild.v1": "cloudbuild.v1",
    "google.devtools.artifactregistry.v1": "artifactregistry.v1",
    "google.logging.v2": "logging.v2",
    "google.longrunning": "run.v2",
}
_RUN, _CLOUD = "google.cloud.run_v2.services", "google.cloud.devtools.cloudbuild_v1.services"
_TRANSPORTS = {
    "google.cloud.run.v2.Services": (f"{_RUN}.services", "Services"),
    "google.cloud.run.v2.Revisions": (f"{_RUN}.revisions", "Revisions"),
    "google.devtools.cloudbuild.v1.CloudBuild": (f"{_CLOUD}.cloud_build", "CloudBuild"),
    "google.devtools.artifactregistry.v1.ArtifactRegistry": (
        "google.cloud.artifactregistry_v1.services.artifact_registry",
        "ArtifactRegistry",
    ),
}
_LONG_RUNNING_METHODS = {
    ("google.longrunning.Operations", "GetOperation"): {
        "method": "get",
        "uri": "/v2/{name=projects/*/locations/*/operations/*}",
    },
    ("google.logging.v2.LoggingServiceV2", "ListLogEntries"): {
        "method": "post",
        "uri": "/v2/entries:list",
        "body": "*",
    },
}
"""Of clients that speak gRPC alone; each API has an address of its own for its operations."""
_COMMON_PARAMETERS = frozenset({"$alt", "alt"})


def find_violations(path: str, request: Any) -> list[str]:
    """What the described API would not take of a call such as `/google.cloud.run.v2.Services/GetService`."""
    message = type(request).pb(request) if hasattr(type(request), "pb") else request
    service, _, name = path[1:].rpartition("/")
    document = _document(_APIS[service.rpartition(".")[0]])
    told = []
    for verb, address, query, body in _to_rest_requests(service, name, message):
        method = _method(document, verb, address)
        if method is None:
            told.append(f"{path}: {verb} {address} is not described")
            continue
        wrong = [*_query(method, query), *_body(document, method, body)]
        if not wrong:
            return []
        told.append(f"{path}: {'; '.join(wrong)}")
    return told or [f"{path}: the message lacks what its address is made of"]


def _to_rest_requests(service: str, name: str, message: Any) -> Iterator[tuple[str, str, Mapping[str, Any], Any]]:
    """As REST, by each of the method's rules that the message fits."""
    for rule in _http_rules(service, name):
        try:
            made: dict[str, Any] = path_template.transcode([rule], message)  # type: ignore[no-untyped-call]
        except ValueError:
            continue
        body = made.get("body")
        query = MessageToDict(made["query_params"]) if "query_params" in made else {}
        yield made["method"], made["uri"], query, MessageToDict(body) if body is not None else None


@cache
def _http_rules(service: str, name: str) -> tuple[dict[str, str], ...]:
    """The addresses of a method, as the published client's own REST transport has them."""
    if (service, name) in _LONG_RUNNING_METHODS:
        return (_LONG_RUNNING_METHODS[service, name],)
    module, prefix = _TRANSPORTS[service]
    transport = getattr(importlib.import_module(f"{module}.transports.rest_base"), f"_Base{prefix}RestTransport")
    return tuple(getattr(transport, f"_Base{name}")._get_http_options())


@cache
def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_DOCUMENTS / f"{name}.json").read_text("utf-8"))
    return document


def _methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _method(document: Mapping[str, Any], verb: str, address: str) -> Mapping[str, Any] | None:
    """The described method whose address this is."""
    for method in _methods(document):
        flat = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(method.get("flatPath", method["path"])))
        if method["httpMethod"].lower() == verb and re.fullmatch(flat, address.removeprefix("/")):
            return method
    return None


def _query(method: Mapping[str, Any], query: Mapping[str, Any]) -> Iterator[str]:
    known = {
        name: parameter for name, parameter in method.get("parameters", {}).items() if parameter["location"] == "query"
    }
    for name, value in query.items():
        if name not in known:
            if name not in _COMMON_PARAMETERS and name not in method.get("parameters", {}):
                yield f"{method['id']} has no parameter {name}"
        elif "enum" in known[name] and value not in known[name]["enum"]:
            yield f"{method['id']}?{name}: {value} is none of {known[name]['enum']}"


def _body(document: Mapping[str, Any], method: Mapping[str, Any], body: Any) -> Iterator[str]:
    if "request" not in method:
        if body:
            yield f"{method['id']} takes no body"
        return
    checker = _checker(document["name"], document["version"], method["request"]["$ref"])
    for error in sorted(checker.iter_errors(body or {}), key=lambda violation: len(violation.path), reverse=True):
        yield f"{method['id']} {'/'.join(map(str, error.path))}: {error.message[:300]}"


@cache
def _checker(api: str, version: str, schema: str) -> Draft202012Validator:
    described = _document(f"{api}.{version}")["schemas"]
    return Draft202012Validator(
        {
            "$ref": f"#/$defs/{schema}",
            "$defs": {name: strict_schema(definition) for name, definition in described.items()},
        }
    )


def strict_schema(described: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of a discovery document as JSON Schema that admits nothing it does not name."""
    if "$ref" in described:
        return {"$ref": f"#/$defs/{described['$ref']}"}
    kind = described.get("type", "any")
    if kind == "any":
        return {}
    made: dict[str, Any] = {"type": kind}
    if "enum" in described:
        made["enum"] = described["enum"]
    if kind == "array":
        made["items"] = strict_schema(described["items"])
    if kind == "object":
        made["properties"] = {name: strict_schema(member) for name, member in described.get("properties", {}).items()}
        made["additionalProperties"] = (
            strict_schema(described["additionalProperties"]) if "additionalProperties" in described else False
        )
    return made
