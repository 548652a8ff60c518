"""Sets up a scenario in which the service does not start: one revision that serves, then one that ends at its imports.

As the other setup, it makes nothing up: both are started as processes, and the log is what the second one prints.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.demo.build_repository import REVISIONS
from functions.demo.fast_import import CommitSpec
from functions.demo.history_plan import Role
from functions.demo.setup import DemoSetup, SetupProgress
from functions.demo.startup_stories import StartupStory, StartupStoryName, list_startup_stories, plan_startup_commits
from functions.demo.ws_client import visit_service
from shared.adapters.standins.process_platform import ManualRevision, ProcessPlatform, RevisionSource
from shared.errors import InputError
from shared.proposal.rollout import DeploymentProgress


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
