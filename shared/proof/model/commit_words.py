"""A commit as a sentence names it: its abbreviated id, its subject as a quotation, its time."""

import re

from shared.proof.model.history import Commit
from shared.text.phrases import quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339

_MAX_SUBJECT = 120
_FIX_WORDS = re.compile(
    r"(?i)\b(?:(?:bug|hot|quick)?fix(?:e[sd]|ing|up)?|resolv(?:e[sd]?|ing)|repair(?:s|ed|ing)?|correct(?:s|ed|ing)?"
    r"|mend(?:s|ed|ing)?|patch(?:es|ed)?|unbreaks?|restor(?:e[sd]?|ing))\b"
)


def quote_subject(commit: Commit) -> str:
    """The commit's subject in quotation marks."""
    return f"“{quote_untrusted(commit.subject, _MAX_SUBJECT)}”"


def describe_commit(commit: Commit) -> str:
    """Abbreviated id, subject and time."""
    return f"{short_sha(commit.id)} ({quote_subject(commit)}, committed {format_rfc3339(commit.committed_at)})"


def claims_fix(commit: Commit) -> bool:
    """Whether the subject says that the commit mends something."""
    return _FIX_WORDS.search(commit.subject) is not None
