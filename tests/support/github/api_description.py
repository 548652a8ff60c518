"""Holds every request to GitHub, and every answer, to GitHub's own description of its API.

In: what `requests` sends and gets. Out: an AssertionError that names the violation. GraphQL has a schema of its own;
the fake's answers are checked by executing it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.support.github.schemas import rest_description

_ID = "urn:github"
_UNDESCRIBED_STATUSES = frozenset({401, 403, 404, 429})
"""Any operation may answer with these; 5xx are no part of a description."""
_ESCAPES = {"~": "~0", "/": "~1"}
_ENTERPRISE = "/api/v3"
"""What stands before every path of an Enterprise Server."""


class DescriptionChecker:
    """`checked` counts the exchanges that were held to the description, by operation."""

    def __init__(self) -> None:
        self.checked: dict[str, int] = {}

    def check(self, verb: str, url: str, body: str | None, answer: requests.Response) -> None:
        """Raises AssertionError at the first violation."""
        parts = urlsplit(url)
        if parts.path.endswith("/graphql"):
            assert set(json.loads(body or "{}")) == {"query", "variables"}
            self._count("graphql")
            return
        template = _template(verb.lower(), parts.path.removeprefix(_ENTERPRISE))
        assert template, f"GitHub describes no {verb} {parts.path}"
        operation = rest_description()["paths"][template][verb.lower()]
        _check_query(operation, dict(parse_qsl(parts.query)), f"{verb} {template}")
        _check_body(template, verb.lower(), operation, body)
        _check_answer(template, verb.lower(), operation, answer)
        self._count(operation["operationId"])

    def _count(self, operation: str) -> None:
        self.checked[operation] = self.checked.get(operation, 0) + 1


def operation_id(verb: str, path: str) -> str:
    """What GitHub calls this request: an `operationId`, or `graphql`. Raises AssertionError where it describes none."""
    if path.endswith("/graphql"):
        return "graphql"
    template = _template(verb.lower(), path)
    assert template, f"GitHub describes no {verb} {path}"
    return str(rest_description()["paths"][template][verb.lower()]["operationId"])


@contextmanager
def check_traffic() -> Iterator[DescriptionChecker]:
    """Checks whatever the client sends to any loopback address, until the context is left."""
    plain, held = requests.Session.request, DescriptionChecker()

    def request(self: requests.Session, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        answer = plain(self, method, url, *args, **kwargs)
        sent = answer.request
        if sent.headers.get("User-Agent") == "provenfix":
            body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body
            held.check(method, str(sent.url), body if isinstance(body, str) else None, answer)
        return answer

    with patch.object(requests.Session, "request", request):
        yield held


@cache
def _templates(verb: str) -> list[tuple[re.Pattern[str], str]]:
    """The paths of the description, those with the fewest parameters first."""
    known = [path for path, operations in rest_description()["paths"].items() if verb in operations]
    known.sort(key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), path) for path in known]


def _template(verb: str, path: str) -> str | None:
    return next((template for pattern, template in _templates(verb) if pattern.fullmatch(path)), None)


@cache
def _registry() -> Any:
    described: Any = DRAFT4.create_resource(rest_description())
    return Registry().with_resource(_ID, described)


@cache
def _validator(pointer: str) -> OAS30Validator:
    return OAS30Validator({"$ref": f"{_ID}#{pointer}"}, registry=_registry())


def _pointer_to(*path: str) -> str:
    return "".join("/" + re.sub(r"[~/]", lambda special: _ESCAPES[special[0]], part) for part in path)


def _resolve_reference(item: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """What a `$ref` leads to, and its pointer; the item itself without one."""
    if "$ref" not in item:
        return item, None
    target: Any = rest_description()
    for part in item["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target, item["$ref"].removeprefix("#")


def _find_violations(pointer: str, value: Any) -> str:
    errors = sorted(_validator(pointer).iter_errors(value), key=lambda error: len(error.path), reverse=True)
    return "; ".join(f"{'/'.join(map(str, error.path))}: {error.message[:300]}" for error in errors[:3])


def _check_query(operation: Mapping[str, Any], query: Mapping[str, str], where: str) -> None:
    known = {
        parameter["name"]: parameter
        for item in operation.get("parameters", ())
        if (parameter := _resolve_reference(item)[0])["in"] == "query"
    }
    for name, text in query.items():
        assert name in known, f"{where} has no parameter {name}"
        schema = known[name]["schema"]
        value: Any = int(text) if schema.get("type") == "integer" and text.isdecimal() else text
        wrong = list(OAS30Validator(schema, registry=_registry()).iter_errors(value))
        assert not wrong, f"{where}?{name}={text}: {wrong[0].message}"


def _check_body(template: str, verb: str, operation: Mapping[str, Any], body: str | None) -> None:
    if "requestBody" not in operation:
        assert not body or body == "{}", f"{verb} {template} takes no body"
        return
    pointer = _pointer_to("paths", template, verb, "requestBody", "content", "application/json", "schema")
    wrong = _find_violations(pointer, json.loads(body or "{}"))
    assert not wrong, f"request {verb} {template}: {wrong}"
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    unknown = set(json.loads(body or "{}")) - set(schema.get("properties", ()))
    assert not unknown or "properties" not in schema, f"request {verb} {template} has no properties {sorted(unknown)}"


def _check_answer(template: str, verb: str, operation: Mapping[str, Any], answer: requests.Response) -> None:
    status = str(answer.status_code)
    if answer.status_code >= 500 or (
        answer.status_code in _UNDESCRIBED_STATUSES and status not in operation["responses"]
    ):
        return
    assert status in operation["responses"], f"{verb} {template} never answers {status}"
    told, pointer = _resolve_reference(operation["responses"][status])
    if "application/json" not in told.get("content", {}):
        return
    pointer = pointer or _pointer_to("paths", template, verb, "responses", status)
    wrong = _find_violations(pointer + _pointer_to("content", "application/json", "schema"), answer.json())
    assert not wrong, f"answer {status} to {verb} {template}: {wrong}"
