"""The check runs of the fake: written and listed by commit; complete by the description."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.support.github.actions import minimal_example
from tests.support.github.server import REPOSITORY, FakeRequest, FakeResponse

_ROOT = f"/repos/{REPOSITORY}"


@dataclass
class CheckRunBoard:
    """`runs` are the bodies that were sent, oldest first. `refuses`: as GitHub answers a token."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def __call__(self, asked: FakeRequest) -> FakeResponse | None:
        if asked.path == f"{_ROOT}/check-runs" and asked.method == "POST":
            return self._create(asked.body)
        match = re.fullmatch(rf"{_ROOT}/commits/([0-9a-f]+)/check-runs", asked.path)
        if match is None:
            return None
        shown = [
            self._document(number)
            for number, run in enumerate(self.runs)
            if run["head_sha"] == match[1] and asked.query.get("check_name") in {None, run["name"]}
        ]
        return FakeResponse(200, {"total_count": len(shown), "check_runs": shown})

    def _create(self, body: dict[str, Any]) -> FakeResponse:
        if self.refuses:
            return FakeResponse(403, {"message": "Resource not accessible by integration", "documentation_url": "x"})
        assert len(body["output"].get("annotations", ())) <= 50, "GitHub takes 50 annotations with a request"
        self.runs.append(body)
        return FakeResponse(201, self._document(len(self.runs) - 1))

    def _document(self, number: int) -> dict[str, Any]:
        run, output = self.runs[number], self.runs[number]["output"]
        link = f"https://github.com/{REPOSITORY}/runs/{number + 1}"
        told = {key: run[key] for key in ("name", "head_sha", "external_id", "status", "conclusion")}
        return {
            **minimal_example("check-run"), **told, "id": number + 1, "html_url": link,
            "output": {
                "title": output["title"], "summary": output["summary"], "text": None,
                "annotations_count": len(output.get("annotations", ())), "annotations_url": f"{link}/annotations",
            },
        }  # fmt: skip
