"""A log entry becomes a signal, or is refused with a named reason.

In: a decoded `LogEntry`, whose text anybody may have written. Out: a `Signal` or a `Refusal`, and never an exception.
The text only ever says what *may* have failed; whether it is so is decided by compiling the file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.detection.close_code import Closed, close_1011
from shared.detection.entry import LogEntry
from shared.detection.traceback import Mention, mentions, python_of, speaks_of_syntax_error
from shared.text.markup import plain


class SignalKind(StrEnum):
    """What an entry says; only the first can ever lead to a proof."""

    SYNTAX_ERROR = "syntax_error"
    CLOSE_1011 = "close_1011"
    KEEPALIVE_TIMEOUT = "keepalive_timeout"
    DYNAMIC_CODE = "dynamic_code"
    DEPENDENCY = "dependency"
    NOT_PYTHON = "not_python"
    FOLLOWER = "follower"
    """An error that follows from another signal of its revision; only ever a symptom."""


class Refusal(StrEnum):
    """Why an entry is no signal."""

    NO_TEXT = "no_text"
    NO_SIGNAL = "no_signal"
    REQUEST_LOG = "request_log"
    AUDIT_LOG = "audit_log"
    NO_FAILING_FILE = "no_failing_file"
    """It names a syntax error and no file; entries beside it may."""
    MENTIONED = "mentioned"
    """A sentence speaks of a syntax error in a file: a commit's subject, a question, the answer of a model."""
    DATABASE_ERROR = "database_error"
    """A syntax error of SQL."""
    FOREIGN_ERROR = "foreign_error"
    """A library's own class of that name, such as a template's."""
    NOT_A_CLOSE_CODE = "not_a_close_code"
    """It holds the number 1011 as something else."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One entry, read: what failed, and where the log says it failed."""

    kind: SignalKind
    entry: LogEntry
    error_class: str = ""
    """`SyntaxError`, `IndentationError` or `TabError`; "" for a 1011 or a follower."""
    path: str = ""
    """As logged: absolute, relative, or a bare file name."""
    line: int | None = None
    message: str = ""
    """The exception's message without its class and without `(file, line N)`."""
    source_text: str = ""
    """The offending source line as the traceback quotes it, stripped."""
    python: str = ""
    """Minor version such as `3.11`, where the traceback's own library paths tell it."""
    closed: Closed | None = None
    """For a close: which end closed first, as far as the text says."""


_DATABASE = re.compile(
    r"psycopg|asyncpg|sqlalchemy|pg8000|mysql|sqlite|oracle|pyodbc|duckdb|clickhouse|postgres|(?:^|\.)errors$",
    re.IGNORECASE,
)
_DEPENDENCY = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|/lib(?:64)?/(?:python|pypy)\d(?:\.\d{1,2})?/|^python\d[\d.]*\.zip/"
)
_FOREIGN_FILE = re.compile(r"\.(?:[cm]?jsx?|[cm]?tsx?|rb|php|json|html?|vue)$", re.IGNORECASE)
_JAVASCRIPT = re.compile(
    r"(?:Unexpected (?:token|identifier|end of|string|number|reserved word|strict mode|non-whitespace|template)"
    r"|Invalid or unexpected token|missing [)\]}] (?:after|in) |Cannot use import statement outside a module"
    r"|await is only valid in |Identifier '[^'\n]{1,200}' has already been declared|Invalid regular expression"
    r"|Missing initializer in const|Invalid left-hand side|expected expression, got|Illegal return statement"
    r"|The requested module '|JSON\.parse: |Unterminated template|Invalid destructuring)"
    r"|is not valid JSON\b|in JSON at position \d",
    re.IGNORECASE,
)
_JAVASCRIPT_FRAME = re.compile(r"\n[ \t]{0,40}at [^\n]{0,300}(?::\d{1,9}:\d{1,9}\)?|\(<anonymous>\)|\(native\))")
_JAVASCRIPT_FILE = re.compile(r"\.(?:[cm]?jsx?|[cm]?tsx?|rb):\d{1,9}")
_ORDER = (SignalKind.SYNTAX_ERROR, SignalKind.DEPENDENCY, SignalKind.DYNAMIC_CODE, SignalKind.NOT_PYTHON)


