"""A field path and an entry go in, the values that the entry has there come out, or what stands for a missing one.

Of a repeated field every element counts. A field of the payload or a label that is not there is missing: no comparison
with it holds. Any other field of a log entry has its default value.
"""

from collections.abc import Iterator, Mapping

from tests.support.logging_query.tokens import QueryError

KNOWN = frozenset(
    (
        *("logName", "resource", "timestamp", "receiveTimestamp", "severity", "insertId", "httpRequest", "labels"),
        *("metadata", "operation", "trace", "spanId", "traceSampled", "sourceLocation", "split", "errorGroups"),
        *("textPayload", "jsonPayload", "protoPayload"),
    )
)
SCALARS = frozenset(
    ("logName", "timestamp", "receiveTimestamp", "severity", "insertId", "trace", "spanId", "textPayload")
)
MOMENTS = frozenset((("timestamp",), ("receiveTimestamp",)))
COUNTS = frozenset(
    ("httpRequest", name) for name in ("status", "requestSize", "responseSize", "cacheFillBytes")
) | frozenset((("split", "index"), ("split", "totalSplits"), ("sourceLocation", "line")))
FLAGS = frozenset((("traceSampled",), ("operation", "first"), ("operation", "last"))) | frozenset(
    ("httpRequest", name) for name in ("cacheLookup", "cacheHit", "cacheValidatedWithOriginServer")
)


def field_values(path: tuple[str, ...], entry: Mapping[str, object]) -> list[object]:
    """Raises QueryError for a field that no entry can have."""
    if path[0] not in KNOWN or (len(path) > 1 and path[0] in SCALARS):
        raise QueryError(f"{'.'.join(path)} is no field of a log entry")
    values = list(_at(path, entry))
    return values if values or _may_be_missing(path) else [_default(path)]


def has_field(path: tuple[str, ...], entry: Mapping[str, object]) -> bool:
    """Whether the entry itself carries the field."""
    return bool(list(_at(path, entry)))


def scalar_leaves(value: object) -> Iterator[object]:
    """Everything that is no object and no list."""
    if isinstance(value, Mapping):
        for member in value.values():
            yield from scalar_leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from scalar_leaves(member)
    else:
        yield value


def _at(path: tuple[str, ...], value: object) -> Iterator[object]:
    if isinstance(value, list):
        for member in value:
            yield from _at(path, member)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _at(path[1:], value[path[0]])


def _may_be_missing(path: tuple[str, ...]) -> bool:
    return path[0].endswith("Payload") or "labels" in path or path[0] == "metadata"


def _default(path: tuple[str, ...]) -> object:
    if path == ("severity",):
        return "DEFAULT"
    if path in COUNTS:
        return 0
    return False if path in FLAGS else ""
