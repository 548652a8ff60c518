"""A repository of which some blobs are not in this copy: a history and their ids in, a history that lacks them out."""

from shared.adapters.git.repository import GitRepository


class PartialCopy:
    """Reads like the history that it is given, but for what is hidden; what was asked for in vain is noted."""

    def __init__(self, history: GitRepository, hidden: frozenset[str]) -> None:
        self._history = history
        self._hidden = hidden
        self._asked: set[str] = set()

    def __getattr__(self, name: str) -> object:
        return getattr(self._history, name)

    def read(self, blob: str) -> bytes | None:
        """The contents; None where they are hidden."""
        self._asked |= {blob} & self._hidden
        return None if blob in self._hidden else self._history.read(blob)

    def missing_blobs(self) -> frozenset[str]:
        """The hidden blobs that were asked for."""
        return frozenset(self._asked)
