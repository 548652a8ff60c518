"""Sets up the other scenarios: nothing can be proven, a check finds the failure first, the service does not start.

`AppSetup` writes the repository, serves one revision and lets it fail. `EarlySetup` serves one revision that works;
the second one, which nobody has visited, is deployed once the stack runs, so that provenfix meets it as a user's
deployment. `StartupSetup` serves one revision, then one that ends at its imports. Nothing is made up: all are started
as processes, and the log is what they print. What has been done is written down after each step, so that a demo that
was killed goes on where it was.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo import fast_import
from functions.demo.build_repository import REVISIONS
from functions.demo.example_apps import DEPLOYED, ExampleApp, plan_app_commits
from functions.demo.fast_import import CommitSpec
from functions.demo.history_plan import Role
from functions.demo.scenario import Scenario
from functions.demo.setup import (
    DemoSetup,
    SetupProgress,
    StatusPrinter,
    complete_times,
    list_times_before,
    save_progress,
    serve_revision,
)
from functions.demo.startup_stories import StartupStory, StartupStoryName, list_startup_stories, plan_startup_commits
from functions.demo.ws_client import Visit, visit_service, visit_silently
from shared.adapters.standins.process_platform import ManualRevision, ProcessPlatform, RevisionSource
from shared.errors import InputError
from shared.proposal.rollout import DeploymentProgress
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


@dataclass(frozen=True, slots=True)
class EarlySetup(DemoSetup):
    """`scenario` deploys what is broken while nobody visits the service."""

    def _list_steps(self, platform: ProcessPlatform) -> Sequence[Callable[[], None]]:
        return self._create_history, lambda: self._serve_good(platform), self._commit_remaining

    def _serve_good(self, platform: ProcessPlatform) -> None:
        self.print_status("Deploying the last commit that works: a real uvicorn, a real WebSocket client.")
        serve_revision(platform, self.service, self._build_revision(REVISIONS[0], Role.GOOD))
        seen = visit_service(self.port)
        if seen.close_code is not None:
            raise InputError(f"The socket of the working example service {seen.summary}.")
        self.print_status(f"A visitor was connected; the socket {seen.summary}.")

    def deploy_unvisited(self, platform: ProcessPlatform) -> None:
        """Gives all of the traffic to the commit that says it is the fix. It starts: only a visitor would show it."""
        if platform.get_revision(self.service, REVISIONS[1]) is None:
            self.print_status("Deploying the commit that says it is the fix. It starts, and nobody visits it yet.")
            serve_revision(platform, self.service, self._build_revision(REVISIONS[1], Role.CLAIMED_FIX))

    def _build_revision(self, name: str, role: Role) -> ManualRevision:
        commit = self.progress.commits[role]
        return ManualRevision(name, RevisionSource(commit), {"label commit-sha": commit})


@dataclass(frozen=True, slots=True)
class StartupSetup(DemoSetup):
    """`scenario` has a story of a service that does not start."""

    @property
    def story(self) -> StartupStory:
        """The story, for the Python that is served."""
        return list_startup_stories(self.progress.python)[self.scenario.startup_story or StartupStoryName.IMPORT]

    def _list_steps(self, platform: ProcessPlatform) -> Sequence[Callable[[], None]]:
        return (
            self._create_history,
            lambda: self._serve_good(platform),
            lambda: self._deploy_claimed_fix(platform),
            self._commit_remaining,
        )

    def _plan_commits(self, times: Mapping[Role, datetime]) -> Mapping[Role, CommitSpec]:
        return plan_startup_commits(self.story, times)

    def _serve_good(self, platform: ProcessPlatform) -> None:
        self.print_status("Deploying the last commit that works: a real uvicorn, a real WebSocket client.")
        made = ManualRevision(REVISIONS[0], RevisionSource(self.progress.commits[Role.GOOD]))
        state = self._deploy(platform, made)
        if state.progress is DeploymentProgress.FAILED:
            raise InputError(f"{made.name} did not come up: {state.detail}")
        self.print_status(f"A visitor was connected; the socket {visit_service(self.port).summary}.")

    def _deploy_claimed_fix(self, platform: ProcessPlatform) -> None:
        self.print_status("Deploying the commit that says it is the fix.")
        made = ManualRevision(REVISIONS[1], RevisionSource(self.progress.commits[Role.CLAIMED_FIX]))
        state = self._deploy(platform, made)
        expected = self.story.error.partition(" (")[0]
        if state.progress is not DeploymentProgress.FAILED or expected not in state.detail:
            raise InputError(f"{made.name} was to fail with {expected!r}, and did not: {state.detail or 'it came up'}")
        self.print_status(f"It does not start. {state.detail}")


def describe_startup_break(name: StartupStoryName, progress: SetupProgress) -> str:
    """One sentence on what is broken."""
    story = list_startup_stories(progress.python)[name]
    return f"The service runs on Python {progress.python}; {story.broken_path} is broken: {story.error}."
