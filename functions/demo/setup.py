"""Sets up a scenario in a folder: writes the repository, and serves the service that fails.

Nothing of it is made up: two trees are served one after the other, a client connects to each and is closed with 1011.
What has been done is written down after each step, so that a demo that was killed goes on where it was.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo import fast_import
from functions.demo.build_repository import REVISIONS
from functions.demo.example_module import Flavour
from functions.demo.fast_import import CommitSpec, run_git
from functions.demo.history_plan import BEFORE_DEPLOYMENT, MODULE, Role, plan_commits, render_module_after
from functions.demo.runtime_failure import plan_runtime_failure
from functions.demo.scenario import SCENARIOS, Scenario, ScenarioName
from functions.demo.ws_client import visit_service
from functions.local.platform.revision_files import export_commit
from functions.local.private_files import write_private
from functions.local.server_process import defer_signals
from shared.adapters.compilers.interpreters import find_interpreter
from shared.adapters.standins.process_platform import ManualRevision, ProcessPlatform, RevisionSource
from shared.errors import InputError, UsageError
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service

StatusPrinter = Callable[[str], None]
"""Takes one sentence on what happens now."""
PULL_REQUEST_NUMBER = 7
_PROGRESS_FILE = "staged.json"
_BRANCH = "refs/heads/main"
_PULL_REQUEST_REF = f"refs/pull/{PULL_REQUEST_NUMBER}/head"
_INCIDENT_PYTHON = "3.11"
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05


@dataclass(slots=True)
class SetupProgress:
    """What has been staged so far."""

    scenario: ScenarioName
    python: str
    flavour: Flavour
    steps: int = 0
    commit_times: dict[Role, datetime] = field(default_factory=dict)
    commits: dict[Role, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoSetup:
    """`service.repository` is where the history is written."""

    folder: Path
    service: Service
    port: int
    scenario: Scenario
    print_status: StatusPrinter
    progress: SetupProgress

    def run_remaining(self, platform: ProcessPlatform) -> None:
        """Runs the steps that have not run yet; `platform` serves. Raises InputError."""
        for number, step in enumerate(self._list_steps(platform)):
            if number >= self.progress.steps:
                step()
                self.progress.steps = number + 1
                save_progress(self.folder, self.progress)

    def merge_pull_request(self) -> None:
        """What a user does who has read the issue: the pull request becomes part of the deploy branch."""
        self._run_git("update-ref", _BRANCH, self.progress.commits[Role.FIX])

    def _list_steps(self, platform: ProcessPlatform) -> Sequence[Callable[[], None]]:
        return (
            self._create_history,
            lambda: self._serve_first(platform),
            lambda: self._serve_second(platform),
            self._commit_remaining,
        )

    def _create_history(self) -> None:
        shutil.rmtree(self.service.repository, ignore_errors=True)
        fast_import.create_repository(Path(self.service.repository))
        self.progress.commit_times |= list_times_before(datetime.now(UTC))
        self._commit(BEFORE_DEPLOYMENT, None)

    def _serve_first(self, platform: ProcessPlatform) -> None:
        commit = "newest commit" if self.scenario.fails_at_runtime else "commit that says it is the fix"
        self.print_status(f"Deploying the {commit}: a real uvicorn, a real WebSocket client.")
        labels = self._build_labels() if self.scenario.fails_at_runtime else {}
        commit = self.progress.commits[Role.CLAIMED_FIX]
        self._serve(platform, ManualRevision(REVISIONS[0], RevisionSource(commit), labels))

    def _serve_second(self, platform: ProcessPlatform) -> None:
        if self.scenario.fails_at_runtime:
            return  # one deployment is enough to fail
        self.print_status("Deploying the next attempt straight from its work tree, before anybody has committed it.")
        tree = self.folder / "work-tree"
        shutil.rmtree(tree, ignore_errors=True)
        with defer_signals():  # a scratch repository is on the disk meanwhile
            export_commit(self.service.repository, self.progress.commits[Role.CLAIMED_FIX], tree)
        (tree / MODULE).write_text(render_module_after(Role.REFACTORING, self.progress.flavour), "utf-8")
        self._serve(platform, ManualRevision(REVISIONS[1], RevisionSource(folder=str(tree)), self._build_labels()))

    def _build_labels(self) -> Mapping[str, str]:
        label = self.scenario.label
        return {"label commit-sha": self.progress.commits[label]} if label else {}

    def _serve(self, platform: ProcessPlatform, made: ManualRevision) -> None:
        serve_revision(platform, self.service, made)
        seen = visit_service(self.port)
        if seen.close_code != 1011:
            raise InputError(
                f"The socket of the broken example service {seen.summary}, which is not how it should fail."
            )
        self.print_status(f"A visitor was connected; the socket {seen.summary}.")

    def _deploy(self, platform: ProcessPlatform, made: ManualRevision) -> Deployment:
        """Returns once the revision is ready, or once it is known that it will not be."""
        platform.deploy_by_hand(self.service, made)
        deadline = time.monotonic() + _READY_SECONDS
        while (state := platform.state(self.service, made.name)).progress is DeploymentProgress.RUNNING:
            if time.monotonic() > deadline:
                raise InputError(f"{made.name} did not come up within {_READY_SECONDS:g} seconds; try again.")
            time.sleep(_POLL_SECONDS)
        return state

    def _commit_remaining(self) -> None:
        """Whole seconds, all after the last failure: git keeps no fractions."""
        first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        later = [role for role in Role if role not in BEFORE_DEPLOYMENT]
        self.progress.commit_times |= {role: first + timedelta(seconds=number) for number, role in enumerate(later)}
        save_progress(self.folder, self.progress)
        base = self.progress.commits[Role.CLAIMED_FIX]
        self._run_git("update-ref", _BRANCH, base)
        self._commit(self.scenario.later_commits, base)
        if self.scenario.pull_request:
            tip = self.progress.commits[Role.REFACTORING]
            self._commit((Role.FIX,), tip)
            self._run_git("update-ref", _PULL_REQUEST_REF, self.progress.commits[Role.FIX])
            self._run_git("update-ref", _BRANCH, tip)
        more = " and what came after it" if len(self.scenario.later_commits) > 1 else ""
        what = "what came since" if self.scenario.fails_at_runtime else f"that attempt{more}"
        self.print_status(f"Committing {what}.")

    def _commit(self, roles: tuple[Role, ...], onto: str | None) -> None:
        planned = self._plan_commits(complete_times(self.progress.commit_times))
        ids = fast_import.append_commits(Path(self.service.repository), [planned[role] for role in roles], onto=onto)
        self.progress.commits |= dict(zip(roles, ids, strict=True))

    def _plan_commits(self, times: Mapping[Role, datetime]) -> Mapping[Role, CommitSpec]:
        if self.scenario.fails_at_runtime:
            return plan_runtime_failure(self.progress.python, times)
        limited = self.scenario.has_session_limit
        return plan_commits(self.progress.python, self.progress.flavour, times, limited=limited)

    def _run_git(self, *arguments: str) -> None:
        run_git([f"--git-dir={self.service.repository}", *arguments])


def serve_revision(platform: ProcessPlatform, service: Service, revision: ManualRevision) -> None:
    """Gives a revision all of the traffic, and waits until it answers. Raises InputError."""
    platform.deploy_by_hand(service, revision)
    deadline = time.monotonic() + _READY_SECONDS
    while (state := platform.state(service, revision.name)).progress is DeploymentProgress.RUNNING:
        if time.monotonic() > deadline:
            raise InputError(f"{revision.name} did not come up within {_READY_SECONDS:g} seconds; try again.")
        time.sleep(_POLL_SECONDS)
    if state.progress is DeploymentProgress.FAILED:
        raise InputError(f"{revision.name} did not come up: {state.detail}")


def load_progress(folder: Path, scenario: ScenarioName, interpreters: Mapping[str, str]) -> SetupProgress:
    """Those of an earlier demo in this folder, else new ones.

    Raises UsageError for a folder of another scenario, and for an interpreter that is none.
    """
    try:
        document = json.loads((folder / _PROGRESS_FILE).read_text("utf-8"))
    except FileNotFoundError:
        python = _choose_python(interpreters)
        return SetupProgress(
            scenario, python, Flavour.FSTRING if _read_minor_version(python) < 12 else Flavour.EVERYWHERE
        )
    if document["scenario"] != scenario.value:
        raise UsageError(f"{folder} holds the scenario {document['scenario']!r}; give that one, or another --folder")
    return SetupProgress(
        scenario,
        document["python"],
        Flavour(document["flavour"]),
        document["steps"],
        {Role(role): datetime.fromisoformat(moment) for role, moment in document["moments"].items()},
        {Role(role): commit for role, commit in document["commits"].items()},
    )


def describe_break(progress: SetupProgress) -> str:
    """One sentence on what is broken, and why that."""
    if SCENARIOS[progress.scenario].fails_at_runtime:
        return (
            f"The service runs on Python {progress.python}; every commit compiles, and one of them fails at run time."
        )
    if progress.flavour is Flavour.FSTRING:
        return (
            f"The service runs on Python {progress.python}; the break is a line break inside an f-string's {{…}}, "
            "which Python 3.12 made legal."
        )
    return (
        f"There is no Python {_INCIDENT_PYTHON} on this machine, so the service runs on Python {progress.python}; the "
        "break is a string without its closing quote, which no version accepts."
    )


def _choose_python(interpreters: Mapping[str, str]) -> str:
    """That of the incident where this machine has it, else the one that runs this."""
    interpreter = find_interpreter(_INCIDENT_PYTHON, interpreters)
    if interpreter is None:
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    interpreter.close()
    return interpreter.python


def _read_minor_version(python: str) -> int:
    return int(python.partition(".")[2])


def save_progress(folder: Path, progress: SetupProgress) -> None:
    """All of it or nothing."""
    document = {
        "scenario": progress.scenario.value,
        "python": progress.python,
        "flavour": progress.flavour.value,
        "steps": progress.steps,
        "moments": {role.value: moment.isoformat() for role, moment in progress.commit_times.items()},
        "commits": {role.value: commit for role, commit in progress.commits.items()},
    }
    new = folder / f"{_PROGRESS_FILE}.new"
    write_private(new, json.dumps(document, indent=2))
    new.replace(folder / _PROGRESS_FILE)


def list_times_before(now: datetime) -> Mapping[Role, datetime]:
    """The same distances before the first failure as in the incident."""
    before = {
        Role.FIRST: timedelta(days=21, hours=13),
        Role.GOOD: timedelta(hours=10, minutes=24),
        Role.INTRODUCED: timedelta(hours=1, minutes=44, seconds=45),
        Role.CLAIMED_FIX: timedelta(minutes=59, seconds=13),
    }
    return {role: now - distance for role, distance in before.items()}


def complete_times(moments: Mapping[Role, datetime]) -> Mapping[Role, datetime]:
    """One for each role, also for those whose time has not come."""
    return {role: moments.get(role, datetime.now(UTC)) for role in Role}
