"""What to do about a corroborated break: everything that was found in, kind and named reason out."""

from shared.proof.model.finding import Fix, Kind, Proof, Reason, Recommendation


def recommend(proof: Proof, *, on_branch: bool) -> Recommendation:
    """Redeploy if a target passed, roll back if there is no fix but an earlier good commit, else nothing, and why.

    `on_branch`: whether the deployed commit is part of the deploy branch. The recommendation that `proof` carries so
    far is not looked at.
    """
    if proof.fix is None:
        return _without_fix(proof, on_branch=on_branch)
    if proof.fix.where != "merged":
        return _unmerged(proof.fix, proof.branch)
    if proof.target is None:
        return _without_target(proof)
    told = f"{proof.target.commit.id} on {proof.branch} contains the fix and passes every gate that was asked."
    return Recommendation(Kind.REDEPLOY, Reason.FIX_NOT_DEPLOYED, told)


def _without_target(proof: Proof) -> Recommendation:
    newest = proof.refused[0]
    reason = Reason.CHECKS_RED if all(each.gate == "checks" for each in proof.refused) else Reason.NO_TARGET
    told = (
        f"The fix is merged, but no commit that contains it passes every gate: at {newest.commit.id}, {newest.detail}"
        f"{_left(proof)}."
    )
    return Recommendation(Kind.NONE, reason, told)


def _unmerged(fix: Fix, branch: str) -> Recommendation:
    pull = fix.pull_request is not None
    where = f"pull request {fix.pull_request}" if pull else f"branch {fix.ref}"
    told = f"The file compiles at the head of {where}, which is not merged into {branch}."
    return Recommendation(Kind.NONE, Reason.FIX_IN_PULL_REQUEST if pull else Reason.FIX_UNMERGED, told)


def _without_fix(proof: Proof, *, on_branch: bool) -> Recommendation:
    lacks = f"On {proof.branch}, no commit that descends from the deployed one compiles the file"
    if not on_branch:
        lacks = f"The deployed commit is not part of {proof.branch}, so no commit there descends from it"
    if proof.rollback is not None:
        told = f"{lacks}; {proof.rollback.commit.id} is the newest commit before the break that passes every gate."
        return Recommendation(Kind.ROLLBACK, Reason.EARLIER_COMMIT_GOOD, told)
    if proof.introduced is None:
        told = f"{lacks}, and the history before the break is not in this copy."
        return Recommendation(Kind.NONE, Reason.HISTORY_CUT, told)
    reason = Reason.NO_FIX if on_branch else Reason.NOT_ON_BRANCH
    return Recommendation(Kind.NONE, reason, f"{lacks}, and no earlier commit passes every gate{_left(proof)}.")


def _left(proof: Proof) -> str:
    """What the search did not get to."""
    count = proof.not_looked_at
    return f"; {count} older {'commit was' if count == 1 else 'commits were'} not looked at" if count else ""
