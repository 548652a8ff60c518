"""The files that a service would load first at some commits, where nothing of it has run at the deployed one.

Takes the verdicts on a start target. The gates follow imports from these files, as from a failing file otherwise.
"""

from collections.abc import Sequence

from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.starting.start_judge import StartJudge
from shared.proof.loading.commit_tree import CommitTree


def list_started_files(verdicts: ClaimVerdicts, commits: Sequence[str]) -> list[str]:
    """Repository paths, at least one: without any that is found, the one that the missing module would have."""
    claim, judge = verdicts.claim, verdicts.judge
    found: list[str] = []
    for commit in commits:
        modules = verdicts.open_modules(CommitTree(verdicts.history, commit), claim.path)
        found.append(judge.find_started_file(claim, modules) if isinstance(judge, StartJudge) else "")
    expected = claim.module.replace(".", "/") + ".py" if claim.module else claim.name.rpartition("/")[2]
    return list(dict.fromkeys(filter(None, found))) or [expected]
