"""Suspected changes as the values of the JSON report; the report redacts them."""

from shared.proof.model.suspected_change import SuspectedChange, SuspectedChanges
from shared.text.timestamps import format_rfc3339


def suspected_to_json(suspected: SuspectedChanges) -> dict[str, object] | None:
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
