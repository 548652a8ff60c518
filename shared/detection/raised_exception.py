"""An exception of the log with its chain and the entry that shows it."""

import re
from dataclasses import dataclass, replace

from shared.detection.caught_errors import find_caught_error
from shared.detection.entry import LogEntry
from shared.detection.exception_chain import Chain, read_chain
from shared.detection.line_prefixes import strip_line_prefixes
from shared.detection.logged_exception import Frame, LoggedException, is_package_frame
from shared.detection.signal import Signal, SignalKind, SkipReason
from shared.text.escaping import strip_markup, truncate_middle

_MAX_KEPT_LENGTH = 4_000
_PROGRAM_ENDS = frozenset(("HaltServer", "SystemExit", "KeyboardInterrupt", "Exit"))
_HTTP_SERVER = re.compile(r"[/\\]uvicorn[/\\]protocols[/\\]http[/\\]|[/\\]django[/\\]core[/\\]handlers[/\\]")
_ROUTING_FILE = re.compile(r"[/\\](?:starlette|fastapi)[/\\]routing\.py$")
CLOSE_KINDS = frozenset((SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT))
"""Signals that a connection was closed."""
EFFECT_KINDS = frozenset((*CLOSE_KINDS, SignalKind.FAILED_START))
"""Signals of what an exception may have caused."""


@dataclass(frozen=True, slots=True)
class RaisedException:
    """An exception of the log with the entry that shows it; `syntax` says that it is a file that does not compile."""

    exception: LoggedException
    """The first link of its chain: what was raised first."""
    entry: LogEntry
    is_syntax_error: bool = False
    later_links: Chain = ()
    """What was raised while it was handled, or because of it; the last one is what was raised in the end."""

    @property
    def chain(self) -> Chain:
        """All links, the first one first."""
        return (self.exception, *self.later_links)

    @property
    def last_link(self) -> LoggedException | None:
        """What was raised in the end, where that is not the first link."""
        return self.later_links[-1] if self.later_links else None

    @property
    def location(self) -> Frame | None:
        """The deepest frame outside of installed packages of the earliest link that has one; else the first link's."""
        for link in self.chain:
            frame = link.location
            if frame is not None and not is_package_frame(frame):
                return frame
        return self.exception.location

    @property
    def class_and_path(self) -> tuple[str, str]:
        """Class of the first link, and file."""
        return self.exception.error_class, self.location.path if self.location else ""


def build_raised(chain: Chain, entry: LogEntry, *, is_syntax_error: bool = False) -> RaisedException:
    """Of a chain whose first link is the first."""
    return RaisedException(chain[0], truncate_raised_entry(entry), is_syntax_error, tuple(chain[1:]))


def read_raised(entry: LogEntry, read: Signal | SkipReason) -> RaisedException | None:
    """What an entry shows by itself; `read` is what it says as a signal."""
    own = _read_signal_chain(read) if isinstance(read, Signal) and read.kind not in EFFECT_KINDS else None
    chain = own or read_chain(strip_line_prefixes(strip_markup(entry.text)))
    if chain is None and isinstance(read, Signal) and read.error_class:
        chain = _read_signal_chain(read)
    if chain is None:
        caught = find_caught_error(entry)
        chain = (caught,) if caught is not None else None
    if chain is None or is_end_of_program(chain):
        return None
    syntax = isinstance(read, Signal) and read.kind is SignalKind.SYNTAX_ERROR
    return build_raised(chain, entry, is_syntax_error=syntax)


def is_of_http(raised: RaisedException) -> bool:
    """Whether the server's own frames show that an HTTP request raised it, and so no WebSocket."""
    return any(_is_http_frame(frame) for link in raised.chain for frame in link.frames)


def _is_http_frame(frame: Frame) -> bool:
    if _HTTP_SERVER.search(frame.path):
        return True
    return _ROUTING_FILE.search(frame.path) is not None and "(app, request)" in frame.source_text


def is_end_of_program(chain: Chain) -> bool:
    """Whether it only ends the program, for a reason that was logged before it (gunicorn's `HaltServer`)."""
    return all(link.error_class.rpartition(".")[2] in _PROGRAM_ENDS for link in chain)


def truncate_raised_entry(entry: LogEntry) -> LogEntry:
    """The entry as it is kept beside an exception."""
    if len(entry.text) <= _MAX_KEPT_LENGTH:
        return entry
    return replace(entry, text=truncate_middle(entry.text, _MAX_KEPT_LENGTH))


def _read_signal_chain(signal: Signal) -> Chain:
    frames = (Frame(signal.path, signal.line or 0),) if signal.path else ()
    return (LoggedException(signal.error_class, signal.message, frames),)
