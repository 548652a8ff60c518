"""Writes what was proven of a claim as JSON."""

from shared.proof.model.finding import ProvenClaim


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
