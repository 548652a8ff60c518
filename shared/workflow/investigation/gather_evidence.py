"""What an incident stands on, gathered once and stored: its log and its repository in, the report's document out.

Everything that is shown later (issue, message, proposal) is drawn from that one document, so that an investigation that
is repeated after a crash cannot contradict what it has already published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.detection.collect import collect_incidents
from shared.detection.entry import LogEntry
from shared.detection.grouping import normalise_path
from shared.detection.incident import Incident
from shared.errors import Reject
from shared.ports import Document
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.finding import ActionKind, Finding, Reason, Recommendation
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.proposal.question import build_rollback_report, find_proposed_commit, find_rollback_commit
from shared.proposal.rollout import ServiceState
from shared.report.report import Report, build_report
from shared.service import Service
from shared.text.phrases import quote_untrusted
from shared.workflow.context import Context
from shared.workflow.investigation.platform_evidence import (
    FailingRevision,
    add_measured_impact,
    gather_platform_evidence,
    resolve_commit,
)
from shared.workflow.prover import build_request
from shared.workflow.records.incident_record import IncidentRecord

KIND = "reports"
_LOG_LEAD_TIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _EntryList:
    """Entries that are at hand already, as a log."""

    all: Sequence[LogEntry]

    def entries(self) -> Iterator[LogEntry]:
        return iter(self.all)


def ensure_evidence(context: Context, service: Service, record: IncidentRecord) -> Document:
    """The stored report of an incident; made and stored where there is none. The first one that is stored counts."""
    stored = context.store.read(KIND, record.evidence_key)
    if stored is None:
        context.store.create(KIND, record.evidence_key, _gather_evidence(context, service, record))
        stored = context.store.read(KIND, record.evidence_key)
    if stored is None:
        raise Reject("evidence_gone", record.evidence_key)
    return stored.value


def _gather_evidence(context: Context, service: Service, record: IncidentRecord) -> Document:
    read_at = context.clock.now()
    incident, logged = _collect_incident(context, service, record, read_at)
    serving = context.revisions.get_service_state(service)
    with context.open_history(service) as history:
        sign = read_branch_sign(
            context, service, history
        )  # before the proof: what is pushed meanwhile is looked at again
        revision = _get_last_revision(incident)
        said_of = gather_platform_evidence(context, service, history, FailingRevision(revision, serving, logged))
        request = build_request(service, said_of.commit, lambda at: context.checks.get_status(service, at))
        request = replace(request, revision=revision, source=said_of.source, platform_statements=said_of.sentences)
        report = context.prover.prove_and_report(incident, history, context.compilers, request)
        mended = _find_fixed_revisions(context, service, history, serving, _required_commit(report.proof))
        report = _withdraw_if_failed(_withdraw_if_deployed(report, serving, record, mended), record)
    report = replace(add_measured_impact(context, service, record, serving, report), counted_at=read_at)
    links = context.link_builder.build_links(service, _list_cited_commits(report.proof))
    return {
        **context.prover.render_report(report, links),
        **_findings_to_document(report, serving),
        "branch_sign": sign,
    }


def _list_cited_commits(proof: Finding) -> list[str]:
    """The commits of which a reader wants to know where they came from."""
    found = (proof.introduced, proof.fix, proof.target, proof.rollback)
    return [each.commit.id for each in found if each is not None]


def read_branch_sign(context: Context, service: Service, history: History) -> str:
    """Changes with whatever may turn "nothing to deploy" into something: a push, or checks that end."""
    head = history.branch(service.branch or None).head
    return f"{head} {context.checks.get_status(service, head).value}"


def _collect_incident(
    context: Context, service: Service, record: IncidentRecord, read_at: datetime
) -> tuple[Incident, Sequence[LogEntry]]:
    """The incident as the log tells it, under the fingerprint under which it was opened; and what was read for it."""
    since = (
        min((entry.timestamp for entry in record.entries if entry.timestamp), default=record.opened_at) - _LOG_LEAD_TIME
    )
    read = context.logs.read_entries(service, since, read_at)
    logged = [each for each in read if each.revision not in record.failed_revisions]
    entries = {(each.log_name, each.timestamp, each.insert_id, each.text): each for each in (*logged, *record.entries)}
    for known in (_sort_entries(list(entries.values())), list(record.entries)):
        found = collect_incidents(
            _EntryList(known), service=service.name, environment=service.environment_name
        ).incidents
        fitting = [each for each in found if _is_same_defect(each, record)]
        mine = next((each for each in fitting if _has_opening_entry(each, record)), next(iter(fitting), None))
        if mine is not None:
            return replace(mine, fingerprint=record.fingerprint), known
    raise Reject("no_evidence", f"{record.id}: none of its entries is a signal")


def _sort_entries(entries: list[LogEntry]) -> list[LogEntry]:
    def moment(entry: LogEntry) -> float:
        return entry.timestamp.timestamp() if entry.timestamp else 0.0

    return [replace(entry, position=place) for place, entry in enumerate(sorted(entries, key=moment))]


def _is_same_defect(incident: Incident, record: IncidentRecord) -> bool:
    if (incident.kind, incident.error_class) != (record.kind, record.error_class):
        return False
    path = normalise_path(incident.path)
    return path == record.path or path.endswith("/" + record.path) or record.path.endswith("/" + path)


def _has_opening_entry(incident: Incident, record: IncidentRecord) -> bool:
    """Whether it is the incident of the entry by which the case was opened: closes have one for each exception."""
    entry = record.entries[0] if record.entries else None
    if entry is None or entry.timestamp is None:
        return False
    return any(
        each.revision == entry.revision
        and each.first_seen is not None
        and each.last_seen is not None
        and each.first_seen <= entry.timestamp <= each.last_seen
        for each in incident.sightings
    )


def _get_last_revision(incident: Incident) -> str:
    return incident.sightings[-1].revision if incident.sightings else ""


def _withdraw_if_deployed(
    report: Report, serving: ServiceState, record: IncidentRecord, fixed_revisions: Mapping[str, str]
) -> Report:
    """No question where what serves by now are other revisions, all of which have the fix already."""
    proof, names = report.proof, {name for name, share in serving.traffic.items() if share}
    if proof.recommendation.kind is ActionKind.NONE or names & {*record.revisions} or not names <= {*fixed_revisions}:
        return report
    told = " ".join(
        f"Revision {name} serves by now, and its commit {commit} contains the fix."
        for name, commit in fixed_revisions.items()
    )
    recommendation = Recommendation(ActionKind.NONE, Reason.ALREADY_DEPLOYED, told)
    return build_report(report.incident, replace(proof, recommendation=recommendation))


def _withdraw_if_failed(report: Report, record: IncidentRecord) -> Report:
    """What was deployed against this incident and taken back is not proposed again: to go back is, where that is left.

    A commit that came after it is another one, and may be what was missing.
    """
    proof = report.proof
    if find_proposed_commit(report) not in record.failed_commits:
        return report
    back = build_rollback_report(report)
    if back is not None and find_proposed_commit(back) not in record.failed_commits:
        told = f"{find_proposed_commit(report)} was deployed and taken back. {back.proof.recommendation.detail}"
        recommendation = replace(back.proof.recommendation, detail=told)
        return build_report(report.incident, replace(back.proof, recommendation=recommendation))
    told = f"{find_proposed_commit(report)} was deployed and taken back, and no other commit passes every gate."
    recommendation = Recommendation(ActionKind.NONE, Reason.FIX_DID_NOT_HOLD, told)
    return build_report(report.incident, replace(proof, recommendation=recommendation))


def _find_fixed_revisions(
    context: Context, service: Service, history: History, serving: ServiceState, fix: Commit | None
) -> dict[str, str]:
    """The revisions with traffic that are known to contain the fix, with their commits."""
    found: dict[str, str] = {}
    for name in (name for name, share in serving.traffic.items() if share and fix is not None):
        revision = serving.revision if name == serving.revision.name else context.revisions.get_revision(service, name)
        commit = resolve_commit(history, revision.commit) if revision is not None and revision.commit else None
        if commit is not None and fix is not None and contains_commit(history, commit, fix.id):
            found[name] = commit
    return found


def _required_commit(proof: Finding) -> Commit | None:
    """What a deployed commit has to contain so that the failure is mended."""
    if proof.recommendation.kind is ActionKind.ROLLBACK:
        return proof.rollback.commit if proof.rollback else None
    return proof.fix.commit if proof.fix else None


def _findings_to_document(report: Report, serving: ServiceState) -> Document:
    """What a proposal is made of."""
    proof = report.proof
    fix, broken = _required_commit(proof), proof.broken
    return {
        "kind": proof.recommendation.kind.value,
        "reason": proof.recommendation.reason.value,
        "detail": quote_untrusted(proof.recommendation.detail, 600),
        "commit": find_proposed_commit(report) or "",
        "alternative": find_rollback_commit(report) or "",
        "author": proof.fix.commit.author if proof.fix else "",
        "deployed": proof.deployed.commit.id if proof.deployed.commit else "",
        "corroborated": proof.deployed.corroborated,
        "revision": serving.revision.name,
        "etag": serving.etag,
        "fix": fix.id if fix else "",
        "python": proof.deployed.python,
        "broken": [broken.path, *(each.path for each in broken.also_broken)] if broken else [],
        "traced": list(proof.loaded_summary.traced) if proof.loaded_summary else [],
    }
