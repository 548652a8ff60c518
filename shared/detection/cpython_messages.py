"""Recognises the messages of CPython's own syntax errors, and finds those that were logged without their class.

For a message without class and location it returns the class of the error, or "". `{name}` and similar fields in the
[table](cpython_message_table.py) stand for what differs from one error to the next.

A bare message is `str(error)`: `invalid syntax (main.py, line 1)`. Only CPython's own messages count, at the end of a
line's words, with the file and the line in brackets behind them. The class is the one that CPython gives the message.
Compiling the file decides; a sentence that quotes one is a mention.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from shared.detection.cpython_message_table import EXPRESSIONS, INDENTATION_MESSAGES, SYNTAX_MESSAGES, TAB_MESSAGES
from shared.detection.logged_exception import is_end_of_sentence, is_logged_error
from shared.detection.syntax_errors import SyntaxErrorMention

_MAX_LENGTH = 500
_MESSAGES_BY_CLASS = (
    ("SyntaxError", SYNTAX_MESSAGES), ("IndentationError", INDENTATION_MESSAGES), ("TabError", TAB_MESSAGES)
)  # fmt: skip
_PLACEHOLDERS = ("name", "char", "number", "expression", "any", "block", "syntax")

_Template = tuple[tuple[str, ...], tuple[str, ...]]
"""The words that stay, and between each two of them what kind of word is there."""


def find_cpython_error_class(message: str) -> str:
    """The class of the error that CPython reports with this message; "" for any other text."""
    message = message.strip()
    if not message or len(message) > _MAX_LENGTH or "\n" in message:
        return ""
    fixed, templates = _build_tables()
    known = fixed.get(message)
    if known is not None:
        return known
    return next((error_class for error_class, template in templates if _fits(message, template)), "")


def list_message_templates() -> tuple[str, ...]:
    """All of them, as they are here."""
    return tuple(line for _, messages in _MESSAGES_BY_CLASS for line in messages.splitlines())


@cache
def _build_tables() -> tuple[dict[str, str], tuple[tuple[str, _Template], ...]]:
    fixed: dict[str, str] = {}
    templates: list[tuple[str, _Template]] = []
    for error_class, messages in _MESSAGES_BY_CLASS:
        for line in messages.splitlines():
            words, kinds = split_template(line)
            if kinds:
                templates.append((error_class, (words, kinds)))
            else:
                fixed[line] = error_class
    return fixed, tuple(templates)


def split_template(line: str) -> _Template:
    """`duplicate argument '{name}' in …` as its words and the kinds between them."""
    words, kinds, rest = [""], list[str](), line
    while rest:
        kind = next((kind for kind in _PLACEHOLDERS if rest.startswith("{" + kind + "}")), None)
        if kind is None:
            words[-1] += rest[0]
            rest = rest[1:]
        else:
            kinds.append(kind)
            words.append("")
            rest = rest[len(kind) + 2 :]
    return tuple(words), tuple(kinds)


def _fits(message: str, template: _Template) -> bool:
    (first, *words), kinds = template
    if not message.startswith(first) or not message.endswith(words[-1]):
        return False
    at = len(first)
    for number, (word, kind) in enumerate(zip(words, kinds, strict=True), 1):
        end = len(message) - len(word) if number == len(words) else message.find(word, at + 1)
        if end <= at or not _is_kind(message[at:end], kind):
            return False
        at = end + len(word)
    return True


def _is_kind(text: str, kind: str) -> bool:
    if kind == "number":
        return text.isascii() and text.isdigit()
    if kind == "char":
        return len(text) <= 2
    if kind == "expression":
        return text in EXPRESSIONS
    if kind == "name":
        return " " not in text
    if kind == "block":
        return text.endswith((" statement", " definition"))
    return kind == "any" or find_cpython_error_class(text) != ""


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
