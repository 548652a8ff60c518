"""What the proof found: the deployed commit, what is broken, which commit broke it, what fixes it, what to propose.

`shared.proof.prove` fills these values; evidence, whys and report are made from them.
"""

from dataclasses import dataclass

from shared.detection.causes.cause import EnvironmentComparison
from shared.detection.logged_exception import Frame
from shared.proof.model.compilation import Fault
from shared.proof.model.deployed_version import DeployedVersion
from shared.proof.model.history import Commit
from shared.proof.model.missing_import import MissingImport
from shared.proof.model.recommendation import ActionKind, Recommendation
from shared.proof.model.suspected_change import NO_SUSPECTED_CHANGES, SuspectedChanges
from shared.proof.model.target import (
    NO_IMAGE_NEEDED,
    Experiment,
    ImageCheck,
    OtherBrokenFile,
    RefusedCommit,
    Target,
    TrialCandidate,
)


@dataclass(frozen=True, slots=True)
class ProvenClaim:
    """A failure beyond syntax that the code of the deployed commit confirms, or that the log alone is witness of."""

    family: str
    """A value of `shared.proof.claims.claim.ClaimFamily`."""
    path: str
    line: int
    """The failing statement. The broken place is another one where a line keeps a module out of the image."""
    module: str
    name: str
    owner: str
    """See `shared.proof.claims.claim.Claim`."""
    function: str
    failing_reason: str
    """What the code of the deployed commit lacks, one sentence without a full stop."""
    fixed_reason: str
    """Why the failure cannot happen at the fix; "" without one."""
    checked_by: str
    is_witnessed_by_log: bool
    """True where the code does not decide it: the fix is then a commit that does."""
    inputs: tuple[str, ...]
    """The paths on which the verdicts depend."""
    commits_judged: int
    is_found_early: bool = False
    """Whether a check has made the claim, and no log entry."""

    @property
    def is_start(self) -> bool:
        """Whether what the start command names is missing, so that no file of the service has run."""
        return self.family == "start_target"

    @property
    def missing_target(self) -> str:
        """What the log shows to be missing: `app.main`, `app in app.main`, or a file; of a start target alone."""
        return f"{self.name} in {self.module}" if self.name and self.module else self.module or self.name

    @property
    def how_it_fails(self) -> str:
        """What a version that fails does, after the verb."""
        return "the same way" if self.is_found_early else "as logged"


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """The failing file at the deployed commit."""

    path: str
    fault: Fault
    errors: int
    """All errors in the file, as ruff's parser counts them; at least 1."""
    error_lines: tuple[int, ...]
    checked_by: str
    explanation: str
    """Ruff's words for the error on the logged line; "" where it has none."""
    compiles_on: tuple[str, ...]
    """Minor versions on which the very same bytes compile."""
    compiles_on_checked_by: str
    excerpt: tuple[tuple[int, str], ...]
    """Source lines around the fault, numbered."""
    second_opinion: str = ""
    """One sentence where interpreter and ruff differ; "" where they agree or only one was asked."""
    also_broken: tuple[OtherBrokenFile, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedSummary:
    """Which files count at the deployed commit, by which rule, and what was seen of the others."""

    rule: str
    """In words, as `what Dockerfile starts`."""
    start: str
    """The start command or file; "" where none was read."""
    image: str
    """The file that says how the image is built; "" where there is none."""
    is_exact: bool
    """Whether these are the files that are loaded, rather than all that the image may hold."""
    file_count: int
    ambiguous: tuple[str, ...] = ()
    """Images, one of which may be the failing one as well."""
    not_loaded: tuple[OtherBrokenFile, ...] = ()
    """Other files that do not compile: no reason against a commit."""
    others_checked: int = 0
    """How many other files were compiled for this."""
    has_unchecked_others: bool = False
    """Whether there are more of them, which were not looked at."""
    missing_imports: tuple[MissingImport, ...] = ()
    """Imports of modules that vanished from the target, where something may let the import succeed."""
    traced: tuple[str, ...] = ()
    """Files that the traceback names beside the failing one: they were loaded, whatever is known of how."""


@dataclass(frozen=True, slots=True)
class PythonChange:
    """The Python of a commit's image, where it is another one than before and decides whether the file compiles."""

    before: str
    """The minor version."""
    after: str
    source: str
    """Where the later one is declared, as `Dockerfile, line 1: FROM python:3.12-slim`."""


@dataclass(frozen=True, slots=True)
class IntroducingCommit:
    """The commit after which the file no longer compiled. `errors` is the count right after it."""

    commit: Commit
    path: str
    errors: int
    first_line: int | None
    was_added_broken: bool = False
    """True where the file did not exist before: it never compiled."""
    python_change: PythonChange | None = None
    """Where the file compiled on the Python of the image before: what this commit makes of that Python."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A later version that still fails."""

    commit: Commit
    errors_left: int
    first_line: int | None


@dataclass(frozen=True, slots=True)
class Fix:
    """The first commit that descends from the deployed one and where the file compiles."""

    commit: Commit
    where: str
    """`merged`, `open_pull_request`, or `unmerged_branch`."""
    pull_request: int | None = None
    ref: str = ""
    """The unmerged ref, where `where` is not `merged`."""
    is_deletion: bool = False
    """True where the fix is that the file is gone."""
    excerpt: tuple[tuple[int, str], ...] = ()
    """The fixed lines, numbered as in the fixed version."""
    path: str = ""
    """Where the file is after the fix; differs from the broken path after a rename; "" where it was deleted."""
    python_change: PythonChange | None = None
    """Where the file still fails on the deployed Python: the other Python of this commit's own image."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """The newest ancestor of the deployed commit where nothing of the incident is broken."""

    commit: Commit
    lost_commits: tuple[Commit, ...] = ()
    """What the deployed commit has and this one has not, newest first; () where that is not known."""
    image: ImageCheck = NO_IMAGE_NEEDED
    newer_without_image: tuple[Commit, ...] = ()
    """Newer commits from before the break that pass every other gate, newest first."""


@dataclass(frozen=True, slots=True)
class DeclaredFile:
    """A file of the repository that says something about Python versions or checks, at one commit."""

    path: str
    commit: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """All that was found for one incident."""

    deployed: DeployedVersion
    broken: BrokenFile | None
    introduced: IntroducingCommit | None
    attempts: tuple[Attempt, ...]
    fix: Fix | None
    target: Target | None
    rollback: Rollback | None
    recommendation: Recommendation
    branch: str
    """Name of the deploy branch."""
    branch_head: str
    declaring_files: tuple[DeclaredFile, ...] = ()
    """CI workflows, Dockerfiles and project files at the commit that introduced the break (else the deployed one)."""
    refused_commits: tuple[RefusedCommit, ...] = ()
    """Commits that contain the fix and failed a gate, newest first: those above the target, or all without one."""
    unchecked_commits: int = 0
    """Further commits that might pass every gate; the search had gone on for long enough."""
    loaded_summary: LoadedSummary | None = None
    """None where nothing was compiled but the failing file."""
    gaps: tuple[str, ...] = ()
    """What could not be looked at, a sentence each: shallow history, missing blobs."""
    versions_compiled: int = 0
    alternative_rollback: Rollback | None = None
    """Beside a target: the rollback that is possible instead, where the request wants one."""
    claim: ProvenClaim | None = None
    """The failure, where it is none of syntax: then "broken" and "fixed" are said of it, and not of compiling."""
    raised_frame: Frame | None = None
    """Of an exception that is quoted and not proven: its deepest frame in the repository, with the path there."""
    environment: EnvironmentComparison | None = None
    """The variables that the failing revision lacks, where the platform lists them."""
    suspected: SuspectedChanges = NO_SUSPECTED_CHANGES
    """For an exception that nothing can prove: never a reason to deploy anything."""
    trial_candidate: TrialCandidate | None = None
    """Of a failure that nothing proves, where the request wants one."""
    experiment: Experiment | None = None
    """The trial that has proven `target`."""


def find_recommended_commit(proof: Finding) -> Commit | None:
    """The commit that is recommended for deployment, for a rollback or for a trial; None where nothing is."""
    candidate = proof.trial_candidate
    chosen = {
        ActionKind.REDEPLOY: proof.target,
        ActionKind.ROLLBACK: proof.rollback,
        ActionKind.TRIAL: candidate.target if candidate is not None else None,
        ActionKind.NONE: None,
    }[proof.recommendation.kind]
    return chosen.commit if chosen is not None else None


def list_broken_paths(proof: Finding) -> list[str]:
    """The Python files that fail as deployed: the one with the failing statement first."""
    if proof.broken is None:
        return []
    failing = proof.claim.path if proof.claim is not None else proof.broken.path
    return [failing, *(other.path for other in proof.broken.also_broken)]
