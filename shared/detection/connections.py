"""Names the connection for which an entry was logged: trace, request, task, connection id, client address and port.

In: the entry, whose text may name it, or the fields that a program logged. Out: names as `kind value`.
"""

import re
from collections.abc import Iterator, Mapping

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
_FIELD_NAME = re.compile(
    r"(?:(?P<what>connection|conn|request|req|session|socket|ws|websocket|client|call|stream|trace|correlation)"
    r"[_\-]?(?:id|ID|Id)|(?P<sid>sid)|(?:otel|dd\.)(?P<trace>trace_?id|TraceID|TraceId))"
)
_TASK_FIELDS = ("taskName", "task_name", "task", "asyncio_task")
_ADDRESS_FIELDS = (
    "client", "client_addr", "client_address", "peer", "peername", "remote", "remote_addr", "remote_address"
)  # fmt: skip
_FIELD_GROUPS = (
    "extra", "context", "ctx", "attributes", "labels", "request", "connection", "websocket", "record", "fields"
)  # fmt: skip
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/\-]{0,79}")
_MAX_FIELDS = 200


def find_named_fields(payload: Mapping[str, object]) -> tuple[str, ...]:
    """What the fields of an object that a program logged say of the connection, at its top and one level below."""
    groups = [payload, *(group for name in _FIELD_GROUPS if isinstance(group := payload.get(name), Mapping))]
    return tuple(sorted({name for group in groups for name in _read_fields(group)}))


def _read_fields(fields: Mapping[str, object]) -> Iterator[str]:
    for name, value in list(fields.items())[:_MAX_FIELDS]:
        shown = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        named = _FIELD_NAME.fullmatch(name)
        if named is not None and _VALUE.fullmatch(shown):
            yield f"{named['what'] or named['sid'] or 'trace'} id {shown}"
        elif name in _TASK_FIELDS and _TASK.fullmatch(shown):
            yield f"task {shown}"
        elif name in _ADDRESS_FIELDS:
            yield from _read_address(value)


def _read_address(value: object) -> Iterator[str]:
    """`10.0.0.7:50122`, or a list of address and port as Python's sockets give it."""
    if isinstance(value, list) and len(value) >= 2:
        value = f"{value[0]}:{value[1]}" if ":" not in str(value[0]) else f"[{value[0]}]:{value[1]}"
    match = _ADDRESS.fullmatch(value[:_MAX_LENGTH]) if isinstance(value, str) else None
    if match is not None:
        yield f"client {match['ip'] or match['ip6']}:{match['port'] or match['port6']}"


def find_request_ids(entry: LogEntry) -> frozenset[str]:
    """What the platform, or a label, says of the request or the connection."""
    trace = entry.trace or entry.span
    return frozenset(f"{kind} {value}" for kind, value in (("trace", trace), ("request", entry.request)) if value)


def find_connection_ids(entry: LogEntry) -> frozenset[str]:
    """`kind value` for each name of the connection, those in the text included."""
    text = entry.text[:_MAX_LENGTH].partition(TRACEBACK_HEADER)[0]
    return find_request_ids(entry) | frozenset(entry.connection) | _ids_in_text(text)


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
