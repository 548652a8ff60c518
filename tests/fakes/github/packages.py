"""GitHub's own descriptions of its API, as published on npm: installed once into `build/npm/github`, outside of git."""

import fcntl
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import graphql

HERE = Path(__file__).resolve().parents[3]
LOCK = HERE / "tests/contract/npm/github"
PLACE = HERE / "build/npm/github"


@cache
def packages() -> Path:
    """The folder `node_modules` with what the lock file names."""
    PLACE.mkdir(parents=True, exist_ok=True)
    stamp = PLACE / "installed.json"
    wanted = (LOCK / "package-lock.json").read_text()
    with (PLACE / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(LOCK / name, PLACE / name)
            subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=PLACE, check=True
            )
            stamp.write_text(wanted)
    return PLACE / "node_modules"


@cache
def graphql_schema() -> graphql.GraphQLSchema:
    """GitHub's public GraphQL schema."""
    text = (packages() / "@octokit/graphql-schema/schema.graphql").read_text()
    return graphql.build_schema(text, assume_valid=True, assume_valid_sdl=True)


@cache
def openapi() -> dict[str, Any]:
    """GitHub's description of its REST API."""
    text = (packages() / "@octokit/openapi/generated/api.github.com.json").read_text()
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
