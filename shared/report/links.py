"""Builds addresses at which a reader can check what a report says; "" where there is none.

An address is made of what is configured and of what was proven or set by the platform, never of words of a log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.detection.entry import LogEntry


@dataclass(frozen=True, slots=True)
class CommitOrigin:
    """What the code host knows of a commit and git does not."""

    commit: str
    author_url: str = ""
    """The address of the author's page."""
    pull_request: int | None = None
    """That which brought the commit in."""
    pull_request_url: str = ""
    """Of the pull request."""


def _return_no_url(*_: object) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Links:
    """Every function may be asked about anything."""

    commit: Callable[[str], str] = _return_no_url
    lines: Callable[[str, str, int | None, int | None], str] = _return_no_url
    """(commit, path, first line, last line): the file as it was then, for good."""
    comparison: Callable[[str, str], str] = _return_no_url
    """(base, tip)"""
    entry: Callable[[LogEntry], str] = _return_no_url
    """One entry of the log."""
    log: Callable[[datetime | None, datetime | None], str] = _return_no_url
    """What the service logged in this time."""
    origins: tuple[CommitOrigin, ...] = ()

    def find_origin(self, commit: str) -> CommitOrigin:
        """What is known of a commit."""
        return next((origin for origin in self.origins if origin.commit == commit), CommitOrigin(commit))


NO_LINKS = Links()


def format_link(markdown: str, url: str) -> str:
    """Finished inline Markdown as a link; as it is, where there is no address."""
    return f"[{markdown}]({url})" if url else markdown
