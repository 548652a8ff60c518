"""The Python that each candidate declares for its own image: a commit in, the verdicts on that Python out."""

from dataclasses import dataclass, field

from shared.errors import Misused
from shared.steps import pythons
from shared.steps.inquiry import Inquiry
from shared.steps.verdicts import Verdicts


@dataclass(slots=True)
class OwnPythons:
    """A redeployment builds a new image: what it ships must compile on the Python of that image as well."""

    inquiry: Inquiry
    deployed: Verdicts
    """On the deployed Python."""
    commit: str
    """The deployed one."""
    path: str
    """The failing file: of several Dockerfiles the one nearest to it counts."""
    _known: dict[str, Verdicts | None] = field(default_factory=dict)
    _files_tell: bool | None = None

    def verdicts(self, commit: str) -> Verdicts | None:
        """None where the commit declares the deployed Python, or none, or where its files do not tell what runs."""
        declared = pythons.declared_at(self.inquiry.history, commit, self.path)
        if declared is None or declared[0] == self.deployed.python or not self._tell():
            return None
        if declared[0] not in self._known:
            self._known[declared[0]] = self._made(declared[0])
        return self._known[declared[0]]

    def _tell(self) -> bool:
        """Whether the files of the deployed commit name the Python that really ran it."""
        if self._files_tell is None:
            there = pythons.declared_at(self.inquiry.history, self.commit, self.path)
            self._files_tell = there is not None and there[0] == self.deployed.python
        return self._files_tell

    def _made(self, python: str) -> Verdicts | None:
        compilers = self.inquiry.compilers
        try:
            return Verdicts(self.inquiry.history, compilers.compiler(python), compilers.explainer())
        except Misused:  # a version that nobody can judge is no reason against a commit
            return None
