"""GitHub's own descriptions of its API, as published on npm: installed once into `build/npm/github`, outside of git."""

import json
from functools import cache
from typing import Any

import graphql

from tests.support.npm import install_packages


@cache
def graphql_schema() -> graphql.GraphQLSchema:
    """GitHub's public GraphQL schema."""
    text = (install_packages("github") / "@octokit/graphql-schema/schema.graphql").read_text()
    return graphql.build_schema(text, assume_valid=True, assume_valid_sdl=True)


@cache
def rest_description() -> dict[str, Any]:
    """GitHub's description of its REST API."""
    text = (install_packages("github") / "@octokit/openapi/generated/api.github.com.json").read_text()
    described: dict[str, Any] = json.loads(text, object_hook=_nullable)
    return described


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """GitHub's `nullable` admits null; by the letter of OpenAPI 3.0 an enum or a oneOf beside it forbids that."""
    if schema.get("nullable") is True:
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
        for word in ("oneOf", "anyOf"):
            if isinstance(schema.get(word), list):
                schema[word] = [*schema[word], {"enum": [None], "nullable": True}]
    return schema
