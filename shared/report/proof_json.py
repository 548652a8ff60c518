"""Renders a proof as the values of the JSON report; the report redacts them."""

from collections.abc import Iterable
from datetime import datetime

from shared.detection.incident import Incident
from shared.proof.model.deployed_version import DeployedVersion, LoggedDeployment
from shared.proof.model.finding import (
    Attempt,
    BrokenFile,
    Finding,
    Fix,
    IntroducingCommit,
    LoadedSummary,
    ProvenClaim,
    PythonChange,
    Rollback,
)
from shared.proof.model.history import Commit, FileChange
from shared.proof.model.missing_import import MissingImport
from shared.proof.model.suspected_change import SuspectedChange, SuspectedChanges
from shared.proof.model.target import Experiment, ImageCheck, OtherBrokenFile, RefusedCommit, Target
from shared.text.timestamps import format_rfc3339, has_date

_MAX_SHIPPED_FILES = 500
"""Files that differ, of which the report names the first; `files_changed` counts them all."""
_MAX_LOST_COMMITS = 50
"""Commits that going back loses; `lost_count` counts them all, and is null where they are not known."""


def format_time_if_dated(moment: datetime | None, *, dated: bool) -> str | None:
    """RFC 3339; None without a date, which is never invented."""
    return format_rfc3339(moment) if moment is not None and (dated or has_date(moment)) else None


def proof_to_json(proof: Finding, incident: Incident) -> dict[str, object]:
    """The keys of a report that its proof fills, from `deployed` to `branch`; None where something is unknown."""
    return {
        "deployed": _deployed_to_json(proof.deployed, incident),
        "broken": _broken_to_json(proof.broken) if proof.broken else None,
        "loading": _loading_to_json(proof.loaded_summary) if proof.loaded_summary else None,
        "introduced": _introduced_to_json(proof.introduced) if proof.introduced else None,
        "attempts": [_attempt_to_json(attempt) for attempt in proof.attempts],
        "fix": _fix_to_json(proof.fix) if proof.fix else None,
        "target": _target_to_json(proof.target) if proof.target else None,
        "refused": [_refused_to_json(item) for item in proof.refused_commits],
        "not_looked_at": proof.unchecked_commits,
        "rollback": _rollback_to_json(proof.rollback) if proof.rollback else None,
        "alternative": _rollback_to_json(proof.alternative_rollback) if proof.alternative_rollback else None,
        "suspected": _suspected_to_json(proof.suspected),
        "trial": _trial_to_json(proof),
        "decision": {
            "kind": proof.recommendation.kind.value,
            "reason": proof.recommendation.reason.value,
            "detail": proof.recommendation.detail,
        },
        "branch": {"name": proof.branch or None, "head": proof.branch_head or None},
    }


def _rollback_to_json(rollback: Rollback) -> dict[str, object]:
    lost = rollback.lost_commits
    shown = [_commit_to_json(commit) for commit in lost[:_MAX_LOST_COMMITS]]
    return {
        **_commit_to_json(rollback.commit),
        "lost_commits": shown,
        "lost_count": len(lost) or None,
        "image": image_to_json(rollback.image),
        "newer_without_image": [_commit_to_json(commit) for commit in rollback.newer_without_image[:_MAX_LOST_COMMITS]],
    }


def image_to_json(image: ImageCheck) -> dict[str, object]:
    """Whether a commit has an image, where its deployment needs one, and why nobody knows."""
    return {"status": image.status.value, "detail": image.detail or None}


def _deployed_to_json(deployed: DeployedVersion, incident: Incident) -> dict[str, object]:
    return {
        "revision": deployed.revision or None,
        "commit": deployed.commit.id if deployed.commit else None,
        "committed_at": format_rfc3339(deployed.commit.committed_at) if deployed.commit else None,
        "source": deployed.source.value,
        "corroborated": deployed.corroborated,
        "candidates": list(deployed.candidates),
        "uncommitted_tree": deployed.uncommitted_tree,
        "python": deployed.python or None,
        "python_source": deployed.python_source or None,
        "conflict": deployed.conflict or None,
        "deployments": [_deployment_to_json(deployment, incident) for deployment in deployed.deployments],
    }


def _deployment_to_json(deployment: LoggedDeployment, incident: Incident) -> dict[str, object]:
    return {
        "revision": deployment.revision or None,
        "line": deployment.line,
        "seen_at": format_time_if_dated(deployment.seen_at, dated=incident.dated),
        "commit": deployment.commit.id if deployment.commit else None,
        "uncommitted": deployment.uncommitted,
    }


def _broken_to_json(broken: BrokenFile) -> dict[str, object]:
    return {
        "path": broken.path,
        "line": broken.fault.line,
        "column": broken.fault.column,
        "error_class": broken.fault.error_class,
        "message": broken.fault.message,
        "errors": broken.errors,
        "error_lines": list(broken.error_lines),
        "checked_by": broken.checked_by,
        "explanation": broken.explanation or None,
        "compiles_on": list(broken.compiles_on),
        "compiles_on_checked_by": broken.compiles_on_checked_by or None,
        "second_opinion": broken.second_opinion or None,
        "excerpt": _excerpt_to_json(broken.excerpt),
        "also_broken": _broken_files_to_json(broken.also_broken),
    }


def _loading_to_json(loading: LoadedSummary) -> dict[str, object]:
    return {
        "rule": loading.rule,
        "start": loading.start or None,
        "image": loading.image or None,
        "exact": loading.is_exact,
        "files": loading.file_count,
        "ambiguous": list(loading.ambiguous),
        "not_loaded": _broken_files_to_json(loading.not_loaded),
        "others_compiled": loading.others_checked,
        "others_left": loading.has_unchecked_others,
        "missing_imports": [_missing_import_to_json(missing) for missing in loading.missing_imports],
    }


