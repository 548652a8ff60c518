"""The proof of an incident whose cause is an exception of the service's own code that is no syntax error."""

from collections.abc import Sequence
from dataclasses import replace

from shared.detection.close_code import CloseKind
from shared.detection.logged_exception import LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.errors import UsageError
from shared.proof.claims.describe_claim import describe_claim
from shared.proof.claims.judges import build_tools
from shared.proof.claims.locate_claim import LocatedClaim
from shared.proof.claims.prove_claim import locate_claim, locate_start, trace_history
from shared.proof.claims.starting.start_complaint import find_start_complaint
from shared.proof.describe_break import describe_loading
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import Reason
from shared.proof.proof_context import ProofContext
from shared.proof.recommend import recommend
from shared.proof.unproven import describe_gaps, explain_unprovable

_PROVABLE_KINDS = frozenset((SignalKind.CLOSE_1011, SignalKind.FAILED_START, SignalKind.FOUND_BY_CHECK))
_STARTING_KINDS = frozenset((SignalKind.FAILED_START, SignalKind.FOUND_BY_CHECK))
_FOREIGN_CLOSES = frozenset((CloseKind.REMOTE_END, CloseKind.KEEPALIVE))


def prove_exception(context: ProofContext) -> Finding:
    """What the code proves of the exception that the log ties to the incident; else why nothing is proven."""
    incident = context.incident
    started = find_start_complaint(incident) if incident.kind in _STARTING_KINDS else None
    raised = incident.raised
    if started is not None and raised is None:
        exception = LoggedException(started[0].error_class, started[0].message)
        raised = RaisedException(exception, started[1])
    if raised is None or incident.kind not in _PROVABLE_KINDS or incident.close_kind in _FOREIGN_CLOSES:
        return explain_unprovable(context)
    try:
        tools = build_tools(context, raised)
        located = (
            locate_start(context, raised, started[0], tools)
            if started is not None
            else locate_claim(context, raised, tools)
        )
    except UsageError as unjudgeable:  # no compiler answers for this Python
        return _explain(context, str(unjudgeable))
    if located is None:
        return explain_unprovable(context)
    if located.commit is None:
        return _explain(context, located.detail or located.conflict, located)
    traced = trace_history(context, raised, located, tools)
    finding = describe_claim(context, raised, traced)
    if started is None:  # else the deployed commit loads nothing
        finding = replace(finding, loaded_summary=describe_loading(traced.gates, traced.deployed.id, finding.target))
    finding = replace(finding, gaps=describe_gaps(context.history, needs_full_history=traced.origin.is_incomplete))
    is_on_branch = bool(traced.file_history.later_ids) or traced.deployed.id == context.branch.head
    return replace(finding, recommendation=recommend(finding, is_on_branch=is_on_branch))


def _explain(context: ProofContext, detail: str, located: LocatedClaim | None = None) -> Finding:
    """The finding of an exception that could not be proven, with what spoke against it."""
    finding = explain_unprovable(context)
    recommendation = finding.recommendation
    said: Sequence[str] = (recommendation.detail, f"Looked at: {detail}.") if detail else (recommendation.detail,)
    reason = located.reason if located is not None and located.reason is Reason.AMBIGUOUS else recommendation.reason
    return replace(
        finding,
        recommendation=replace(recommendation, reason=reason, detail=" ".join(said)),
        gaps=describe_gaps(context.history, needs_full_history=True),
    )
