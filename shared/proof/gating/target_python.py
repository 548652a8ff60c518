"""The Python that each candidate declares for its own image: a commit in, the verdicts on that Python out."""

from dataclasses import dataclass, field

from shared.errors import UsageError
from shared.proof.gating.declarations import DeclarationReader
from shared.proof.gating.loaded import LoadedFiles
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.proof_context import ProofContext


@dataclass(slots=True)
class TargetPython:
    """A redeployment builds a new image: what it ships must compile on the Python of that image as well."""

    inquiry: ProofContext
    deployed: CompileVerdicts
    """On the deployed Python."""
    commit: str
    """The deployed one."""
    loaded: LoadedFiles
    """What each commit loads: of several Dockerfiles the one counts whose closure was chosen there."""
    declarations: DeclarationReader
    _known: dict[str, CompileVerdicts | None] = field(default_factory=dict)
    _files_tell: bool | None = None

    def verdicts(self, commit: str) -> CompileVerdicts | None:
        """None where the commit declares the deployed Python, or none, or where its files do not tell what runs."""
        declared = self._declared(commit)
        if declared is None or declared == self.deployed.python or not self._tell():
            return None
        if declared not in self._known:
            self._known[declared] = self._made(declared)
        return self._known[declared]

    def _declared(self, commit: str) -> str | None:
        image = self.loaded.at(commit).closure.image
        return self.declarations.python(commit, self.loaded.failing, image)

    def _tell(self) -> bool:
        """Whether the files of the deployed commit name the Python that really ran it."""
        if self._files_tell is None:
            self._files_tell = self._declared(self.commit) == self.deployed.python
        return self._files_tell

    def _made(self, python: str) -> CompileVerdicts | None:
        compilers = self.inquiry.compilers
        try:
            return CompileVerdicts(self.inquiry.history, compilers.compiler(python), compilers.explainer())
        except UsageError:  # a version that nobody can judge is no reason against a commit
            return None
