"""An import of a module that vanished since the deployed commit: where it is, and why it may do no harm."""

from dataclasses import dataclass
from enum import StrEnum


class ImportDoubt(StrEnum):
    """Why such an import may do no harm. It is reported, and refuses no commit."""

    MAY_NOT_RUN = "may_not_run"
    """It is in a function or a branch, or no chain of imports always loads its file."""
    START_UNREAD = "start_unread"
    """No start command shows whether its file is loaded at all."""
    PATH_CHANGED = "import_path_changed"
    """Some loaded file puts folders on the import path."""
    IMPORT_HOOK = "import_hook"
    """A file on the way changes what an import finds."""
    DEPENDENCY = "declared_dependency"
    """An installed package has such a name."""
    GENERATED = "generated"
    """The build may make the file, or git ignores it."""
    ATTRIBUTE = "attribute"
    """The package itself may give the name."""
    LINK = "link"
    """A link is where the module was."""


@dataclass(frozen=True, slots=True)
class MissingImport:
    """One import statement of a file that the service loads."""

    path: str
    line: int
    module: str
    """As it is imported: `relay`, `.relay`, `app.relay`."""
    former_path: str
    """The file that the module was at the deployed commit."""
    doubt: ImportDoubt | None = None
    """None where nothing is seen that would let the import succeed."""
    absent_paths: tuple[str, ...] = ()
    """The paths at which no file is; with a file at any of them the import may succeed."""
    left_out_by: str = ""
    """The ignore file that keeps the module's file out of the image; "" where the file itself is gone."""

    @property
    def what_became_of_it(self) -> str:
        """The end of the sentence that names the file at the deployed commit."""
        return f"is now left out of the image by {self.left_out_by}" if self.left_out_by else "no longer exists"
