"""What every part of a proof needs: the incident, the history, the compilers, and what the caller states."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.detection.causes.cause import EnvironmentComparison
from shared.detection.incident import Incident
from shared.proof.loading.imports import Imports
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Branch, Commit
from shared.proof.model.ports import Compilers, History
from shared.proof.model.target import NO_IMAGE_NEEDED, CheckStatus, ImageCheck

ReportProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """What the caller (or the service's configuration) states beyond the log."""

    branch: str | None = None
    deployed: str | None = None
    python: str | None = None
    source_roots: tuple[str, ...] = ()
    fallback_python: str = "3.11"
    """Taken, and called an assumption, where neither log nor repository name a version."""
    checks: Callable[[str], CheckStatus] = field(default=lambda _: CheckStatus.UNKNOWN)
    """The code host's word on a commit."""
    check_image: Callable[[str], ImageCheck] = field(default=lambda _: NO_IMAGE_NEEDED)
    """Whether a commit can be deployed as it is."""
    revision: str = ""
    """The revision for which `deployed` was stated, and whose entries can corroborate it; "" where stated for all."""
    source: DeployedSource = DeployedSource.GIVEN
    """Who says which commit is deployed."""
    has_named_commit: bool = False
    """Whether anything but the logged line names a commit as deployed."""
    platform_statements: tuple[str, ...] = ()
    """What the platform says of the revision, a sentence for each source."""
    environment: EnvironmentComparison | None = None
    """The names of the variables that the failing revision lacks; None where the platform does not say."""
    wants_alternative: bool = False
    """Whether an earlier commit is looked for also where the fix can be deployed: to go back is sometimes safer."""
    last_good: str | None = None
    """The commit of the last revision that did not fail, where it is known; only suspicions are drawn from it."""
    wants_trial: bool = False
    """Whether a commit to try is looked for where nothing is proven."""


@dataclass(frozen=True, slots=True)
class ProofContext:
    """One incident, put to one repository."""

    incident: Incident
    history: History
    compilers: Compilers
    request: ProofRequest
    branch: Branch
    given_commit: Commit | None
    """The commit that the caller states as deployed."""
    report_progress: ReportProgress
    imports_by_blob: dict[str, Imports] = field(default_factory=dict, repr=False, compare=False)
    """What files import: each version is read once in a proof."""
