"""What an agent may ask about one repository; each answer is JSON, redacted, and nothing is changed.

The docstrings of the four questions are what an agent reads.
"""

import difflib
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functions.cli import explain, investigate, radar
from shared.errors import InputError, UsageError
from shared.proof.proof_context import ProofRequest
from shared.report.report_json import report_to_json
from shared.text.phrases import quote_untrusted
from shared.workflow.records import documents

MAX_TEXT = 5_000_000
"""Characters of a log that is given as text."""
_BY_PLACE = {
    "merged": "merged_not_deployed",
    "open_pull_request": "in_open_pull_request",
    "unmerged_branch": "on_unmerged_branch",
}


class ProofQuestions:
    """The questions about the repository in a folder; nothing outside of it is read."""

    def __init__(self, repo: str) -> None:
        self._repo = repo

    def investigate(  # noqa: PLR0913, PLR0917  # one parameter for each option
        self,
        log_file: str = "",
        log_text: str = "",
        deployed: str = "",
        branch: str = "",
        python: str = "",
        service: str = "",
        environment: str = "",
    ) -> dict[str, Any]:
        """Prove which commit broke a service and which one fixes it, from its log and this repository.

        Give the log as `log_file` (a path inside the repository's folder) or as `log_text` (lines, JSON or a
        traceback). `deployed`, `branch` and `python` (such as 3.11) where you know them. Returns a report for every
        failure that the log shows: broken commit, fix, target that passes every gate, five whys with evidence.
        Where nothing is proven, `decision.reason` says why; `explain` explains it.
        """
        request = ProofRequest(branch or None, deployed or None, python or None, fallback_python=_read_running_python())
        with self._open_log(log_file, log_text) as path:
            reports = investigate.investigate_log(self._repo, path, request, (service, environment), lambda _: None)
        return {"reports": [report_to_json(report) for report in reports]}

    def explain(self, reason: str = "") -> dict[str, Any]:
        """Say what the reason of a decision means and what to do, such as fix_merged_not_deployed; "" lists all."""
        if not reason:
            return {"reasons": {name: _describe(entry) for name, entry in sorted(explain.EXPLANATIONS.items())}}
        explanation = explain.EXPLANATIONS.get(reason)
        if explanation is None:
            near = difflib.get_close_matches(reason, explain.EXPLANATIONS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"No such reason: {quote_untrusted(reason, 80)}{hint}")
        return {"reasons": {reason: _describe(explanation)}}

    def is_it_fixed(self, failure: str, deployed: str = "", branch: str = "", python: str = "") -> dict[str, Any]:
        """Say whether a failure is fixed by a commit of this repository, and whether that commit is merged.

        `failure` is the traceback or the log around it. The answer of each failure is one of `merged_not_deployed`,
        `in_open_pull_request`, `on_unmerged_branch`, `not_fixed` and `unknown`. `not_fixed`: the failure is proven at
        the deployed commit, and no commit provably fixes it. `unknown`: nothing is proven, so do not take it for fixed.
        `deployed` is the commit that failed, if you know it.
        """
        reports = self.investigate("", failure, deployed, branch, python)["reports"]
        return {"failures": [_answer_fixed(report) for report in reports]}

    def radar(
        self, deployed: str, branch: str = "", python: str = "", start: list[str] | None = None
    ) -> dict[str, Any]:
        """List merged fixes that nobody has deployed: what provably fails at `deployed` and no longer on the branch.

        `deployed` is the commit that serves; `start` are files that the service starts with, where no Dockerfile says
        so. `newly_broken` is what the branch breaks that works as deployed.
        """
        undeployed = radar.find_radar(
            self._repo, deployed, (branch or None, python or None, tuple(start or ())), lambda _: None
        )
        return radar.describe_radar(undeployed)

    @contextmanager
    def _open_log(self, file: str, text: str) -> Iterator[str]:
        """The path of the log. Raises UsageError unless there is exactly one, and it is in the folder."""
        if bool(file) == bool(text):
            raise UsageError("Give the log either as log_file or as log_text.")
        if file:
            yield self._locate(file)
            return
        if len(text) > MAX_TEXT:
            raise UsageError(f"log_text has {len(text):,} characters, and {MAX_TEXT:,} are read; give a log_file.")
        with tempfile.TemporaryDirectory(prefix="provenfix-") as folder:
            path = Path(folder, "log.txt")
            path.write_text(text, "utf-8", "backslashreplace")
            yield str(path)

    def _locate(self, file: str) -> str:
        """Raises UsageError for a file outside of the repository's folder, links followed."""
        folder = Path(self._repo).resolve()
        try:
            path = Path(os.path.realpath(folder / file))
            is_file = path.is_file()
        except ValueError:  # a name that no file can have
            path, is_file = folder, False
        if not path.is_relative_to(folder):
            raise UsageError(f"{quote_untrusted(file, 200)} is outside of the repository's folder.")
        if not is_file:
            raise InputError(f"{quote_untrusted(file, 200)} is no file of the repository's folder.")
        return str(path)


def _answer_fixed(report: Mapping[str, object]) -> dict[str, Any]:
    incident, decision = documents.read_part(report, "incident"), documents.read_part(report, "decision")
    fix, target = documents.read_part(report, "fix"), documents.read_part(report, "target")
    answer = _BY_PLACE.get(documents.read_text(fix, "where"), "unknown") if fix else "unknown"
    if not fix and report.get("broken") is not None:
        answer = "not_fixed"
    return {
        "answer": answer,
        "failure": {name: incident.get(name) for name in ("signal", "error_class", "path", "first_seen")},
        "deployed": documents.read_part(report, "deployed").get("commit"),
        "fix": fix or None,
        "target": {name: target.get(name) for name in ("commit", "subject", "checks", "commits_after_deployed")}
        if target
        else None,
        "rollback": report.get("rollback") or report.get("alternative"),
        "reason": decision.get("reason"),
        "detail": decision.get("detail"),
    }


def _describe(explanation: explain.Explanation) -> dict[str, str]:
    return {"meaning": explanation.meaning, "advice": explanation.advice}


def _read_running_python() -> str:
    return ".".join(platform.python_version_tuple()[:2])
