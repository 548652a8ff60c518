"""The files that a service would load first at some commits, where nothing of it has run at the deployed one.

Takes the verdicts on a start target. The gates follow imports from these files, as from a failing file otherwise.
"""

from collections.abc import Sequence

from shared.proof.claims.broken_place import find_started_place
from shared.proof.claims.claim_verdicts import ClaimVerdicts


def list_started_files(verdicts: ClaimVerdicts, commits: Sequence[str]) -> list[str]:
    """Repository paths, at least one: without any that is found, the one that the missing module would have."""
    claim = verdicts.claim
    paths: list[str] = []
    for commit in commits:
        position = find_started_place(verdicts, commit)
        paths += [position.path] if position is not None else []
    expected = claim.module.replace(".", "/") + ".py" if claim.module else claim.name.rpartition("/")[2]
    return list(dict.fromkeys(paths)) or [expected]
