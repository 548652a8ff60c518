"""Takes off what a runner or logger puts before every line of a traceback: `web.1  | `, `ERROR:uvicorn.error:`, a time.

What comes before the header is such a prefix where the lines below it begin alike, whatever their digits are.
"""

import re
from collections.abc import Iterable, Iterator

from shared.detection.logged_exception import TRACEBACK_HEADER

_MAX_LENGTH = 120
_GROUP = re.compile(r" {0,2}\+ Exception Group $")
_DIGITS = str.maketrans("123456789", "000000000")


def find_line_prefix(line: str) -> str:
    """What comes before a traceback's header; "" where that can be no prefix, or the line holds no header."""
    at = line.find(TRACEBACK_HEADER)
    prefix = _GROUP.sub("", line[:at]) if 0 < at <= _MAX_LENGTH else ""
    return prefix if any(character.isalnum() for character in prefix) else ""


def has_line_prefix(line: str, prefix: str) -> bool:
    """Whether a line begins with a prefix, its digits aside."""
    return bool(prefix) and line[: len(prefix)].translate(_DIGITS) == prefix.translate(_DIGITS)


def find_prefixed_lines(lines: Iterable[str]) -> Iterator[str]:
    """The prefix of each line of a log; "" for those that have none, and for the header that shows it first."""
    prefix = ""
    for line in lines:
        is_prefixed = has_line_prefix(line, prefix)
        yield prefix if is_prefixed else ""
        if not is_prefixed and TRACEBACK_HEADER in line:
            prefix = find_line_prefix(line) or prefix


def strip_line_prefixes(text: str) -> str:
    """A text of several lines without the prefix of its first traceback; any other text as it is."""
    at = text.find(TRACEBACK_HEADER)
    end = text.find("\n", at)
    if at <= 0 or end < 0:
        return text
    prefix = find_line_prefix(text[text.rfind("\n", 0, at) + 1 : end])
    if not has_line_prefix(text[end + 1 : end + 1 + _MAX_LENGTH], prefix):
        return text
    lines = text.split("\n")
    return "\n".join(line[len(prefix) :] if has_line_prefix(line, prefix) else line for line in lines)
