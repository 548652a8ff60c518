"""Numbers, lists, commits and quotations as a sentence needs them; untrusted words are redacted, cut and made visible.

Answers and the evidence that they cite are both written with these, so that a quotation in one is found in the other.
"""

import re
from collections.abc import Sequence

from shared.domain.escaping import cut, one_line
from shared.domain.history import Commit
from shared.domain.moment import rfc3339
from shared.domain.redaction import redact

_SHORT = 12
_SUBJECT = 120
_CLAIMS = re.compile(
    r"(?i)\b(?:(?:bug|hot|quick)?fix(?:e[sd]|ing|up)?|resolv(?:e[sd]?|ing)|repair(?:s|ed|ing)?|correct(?:s|ed|ing)?"
    r"|mend(?:s|ed|ing)?|patch(?:es|ed)?|unbreaks?|restor(?:e[sd]?|ing))\b"
)


def said(text: str, limit: int = 300) -> str:
    """Untrusted words on one line: redacted, then cut to `limit` characters."""
    return cut(one_line(redact(text)), limit)


def service_named(name: str) -> str:
    """The service's name; "" where the log did not carry one."""
    return "" if name == "unknown" else said(name, 80)


def short(commit: str) -> str:
    """The first 12 digits of a commit id."""
    return commit[:_SHORT]


def subject(commit: Commit) -> str:
    """The commit's subject in quotation marks."""
    return f"“{said(commit.subject, _SUBJECT)}”"


def named(commit: Commit) -> str:
    """Abbreviated id, subject and time."""
    return f"{short(commit.id)} ({subject(commit)}, committed {rfc3339(commit.committed_at)})"


def claims_fix(commit: Commit) -> bool:
    """Whether the subject says that the commit mends something."""
    return _CLAIMS.search(commit.subject) is not None


def counted(number: int, noun: str) -> str:
    """`1 error`, `6 errors`, `2 files`; the noun's plural ends in s."""
    return f"{number:d} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} {joint} {last}" if most else last


def some(words: Sequence[str], limit: int) -> str:
    """The first `limit` of them; whether there are more is said, how many is not."""
    return listed(words) if len(words) <= limit else listed([*words[:limit], "others"])
