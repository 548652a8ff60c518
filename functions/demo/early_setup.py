"""Sets up the scenario in which a check finds the failure: one revision that works, then one that nobody has visited.

The second one is deployed once the stack runs, so that provenfix meets it as a user's deployment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.demo.build_repository import REVISIONS
from functions.demo.history_plan import Role
from functions.demo.setup import DemoSetup, serve_revision
from functions.demo.ws_client import visit_service
from shared.adapters.standins.process_platform import ManualRevision, ProcessPlatform, RevisionSource
from shared.errors import InputError


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
