"""What the verdict on a claim asks of the service at one commit, and what a family of claims must offer."""

from typing import Protocol, runtime_checkable

from shared.proof.claims.claim import Claim, ClaimVerdict, FoundModule
from shared.proof.loading.commit_tree import RecordingTree


class ServiceModules(Protocol):
    """Imports as the service's own Python resolves them at one commit, in its image."""

    @property
    def python(self) -> str:
        """The minor version of the image, such as `3.11`."""

    @property
    def tree(self) -> RecordingTree:
        """The commit's files; every path that is asked of it is an input of the verdict."""

    def find_module(self, importing_path: str, module: str, level: int = 0) -> FoundModule:
        """What `module` means in an import statement of a file; `level`: the dots of a relative import."""


class ClaimJudge(Protocol):
    """Judges the claims of some families."""

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`. Never raises because of what the sources contain."""


@runtime_checkable
class WitnessedJudge(ClaimJudge, Protocol):
    """A judge that can believe the log for what its own rules leave open."""

    def with_witness(self, witness: ServiceModules) -> ClaimJudge:
        """The judge that knows that the claim fails at the commit of `witness`."""
