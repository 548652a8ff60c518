"""What the verdict on a claim asks of the service at one commit, and what a family of claims must offer."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from shared.proof.claims.claim import Claim, ClaimVerdict, FoundModule
from shared.proof.loading.commit_tree import RecordingTree


@dataclass(frozen=True, slots=True)
class ImagePython:
    """The Python of the image that a commit builds."""

    version: str
    """The minor version, such as `3.11`; "" where the commit leaves it open."""
    source: str = ""
    """Where the commit declares it, as `Dockerfile, line 1: FROM python:3.11-slim`; "" where it does not."""

    def __str__(self) -> str:
        shown = f", the version of this commit's image ({self.source})" if self.source else ""
        return f"Python {self.version}{shown}"


class ServiceModules(Protocol):
    """Imports as the service's own Python resolves them at one commit, in its image."""

    @property
    def python(self) -> str:
        """The minor version that ran, such as `3.11`."""

    @property
    def tree(self) -> RecordingTree:
        """The commit's files; every path that is asked of it is an input of the verdict."""

    @property
    def image_python(self) -> "ImagePython":
        """What the commit's own image has: another one than `python`, the one that ran, where its files say so."""

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
