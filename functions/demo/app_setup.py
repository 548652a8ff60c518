"""Sets up a scenario in which nothing can be proven: writes the repository, serves one revision, lets it fail.

What has been done is written down after each step, so that a demo that was killed goes on where it was.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo import fast_import
from functions.demo.build_repository import REVISIONS
from functions.demo.example_apps import DEPLOYED, ExampleApp, plan_app_commits
from functions.demo.history_plan import Role
from functions.demo.scenario import Scenario
from functions.demo.setup import (
    SetupProgress,
    StatusPrinter,
    complete_times,
    list_times_before,
    save_progress,
    serve_revision,
)
from functions.demo.ws_client import Visit, visit_service, visit_silently
from shared.adapters.standins.process_platform import ManualRevision, ProcessPlatform, RevisionSource
from shared.errors import InputError
from shared.service import Service

_CLOSED_WITH = 1011


@dataclass(frozen=True, slots=True)
class AppSetup:
    """`service.repository` is where the history is written."""

    folder: Path
    service: Service
    port: int
    scenario: Scenario
    app: ExampleApp
    print_status: StatusPrinter
    progress: SetupProgress

    def run_remaining(self, platform: ProcessPlatform) -> None:
        """Runs the steps that have not run yet; `platform` serves. Raises InputError."""
        steps = (self._create_history, lambda: self._serve(platform), self._commit_remaining)
        for number, step in enumerate(steps):
            if number >= self.progress.steps:
                step()
                self.progress.steps = number + 1
                save_progress(self.folder, self.progress)

    def merge_pull_request(self) -> None:
        """There is none."""

    def _create_history(self) -> None:
        shutil.rmtree(self.service.repository, ignore_errors=True)
        fast_import.create_repository(Path(self.service.repository))
        self.progress.commit_times |= list_times_before(datetime.now(UTC))
        self._commit(DEPLOYED, None)

    def _serve(self, platform: ProcessPlatform) -> None:
        self.print_status("Deploying the head of the branch: a real server, and a real WebSocket client.")
        revision = ManualRevision(REVISIONS[0], RevisionSource(self.progress.commits[Role.CLAIMED_FIX]))
        serve_revision(platform, self.service, revision)
        seen = self._check_failure()
        if seen.close_code != _CLOSED_WITH:
            raise InputError(f"The socket of the example service {seen.summary}, which is not how it should fail.")
        self.print_status(f"A visitor was connected; the socket {seen.summary}.")

    def _check_failure(self) -> Visit:
        if self.app is not ExampleApp.BLOCKED:
            return visit_service(self.port)
        self.print_status("A visitor connects and answers no keepalive ping, as a phone in a tunnel does not.")
        return visit_silently(self.port)

    def _commit_remaining(self) -> None:
        first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        later = [role for role in Role if role not in DEPLOYED]
        self.progress.commit_times |= {role: first + timedelta(seconds=number) for number, role in enumerate(later)}
        save_progress(self.folder, self.progress)
        self._commit(self.scenario.later_commits, self.progress.commits[Role.CLAIMED_FIX])
        self.print_status("Committing what came after it, which is not deployed.")

    def _commit(self, roles: tuple[Role, ...], onto: str | None) -> None:
        planned = plan_app_commits(self.app, self.progress.python, complete_times(self.progress.commit_times))
        ids = fast_import.append_commits(Path(self.service.repository), [planned[role] for role in roles], onto=onto)
        self.progress.commits |= dict(zip(roles, ids, strict=True))
