"""A query becomes a tree: `NOT` (or `-`) binds tightest, then `OR`, then `AND`, which may be left out.

query      = disjunction { ["AND"] disjunction }
disjunction = negation { "OR" negation }
negation   = ["NOT" | "-"] term
term       = "(" query ")" | function "(" text ")" | path operator value | value
value      = text | "(" values ")", where values are joined as above
"""

import re
from dataclasses import dataclass

from tests.support.logging_query.tokens import Kind, QueryError, Token, tokenize


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path` is empty for a text that may stand in any field."""

    path: tuple[str, ...]
    operator: str
    value: str
    """Without quotes; for a pattern with its escapes, for anything else without."""
    quoted: bool


Node = And | Or | Not | Comparison

_SEGMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."]+)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_QUOTE = re.compile(r'\\(")')
_PATTERNS = frozenset(("=~", "!~"))


def parse(query: str) -> Node:
    """The empty query matches everything. Raises QueryError."""
    parser = _Parser(list(tokenize(query)))
    tree = parser.query((), "") if parser.rest else And(())
    if parser.rest:
        raise QueryError(f"{parser.rest[0].text!r} at {parser.rest[0].at} is one too many")
    return tree


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.rest = tokens

    def query(self, path: tuple[str, ...], operator: str) -> Node:
        """Within the right side of a comparison `path` and `operator` are those of its left side."""
        parts = [self._disjunction(path, operator)]
        while self.rest and self.rest[0].kind is not Kind.CLOSE:
            if self._is_logic("AND"):
                self._take()
            parts.append(self._disjunction(path, operator))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _disjunction(self, path: tuple[str, ...], operator: str) -> Node:
        parts = [self._negation(path, operator)]
        while self._is_logic("OR"):
            self._take()
            parts.append(self._negation(path, operator))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _negation(self, path: tuple[str, ...], operator: str) -> Node:
        if self._is_logic("NOT") or (self.rest and self.rest[0].kind is Kind.MINUS):
            self._take()
            return Not(self._term(path, operator))
        return self._term(path, operator)

    def _term(self, path: tuple[str, ...], operator: str) -> Node:
        token = self._take()
        if token.kind is Kind.OPEN:
            tree = self.query(path, operator)
            self._expect(Kind.CLOSE)
            return tree
        if token.kind not in {Kind.WORD, Kind.QUOTED}:
            raise QueryError(f"{token.text!r} at {token.at} begins no term")
        following = self.rest[0] if self.rest else None
        if following is not None and following.kind is Kind.OPERATOR:
            if operator:
                raise QueryError(f"a comparison at {token.at} within the right side of another one")
            return self._comparison_of(_path(token))
        if following is not None and following.kind is Kind.OPEN and following.glued and token.kind is Kind.WORD:
            return self._function(token)
        return _comparison(path, operator or ":", token)

    def _comparison_of(self, path: tuple[str, ...]) -> Node:
        operator = self._take().text
        token = self._take()
        if token.kind is Kind.OPEN:
            tree = self.query(path, operator)
            self._expect(Kind.CLOSE)
            return tree
        if token.kind is Kind.MINUS and self.rest and self.rest[0].glued and self.rest[0].kind is Kind.WORD:
            number = self._take()
            return Comparison(path, operator, "-" + number.text, quoted=False)
        if token.kind not in {Kind.WORD, Kind.QUOTED}:
            raise QueryError(f"{token.text!r} at {token.at} is no value")
        return _comparison(path, operator, token)

    def _function(self, name: Token) -> Node:
        if name.text != "log_id":
            raise QueryError(f"the function {name.text} is not evaluated here")
        self._expect(Kind.OPEN)
        identity = self._take()
        self._expect(Kind.CLOSE)
        if identity.kind is not Kind.QUOTED:
            raise QueryError(f"log_id at {name.at} wants a quoted text")
        return Comparison(("logName",), "log_id", _unescape(identity.text), quoted=True)

    def _is_logic(self, word: str) -> bool:
        return bool(self.rest) and self.rest[0].kind is Kind.LOGIC and self.rest[0].text == word

    def _take(self) -> Token:
        if not self.rest:
            raise QueryError("the query ends too early")
        return self.rest.pop(0)

    def _expect(self, kind: Kind) -> None:
        token = self._take()
        if token.kind is not kind:
            raise QueryError(f"{token.text!r} at {token.at} instead of {kind.value!r}")


def _comparison(path: tuple[str, ...], operator: str, token: Token) -> Comparison:
    quoted = token.kind is Kind.QUOTED
    if not quoted:
        return Comparison(path, operator, token.text, quoted)
    text = _QUOTE.sub(r"\1", token.text) if operator in _PATTERNS else _unescape(token.text)
    return Comparison(path, operator, text, quoted)


def _path(token: Token) -> tuple[str, ...]:
    if token.kind is Kind.QUOTED:
        raise QueryError(f"{token.text!r} at {token.at} is a text and no field")
    segments = tuple(
        _unescape(match[1]) if match[1] is not None else match[2] for match in _SEGMENT.finditer(token.text)
    )
    if token.text.endswith(".") or ".." in token.text:
        raise QueryError(f"{token.text!r} at {token.at} is no field")
    return segments


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), text)