def read_signal(entry: LogEntry) -> Signal | Refusal:
    """What one entry says on its own."""
    log = entry.log_name
    if log.endswith(("run.googleapis.com%2Frequests", "run.googleapis.com/requests")):
        return Refusal.REQUEST_LOG
    if "cloudaudit.googleapis.com" in log:
        return Refusal.AUDIT_LOG
    if not entry.text:
        return Refusal.NO_TEXT
    of_syntax, of_number = speaks_of_syntax_error(entry.text), "1011" in entry.text
    if not of_syntax and not of_number:
        return Refusal.NO_SIGNAL
    text = plain(entry.text)
    found = _syntax_signal(entry, text) if of_syntax else Refusal.NO_SIGNAL
    if isinstance(found, Signal) or not of_number:
        return found
    closed = _close_signal(entry, text)
    return closed if closed is not None else _more_telling(found)


def _more_telling(refusal: Refusal) -> Refusal:
    return Refusal.NOT_A_CLOSE_CODE if refusal is Refusal.NO_SIGNAL else refusal


def _close_signal(entry: LogEntry, text: str) -> Signal | None:
    closed = close_1011(text)
    if closed is None:
        return None
    kind = SignalKind.KEEPALIVE_TIMEOUT if closed is Closed.KEEPALIVE else SignalKind.CLOSE_1011
    return Signal(kind, entry, message=text[:300].strip(), closed=closed)


def _syntax_signal(entry: LogEntry, text: str) -> Signal | Refusal:
    signals: list[Signal] = []
    refusal = Refusal.NO_SIGNAL
    for mention in mentions(text):
        read = _read_mention(entry, mention)
        if isinstance(read, Signal):
            signals.append(read)
        elif refusal in {Refusal.NO_SIGNAL, Refusal.NO_FAILING_FILE}:
            refusal = read
    if not signals:
        return refusal
    root = _root(signals)
    python = python_of(text) if root.kind in {SignalKind.SYNTAX_ERROR, SignalKind.DEPENDENCY} else ""
    return replace(root, python=python)


def _root(signals: Sequence[Signal]) -> Signal:
    """The first that a redeploy could mend, told in its fullest form: chained exceptions print the root first."""
    kind = min((signal.kind for signal in signals), key=_ORDER.index)
    root, *others = (signal for signal in signals if signal.kind is kind)
    for other in others:
        if (other.error_class, other.line) != (root.error_class, root.line) or _name(other.path) != _name(root.path):
            continue
        root = replace(
            root,
            path=max(root.path, other.path, key=len),
            message=root.message or other.message,
            source_text=root.source_text or other.source_text,
        )
    return root


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _read_mention(entry: LogEntry, mention: Mention) -> Signal | Refusal:
    if mention.module:
        return Refusal.DATABASE_ERROR if _DATABASE.search(mention.module) else Refusal.FOREIGN_ERROR
    kind = _kind(mention)
    if kind is None:
        return Refusal.NO_FAILING_FILE
    if not mention.standing and kind is not SignalKind.NOT_PYTHON:
        return Refusal.MENTIONED
    return Signal(
        kind=kind,
        entry=entry,
        error_class=mention.error_class,
        path=mention.path,
        line=mention.line,
        message=mention.message,
        source_text=mention.source_text,
    )


def _kind(mention: Mention) -> SignalKind | None:
    path = mention.path
    if path.startswith("<"):
        return SignalKind.DYNAMIC_CODE
    if path and not _FOREIGN_FILE.search(path):
        return SignalKind.DEPENDENCY if _DEPENDENCY.search(path) else SignalKind.SYNTAX_ERROR
    if path or _is_javascript(mention):
        return SignalKind.NOT_PYTHON
    return None


def _is_javascript(mention: Mention) -> bool:
    return (
        _JAVASCRIPT.search(mention.message) is not None
        or _JAVASCRIPT_FRAME.search(mention.after) is not None
        or _JAVASCRIPT_FILE.search(mention.before) is not None
    )
