"""The check of the traffic can fail: what Google's descriptions do not know is a violation."""

from typing import Any

import pytest
from google.cloud import artifactregistry_v1 as registry
from google.cloud import logging_v2, run_v2
from google.cloud.devtools import cloudbuild_v1 as build_v1
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from tests.support.google_rpc_description import find_violations, strict_schema

SERVICE = "projects/shore/locations/europe-west6/services/tide"
RUN, BUILD = "/google.cloud.run.v2.", "/google.devtools.cloudbuild.v1.CloudBuild/"

RIGHT: list[tuple[str, Any]] = [
    (f"{RUN}Services/GetService", run_v2.GetServiceRequest(name=SERVICE)),
    (f"{RUN}Services/UpdateService", run_v2.UpdateServiceRequest(service=run_v2.Service(name=SERVICE, etag="e"))),
    (f"{RUN}Revisions/ListRevisions", run_v2.ListRevisionsRequest(parent=SERVICE, page_size=100)),
    (f"{BUILD}ListBuilds", build_v1.ListBuildsRequest(parent="projects/shore/locations/global", page_size=50)),
    (
        f"{BUILD}RunBuildTrigger",
        build_v1.RunBuildTriggerRequest(
            name="projects/shore/locations/global/triggers/t", source=build_v1.RepoSource(commit_sha="a" * 40)
        ),
    ),
    (
        "/google.devtools.artifactregistry.v1.ArtifactRegistry/GetTag",
        registry.GetTagRequest(name="projects/p/locations/l/repositories/r/packages/i%2Fj/tags/t"),
    ),
    (
        "/google.logging.v2.LoggingServiceV2/ListLogEntries",
        logging_v2.types.ListLogEntriesRequest(resource_names=["projects/shore"], page_size=10),
    ),
]


@pytest.mark.parametrize(("path", "request_"), RIGHT, ids=lambda each: str(each).rpartition("/")[2][:30])
def test_what_is_right_passes(path: str, request_: Any) -> None:
    assert find_violations(path, request_) == []


@pytest.mark.parametrize(
    ("path", "request_", "violation"),
    [
        (f"{RUN}Services/GetService", run_v2.GetServiceRequest(name="services/tide"), "lacks what its address"),
        (
            f"{RUN}Services/UpdateService",
            run_v2.UpdateServiceRequest(service=run_v2.Service(name="projects/p/services/tide")),
            "lacks what its address",
        ),
        (f"{BUILD}GetBuild", build_v1.GetBuildRequest(id="b"), "lacks what its address"),
    ],
)
def test_an_address_that_is_none_is_a_violation(path: str, request_: Any, violation: str) -> None:
    assert violation in find_violations(path, request_)[0]


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ({"percent": 10, "type": "TRAFFIC"}, True),
        ({"percent": "ten"}, False),
        ({"percent": 10, "share": 3}, False),
        ({"type": "NOBODY"}, False),
        ({"tags": {"a": "b"}, "of": [{"percent": 1}]}, True),
        ({"tags": {"a": 3}}, False),
        ({"of": [{"share": 1}]}, False),
    ],
)
def test_a_strict_schema_admits_only_what_is_described(value: dict[str, object], right: bool) -> None:  # noqa: FBT001
    described = {
        "type": "object",
        "properties": {
            "percent": {"type": "integer"},
            "type": {"type": "string", "enum": ["TRAFFIC"]},
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
            "of": {"type": "array", "items": {"type": "object", "properties": {"percent": {"type": "integer"}}}},
        },
    }
    assert Draft202012Validator(strict_schema(described)).is_valid(value) is right
