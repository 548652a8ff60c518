"""Reads a chain of exceptions to its first link: what was raised first, and what followed from it.

Python prints a chain oldest first, with a sentence between two links; of an exception group it prints the group first
and its members below it. Links that only steer the control flow (a cancelled task that becomes a timeout) say nothing
of the cause and are left out.
"""

import re
from collections.abc import Sequence

from shared.detection.logged_exception import LoggedException, is_traceback_fragment, parse_exceptions

CHAINING_SENTENCES = (
    "During handling of the above exception, another exception occurred",
    "The above exception was the direct cause of the following exception",
)
_SENTENCE_LINE = re.compile(rf"^[ \t|+]{{0,80}}(?:{'|'.join(CHAINING_SENTENCES)}):?[ \t]*$", re.MULTILINE)
_GUTTER_LINE = re.compile(
    r"[ \t]{0,80}\|[ \t|+]{0,80}(?:[A-Za-z_]\w{0,80}\.){0,12}[A-Za-z_]\w{0,80}(?::[ \t]|:?[ \t]*$)"
)
_GROUP_CLASS = re.compile(r"(?:\w{1,80}\.){0,12}(?:Base)?ExceptionGroup")
_CONTROL_FLOW = frozenset(
    ("CancelledError", "StopIteration", "StopAsyncIteration", "GeneratorExit", "WouldBlock", "EndOfStream",
     "QueueEmpty", "Empty")
)  # fmt: skip
_MAX_LINKS = 12

Chain = tuple[LoggedException, ...]
"""The first link first, what was raised in the end last."""


def read_chain(text: str) -> Chain | None:
    """The chain that ends with the last exception of a text without colours; None where it shows no exception."""
    chain: list[LoggedException] = []
    for segment in _SENTENCE_LINE.split(text):
        links = _list_links(parse_exceptions(segment))
        chain += links
    if len(chain) > _MAX_LINKS:
        chain = [*chain[: _MAX_LINKS - 1], chain[-1]]
    return drop_control_flow(tuple(chain)) if chain else None


def _list_links(exceptions: Sequence[LoggedException]) -> list[LoggedException]:
    """The last exception; of a group its first member, and the group after it."""
    groups = [at for at, exception in enumerate(exceptions) if is_group(exception)]
    if not groups:
        return list(exceptions[-1:])
    first = groups[0]
    member = next((exception for exception in exceptions[first:] if not is_group(exception)), None)
    return [member, exceptions[first]] if member is not None else [exceptions[first]]


def drop_control_flow(chain: Chain) -> Chain:
    """Without the first links that say nothing, as long as another one is left."""
    while len(chain) > 1 and chain[0].error_class.rpartition(".")[2] in _CONTROL_FLOW:
        chain = chain[1:]
    return chain


def is_group(exception: LoggedException) -> bool:
    """Whether it is an exception group, whose members say what happened."""
    return _GROUP_CLASS.fullmatch(exception.error_class) is not None


def is_chaining_sentence(text: str) -> bool:
    """Whether a line is the one that Python prints between two links."""
    return text.lstrip(" \t|+").startswith(CHAINING_SENTENCES)


def is_chain_fragment(text: str) -> bool:
    """Whether a line is a piece from which, with others, a chain can be put together again."""
    return is_traceback_fragment(text) or is_chaining_sentence(text) or is_member_line(text)


def is_member_line(text: str) -> bool:
    """Whether a line is the last one of a traceback inside an exception group."""
    return "\n" not in text.rstrip("\n") and _GUTTER_LINE.match(text[:2_000]) is not None


def add_link(chain: Chain, exception: LoggedException, *, is_member: bool) -> Chain | None:
    """`chain` with one more link: a member of its group goes to the front. None where it is a further member."""
    if not is_member:
        return (*chain[: _MAX_LINKS - 1], exception)
    return (exception, *chain) if is_group(chain[0]) else None
