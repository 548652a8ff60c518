"""Reads a log entry: returns the signal that it is, or the named reason why it is none, and never raises.

The text of an entry is untrusted. It only says what *may* have failed; compiling the file decides.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.detection.close_code import CloseKind, detect_close_1011, may_show_close_code
from shared.detection.cpython_messages import find_bare_messages, find_cpython_error_class, may_show_bare_message
from shared.detection.entry import LogEntry
from shared.detection.failed_start import detect_failed_start, may_show_failed_start
from shared.detection.line_prefixes import strip_line_prefixes
from shared.detection.logged_exception import TRACEBACK_HEADER
from shared.detection.syntax_errors import SyntaxErrorMention, find_mentions, find_python_version, mentions_syntax_error
from shared.detection.websocket_exception import find_websocket_exception, may_show_websocket_exception
from shared.text.escaping import strip_markup


class SignalKind(StrEnum):
    """What an entry says."""

    SYNTAX_ERROR = "syntax_error"
    CLOSE_1011 = "close_1011"
    FAILED_START = "failed_start"
    """A revision that does not start: the platform or the server says so, or a traceback from the start file."""
    KEEPALIVE_TIMEOUT = "keepalive_timeout"
    DYNAMIC_CODE = "dynamic_code"
    DEPENDENCY = "dependency"
    NOT_PYTHON = "not_python"
    FOUND_BY_CHECK = "found_by_check"
    """What no entry says: the check of a deployed commit has found that a line of it fails."""
    FOLLOW_ON_ERROR = "follower"
    """An error that follows from another signal of its revision; only ever a symptom."""


class SkipReason(StrEnum):
    """Why an entry is no signal."""

    NO_TEXT = "no_text"
    NO_SIGNAL = "no_signal"
    REQUEST_LOG = "request_log"
    AUDIT_LOG = "audit_log"
    NO_FAILING_FILE = "no_failing_file"
    """It names a syntax error and no file; entries beside it may."""
    ONLY_MENTIONED = "mentioned"
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
    """The class of the exception that the entry shows: of a syntax error, of a start that failed, of a WebSocket's
    end; "" where only a sentence or a close code was logged."""
    path: str = ""
    """As logged: absolute, relative, or a bare file name."""
    line: int | None = None
    message: str = ""
    """The exception's message without its class and without `(file, line N)`."""
    source_text: str = ""
    """The offending source line as the traceback quotes it, stripped."""
    python: str = ""
    """Minor version such as `3.11`, where the traceback's own library paths show it."""
    close_kind: CloseKind | None = None
    """For a close: which end closed first, as far as the text says."""


