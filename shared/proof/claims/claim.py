"""What a traceback claims about the code, and the verdict on such a claim at one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.proof.loading.image_contents import AbsenceReason


class ClaimFamily(StrEnum):
    """The kinds of failure that the code of a commit can confirm."""

    IMPORT_NAME = "import_name"
    """`cannot import name 'n' from 'a.b'`."""
    MODULE = "module"
    """`No module named 'a.b'`, whether the repository or an installed package would give it."""
    CIRCULAR_IMPORT = "circular_import"
    """`partially initialized module 'a.b' … (most likely due to a circular import)`."""
    NAME = "name"
    """`name 'n' is not defined`."""
    LOCAL_NAME = "local_name"
    """`cannot access local variable 'n' where it is not associated with a value`, and its older form."""
    MODULE_ATTRIBUTE = "module_attribute"
    """`module 'm' has no attribute 'a'`."""
    CLASS_ATTRIBUTE = "class_attribute"
    """`'C' object has no attribute 'a'`, `type object 'C' has no attribute 'a'`."""
    CALL = "call"
    """Arguments that do not bind: unexpected, missing, or too many of them."""
    VALUE = "value"
    """An operation on a value of the wrong type, such as an attribute of None."""
    FILE = "file"
    """A file of the repository that is not in the image."""
    START_TARGET = "start_target"
    """What the start command names is missing: a module, a name in it, or a file. No file of the service has run."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One failure as its traceback states it. Only the log says so: a verdict confirms it or does not."""

    family: ClaimFamily
    path: str
    """The file of the failing statement, as a path of the repository; of a start target the Dockerfile or Procfile."""
    line: int
    """As logged, from 1; it holds for the deployed commit alone."""
    error_class: str
    message: str
    function: str = ""
    """As the frame names it: `<module>`, or the function's bare name."""
    source_text: str = ""
    """The failing line as the traceback quotes it, stripped; "" where it quotes none."""
    module: str = ""
    """The dotted module that is imported, imported from, or asked for an attribute."""
    name: str = ""
    """The name, attribute or file that is missing."""
    owner: str = ""
    """The class of a missing attribute, the function of a call (`f`, `C.m`), or the program that a start runs."""


class ClaimState(StrEnum):
    """What is known of a claim at one commit."""

    FAILS = "fails"
    """Running the statement fails as claimed."""
    HOLDS = "holds"
    """It cannot fail as claimed: what was missing is there, or nothing in the file asks for it any more."""
    UNKNOWN = "unknown"
    """Not decidable; never a fix."""


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """What one commit says about a claim. Its inputs are the paths that were asked of the commit's tree."""

    state: ClaimState
    reason: str
    """One sentence, without a full stop: the binding that was found, what is missing, or what cannot be known."""
    lines: Sequence[int] = ()
    """For `FAILS`: every line of the claim's file that fails as claimed, from 1, in order."""
    checked_by: str = ""
    """Which rules or programs decided."""
    fails_otherwise: bool = False
    """For `UNKNOWN`: whether it surely fails, and surely not as claimed. It is no fix; the failure is not there yet."""

    @property
    def holds(self) -> bool | None:
        """True, False, or None where it is not known."""
        return None if self.state is ClaimState.UNKNOWN else self.state is ClaimState.HOLDS

    @property
    def lacks_failure(self) -> bool:
        """Whether what is claimed does not happen here, whatever else does."""
        return self.state is ClaimState.HOLDS or self.fails_otherwise


class ModuleKind(StrEnum):
    """Where an import finds its module."""

    FILE = "file"
    PACKAGE = "package"
    """A folder with `__init__.py`."""
    NAMESPACE = "namespace"
    """A folder without one."""
    OUTSIDE = "outside"
    """Not of the repository: the standard library, or a package that the image installs."""
    MISSING = "missing"
    """Nowhere: an import of it fails."""
    UNKNOWN = "unknown"
    """Not decidable: generated files, import hooks, a path that is set at run time, an uncertain package."""


@dataclass(frozen=True, slots=True)
class FoundModule:
    """The answer to one import."""

    kind: ModuleKind
    path: str = ""
    """The repository path of the file (`a/b.py`, `a/b/__init__.py`), or of a namespace's folder; else ""."""
    reason: str = ""
    """For `MISSING` and `UNKNOWN`: one sentence, without a full stop."""
    absence: AbsenceReason | None = None
    """For a module of the repository that is not in the image: the line that keeps it out."""
    fails_otherwise: bool = False
    """For `UNKNOWN`: whether the import surely fails, and not for want of a module or a name."""
