"""The proof as the functions use it: proves an incident, and checks a proposed commit against its gates again."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from shared.detection.incident import Incident
from shared.ports import Document
from shared.proof import check_commit as commit_checks
from shared.proof import undeployed_fixes
from shared.proof.gating.gates import Gates
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.gating.target_python import DeclarationReader, TargetPython
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.commit_graph import BranchStates, contains_commit
from shared.proof.model.ports import Compilers, History
from shared.proof.model.target import CheckStatus, ImageCheck
from shared.proof.proof_context import ProofRequest
from shared.proposal.brief import brief_to_document
from shared.proposal.paragraphs import build_brief
from shared.proposal.proposal import Proposal, compute_evidence_hash
from shared.proposal.question import build_rollback_report, build_thread_details, build_title_and_lines
from shared.report.issue.body import format_failure, format_issue_title, render_issue_body
from shared.report.links import NO_LINKS, Links
from shared.report.report import Report, report_incidents
from shared.report.report_json import report_to_json
from shared.service import Service

NOT_ON_BRANCH = "is no longer part of the deploy branch"
NEVER_ON_BRANCH = "came into the deploy branch by a merge: the branch itself was never in that state"
ReadChecks = Callable[[str], CheckStatus]
CheckCommit = Callable[[History, Compilers, "commit_checks.CommitCheckRequest"], "commit_checks.CommitCheck"]
FindRadar = Callable[[History, Compilers, "undeployed_fixes.RadarRequest"], "undeployed_fixes.ServiceRadar"]
CheckImage = Callable[[str], ImageCheck]

_MAX_REPORT_LENGTH = 700_000
"""Characters of JSON. A stored document may have a million; issue and message are drawn before and kept beside it."""
_LEFT_OUT: Document = {"left_out": "the report is too long to be stored; the issue holds what it says"}


def prove_and_report(incident: Incident, history: History, compilers: Compilers, request: ProofRequest) -> Report:
    """The full proof of one incident."""
    return report_incidents([incident], history, compilers, request, lambda _: None)[0]


def find_objection(
    proposal: Proposal, service: Service, history: History, compilers: Compilers, checks: ReadChecks
) -> str:
    """Why a proposed commit no longer passes its gates; "" where it does."""
    head = history.branch(service.branch or None).head
    if not contains_commit(history, head, proposal.commit):
        return f"{proposal.commit} {NOT_ON_BRANCH}"
    if not BranchStates(history, head).was_at(proposal.commit):
        return f"{proposal.commit} {NEVER_ON_BRANCH}"
    if not contains_commit(history, proposal.commit, proposal.fix):
        return f"{proposal.commit} does not contain the fix {proposal.fix}"
    verdicts = CompileVerdicts(history, compilers.compiler_for(proposal.python), compilers.explainer())
    failing = next(iter((*proposal.broken, *proposal.traced)), "")
    loaded = LoadedFiles(history, failing, proposal.traced, service.source_roots, proposal.deployed)
    own = TargetPython(history, compilers, verdicts, proposal.deployed, loaded, DeclarationReader(history))
    gates = Gates(history, verdicts, loaded, proposal.deployed, checks, own.get_verdicts)
    failed = gates.find_failure(proposal.commit, frozenset(proposal.broken))
    return "" if failed is None else failed.detail


def render_report(report: Report, links: Links = NO_LINKS) -> Document:
    """A report in words: as it is printed, as an issue, as a message."""
    printed = report_to_json(report)
    headline, lines = build_title_and_lines(report)
    back = build_rollback_report(report)
    return {
        "report": printed if len(json.dumps(printed)) <= _MAX_REPORT_LENGTH else _LEFT_OUT,
        "evidence_hash": compute_evidence_hash(printed),
        "title": format_issue_title(report),
        "body": render_issue_body(report, links),
        "headline": headline,
        "fails": format_failure(report),
        "lines": list(lines),
        "brief": brief_to_document(build_brief(report)),
        "instead": _render_alternative(back) if back is not None else {},
        "details": list(build_thread_details(report)),
    }


def _render_alternative(report: Report) -> Document:
    """The fields that differ where the earlier commit is chosen instead."""
    headline, lines = build_title_and_lines(report)
    return {
        "headline": headline,
        "lines": list(lines),
        "detail": report.proof.recommendation.detail,
        "brief": brief_to_document(build_brief(report)),
    }


def _check_commit(
    history: History, compilers: Compilers, request: "commit_checks.CommitCheckRequest"
) -> "commit_checks.CommitCheck":
    """What a commit newly breaks; a step that checks none does not load what that takes."""
    return commit_checks.check_commit(history, compilers, request)


def _find_radar(
    history: History, compilers: Compilers, request: "undeployed_fixes.RadarRequest"
) -> "undeployed_fixes.ServiceRadar":
    """What a deployment would end; loaded like the above only where it is asked for."""
    return undeployed_fixes.find_service_radar(history, compilers, request)


@dataclass(frozen=True, slots=True)
class Prover:
    """What costs real work, so that tests which want it ten thousand times can have it otherwise."""

    render_report: Callable[[Report, Links], Document] = render_report
    prove_and_report: Callable[[Incident, History, Compilers, ProofRequest], Report] = prove_and_report
    find_objection: Callable[[Proposal, Service, History, Compilers, ReadChecks], str] = find_objection
    check_commit: CheckCommit = _check_commit
    find_radar: FindRadar = _find_radar


def build_request(service: Service, deployed: str | None, checks: ReadChecks, check_image: CheckImage) -> ProofRequest:
    """What the service's configuration and the platform say beyond the log."""
    return ProofRequest(
        branch=service.branch or None,
        deployed=deployed,
        python=service.python or None,
        source_roots=service.source_roots,
        checks=checks,
        check_image=check_image,
        wants_alternative=True,
        wants_trial=service.allows_trials,
    )
