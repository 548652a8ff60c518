"""The workflows of the fake: one file, the runs that were dispatched, and how they end; complete by the description."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.support.github.schemas import rest_description
from tests.support.github.server import REPOSITORY, FakeRequest, FakeResponse

WORKFLOW = """name: deploy
run-name: Deploy ${{ inputs.commit }}
on:
  workflow_dispatch:
    inputs:
      commit: {required: true}
"""
_ROOT = f"/repos/{REPOSITORY}"


@dataclass
class DispatchedRun:
    """One run. `conclusion` is "" while it is under way."""

    ref: str
    inputs: Mapping[str, str]
    dispatched_at: datetime
    conclusion: str = ""


@dataclass
class FakeActions:
    """`text` is the workflow's file, `late` keeps new runs out of the list, `refused` answers dispatches with a 403."""

    now: Callable[[], datetime]
    text: str = WORKFLOW
    runs: list[DispatchedRun] = field(default_factory=list)
    hides_new_runs: bool = False
    refuses_dispatch: bool = False

    def __call__(self, asked: FakeRequest) -> FakeResponse | None:
        match = re.fullmatch(rf"{_ROOT}/actions/workflows/deploy\.yml/(dispatches|runs)", asked.path)
        if match is None:
            return None
        return self._dispatch(asked) if match[1] == "dispatches" else self._list(asked)

    @property
    def fields(self) -> dict[str, Any]:
        """What GraphQL tells of the repository: its default branch, and the one file."""
        return {"defaultBranchRef": {"name": "trunk"}, "object": self._object}

    def _object(self, _: object, expression: str) -> dict[str, Any] | None:
        known = expression == "trunk:.github/workflows/deploy.yml" and self.text
        told = {"oid": "b" * 40, "text": self.text, "isTruncated": False, "isBinary": False, "byteSize": len(self.text)}
        return {"__typename": "Blob", **told} if known else None

    def _dispatch(self, asked: FakeRequest) -> FakeResponse:
        if self.refuses_dispatch:
            return FakeResponse(403, {"message": "Resource not accessible by integration", "documentation_url": "x"})
        self.runs.append(DispatchedRun(asked.body["ref"], asked.body["inputs"], self.now()))
        return FakeResponse(204)

    def _list(self, asked: FakeRequest) -> FakeResponse:
        since = datetime.fromisoformat(asked.query["created"].removeprefix(">="))
        shown = [] if self.hides_new_runs else [run for run in self.runs if run.dispatched_at >= since]
        runs = [self._run_document(index, run) for index, run in enumerate(shown)]
        return FakeResponse(200, {"total_count": len(runs), "workflow_runs": list(reversed(runs))})

    def _run_document(self, index: int, run: DispatchedRun) -> dict[str, Any]:
        name = re.search("^run-name: (.*)$", self.text, re.MULTILINE)
        title = re.sub(
            r"\$\{\{ inputs\.(\w+) \}\}", lambda expression: run.inputs[expression[1]], name[1] if name else "deploy"
        )
        return {
            **minimal_example("workflow-run"),
            "display_title": title,
            "event": "workflow_dispatch",
            "status": "completed" if run.conclusion else "in_progress",
            "conclusion": run.conclusion or None,
            "created_at": run.dispatched_at.isoformat(),
            "updated_at": run.dispatched_at.isoformat(),
            "html_url": f"https://github.com/{REPOSITORY}/actions/runs/{index + 1}",
        }


def minimal_example(name: str) -> dict[str, Any]:
    """The least that the description asks of a schema."""
    made: dict[str, Any] = _minimal_value(rest_description()["components"]["schemas"][name])
    return made


_MINIMAL_VALUES = {"string": "x", "integer": 1, "number": 1, "boolean": False, "array": []}


def _minimal_value(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _minimal_value(rest_description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            return _minimal_value(schema[word][0])
    if schema.get("type", "object") != "object":
        by_form = {"date-time": "2026-04-07T08:00:00Z", "uri": "https://api.github.com/x"}
        return by_form.get(schema.get("format", ""), _MINIMAL_VALUES[schema["type"]])
    return {name: _minimal_value(schema["properties"][name]) for name in schema.get("required", ())}
