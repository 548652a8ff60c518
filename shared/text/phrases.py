"""Numbers, lists, commits and quotations as a sentence needs them; untrusted words are redacted, cut and made visible.

Answers and the evidence that they cite are both written with these, so that a quotation in one is found in the other.
"""

from collections.abc import Sequence

from shared.text.escaping import truncate, to_one_line
from shared.text.redaction import redact

_SHORT_SHA_LENGTH = 12


def quote_untrusted(text: str, limit: int = 300) -> str:
    """Untrusted words on one line: redacted, then cut to `limit` characters."""
    return truncate(to_one_line(redact(text)), limit)


def quote_service_name(name: str) -> str:
    """The service's name; "" where the log did not carry one."""
    return "" if name == "unknown" else quote_untrusted(name, 80)


def short_sha(commit: str) -> str:
    """The first 12 digits of a commit id."""
    return commit[:_SHORT_SHA_LENGTH]


def pluralize(number: int, noun: str) -> str:
    """`1 error`, `6 errors`, `2 files`; the noun's plural ends in s."""
    return f"{number:d} {noun}{'' if number == 1 else 's'}"


def join_words(words: Sequence[str], conjunction: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def join_first_words(words: Sequence[str], limit: int) -> str:
    """The first `limit` of them; whether there are more is said, how many is not."""
    return join_words(words) if len(words) <= limit else join_words([*words[:limit], "others"])
