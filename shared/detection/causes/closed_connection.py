"""Tells what a closed connection means that was raised as an exception: who closed it, and on whose side.

A close code's words are the library's: `received 1011 …; then sent 1011 …` says that the other end closed first.
"""

import re
from collections.abc import Sequence

from shared.detection.causes.cause import CauseClass
from shared.detection.causes.upstream import ConnectionSide, classify_side
from shared.detection.logged_exception import LoggedException

_CLOSED = frozenset(("ConnectionClosed", "ConnectionClosedError", "ConnectionClosedOK"))
_KEEPALIVE = re.compile(
    r"keep-?alive ping (?:timeout|timed out)|ping timeout|timed out waiting for (?:keepalive )?pong", re.IGNORECASE
)
_RECEIVED = re.compile(r"^received (?P<code>\d{4})\b")
_LOST = re.compile(
    r"no close frame received(?: or sent)?|connection to remote host was lost|^code = 1006\b", re.IGNORECASE
)
_SENT = re.compile(r"^sent (?P<code>\d{4})\b")
_OLD_FORM = re.compile(r"^code = (?P<code>\d{4}) \([^()\n]{1,60}\), reason = (?P<reason>\S)")
"""websockets up to 9 names one code, whichever end closed; a reason comes from the other end, as its own pings give
none.
"""
_CODES_OF_BROWSERS = frozenset(("1000", "1001", "1005", "1006"))
"""A browser that leaves a page closes with one of these: then the other end may be a client of this service."""
_PAYLOAD_CODE, _GOING_AWAY, _RESTART_CODE = "1009", "1001", "1012"
_API_CLOSE = re.compile(r"^10(?:0[0-9]|1[0-5])\b")
_LOST_TO_UPSTREAM = frozenset(("WebSocketConnectionClosedException",))


def classify_closed_connection(link: LoggedException, chain: Sequence[LoggedException]) -> CauseClass | None:
    """The class of a link that says that a connection was closed; None for any other exception."""
    name = link.error_class.rpartition(".")[2]
    if name in _LOST_TO_UPSTREAM or (name == "APIError" and _API_CLOSE.match(link.message)):
        return CauseClass.UPSTREAM_CLOSED  # a library without a server; a live API's close code as its status
    if name not in _CLOSED:
        return None
    if _KEEPALIVE.search(link.message):
        return CauseClass.KEEPALIVE
    return _classify_by_code(link) or _classify_by_side(link, classify_side(chain))


def _classify_by_code(link: LoggedException) -> CauseClass | None:
    """What the code alone says: a message that is too large at either end, or that this end went away."""
    closed = _RECEIVED.match(link.message) or _SENT.match(link.message)
    code = closed["code"] if closed is not None else ""
    if code == _PAYLOAD_CODE:
        return CauseClass.PAYLOAD
    is_shutdown = code in {_GOING_AWAY, _RESTART_CODE} and link.message.startswith("sent")
    return CauseClass.RESTART if is_shutdown else None


def _classify_by_side(link: LoggedException, side: ConnectionSide) -> CauseClass | None:
    received = _RECEIVED.match(link.message) or (
        _OLD_FORM.match(link.message) if side is ConnectionSide.CLIENT else None
    )
    is_lost = _LOST.search(link.message) is not None
    is_lost = is_lost and not link.message.startswith("sent")
    match side:
        case ConnectionSide.SERVER:
            is_gone = received is not None or is_lost or link.error_class.endswith("OK")
            return CauseClass.CLOSED_CONNECTION if is_gone else None
        case ConnectionSide.CLIENT:
            return CauseClass.UPSTREAM_CLOSED if received is not None or is_lost else None
        case ConnectionSide.UNKNOWN if received is not None and received["code"] not in _CODES_OF_BROWSERS:
            return CauseClass.UPSTREAM_CLOSED
    return None
