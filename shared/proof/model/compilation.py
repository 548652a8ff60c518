"""What a compiler said of one source: it compiles, it fails at a line, or it could not be judged.

`parse_ruff_explanation` says ruff's explanation of an error in plain words: what is there, and since when it is legal.
"""

import io
import re
import tokenize
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes as git stores them; `path` is only the file name that the compiler gets."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """The first error that an import of the file would raise.

    `line` and `column` count from 1; None where unknown. Two things are CPython's own: `line` is 0 for a source that
    could not even be decoded (an unknown coding cookie), and None for NUL bytes and for too deep nesting.
    """

    error_class: str
    """`SyntaxError`, `IndentationError`, `TabError`; also `ValueError`, `MemoryError`, `RecursionError`, …"""
    message: str
    line: int | None
    column: int | None = None
    text: str = ""
    """The offending source line, without its line end; "" where there is none. At most 4,096 characters."""

    @property
    def words(self) -> str:
        """`SyntaxError: invalid syntax`; of what no exception says the message alone."""
        return f"{self.error_class}: {self.message}" if self.error_class else self.message


@dataclass(frozen=True, slots=True)
class Compilation:
    """`compiles` is None without a verdict (time or memory limit, blob not there); `unjudged_reason` says why."""

    compiles: bool | None
    fault: Fault | None
    checked_by: str
    """`cpython-3.11.7` or `ruff-0.17.6`: who decided."""
    unjudged_reason: str = ""
    script: "Compilation | None" = None
    """What `python FILE` says of it, which decodes the whole file; None where it says the same as an import."""

    @property
    def as_script(self) -> "Compilation":
        """The verdict on the file that a program is started with."""
        return self.script or self


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One diagnostic of ruff's parser or of its semantic rules. `line` and `column` count from 1 (0: see `Fault`)."""

    line: int
    column: int
    message: str
    end_line: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Ruff's opinion of one source on one Python version: every error it sees, where CPython stops at the first."""

    checked_by: str
    diagnostics: tuple[Diagnostic, ...]
    """By position; a place and message only once; at most 1,000."""
    failure_reason: str = ""
    """Why there is no opinion, where ruff died or ran out of time on this source; "" otherwise."""


_LINE_END = re.compile(r"\r\n|\r|\n")


def split_source_lines(content: bytes) -> list[str]:
    """The lines of a source as CPython counts them (LF, CRLF and CR end one; a form feed does not), without line ends.

    Decoded by the PEP 263 cookie; never fails: what cannot be decoded is shown as U+FFFD.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(re.sub(rb"\r\n?", b"\n", content[:4096])).readline)
        text = content.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        text = content.decode("utf-8-sig", "replace")
    return _LINE_END.split(text)


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
