"""Numbers, lists, commits and quotations as a sentence needs them; untrusted words are redacted, cut and made visible.

Answers and the evidence that they cite are both written with these, so that a quotation in one is found in the other.
"""

from collections.abc import Sequence

from shared.text.escaping import cut, one_line
from shared.text.redaction import redact

_SHORT = 12


def said(text: str, limit: int = 300) -> str:
    """Untrusted words on one line: redacted, then cut to `limit` characters."""
    return cut(one_line(redact(text)), limit)


def service_named(name: str) -> str:
    """The service's name; "" where the log did not carry one."""
    return "" if name == "unknown" else said(name, 80)


def short(commit: str) -> str:
    """The first 12 digits of a commit id."""
    return commit[:_SHORT]


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
