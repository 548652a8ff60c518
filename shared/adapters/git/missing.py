"""What a copy was asked for and does not hold: blobs in, a sentence with the git command that fetches them out.

Nothing is fetched here. Git would have to put the configuration of the repository in force for that (its remote's
address, its credentials, helpers and hooks), and whoever hands over a repository could run anything by it. A person who
knows where the repository comes from runs the command.
"""

import shlex
from collections.abc import Sequence

from shared.adapters.git.scratch import ScratchRepository

_MAX_LISTED_BLOBS = 2
"""Blobs that are named one by one; of more than that, one command fetches everything."""


def describe_missing(scratch: ScratchRepository, missing: Sequence[str], *, line_counts: bool) -> list[str]:
    """At most one sentence: for the blobs, else for line counts that could not be had."""
    if not missing and not line_counts:
        return []
    command = _fetch_command(scratch.find_promisor_remote(), missing)
    copy = "partial clone" if scratch.partial else "copy of the repository"
    what = f"the contents of {len(missing)} file versions" if missing else "contents that line counts need"
    what = "the contents of 1 file version" if len(missing) == 1 else what
    return [f"This {copy} lacks {what}; run in it, this command fetches them: {command}"]


def _fetch_command(remote: str, missing: Sequence[str]) -> str:
    """Fetching the blobs needs git 2.25 or newer, fetching everything 2.36."""
    if missing and len(missing) <= _MAX_LISTED_BLOBS:
        return shlex.join(["git", "fetch", "--no-tags", "--filter=blob:none", remote, *missing])
    return shlex.join(["git", "fetch", "--refetch", "--no-filter", remote])
