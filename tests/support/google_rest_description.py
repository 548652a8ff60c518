"""Holds requests to Google's REST APIs, and the answers of a double, to the discovery documents that Google publishes.

In: an API's host, a verb, a path and both bodies. Out: an AssertionError that names the violation.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.github.server import FakeRequest

_CLIENT = find_spec("googleapiclient")  # it ships the documents, and no types
assert _CLIENT is not None
_DOCUMENTS = Path(str(_CLIENT.origin)).parent / "discovery_cache" / "documents"
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict,
}  # fmt: skip


@cache
def _document(host: str, version: str) -> Any:
    return json.loads((_DOCUMENTS / f"{host.partition('.')[0]}.{version}.json").read_text("utf-8"))


@cache
def _methods(host: str, version: str) -> list[tuple[str, re.Pattern[str], Any]]:
    """The longest literal text comes first: `{name}:getIamPolicy` before `{name}`."""
    methods = list(_iter_methods(_document(host, version)))
    return sorted(methods, key=lambda method: -len(re.sub(r"\{.*?\}", "", method[2]["path"])))


def _iter_methods(part: Mapping[str, Any]) -> Iterator[tuple[str, re.Pattern[str], Any]]:
    for method in part.get("methods", {}).values():
        escaped = re.sub(r"\\\{(?:\\\+)?(\w+)\\\}", r"(?P<\1>.+)", re.escape(method["path"]))
        yield method["httpMethod"], re.compile(f"/{escaped}"), method
    for resource in part.get("resources", {}).values():
        yield from _iter_methods(resource)


def check_exchange(host: str, request: FakeRequest, path: str, answer: Any) -> None:
    """`path` is the one at the host; `told` is the body of a good answer, None for another one."""
    verb, query, body = request.method, request.query, request.body
    version = path.split("/")[1]
    for known, form, method in _methods(host, version):
        match = form.fullmatch(path) if known == verb else None
        if match and all(
            _matches_type(value, method["parameters"].get(name, {})) for name, value in match.groupdict().items()
        ):
            for name in query:
                assert name in method["parameters"], f"{host}: {verb} {path} has no parameter {name}"
            schemas = _document(host, version)["schemas"]
            if "request" in method:
                _find_violations(body, method["request"], schemas, f"request {verb} {path}")
            else:
                assert body is None, f"{host}: {verb} {path} takes no body"
            if answer is not None:
                _find_violations(answer, method["response"], schemas, f"answer to {verb} {path}")
            return
    raise AssertionError(f"{host} describes no {verb} {path}")


def _matches_type(value: str, parameter: Mapping[str, Any]) -> bool:
    return re.fullmatch(parameter.get("pattern", ".*"), value) is not None


def _find_violations(value: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any], where: str) -> None:
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = schema.get("type", "any")
    assert kind == "any" or isinstance(value, _KINDS[kind]), f"{where} must be {kind}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value}"
    if kind == "array":
        for member in value:
            _find_violations(member, schema["items"], schemas, where)
    if kind == "object":
        for name, member in value.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            assert inner is not None, f"{where} has no property {name}"
            _find_violations(member, inner, schemas, f"{where}.{name}")
