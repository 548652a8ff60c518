"""Chooses what a finding recommends: redeploy, roll back, or nothing, with a named reason and a sentence."""

from shared.proof.model.finding import Finding, Fix
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.model.target import IMAGE_GATE

_REASON_BY_GATE = {"checks": Reason.CHECKS_RED, IMAGE_GATE: Reason.NO_IMAGE}


def recommend(finding: Finding, *, is_on_branch: bool) -> Recommendation:
    """Redeploy if a target passed, roll back if there is no fix but an earlier good commit, else nothing, and why.

    `is_on_branch`: whether the deployed commit is part of the deploy branch. Ignores the recommendation that the
    finding carries so far.
    """
    if finding.fix is None:
        return _recommend_without_fix(finding, is_on_branch=is_on_branch)
    if finding.fix.where != "merged":
        return _recommend_unmerged(finding.fix, finding.branch, is_syntax=finding.claim is None)
    if finding.target is None:
        return _recommend_without_target(finding)
    detail = f"{finding.target.commit.id} on {finding.branch} contains the fix and passes every gate."
    return Recommendation(ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED, detail)


def _recommend_without_target(finding: Finding) -> Recommendation:
    newest = finding.refused_commits[0]
    gates = {refused.gate for refused in finding.refused_commits}
    reason = _REASON_BY_GATE.get(newest.gate, Reason.NO_TARGET) if len(gates) == 1 else Reason.NO_TARGET
    detail = (
        f"The fix is merged, but no commit that contains it passes every gate: {newest.commit.id} fails because "
        f"{newest.detail}{_describe_unchecked(finding)}."
    )
    return Recommendation(ActionKind.NONE, reason, detail)


def _recommend_unmerged(fix: Fix, branch: str, *, is_syntax: bool) -> Recommendation:
    pull = fix.pull_request is not None
    where = f"pull request {fix.pull_request}" if pull else f"branch {fix.ref}"
    state = "The file compiles" if is_syntax else "The failure cannot happen"
    detail = f"{state} at the head of {where}, which is not merged into {branch}."
    return Recommendation(ActionKind.NONE, Reason.FIX_IN_PULL_REQUEST if pull else Reason.FIX_UNMERGED, detail)


def _recommend_without_fix(finding: Finding, *, is_on_branch: bool) -> Recommendation:
    what = "the file" if finding.claim is None else "the failure"
    lacks = f"No commit on {finding.branch} after the deployed commit is proven to fix {what}"
    if not is_on_branch:
        lacks = f"The deployed commit is not part of {finding.branch}, so no commit there descends from it"
    if finding.rollback is not None:
        detail = f"{lacks}; {finding.rollback.commit.id} is the newest commit before the break that passes every gate."
        return Recommendation(ActionKind.ROLLBACK, Reason.EARLIER_COMMIT_GOOD, detail)
    if finding.introduced is None and finding.claim is not None and not finding.gaps:
        return Recommendation(ActionKind.NONE, Reason.NO_FIX, f"{lacks}, and what came before it cannot be judged.")
    if finding.introduced is None:
        detail = f"{lacks}, and this clone does not contain the history before the break."
        return Recommendation(ActionKind.NONE, Reason.HISTORY_NOT_AVAILABLE, detail)
    reason = Reason.NO_FIX if is_on_branch else Reason.NOT_ON_BRANCH
    return Recommendation(
        ActionKind.NONE, reason, f"{lacks}, and no earlier commit passes every gate{_describe_unchecked(finding)}."
    )


def _describe_unchecked(finding: Finding) -> str:
    """What the search did not get to."""
    count = finding.unchecked_commits
    return f"; {count} older {'commit was' if count == 1 else 'commits were'} not checked" if count else ""
