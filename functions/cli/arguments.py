"""Arguments that several commands take: the form of the output, and the repository.

What `--repo` names is checked before anything is loaded for it: a folder on this machine, never an address.
"""

import os
import re
from enum import StrEnum

from shared.errors import InputError, UsageError
from shared.text.phrases import quote_untrusted


class OutputFormat(StrEnum):
    """For people, for programs, or for code scanning."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


_MAX_SHOWN_PATH = 200
_REMOTE = re.compile(r"(?:https?|ssh|git)://|git@[\w.-]+:")


def check_local_repository(repo: str) -> None:
    """Raises UsageError for an address (nothing is fetched from here), InputError where there is no such folder."""
    if _REMOTE.match(repo):
        raise UsageError(f"{repo} is an address: clone it first (git clone {repo}), then give its folder with --repo")
    if not repo:
        raise InputError("--repo is empty; give a work tree or a bare repository, such as --repo .")
    if not os.path.exists(repo):  # noqa: PTH110  # False for a name that no file can have, where Path raises
        folder = quote_untrusted(repo, _MAX_SHOWN_PATH)
        raise InputError(f"--repo: there is no folder {folder}; it takes a work tree or a bare repository")
