"""The third step of an investigation: renders the report in every form that is shown, and what a proposal needs."""

from dataclasses import replace

from shared.ports import Document
from shared.proof.model.finding import Finding, list_broken_paths
from shared.proof.model.recommendation import ActionKind
from shared.proposal.question import find_proposed_commit, find_rollback_commit
from shared.proposal.rollout import ServiceState
from shared.report.report import Report
from shared.service import Service
from shared.text.phrases import quote_untrusted
from shared.workflow.context import Context
from shared.workflow.investigation.gather_evidence import GatheredEvidence
from shared.workflow.investigation.platform_evidence import add_measured_impact
from shared.workflow.investigation.prove_incident import Proof, find_required_commit
from shared.workflow.records import trials
from shared.workflow.records.incident_record import IncidentRecord


def write_report(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence, proof: Proof
) -> Document:
    """The document that `reports` stores. Raises Retry."""
    measured = add_measured_impact(context, service, record, evidence.serving, proof.report)
    report = replace(measured, counted_at=evidence.read_at)
    links = context.link_builder.build_links(service, _list_cited_commits(report.proof))
    return {
        **context.prover.render_report(report, links),
        **_findings_to_document(report, evidence.serving),
        "branch_sign": proof.branch_sign,
    }


def _list_cited_commits(proof: Finding) -> list[str]:
    """The commits whose author and pull request a reader wants to know."""
    candidate = proof.trial_candidate.target if proof.trial_candidate else None
    cited = (proof.introduced, proof.fix, proof.target, proof.rollback, candidate)
    return list(dict.fromkeys(entry.commit.id for entry in cited if entry is not None))


def _findings_to_document(report: Report, serving: ServiceState) -> Document:
    """What a proposal is made of."""
    proof = report.proof
    fix = find_required_commit(proof)
    tried = proof.trial_candidate if proof.recommendation.kind is not ActionKind.NONE else None
    return {
        "kind": proof.recommendation.kind.value,
        "reason": proof.recommendation.reason.value,
        "detail": quote_untrusted(proof.recommendation.detail, 600),
        "commit": find_proposed_commit(report) or "",
        "alternative": find_rollback_commit(report) or "",
        "author": tried.possible_fix.author if tried else proof.fix.commit.author if proof.fix else "",
        "deployed": tried.deployed if tried else proof.deployed.commit.id if proof.deployed.commit else "",
        "corroborated": proof.deployed.corroborated,
        "revision": serving.revision.name,
        "etag": serving.etag,
        "fix": fix.id if fix else "",
        "python": tried.python if tried else proof.deployed.python,
        "broken": list_broken_paths(proof),
        "traced": list(tried.traced if tried else proof.loaded_summary.traced if proof.loaded_summary else ()),
        "trial": trials.candidate_to_document(tried) if tried else {},
    }