def _missing_import_to_json(missing: MissingImport) -> dict[str, object]:
    return {"path": missing.path, "line": missing.line, "module": missing.module} | {
        "was": missing.former_path,
        "doubt": missing.doubt,
    }


def _broken_files_to_json(files: Iterable[OtherBrokenFile]) -> list[dict[str, object]]:
    return [{"path": file.path, "line": file.line, "message": file.message} for file in files]


def _excerpt_to_json(excerpt: Iterable[tuple[int, str]]) -> list[dict[str, object]]:
    return [{"line": number, "text": text} for number, text in excerpt]


def _commit_to_json(commit: Commit) -> dict[str, object]:
    return {
        "commit": commit.id,
        "committed_at": format_rfc3339(commit.committed_at),
        "author": commit.author,
        "subject": commit.subject,
    }


def _introduced_to_json(introduced: IntroducingCommit) -> dict[str, object]:
    return {
        **_commit_to_json(introduced.commit),
        "path": introduced.path,
        "errors": introduced.errors,
        "first_line": introduced.first_line,
        "merge": len(introduced.commit.parents) > 1,
        "arrived_broken": introduced.was_added_broken,
        "python_change": _python_change_to_json(introduced.python_change),
    }


def _python_change_to_json(change: PythonChange | None) -> dict[str, object] | None:
    """None where the image has the same Python, as in nearly every report."""
    return None if change is None else {"before": change.before, "after": change.after, "source": change.source}


def _attempt_to_json(attempt: Attempt) -> dict[str, object]:
    return {**_commit_to_json(attempt.commit), "errors_left": attempt.errors_left, "first_line": attempt.first_line}


def _fix_to_json(fix: Fix) -> dict[str, object]:
    return {
        **_commit_to_json(fix.commit),
        "where": fix.where,
        "pull_request": fix.pull_request,
        "ref": fix.ref or None,
        "path": fix.path or None,
        "deleted": fix.is_deletion,
        "excerpt": _excerpt_to_json(fix.excerpt),
        "python_change": _python_change_to_json(fix.python_change),
    }


def _target_to_json(target: Target) -> dict[str, object]:
    return {
        **_commit_to_json(target.commit),
        "checks": target.checks.value,
        "commits_after_deployed": target.commits_after_deployed,
        "newly_broken": _broken_files_to_json(target.newly_broken),
        "ships": [_change_to_json(change) for change in target.shipped_changes[:_MAX_SHIPPED_FILES]],
        "files_changed": len(target.shipped_changes),
        "refused": [_refused_to_json(refused) for refused in target.refused_commits],
        "image": image_to_json(target.image),
    }


def _change_to_json(change: FileChange) -> dict[str, object]:
    return {"path": change.path, "added": change.added, "deleted": change.deleted}


def _refused_to_json(refused: RefusedCommit) -> dict[str, object]:
    return {**_commit_to_json(refused.commit), "gate": refused.gate, "detail": refused.detail}


def claim_to_json(claim: ProvenClaim) -> dict[str, object]:
    """The claim, why its line fails and why it does not at the fix, and who is witness of it."""
    return {
        "family": claim.family,
        "path": claim.path,
        "line": claim.line,
        "module": claim.module or None,
        "name": claim.name or None,
        "owner": claim.owner or None,
        "function": claim.function or None,
        "fails_because": claim.failing_reason,
        "fixed_because": claim.fixed_reason or None,
        "checked_by": claim.checked_by,
        "witnessed_by_log": claim.is_witnessed_by_log,
        "inputs": list(claim.inputs),
        "commits_judged": claim.commits_judged,
    }


def _suspected_to_json(suspected: SuspectedChanges) -> dict[str, object] | None:
    """None where nothing is suspected. Nothing of it is proven."""
    if suspected.deployed is None or not suspected.changes:
        return None
    return {
        "deployed": suspected.deployed.id,
        "deployed_is_given": suspected.is_given,
        "candidates": list(suspected.candidates),
        "frames_compared": suspected.frames_compared,
        "introduced": [_suspected_change_to_json(change) for change in suspected.introduced],
        "possible_fixes": [_suspected_change_to_json(change) for change in suspected.possible_fixes],
    }


def _suspected_change_to_json(change: SuspectedChange) -> dict[str, object]:
    return {
        "rank": change.rank,
        "commit": change.commit.id,
        "committed_at": format_rfc3339(change.commit.committed_at),
        "author": change.commit.author,
        "subject": change.commit.subject,
        "path": change.path,
        "function": change.function or None,
        "reason": change.reason,
        "proven": False,
    }


def _trial_to_json(proof: Finding) -> dict[str, object] | None:
    """None where there is nothing to try. `experiment` is None until a trial has proven the commit."""
    candidate = proof.trial_candidate
    if candidate is None:
        return None
    return {
        "commit": candidate.target.commit.id,
        "possible_fix": candidate.possible_fix.id,
        "subject": candidate.possible_fix.subject,
        "reason": candidate.reason,
        "target": _target_to_json(candidate.target),
        "proven": proof.experiment is not None,
        "experiment": _experiment_to_json(proof.experiment) if proof.experiment else None,
    }


def _experiment_to_json(experiment: Experiment) -> dict[str, object]:
    return {
        "serving_revision": experiment.serving_revision,
        "tried_revision": experiment.tried_revision,
        "rounds": [
            {"at": format_rfc3339(seen.at), "serving": seen.serving, "tried": seen.tried} for seen in experiment.rounds
        ],
    }
