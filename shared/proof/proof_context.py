"""What every part of a proof needs: the incident, the history, the compilers, and what the caller states.

`apply_log_labels` adds to a request what the log's own labels say of the deployed commit. Cloud Build sets
`commit-sha`, `gcb-build-id` and `gcb-trigger-id` on a revision, and the platform repeats them with every entry. Like
all that names a commit they are held against the log by compiling; a service may log labels of its own, so a label is
never more than a claim, and buys no more than the line: what the branch does not contain is not believed on its word.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from shared.detection.causes.cause import EnvironmentComparison
from shared.detection.incident import Incident, Sighting
from shared.errors import UsageError
from shared.proof.loading.imports import Imports
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Branch, Commit
from shared.proof.model.ports import Compilers, History
from shared.proof.model.target import NO_IMAGE_NEEDED, CheckStatus, ImageCheck
from shared.text.phrases import quote_untrusted

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


_MAX_REVISIONS = 5


def apply_log_labels(incident: Incident, history: History, request: ProofRequest) -> ProofRequest:
    """Takes the last labelled commit as the deployed one, where the caller named no other; states what was labelled."""
    sentences = tuple(_describe_labels(incident))
    named = request.deployed is not None or bool(sentences)
    request = replace(request, platform_statements=(*request.platform_statements, *sentences), has_named_commit=named)
    labelled = next((sighting for sighting in reversed(incident.sightings) if sighting.first.commit), None)
    if labelled is None:
        return request
    commit = _resolve_label(history, labelled.first.commit)
    if commit is None:
        statement = f"The label commit-sha names {labelled.first.commit}, which does not exist in this repository."
        return replace(request, platform_statements=(*request.platform_statements, statement))
    if request.deployed is None:
        branch = history.branch(request.branch)
        if not contains_commit(history, branch.head, commit):
            statement = f"The label commit-sha names {commit}, which is no part of {branch.name}."
            return replace(request, platform_statements=(*request.platform_statements, statement))
        return replace(request, deployed=commit, source=DeployedSource.LABEL, revision=labelled.revision)
    if _resolve_label(history, request.deployed) != commit and labelled.revision in {"", request.revision}:
        statement = f"Conflict: the label commit-sha of the log names {commit}, and {request.deployed} was given."
        return replace(request, platform_statements=(*request.platform_statements, statement))
    return request


def _describe_labels(incident: Incident) -> Iterator[str]:
    """One for each revision that carries labels."""
    by_revision: dict[str, Sighting] = {
        sighting.revision: sighting for sighting in incident.sightings if _has_labels(sighting)
    }
    for revision, sighting in list(by_revision.items())[:_MAX_REVISIONS]:
        labels = [f"commit-sha {sighting.first.commit}"] if sighting.first.commit else []
        labels += [quote_untrusted(sighting.first.build, 300)] if sighting.first.build else []
        of = f" of revision {quote_untrusted(revision, 80)}" if revision else ""
        yield f"The log's labels{of} say: {', '.join(labels)}."


def _has_labels(sighting: Sighting) -> bool:
    return bool(sighting.first.commit or sighting.first.build)


def _resolve_label(history: History, commit: str) -> str | None:
    """The full id; None where none begins so: a branch may have a name like an abbreviation."""
    try:
        commit_id = history.resolve(commit).id
    except UsageError:
        return None
    return commit_id if commit_id.startswith(commit) else None
