"""What the verdict on a claim asks of the service at one commit, and what a family of claims must offer."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from shared.proof.claims.checker_report import CheckerReport
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimVerdict, FoundModule
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

    @property
    def families(self) -> Collection[ClaimFamily]:
        """Those that it judges."""

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`. Never raises because of what the sources contain."""


class TypeChecker(Protocol):
    """A second witness: reads files as they are, runs nothing of them, and knows no installed package."""

    @property
    def checked_by(self) -> str:
        """Name and version, such as `ty-0.0.107`."""

    def check(
        self, files: Mapping[str, bytes], python: str, roots: Sequence[str], judged: Sequence[str]
    ) -> CheckerReport:
        """What it reports for the `judged` of these files, which import each other from `roots`, the first one first.

        Never raises because of what the files contain; without an answer the report says why.
        """
