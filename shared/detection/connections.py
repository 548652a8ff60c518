"""Names the connection for which an entry was logged: trace, request, task, connection id, client address and port."""

import re

from shared.detection.entry import LogEntry
from shared.detection.logged_exception import TRACEBACK_HEADER

_MAX_LENGTH = 1_000
_TASK = re.compile(r"\bTask-\d{1,9}\b")
_CONNECTION_ID = re.compile(
    r"\b(?P<what>connection|conn|request|req|session|socket|ws|websocket|client|call|stream)[_-]?(?:[iI]d|ID)[\"']?"
    r"(?:=|: ?|\"\: ?)[\"']?(?P<value>[A-Za-z0-9][A-Za-z0-9_.:\-]{0,79})"
)
_CLIENT_LINE = re.compile(r"\b(?:client|peer|remote|websocket)\b", re.IGNORECASE)
_OUTGOING_LINE = re.compile(r"connect call|connecting to|could not connect|cannot connect", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?<![\d.:])(?P<ip>\d{1,3}(?:\.\d{1,3}){3})(?::|', |\", )(?P<port>\d{4,5})(?!\d)"
    r"|\[(?P<ip6>[0-9a-fA-F:]{3,45})\]:(?P<port6>\d{4,5})(?!\d)"
)


def find_request_ids(entry: LogEntry) -> frozenset[str]:
    """What the platform, or a label, says of the request or the connection."""
    trace = entry.trace or entry.span
    return frozenset(f"{kind} {value}" for kind, value in (("trace", trace), ("request", entry.request)) if value)


def find_connection_ids(entry: LogEntry) -> frozenset[str]:
    """`kind value` for each name of the connection, those in the text included."""
    text = entry.text[:_MAX_LENGTH].partition(TRACEBACK_HEADER)[0]
    return find_request_ids(entry) | _ids_in_text(text)


def _ids_in_text(text: str) -> frozenset[str]:
    ids = {f"task {match[0]}" for match in _TASK.finditer(text)}
    ids |= {f"{match['what']} id {match['value']}" for match in _CONNECTION_ID.finditer(text)}
    for line in text.splitlines():
        if _CLIENT_LINE.search(line) and not _OUTGOING_LINE.search(line):
            ids |= {
                f"client {match['ip'] or match['ip6']}:{match['port'] or match['port6']}"
                for match in _ADDRESS.finditer(line)
            }
    return frozenset(ids)


def are_different_connections(first: frozenset[str], second: frozenset[str]) -> bool:
    """Whether both name a connection in the same way, and not the same one."""
    if first & second:
        return False
    return bool({name.rpartition(" ")[0] for name in first} & {name.rpartition(" ")[0] for name in second})
