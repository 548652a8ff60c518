"""The state of a setup in a file that only its user may read, replaced as a whole."""

from pathlib import Path

from functions.local.private_files import make_private, write_private

STATE_FILE = "setup.json"


class PrivateStateFile:
    """Implements `functions.setup.ports.StateFile`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATE_FILE

    def read(self) -> str:
        """See `StateFile`."""
        return self._path.read_text("utf-8") if self._path.exists() else ""

    def write(self, text: str) -> None:
        """See `StateFile`. By another file's name first, so that a full disk leaves the old one."""
        make_private(self._path.parent)
        fresh = self._path.with_suffix(".new")
        write_private(fresh, text)
        fresh.replace(self._path)

    def remove(self) -> None:
        """See `StateFile`."""
        self._path.unlink(missing_ok=True)
