"""The scenarios of the demo: how history and deployment differ, and the state in which each ends."""

from dataclasses import dataclass
from enum import StrEnum

from functions.demo import runtime_failure
from functions.demo.example_apps import ExampleApp
from functions.demo.history_plan import Role
from functions.demo.startup_stories import StartupStoryName
from shared.detection.signal import SignalKind
from shared.workflow.flow import IncidentState


class ScenarioName(StrEnum):
    """By the names that the command takes."""

    INCIDENT = "incident"
    PULL_REQUEST = "pull-request"
    ROLLBACK = "rollback"
    FAILED_PROBE = "failed-probe"
    STORM = "storm"
    LYING_LABEL = "lying-label"
    IMPORT = "import"
    IMAGE = "image"
    TRIAL = "trial"
    KEEPALIVE = "keepalive"
    UPSTREAM = "upstream"
    SUSPECTED = "suspected"
    EARLY = "early"


_CLOSES = frozenset((SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT))


@dataclass(frozen=True, slots=True)
class Scenario:
    """What makes one scenario different from the others."""

    description: str
    """One sentence."""
    later_commits: tuple[Role, ...]
    """What is committed to the deploy branch after the second deployment."""
    final_state: IncidentState = IncidentState.RESOLVED
    label: Role | None = None
    """The commit that the label of the failing revision names; None where it carries no label."""
    has_session_limit: bool = False
    """Whether the newest commit lets only two conversations happen, which no compiler sees."""
    pull_request: bool = False
    """Whether the fix waits in a pull request until a user has read the issue."""
    storm_entries: int = 0
    """How many entries are logged at once."""
    startup_story: StartupStoryName | None = None
    """The story of a service that does not start; None for the one that breaks off its conversations."""
    fails_at_runtime: bool = False
    """Whether the service fails at run time, at one labelled commit, in a way that no compiler sees."""
    is_unvisited: bool = False
    """Whether nobody visits the failing revision before provenfix has found what fails."""
    app: ExampleApp | None = None
    """The service that fails, where it is not the one that does not compile."""

    @property
    def signals(self) -> frozenset[SignalKind]:
        """What the incident of the scenario may be recorded as."""
        if self.startup_story is not None:
            return frozenset((SignalKind.FAILED_START,))
        is_close = self.fails_at_runtime or self.app is not None
        return _CLOSES if is_close else frozenset((SignalKind.SYNTAX_ERROR,))


_ALL_LATER = (Role.REFACTORING, Role.FIX, Role.TESTS, Role.HEARTBEAT, Role.HEAD)

SCENARIOS = {
    ScenarioName.INCIDENT: Scenario(
        "The fix is merged but not deployed, and its message does not mention a fix.",
        _ALL_LATER,
    ),
    ScenarioName.PULL_REQUEST: Scenario(
        "The fix waits in a pull request: nothing is proposed until it is merged.",
        (Role.REFACTORING,),
        pull_request=True,
    ),
    ScenarioName.ROLLBACK: Scenario(
        "Nobody has written a fix: the last commit that compiles is proposed.",
        (Role.REFACTORING,),
    ),
    ScenarioName.FAILED_PROBE: Scenario(
        "The fix is deployed together with a change that fails after two conversations, which no compiler sees.",
        _ALL_LATER,
        has_session_limit=True,
    ),
    ScenarioName.STORM: Scenario(
        "20,000 entries of the same failure arrive at once.",
        _ALL_LATER,
        storm_entries=20_000,
    ),
    ScenarioName.LYING_LABEL: Scenario(
        "The failing revision carries a label that names another commit than the one it was built from.",
        _ALL_LATER,
        label=Role.CLAIMED_FIX,
    ),
    ScenarioName.IMPORT: Scenario(
        "A function was renamed and a caller left behind; the commit that claims the fix does not start either.",
        (Role.REFACTORING, Role.FIX, Role.HEAD),
        startup_story=StartupStoryName.IMPORT,
    ),
    ScenarioName.IMAGE: Scenario(
        "A line of the ignore file keeps a package out of the image; the fix that was claimed changed the package.",
        (Role.REFACTORING, Role.FIX, Role.TESTS, Role.HEAD),
        startup_story=StartupStoryName.IMAGE,
    ),
    ScenarioName.TRIAL: Scenario(
        "An exception closes every socket, and nothing proves which commit ends it: one is tried without traffic.",
        runtime_failure.LATER_COMMITS,
        label=Role.CLAIMED_FIX,
        fails_at_runtime=True,
    ),
    ScenarioName.KEEPALIVE: Scenario(
        "A client answers no keepalive ping: no deployment fixes that, so none is proposed.",
        (Role.TESTS,),
        final_state=IncidentState.REPORTED,
        app=ExampleApp.BLOCKED,
    ),
    ScenarioName.UPSTREAM: Scenario(
        "The service at the other end of the service's own socket closes with 1011: its failure, not this one's.",
        (Role.TESTS,),
        final_state=IncidentState.REPORTED,
        app=ExampleApp.UPSTREAM,
    ),
    ScenarioName.SUSPECTED: Scenario(
        "The service's own code raises an exception that nothing can prove: changes are suspected, none is proposed.",
        (Role.FIX, Role.TESTS),
        final_state=IncidentState.REPORTED,
        app=ExampleApp.LANGUAGE,
    ),
    ScenarioName.EARLY: Scenario(
        "A broken revision gets the traffic before anybody visits it: a check of its commit finds what fails.",
        _ALL_LATER,
        is_unvisited=True,
    ),
}
