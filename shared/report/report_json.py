"""Renders a report as the JSON that is printed and stored: schema `provenfix.report/1`, every text redacted."""

from collections.abc import Iterable
from datetime import datetime

from shared.detection.close_code import CloseKind
from shared.detection.incident import Incident, Symptom, is_suspected_consequence
from shared.proof.model.deployed_version import DeployedVersion, LoggedDeployment
from shared.proof.model.finding import Attempt, BrokenFile, Fix, IntroducingCommit, LoadedSummary, Rollback
from shared.proof.model.history import Commit, FileChange
from shared.proof.model.missing_import import MissingImport
from shared.proof.model.target import OtherBrokenFile, RefusedCommit, Target
from shared.report.cause import cause_to_json, exception_to_json
from shared.report.claim_json import claim_to_json
from shared.report.evidence import Evidence
from shared.report.impact import impact_to_json
from shared.report.report import Report
from shared.report.suspected_json import suspected_to_json
from shared.report.trial_json import trial_to_json
from shared.report.whys import Why
from shared.text.redaction import redact
from shared.text.timestamps import format_clock_time, format_rfc3339, has_date

_MAX_SHIPPED_FILES = 500
_MAX_LOST_COMMITS = 50
"""Files that differ, of which the report names the first; `files_changed` counts them all."""
SCHEMA = "provenfix.report/1"
_CLOSED_FIRST_JSON = {CloseKind.REMOTE_END: "other_end", CloseKind.LOCAL_END: "this_end"}


def report_to_json(report: Report) -> dict[str, object]:
    """The report as values that `json` writes; every key is always there, None where something is unknown.

    Commits are full ids, times RFC 3339 in UTC. Texts are redacted. Where the log had times of day without a date,
    `format_clock_time` holds what was logged; the times themselves are None unless the day could be inferred.
    """
    proof = report.proof
    document: dict[str, object] = {
        "schema": SCHEMA,
        "incident": _incident_to_json(report),
        "deployed": _deployed_to_json(proof.deployed, report.incident),
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
        "suspected": suspected_to_json(proof.suspected),
        "trial": trial_to_json(proof, _target_to_json),
        "decision": {
            "kind": proof.recommendation.kind.value,
            "reason": proof.recommendation.reason.value,
            "detail": proof.recommendation.detail,
        },
        "branch": {"name": proof.branch or None, "head": proof.branch_head or None},
        "cause": cause_to_json(report),
        "impact": impact_to_json(report.impact) if report.impact else None,
        "whys": [_why_to_json(why) for why in report.whys],
        "evidence": [_evidence_to_json(item) for item in report.evidence],
        "unseen": list(proof.gaps),
        "claim": claim_to_json(proof.claim) if proof.claim is not None else None,
        "versions_compiled": proof.versions_compiled,
    }
    return {key: _redact_json(value) for key, value in document.items()}


def _rollback_to_json(rollback: Rollback) -> dict[str, object]:
    lost = rollback.lost_commits
    shown = [_commit_to_json(commit) for commit in lost[:_MAX_LOST_COMMITS]]
    return {**_commit_to_json(rollback.commit), "lost_commits": shown, "lost_count": len(lost)}


def _redact_json(value: object) -> object:
    if isinstance(value, str):
        return redact(value).encode("utf-8", "replace").decode("utf-8")  # a lone surrogate cannot be written
    if isinstance(value, dict):
        return {key: _redact_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact_json(item) for item in value]
    return value


def _incident_to_json(report: Report) -> dict[str, object]:
    incident = report.incident
    ids = (*report.symptom_evidence_ids, *([None] * len(incident.symptoms)))
    nearby = (*report.nearby_evidence_ids, *([None] * len(incident.nearby)))
    return {
        "fingerprint": incident.fingerprint,
        "service": incident.service or None,
        "environment": incident.environment or None,
        "signal": incident.kind.value,
        "error_class": incident.error_class or None,
        "path": incident.path or None,
        **_seen_times_to_json(incident.first_seen, incident.last_seen, dated=incident.dated),
        "occurrences": incident.occurrences,
        "counted_at": format_rfc3339(report.counted_at) if report.counted_at is not None else None,
        "symptoms": [
            _symptom_to_json(symptom, known, incident) for symptom, known in zip(incident.symptoms, ids, strict=False)
        ],
        "nearby": [
            {**_symptom_to_json(symptom, known, incident), "suspected": is_suspected_consequence(symptom, incident)}
            for symptom, known in zip(incident.nearby, nearby, strict=False)
        ],
        "closed_first": _CLOSED_FIRST_JSON.get(incident.close_kind) if incident.close_kind else None,
        "exception": exception_to_json(report),
    }


def _symptom_to_json(symptom: Symptom, evidence: str | None, incident: Incident) -> dict[str, object]:
    return {
        "signal": symptom.kind.value,
        "text": symptom.text,
        "revision": symptom.revision or None,
        **_seen_times_to_json(symptom.first_seen, symptom.last_seen, dated=incident.dated),
        "occurrences": symptom.occurrences,
        "evidence": evidence,
    }


def _seen_times_to_json(first: datetime | None, last: datetime | None, *, dated: bool) -> dict[str, object]:
    """A date is never invented: without one, only the time of day is given."""
    seen: dict[str, object] = {
        "first_seen": _format_time_if_dated(first, dated=dated),
        "last_seen": _format_time_if_dated(last, dated=dated),
    }
    if not dated:
        seen["time_of_day"] = {
            "first_seen": format_clock_time(first) if first else None,
            "last_seen": format_clock_time(last) if last else None,
        }
    return seen


def _format_time_if_dated(moment: datetime | None, *, dated: bool) -> str | None:
    return format_rfc3339(moment) if moment is not None and (dated or has_date(moment)) else None


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
        "seen_at": _format_time_if_dated(deployment.seen_at, dated=incident.dated),
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
    }


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
    }


def _change_to_json(change: FileChange) -> dict[str, object]:
    return {"path": change.path, "added": change.added, "deleted": change.deleted}


def _refused_to_json(refused: RefusedCommit) -> dict[str, object]:
    return {**_commit_to_json(refused.commit), "gate": refused.gate, "detail": refused.detail}


def _why_to_json(why: Why) -> dict[str, object]:
    return {
        "n": why.n,
        "question": why.question,
        "answer": why.answer,
        "confidence": why.confidence.value,
        "evidence": list(why.evidence),
    }


def _evidence_to_json(evidence: Evidence) -> dict[str, object]:
    return {"id": evidence.id, "kind": evidence.kind.value, "ref": evidence.ref, "text": evidence.text}