_DATABASE_MODULE = re.compile(
    r"psycopg|asyncpg|sqlalchemy|pg8000|mysql|sqlite|oracle|pyodbc|duckdb|clickhouse|postgres|(?:^|\.)errors$",
    re.IGNORECASE,
)
_DEPENDENCY_PATH = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|/lib(?:64)?/(?:python|pypy)\d(?:\.\d{1,2})?/|^python\d[\d.]*\.zip/"
)
_FOREIGN_FILE = re.compile(r"\.(?:[cm]?jsx?|[cm]?tsx?|rb|php|json|html?|vue)$", re.IGNORECASE)
_JAVASCRIPT_MESSAGE = re.compile(
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
_ROOT_ORDER = (SignalKind.SYNTAX_ERROR, SignalKind.DEPENDENCY, SignalKind.DYNAMIC_CODE, SignalKind.NOT_PYTHON)


def read_signal(entry: LogEntry) -> Signal | SkipReason:
    """What one entry says on its own."""
    log = entry.log_name
    if log.endswith(("run.googleapis.com%2Frequests", "run.googleapis.com/requests")):
        return SkipReason.REQUEST_LOG
    if "cloudaudit.googleapis.com" in log:
        return _read_failed_start(entry, entry.text) or SkipReason.AUDIT_LOG
    if not entry.text:
        return SkipReason.NO_TEXT
    if not may_show_signal(entry.text):
        return SkipReason.NO_SIGNAL
    text = strip_line_prefixes(strip_markup(entry.text))
    of_syntax = mentions_syntax_error(text) or may_show_bare_message(text)
    read = _read_syntax_signal(entry, text) if of_syntax else SkipReason.NO_SIGNAL
    if isinstance(read, Signal):
        return read
    of_number = may_show_close_code(text)
    signal = _read_close_signal(entry, text) if of_number else None
    signal = signal or _read_websocket_exception(entry, text)
    if signal is None and read is not SkipReason.NO_FAILING_FILE:
        signal = _read_failed_start(entry, text)
    return signal or (_find_specific_reason(read) if of_number else read)


def may_show_signal(text: str) -> bool:
    """False where `read_signal` finds nothing in a text; costs next to nothing."""
    return (
        may_show_close_code(text)
        or mentions_syntax_error(text)
        or may_show_bare_message(text)
        or may_show_websocket_exception(text)
        or may_show_failed_start(text)
    )


def _read_websocket_exception(entry: LogEntry, text: str) -> Signal | None:
    exception = find_websocket_exception(text)
    if exception is None:
        return None
    message = f"{exception.error_class}: {exception.message}"
    return Signal(
        SignalKind.CLOSE_1011, entry, error_class=exception.error_class, message=message, close_kind=CloseKind.EXCEPTION
    )


def _read_failed_start(entry: LogEntry, text: str) -> Signal | None:
    failed = detect_failed_start(text) if may_show_failed_start(text) else None
    if failed is None:
        return None
    exception, location = failed.exception, failed.location
    return Signal(
        SignalKind.FAILED_START,
        entry,
        error_class=exception.error_class if exception else "",
        path=location.path if location else "",
        line=location.line if location else None,
        message=failed.message,
        source_text=location.source_text if location else "",
        python=find_python_version(text) if exception else "",
    )


def _find_specific_reason(refusal: SkipReason) -> SkipReason:
    return SkipReason.NOT_A_CLOSE_CODE if refusal is SkipReason.NO_SIGNAL else refusal


def _read_close_signal(entry: LogEntry, text: str) -> Signal | None:
    closed = detect_close_1011(text)
    if closed is None:
        return None
    kind = SignalKind.KEEPALIVE_TIMEOUT if closed is CloseKind.KEEPALIVE else SignalKind.CLOSE_1011
    return Signal(kind, entry, message=_find_close_words(text)[:300].strip(), close_kind=closed)


def _find_close_words(text: str) -> str:
    """Of a text with a traceback the line that names the code, which says more than the frames above it."""
    if TRACEBACK_HEADER not in text:
        return text
    named = (line for line in text.splitlines() if may_show_close_code(line) and 'File "' not in line)
    return next(named, text)


def _read_syntax_signal(entry: LogEntry, text: str) -> Signal | SkipReason:
    signals, refusal = _read_mentions(entry, find_mentions(text))
    if not any(signal.kind is SignalKind.SYNTAX_ERROR for signal in signals):
        bare, bare_refusal = _read_mentions(entry, find_bare_messages(text))
        signals += bare
        is_vague = refusal in {SkipReason.NO_SIGNAL, SkipReason.NO_FAILING_FILE}
        refusal = bare_refusal if is_vague and bare_refusal is not SkipReason.NO_SIGNAL else refusal
    if not signals:
        return refusal
    root = _find_root_signal(signals)
    python = find_python_version(text) if root.kind in {SignalKind.SYNTAX_ERROR, SignalKind.DEPENDENCY} else ""
    return replace(root, python=python)


def _read_mentions(entry: LogEntry, mentions: Iterable[SyntaxErrorMention]) -> tuple[list[Signal], SkipReason]:
    """The signals among them, and the most specific reason of the others."""
    signals: list[Signal] = []
    refusal = SkipReason.NO_SIGNAL
    for mention in mentions:
        read = _read_mention(entry, mention)
        if isinstance(read, Signal):
            signals.append(read)
        elif refusal in {SkipReason.NO_SIGNAL, SkipReason.NO_FAILING_FILE}:
            refusal = read
    return signals, refusal


def _find_root_signal(signals: Sequence[Signal]) -> Signal:
    """The first that a redeployment could fix, in its fullest form: chained exceptions print the root first."""
    kind = min((signal.kind for signal in signals), key=_ROOT_ORDER.index)
    root, *others = (signal for signal in signals if signal.kind is kind)
    for other in others:
        if (other.error_class, other.line) != (root.error_class, root.line) or _get_file_name(
            other.path
        ) != _get_file_name(root.path):
            continue
        root = replace(
            root,
            path=max(root.path, other.path, key=len),
            message=root.message or other.message,
            source_text=root.source_text or other.source_text,
        )
    return root


def _get_file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _read_mention(entry: LogEntry, mention: SyntaxErrorMention) -> Signal | SkipReason:
    if mention.module:
        return SkipReason.DATABASE_ERROR if _DATABASE_MODULE.search(mention.module) else SkipReason.FOREIGN_ERROR
    kind = _choose_signal_kind(mention)
    if kind is None:
        return SkipReason.NO_FAILING_FILE
    if not mention.is_logged_error and kind is not SignalKind.NOT_PYTHON:
        return SkipReason.ONLY_MENTIONED
    return Signal(
        kind=kind,
        entry=entry,
        error_class=mention.error_class,
        path=mention.path,
        line=mention.line,
        message=mention.message,
        source_text=mention.source_text,
    )


def _choose_signal_kind(mention: SyntaxErrorMention) -> SignalKind | None:
    path = mention.path
    if path.startswith("<"):
        return SignalKind.DYNAMIC_CODE
    if path and not _FOREIGN_FILE.search(path):
        return SignalKind.DEPENDENCY if _DEPENDENCY_PATH.search(path) else SignalKind.SYNTAX_ERROR
    if path or _is_javascript(mention):
        return SignalKind.NOT_PYTHON
    return None


def _is_javascript(mention: SyntaxErrorMention) -> bool:
    """No message of CPython's own is taken for another language's, however much of it the two share."""
    of_javascript = _JAVASCRIPT_MESSAGE.search(mention.message) is not None
    return (
        (of_javascript and not find_cpython_error_class(mention.message))
        or _JAVASCRIPT_FRAME.search(mention.after) is not None
        or _JAVASCRIPT_FILE.search(mention.before) is not None
    )
