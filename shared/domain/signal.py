"""A log entry becomes a signal, or is refused with a named reason."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.entry import LogEntry


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
