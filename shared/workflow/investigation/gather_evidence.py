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
from shared.proof.locating.ancestry import contains
from shared.proof.model.finding import Kind, Proof, Reason, Recommendation
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.proposal.question import build_rollback_report, find_rollback_commit, find_proposed_commit
from shared.proposal.rollout import ServiceState
from shared.report.report import Report, build_report
from shared.service import Service
from shared.text.phrases import quote_untrusted
from shared.workflow.context import World
from shared.workflow.investigation.measure_impact import with_measured_impact
from shared.workflow.investigation.platform_evidence import Seen, resolved, stated
from shared.workflow.prover import request_for
from shared.workflow.records.incident_record import Case

KIND = "reports"
_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Entries:
    """Entries that are at hand already, as a log."""

    all: Sequence[LogEntry]

    def entries(self) -> Iterator[LogEntry]:
        return iter(self.all)


def evidence_for(world: World, service: Service, case: Case) -> Document:
    """The stored report of an incident; made and stored where there is none. The first one that is stored counts."""
    stored = world.store.read(KIND, case.evidence)
    if stored is None:
        world.store.create(KIND, case.evidence, _gathered(world, service, case))
        stored = world.store.read(KIND, case.evidence)
    if stored is None:
        raise Reject("evidence_gone", case.evidence)
    return stored.value


def _gathered(world: World, service: Service, case: Case) -> Document:
    read_at = world.clock.now()
    incident, logged = _incident(world, service, case, read_at)
    serving = world.revisions.serving(service)
    with world.histories(service) as history:
        sign = branch_sign(world, service, history)  # before the proof: what is pushed meanwhile is looked at again
        revision = _last_revision(incident)
        said_of = stated(world, service, history, Seen(revision, serving, logged))
        request = request_for(service, said_of.commit, lambda at: world.checks.at(service, at))
        request = replace(request, revision=revision, source=said_of.source, stated=said_of.sentences)
        report = world.prover.report(incident, history, world.compilers, request)
        mended = _mended(world, service, history, serving, _fix(report.proof))
        report = _unless_failed(_unless_deployed(report, serving, case, mended), case)
    report = replace(with_measured_impact(world, service, case, serving, report), counted_at=read_at)
    links = world.places.links(service, _of_interest(report.proof))
    return {**world.prover.told(report, links), **_findings(report, serving), "branch_sign": sign}


def _of_interest(proof: Proof) -> list[str]:
    """The commits of which a reader wants to know where they came from."""
    found = (proof.introduced, proof.fix, proof.target, proof.rollback)
    return [each.commit.id for each in found if each is not None]


def branch_sign(world: World, service: Service, history: History) -> str:
    """Changes with whatever may turn "nothing to deploy" into something: a push, or checks that end."""
    head = history.branch(service.branch or None).head
    return f"{head} {world.checks.at(service, head).value}"


def _incident(world: World, service: Service, case: Case, read_at: datetime) -> tuple[Incident, Sequence[LogEntry]]:
    """The incident as the log tells it, under the fingerprint under which it was opened; and what was read for it."""
    since = min((entry.timestamp for entry in case.entries if entry.timestamp), default=case.opened_at) - _BEFORE
    read = world.logs.entries(service, since, read_at)
    logged = [each for each in read if each.revision not in case.failed_revisions]
    entries = {(each.log_name, each.timestamp, each.insert_id, each.text): each for each in (*logged, *case.entries)}
    for known in (_in_order(list(entries.values())), list(case.entries)):
        found = collect_incidents(_Entries(known), service=service.name, environment=service.told_environment).incidents
        fitting = [each for each in found if _is(each, case)]
        mine = next((each for each in fitting if _holds(each, case)), next(iter(fitting), None))
        if mine is not None:
            return replace(mine, fingerprint=case.fingerprint), known
    raise Reject("no_evidence", f"{case.id}: none of its entries is a signal")


def _in_order(entries: list[LogEntry]) -> list[LogEntry]:
    def moment(entry: LogEntry) -> float:
        return entry.timestamp.timestamp() if entry.timestamp else 0.0

    return [replace(entry, position=place) for place, entry in enumerate(sorted(entries, key=moment))]


def _is(incident: Incident, case: Case) -> bool:
    if (incident.kind, incident.error_class) != (case.kind, case.error_class):
        return False
    path = normalise_path(incident.path)
    return path == case.path or path.endswith("/" + case.path) or case.path.endswith("/" + path)


def _holds(incident: Incident, case: Case) -> bool:
    """Whether it is the incident of the entry by which the case was opened: closes have one for each exception."""
    entry = case.entries[0] if case.entries else None
    if entry is None or entry.timestamp is None:
        return False
    return any(
        each.revision == entry.revision
        and each.first_seen is not None
        and each.last_seen is not None
        and each.first_seen <= entry.timestamp <= each.last_seen
        for each in incident.sightings
    )


def _last_revision(incident: Incident) -> str:
    return incident.sightings[-1].revision if incident.sightings else ""


def _unless_deployed(report: Report, serving: ServiceState, case: Case, mended: Mapping[str, str]) -> Report:
    """No question where what serves by now are other revisions, all of which have the fix already."""
    proof, names = report.proof, {name for name, share in serving.traffic.items() if share}
    if proof.recommendation.kind is Kind.NONE or names & {*case.revisions} or not names <= {*mended}:
        return report
    told = " ".join(
        f"Revision {name} serves by now, and its commit {commit} contains the fix." for name, commit in mended.items()
    )
    recommendation = Recommendation(Kind.NONE, Reason.ALREADY_DEPLOYED, told)
    return build_report(report.incident, replace(proof, recommendation=recommendation))


def _unless_failed(report: Report, case: Case) -> Report:
    """What was deployed against this incident and taken back is not proposed again: to go back is, where that is left.

    A commit that came after it is another one, and may be what was missing.
    """
    proof = report.proof
    if find_proposed_commit(report) not in case.failed_commits:
        return report
    back = build_rollback_report(report)
    if back is not None and find_proposed_commit(back) not in case.failed_commits:
        told = f"{find_proposed_commit(report)} was deployed and taken back. {back.proof.recommendation.detail}"
        recommendation = replace(back.proof.recommendation, detail=told)
        return build_report(report.incident, replace(back.proof, recommendation=recommendation))
    told = f"{find_proposed_commit(report)} was deployed and taken back, and no other commit passes every gate."
    recommendation = Recommendation(Kind.NONE, Reason.FIX_FAILED, told)
    return build_report(report.incident, replace(proof, recommendation=recommendation))


def _mended(world: World, service: Service, history: History, serving: ServiceState, fix: Commit | None) -> dict[str, str]:
    """The revisions with traffic that are known to contain the fix, with their commits."""
    found: dict[str, str] = {}
    for name in (name for name, share in serving.traffic.items() if share and fix is not None):
        revision = serving.revision if name == serving.revision.name else world.revisions.revision(service, name)
        commit = resolved(history, revision.commit) if revision is not None and revision.commit else None
        if commit is not None and fix is not None and contains(history, commit, fix.id):
            found[name] = commit
    return found


def _fix(proof: Proof) -> Commit | None:
    """What a deployed commit has to contain so that the failure is mended."""
    if proof.recommendation.kind is Kind.ROLLBACK:
        return proof.rollback.commit if proof.rollback else None
    return proof.fix.commit if proof.fix else None


def _findings(report: Report, serving: ServiceState) -> Document:
    """What a proposal is made of."""
    proof = report.proof
    fix, broken = _fix(proof), proof.broken
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
        "traced": list(proof.loading.traced) if proof.loading else [],
    }
