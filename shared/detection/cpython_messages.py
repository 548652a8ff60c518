"""Recognises the messages of CPython's own syntax errors.

For a message without class and location it returns the class of the error, or "". `{name}` and similar fields in the
[table](cpython_message_table.py) stand for what differs from one error to the next.
"""

from functools import cache

from shared.detection.cpython_message_table import EXPRESSIONS, INDENTATION_MESSAGES, SYNTAX_MESSAGES, TAB_MESSAGES

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
