"""Decides whether a failure that refused one commit is also in further ones; with the same inputs it is.

For each commit it returns the refusal, or None.
"""

from dataclasses import dataclass

from shared.proof.claims.claim import Claim, ClaimState, ClaimVerdict
from shared.proof.claims.claim_verdicts import OpenModules
from shared.proof.claims.ports import ClaimJudge
from shared.proof.gating.gates import GateFailure
from shared.proof.loading.commit_tree import CommitTree, find_changed_paths, is_affected_by
from shared.proof.model.ports import History


def refuse_claim(claim: Claim, verdict: ClaimVerdict) -> GateFailure:
    """The refusal of a commit at which a claim newly fails."""
    line = f", line {verdict.lines[0]}" if verdict.lines else ""
    return GateFailure("newly_failing", f"{claim.path}{line} fails at this commit: {verdict.reason}")


@dataclass(slots=True)
class RepeatedFailure:
    """One claim at many commits. Whether its file is still loaded is not asked."""

    history: History
    judge: ClaimJudge
    open_modules: OpenModules
    claim: Claim
    start_path: str
    """A file that is known to run."""
    commits_judged: int = 0
    _refusal: GateFailure | None = None
    _root_tree: str = ""
    _inputs: frozenset[str] = frozenset()

    def find(self, commit: str) -> GateFailure | None:
        """The refusal of one more commit."""
        tree = CommitTree(self.history, commit)
        if not self._root_tree or self._is_affected(tree.root_tree):
            self._refusal = self._judge(tree)
        self._root_tree = tree.root_tree
        return self._refusal

    def _judge(self, tree: CommitTree) -> GateFailure | None:
        self.commits_judged += 1
        modules = self.open_modules(tree, self.start_path)
        verdict = self.judge.judge(self.claim, modules) if modules.tree.blob(self.claim.path) is not None else None
        self._inputs = frozenset(modules.tree.recorded_paths)
        return refuse_claim(self.claim, verdict) if verdict and verdict.state is ClaimState.FAILS else None

    def _is_affected(self, root_tree: str) -> bool:
        return any(
            is_affected_by(self._inputs, path, is_added_or_removed=is_listed)
            for path, is_listed in find_changed_paths(self.history, self._root_tree, root_tree)
        )
