"""Says ruff's explanation of an error in plain words: what is there, and since when it is legal."""

import re
from dataclasses import dataclass

_SYNTAX_CHANGE = re.compile(r"syntax was (added|removed) in Python (\d+\.\d+)")
_IN_FSTRING_FIELD = "inside the replacement field of an f-string"
# What is said in sentences, and the proposal that made it legal where one did. Words of ruff 0.17.
_FORMS = (
    (
        "line breaks in non-triple-quoted",
        f"there is a line break {_IN_FSTRING_FIELD} that is not triple-quoted",
        "PEP 701",
    ),
    ("reuse outer quote character", f"the quotes of the f-string are used again {_IN_FSTRING_FIELD}", "PEP 701"),
    ("escape sequence (backslash) in f-strings", f"there is a backslash {_IN_FSTRING_FIELD}", "PEP 701"),
    ("comments in f-strings", f"there is a comment {_IN_FSTRING_FIELD}", "PEP 701"),
    ("`type` alias statement", "a `type` statement is used", "PEP 695"),
    ("type parameter lists", "type parameters are declared in brackets", "PEP 695"),
    ("type parameter default", "a type parameter has a default", "PEP 696"),
    ("`except*`", "`except*` is used", "PEP 654"),
    ("`match` statement", "a `match` statement is used", "PEP 634"),
    ("star expression in index", "an index is unpacked with a star", "PEP 646"),
    ("unpack operator in", "a star unpacks where the grammar has no place for it", ""),
    ("multiple exception types must be parenthesized", "several exception types are not in parentheses", "PEP 758"),
    ("t-strings", "a template string is used", "PEP 750"),
    ("named assignment expression", "an assignment expression (`:=`) is used", "PEP 572"),
    ("positional-only parameter separator", "positional-only parameters are declared with `/`", "PEP 570"),
    ("parenthesized context managers", "context managers are in parentheses", "PEP 617"),
)


@dataclass(frozen=True, slots=True)
class SyntaxForm:
    """`what` continues a sentence such as `On line 7 …`; the others are "" where they do not apply."""

    description: str
    pep: str
    added_in: str
    """The minor version that made it legal."""
    removed_in: str
    """The minor version that made it illegal."""


def parse_ruff_explanation(explanation: str) -> SyntaxForm | None:
    """The form that ruff's words name; None where they name an error on every version."""
    since = _SYNTAX_CHANGE.search(explanation)
    if since is None:
        return None
    added, removed = (since[2], "") if since[1] == "added" else ("", since[2])
    for words, what, pep in _FORMS:
        if words.lower() in explanation.lower():
            return SyntaxForm(what, pep, added, removed)
    return SyntaxForm("", "", added, removed)
