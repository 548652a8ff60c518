"""Where a claim's failure is to be seen: the line that keeps something out of the image, or starts what is missing.

Takes the verdicts on a claim and a commit; None where the failing statement itself is the place.
"""

from dataclasses import replace

from shared.proof.claims.claim import ClaimFamily
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.files.file_judge import FileJudge
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.starting.start_judge import StartJudge, StartPlace
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.loading.image_contents import AbsenceReason


def find_absence(verdicts: ClaimVerdicts, commit: str, path: str) -> AbsenceReason | None:
    """The line that keeps a module or file out of a commit's image, where the repository has it: the broken place."""
    claim, judge = replace(verdicts.claim, path=path), verdicts.judge
    modules = _open(verdicts, commit, path)
    absence = None
    if isinstance(judge, StartJudge):
        absence = next((start.state.absence for start in judge.list_missing(claim, modules)), None)
    elif isinstance(judge, FileJudge):
        absence = judge.find_absence(claim, modules)
    elif claim.family is ClaimFamily.MODULE:
        absence = modules.find_module(claim.path, claim.module).absence
    return absence if absence is not None and absence.path and absence.line else None


def find_start_place(verdicts: ClaimVerdicts, commit: str) -> StartPlace | None:
    """The line that names a missing start target, or keeps it out of the image."""
    judge, claim = verdicts.judge, verdicts.claim
    return judge.find_place(claim, _open(verdicts, commit, claim.path)) if isinstance(judge, StartJudge) else None


def find_started_place(verdicts: ClaimVerdicts, commit: str) -> StartPlace | None:
    """The file that a start finds at a commit, and the line that binds the name that it takes."""
    judge, claim = verdicts.judge, verdicts.claim
    modules = _open(verdicts, commit, claim.path)
    return judge.find_started_place(claim, modules) if isinstance(judge, StartJudge) else None


def _open(verdicts: ClaimVerdicts, commit: str, path: str) -> ServiceModules:
    return verdicts.open_modules(CommitTree(verdicts.history, commit), path)
