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
    deployed_verdicts: CompileVerdicts
    """On the deployed Python."""
    deployed_commit: str
    """The deployed one."""
    loaded_files: LoadedFiles
    """What each commit loads: of several Dockerfiles the one counts whose closure was chosen there."""
    declarations: DeclarationReader
    _verdicts_by_python: dict[str, CompileVerdicts | None] = field(default_factory=dict)
    _is_declaration_reliable: bool | None = None

    def get_verdicts(self, commit: str) -> CompileVerdicts | None:
        """None where the commit declares the deployed Python, or none, or where its files do not tell what runs."""
        declared = self._find_declared(commit)
        if declared is None or declared == self.deployed_verdicts.python or not self._do_files_tell():
            return None
        if declared not in self._verdicts_by_python:
            self._verdicts_by_python[declared] = self._build_verdicts(declared)
        return self._verdicts_by_python[declared]

    def _find_declared(self, commit: str) -> str | None:
        image = self.loaded_files.get_state(commit).closure.image_path
        return self.declarations.find_python(commit, self.loaded_files.failing_path, image)

    def _do_files_tell(self) -> bool:
        """Whether the files of the deployed commit name the Python that really ran it."""
        if self._is_declaration_reliable is None:
            self._is_declaration_reliable = self._find_declared(self.deployed_commit) == self.deployed_verdicts.python
        return self._is_declaration_reliable

    def _build_verdicts(self, python: str) -> CompileVerdicts | None:
        compilers = self.inquiry.compilers
        try:
            return CompileVerdicts(self.inquiry.history, compilers.compiler_for(python), compilers.explainer())
        except UsageError:  # a version that nobody can judge is no reason against a commit
            return None
