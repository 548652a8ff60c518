"""Finds the place of an import of which the log has the message alone: the importing line and the deployed commit.

`cannot import name 'n' from 'a.b' (/app/a/b.py)` names the module and its file, but not who asks. At one commit exactly
one loaded file must ask in vain for that name of that module, and no other may.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.proof.claims.claim import Claim, ClaimState
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.locate_claim import LocatedClaim
from shared.proof.locating.branch_states import BranchStates
from shared.proof.model.compilation import split_source_lines
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History

_MAX_IMPORTERS = 40


@dataclass(frozen=True, slots=True)
class ImportPlacer:
    """Searches one claim without path and line. `provider`: the module's file as logged."""

    history: History
    states: BranchStates
    claim: Claim
    provider: str
    make_verdicts: Callable[[Claim], ClaimVerdicts]
    list_loaded: Callable[[str, str], Collection[str]]
    """The files that the service loads at a commit, where a file is known to be one of them."""
    seen_at: datetime | None

    def locate(self, given: Commit | None) -> LocatedClaim:
        """The given commit alone, if there is one; else the state of the branch at the time of the log."""
        state = self.states.find_state_at(self.seen_at) if self.seen_at is not None and given is None else None
        commit = given.id if given is not None else state.id if state is not None else self.states.head
        source = DeployedSource.GIVEN if given is not None else DeployedSource.INFERRED
        tiers = match_logged_path(self.provider, self.history.tree(commit))
        if not tiers or len(tiers[0]) != 1:
            return self._report(f"{self.provider} is no single file at {commit}")
        failing: list[Claim] = []
        for claim in self._list_importers(commit, tiers[0][0]):
            verdict = self.make_verdicts(claim).judge_commit(commit).verdict
            if verdict.state is ClaimState.UNKNOWN:
                return self._report(f"{claim.path} at {commit}: {verdict.reason}")
            if verdict.state is ClaimState.FAILS:
                failing.append(replace(claim, line=verdict.lines[0]))
        if len(failing) != 1:
            count = "no" if not failing else f"{len(failing)} files instead of one"
            return self._report(
                f"{count} loaded file asks {self.claim.module} for {self.claim.name} in vain at {commit}"
            )
        return self._confirm(failing[0], commit, source)

    def _list_importers(self, commit: str, provider: str) -> Iterator[Claim]:
        """A claim for each loaded file that mentions the name and the module."""
        words = (self.claim.name.encode(), self.claim.module.rpartition(".")[2].encode())
        loaded = sorted(path for path in self.list_loaded(commit, provider) if path != provider)
        blobs = self.history.blob_ids((commit, path) for path in loaded)
        texts = ((path, self.history.read(blobs[commit, path]) or b"") for path in loaded if (commit, path) in blobs)
        mentioning = [path for path, text in texts if words[0] in text and (words[1] in text or b"from ." in text)]
        yield from (replace(self.claim, path=path) for path in mentioning[:_MAX_IMPORTERS])

    def _confirm(self, claim: Claim, commit: str, source: DeployedSource) -> LocatedClaim:
        blob = self.history.blob_ids([(commit, claim.path)])[commit, claim.path]
        lines = split_source_lines(self.history.read(blob) or b"")
        placed = replace(claim, source_text=lines[claim.line - 1].strip())
        verdicts = self.make_verdicts(placed)
        verdict = verdicts.confirm_commit(commit)
        if verdict.state is not ClaimState.FAILS or placed.line not in verdict.lines:
            return self._report(f"{placed.path}, line {placed.line}, at {commit}: {verdict.reason}")
        [deployed] = self.history.first_parents(commit, 1)
        return LocatedClaim(placed, deployed, source, verdicts, (commit,))

    def _report(self, detail: str) -> LocatedClaim:
        return LocatedClaim(self.claim, None, DeployedSource.UNKNOWN, detail=detail)
