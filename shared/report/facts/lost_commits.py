"""Describes what going back to an earlier commit takes out of service: one phrase, redacted and of one line."""

from collections.abc import Callable, Sequence

from shared.proof.model.finding import Rollback
from shared.proof.model.history import Commit
from shared.text.phrases import join_words, pluralize, quote_untrusted, short_sha

UNKNOWN_LOSS = "loses all commits merged since then"
_MAX_SUBJECT_LENGTH, _MAX_START_LENGTH = 60, 36
_MAX_SUMMARISED = 3


def describe_lost_commits(rollback: Rollback, limit: int) -> str:
    """`loses 3 commits: f086836883ab (“refactor: …”), …`, the newest first; at most `limit` are named."""
    return _describe_loss(rollback.lost_commits, limit, _describe_with_id)


def summarise_lost_commits(rollback: Rollback) -> str:
    """The same without ids, short enough for a confirmation: `loses 3 commits: “refactor: …”, …`."""
    return _describe_loss(rollback.lost_commits, _MAX_SUMMARISED, _quote_start)


def _describe_with_id(commit: Commit) -> str:
    return f"{short_sha(commit.id)} (“{quote_untrusted(commit.subject, _MAX_SUBJECT_LENGTH)}”)"


def _quote_start(commit: Commit) -> str:
    return f"“{quote_untrusted(commit.subject, _MAX_START_LENGTH)}”"


def _describe_loss(lost: Sequence[Commit], limit: int, describe: Callable[[Commit], str]) -> str:
    if not lost:
        return UNKNOWN_LOSS
    named = [describe(commit) for commit in lost[:limit]]
    more = [f"{len(lost) - limit} more"] if len(lost) > limit else []
    return f"loses {pluralize(len(lost), 'commit')}: {join_words([*named, *more])}"
