"""Numbers, lists, commits and quotations as a sentence needs them; untrusted words are redacted, cut and made visible.

Answers and the evidence that they cite are both written with these, so that a quotation in one is found in the other.
"""

import re
from collections.abc import Iterator, Sequence

from shared.text.escaping import strip_invisible, to_one_line, truncate
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


_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


def get_first_sentence(text: str) -> str:
    """The first sentence of a paragraph of ours: what it quotes, in backticks or quotation marks, ends none."""
    for match in _SENTENCE_END.finditer(text):
        sentence = text[: match.start()]
        if sentence.count("`") % 2 == 0 and sentence.count("\u201c") == sentence.count("\u201d"):
            return sentence
    return text


_MAX_EXCERPT_WIDTH = 240
_REDACTION_REACH = 32 * 1024
"""Characters beyond that: no secret that begins in what is shown is longer."""


def format_excerpt(
    lines: Sequence[tuple[int, str]], marked_line: int | None = None, column: int | None = None
) -> Iterator[str]:
    """`column` counts characters from 1; a tab in front of it stays a tab, so that the caret is in the right place."""
    width = len(str(max((number for number, _ in lines), default=0)))
    for number, text in lines:
        shown = truncate(
            strip_invisible(redact(text[: _MAX_EXCERPT_WIDTH + _REDACTION_REACH])).replace("\n", " ").rstrip(),
            _MAX_EXCERPT_WIDTH,
        )
        yield f"{'>' if number == marked_line else ' '} {number:>{width}} | {shown}"
        if number == marked_line and column is not None and 0 < column <= len(shown) + 1:
            indent = "".join("\t" if character == "\t" else " " for character in shown[: column - 1])
            yield f"  {' ' * width} | {indent}^"
