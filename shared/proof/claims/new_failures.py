"""Whether a commit that mends one claim fails elsewhere: the gate of the families beyond syntax.

A tree may have hundreds of imports that never run. Only what the service loads counts, and only what did not fail as
deployed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.claim_verdicts import ClaimVerdicts, OpenModules
from shared.proof.claims.ports import ClaimJudge, ServiceModules
from shared.proof.claims.start_claims import list_start_claims
from shared.proof.gating.gates import GateFailure, Gates
from shared.proof.loading.commit_tree import MAX_BYTES, CommitTree
from shared.proof.model.ports import History

_MAX_FILES = 300
"""Changed files of one commit whose imports are judged."""
_MAX_CLAIMS = 400
"""Imports and names of one commit that are judged: so many changed since the deployed one are no small step."""
_MAX_REPEATED = 8
"""Failures that are asked first at the next commits."""


@dataclass(slots=True)
class NewFailures:
    """Judges what loading runs in the files that differ between the deployed commit and another one."""

    history: History
    judges: Mapping[ClaimFamily, ClaimJudge]
    open_modules: OpenModules
    gates: Gates
    deployed_commit: str
    verdicts: ClaimVerdicts
    """Of the claim that is mended: it must not come back in another file."""
    _claims_by_blob: dict[str, tuple[Claim, ...]] = field(default_factory=dict)
    _repeated: list[ClaimVerdicts] = field(default_factory=list)
    """The failures that refused a commit, the last one first."""

    def repeat(self, commit: str) -> GateFailure | None:
        """A failure that refused another commit and is one at this, too; costs little where its inputs are the same."""
        for verdicts in self._repeated:
            verdict = verdicts.judge_commit(commit).verdict
            if verdict.state is ClaimState.FAILS and verdicts.claim.path in self.gates.loaded_blobs(commit):
                return _describe_failure(verdicts.claim, verdict)
        return None

    def find(self, commit: str) -> GateFailure | None:
        """The first failure at a commit that the deployed commit did not have; None where there is none."""
        before = self.gates.loaded_blobs(self.deployed_commit)
        after = self.gates.loaded_blobs(commit)
        changed = [path for path, blob in after.items() if before.get(path) != blob][:_MAX_FILES]
        tree = CommitTree(self.history, commit)
        modules = self.open_modules(tree, self.verdicts.names[0])
        deployed: ServiceModules | None = None
        for claim in self._list_claims(changed, after, tree):
            verdict = self._judge(claim, modules)
            if verdict is None or not _is_failing(claim, verdict):
                continue
            if deployed is None:
                deployed = self.open_modules(CommitTree(self.history, self.deployed_commit), self.verdicts.names[0])
            former = self._judge(claim, deployed) if claim.path in before else None
            if former is None or former.state is not ClaimState.FAILS:
                verdicts = ClaimVerdicts(self.history, claim, self.judges[claim.family], self.open_modules)
                self._repeated = [verdicts, *self._repeated][:_MAX_REPEATED]
                return _describe_failure(claim, verdict)
        return None

    def _list_claims(self, paths: list[str], blobs: Mapping[str, str], tree: CommitTree) -> Iterator[Claim]:
        """The mended claim in the changed files that mention its name, then what changed files ask for as they load."""
        mended = self.verdicts.claim
        name = (mended.name or mended.module.rpartition(".")[2]).encode()
        for path in paths:
            if path not in self.verdicts.names and name and name in (tree.read(path) or b""):
                yield replace(mended, path=path, line=0, source_text="")
        started = (claim for path in paths for claim in self._read_claims(path, blobs[path]))
        yield from islice(started, _MAX_CLAIMS)

    def _read_claims(self, path: str, blob: str) -> tuple[Claim, ...]:
        if blob not in self._claims_by_blob:
            self._claims_by_blob[blob] = tuple(list_start_claims((self.history.read(blob) or b"")[:MAX_BYTES]))
        return tuple(replace(claim, path=path) for claim in self._claims_by_blob[blob])

    def _judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict | None:
        judge = self.judges.get(claim.family)
        return judge.judge(claim, modules) if judge is not None and modules.tree.blob(claim.path) is not None else None


def _is_failing(claim: Claim, verdict: ClaimVerdict) -> bool:
    """Whether a claim fails; a name that functions alone miss does not keep the service from starting."""
    is_met = claim.family is not ClaimFamily.NAME or not claim.line or claim.line in verdict.lines
    return verdict.state is ClaimState.FAILS and is_met


def _describe_failure(claim: Claim, verdict: ClaimVerdict) -> GateFailure:
    line = f", line {verdict.lines[0]}" if verdict.lines else ""
    return GateFailure("newly_failing", f"{claim.path}{line} fails at this commit: {verdict.reason}")
