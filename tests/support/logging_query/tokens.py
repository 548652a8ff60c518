"""A query becomes tokens: operators, parentheses, quoted texts, words and field paths."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST_QUERY = 20_000


class QueryError(ValueError):
    """What Cloud Logging would refuse, or what is not evaluated here."""


class Kind(StrEnum):
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    MINUS = "-"
    OPERATOR = "operator"
    """A comparison."""
    LOGIC = "logic"
    """AND, OR, NOT, in capitals."""
    QUOTED = "quoted"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    """As written; of a quoted text what stands between the quotes, still escaped."""
    at: int
    glued: bool = False
    """Nothing stands between it and the token before it."""


_WORD = re.compile(r'[A-Za-z0-9_*/%@+](?:[A-Za-z0-9_*/%@+.-]|(?<=\.)"(?:[^"\\\n]|\\.)*")*')
_TOKEN = re.compile(
    r"(?P<blank>\s+|--[^\n]*)"
    r"|(?P<operator>!=|!~|=~|>=|<=|[=<>:])"
    r'|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    r"|(?P<single>[(),-])",
    re.DOTALL,
)
_LOGIC = frozenset(("AND", "OR", "NOT"))


def tokenize(query: str) -> Iterator[Token]:
    """In order. Raises QueryError with the place of what is no token."""
    if len(query) > LONGEST_QUERY:
        raise QueryError(f"{len(query)} characters; a query may have {LONGEST_QUERY}")
    at, glued = 0, False
    while at < len(query):
        word = _WORD.match(query, at)
        match = word or _TOKEN.match(query, at)
        if match is None:
            raise QueryError(f"nothing known begins at {at}: {query[at : at + 20]!r}")
        if word is not None:
            yield Token(Kind.LOGIC if word[0] in _LOGIC else Kind.WORD, word[0], at, glued)
        elif match.lastgroup != "blank":
            yield _other(match, at, glued=glued)
        glued = match.lastgroup != "blank"
        at = match.end()


def _other(match: re.Match[str], at: int, *, glued: bool) -> Token:
    text = match[str(match.lastgroup)]
    kinds = {"operator": Kind.OPERATOR, "quoted": Kind.QUOTED}
    return Token(kinds.get(str(match.lastgroup)) or Kind(text), text, at, glued)
