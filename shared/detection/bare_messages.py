"""Finds syntax errors that were logged without their class: `invalid syntax (main.py, line 1)`, which is `str(error)`.

Only CPython's own messages count, at the end of a line's words, with the file and the line in brackets behind them. The
class is the one that CPython gives the message. Compiling the file decides; a sentence that quotes one is a mention.
"""

import re
from collections.abc import Iterator
from itertools import islice

from shared.detection.cpython_messages import find_cpython_error_class
from shared.detection.logged_exception import is_end_of_sentence, is_logged_error
from shared.detection.syntax_errors import SyntaxErrorMention

_PLACE = re.compile(r" \(([^()\n]{1,1024}\.pyw?), line (\d{1,9})\)")
_MESSAGE_START = re.compile(r"[:|>\]=(\"'\-–] {0,3}")
_ERROR_CLASS_BEFORE = re.compile(r"(?:Syntax|Indentation|Tab)Error[\"']?[:(,] {0,3}[\"']?$")
_MAX_PLACES = 32
_MAX_MESSAGE_LENGTH = 400
_MAX_STARTS = 40


def may_show_bare_message(text: str) -> bool:
    """False where `find_bare_messages` finds nothing; costs next to nothing."""
    return ".py, line " in text or ".pyw, line " in text


def find_bare_messages(text: str) -> Iterator[SyntaxErrorMention]:
    """Every one of them, in the order of the text, as mentions of the class that CPython would have named."""
    if not may_show_bare_message(text):
        return
    for location in islice(_PLACE.finditer(text), _MAX_PLACES):
        line_start = text.rfind("\n", max(0, location.start() - 2 * _MAX_MESSAGE_LENGTH), location.start()) + 1
        words = text[max(line_start, location.start() - 2 * _MAX_MESSAGE_LENGTH) : location.start()]
        parsed = _find_message(words)
        if parsed is None:
            continue
        start, error_class = parsed
        before = words[:start]
        if _ERROR_CLASS_BEFORE.search(before):
            continue
        yield SyntaxErrorMention(
            error_class=error_class,
            module="",
            message=words[start:].strip(),
            path=location[1],
            line=int(location[2]) or None,
            before=before,
            is_logged_error=_is_own_line(before) and is_end_of_sentence(text[location.end() : location.end() + 100]),
        )


def _is_own_line(before: str) -> bool:
    """Whether nothing, or a logger's own words, are before the message."""
    return is_logged_error(before.rstrip(" \"'"))


def _find_message(words: str) -> tuple[int, str] | None:
    """Where CPython's message begins, and its class: the longest end of the words that is one."""
    offset = max(0, len(words) - _MAX_MESSAGE_LENGTH)
    starts = [match.end() for match in _MESSAGE_START.finditer(words, offset)][-_MAX_STARTS:]
    for start in (len(words) - len(words.lstrip()), *starts):
        error_class = find_cpython_error_class(words[start:])
        if error_class:
            return start, error_class
    return None
