"""Parses one JSON object of a log into a `LogEntry`; a field of the wrong type counts as absent.

The object is a `LogEntry` of Cloud Logging as `gcloud logging read --format=json` and log sinks write it
(https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry), or the object that a service printed itself.
Service, revision and instance come from where the platform sets them, never from text.

An entry of more than 256 KB comes from Cloud Logging as several objects, each with the same `split.uid`, and the text
of the first part goes on in the next (https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logsplit).
They are put together first. What waits is bounded: of too many or too large parts each is returned as it came.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.adapters.logs.json_payload import read_payload
from shared.detection.connections import find_named_fields
from shared.detection.entry import LogEntry
from shared.text.escaping import MAX_TEXT_LENGTH, truncate_middle

_MAX_WAITING = 64
_MAX_PARTS = 1_000
_MAX_CHARACTERS = 32_000_000
"""Of all texts that wait."""


@dataclass(slots=True)
class _Parts:
    """What has come of one entry."""

    total: int
    objects: dict[int, Mapping[str, object]] = field(default_factory=dict)


class SplitEntries:
    """The parts of one log that wait for others of the same entry."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Parts] = {}
        self._characters = 0

    def add(self, value: object) -> Iterator[object]:
        """What is whole by now: the object itself, the entry of which it was the last part, or nothing yet."""
        part = _read_part(value)
        if part is None or not isinstance(value, Mapping):
            yield value
            return
        uid, index, total = part
        parts = self._waiting.setdefault(uid, _Parts(total))
        if index not in parts.objects:  # a part that comes again says nothing new
            parts.objects[index] = _shorten(value)
            self._characters += len(str(parts.objects[index]["textPayload"]))
        if len(parts.objects) == parts.total:
            yield self._release(uid)
        while len(self._waiting) > _MAX_WAITING or self._characters > _MAX_CHARACTERS:
            yield self._release(next(iter(self._waiting)))

    def finish(self) -> Iterator[object]:
        """Entries of which a part never came: the parts that did."""
        while self._waiting:
            yield self._release(next(iter(self._waiting)))

    def _release(self, uid: str) -> Mapping[str, object]:
        parts = self._waiting.pop(uid)
        self._characters -= sum(len(str(value["textPayload"])) for value in parts.objects.values())
        return _join(parts)


def _read_part(value: object) -> tuple[str, int, int] | None:
    """The entry's id, which part of it this is, and how many there are; None for an entry that is whole."""
    split = value.get("split") if isinstance(value, Mapping) else None
    if (
        not isinstance(split, Mapping)
        or not isinstance(value, Mapping)
        or not isinstance(value.get("textPayload"), str)
    ):
        return None
    uid, index, total = split.get("uid"), split.get("index", 0), split.get("totalSplits")
    if not isinstance(uid, str) or not uid or not isinstance(index, int) or not isinstance(total, int):
        return None
    return (uid, index, total) if 0 <= index < total <= _MAX_PARTS and total > 1 else None


def _shorten(value: Mapping[str, object]) -> Mapping[str, object]:
    """A part with so much of its text at both ends as is kept of any text."""
    text = value["textPayload"]
    if not isinstance(text, str) or len(text) <= 2 * MAX_TEXT_LENGTH:
        return value
    return {**value, "textPayload": f"{text[:MAX_TEXT_LENGTH]}\n{text[-MAX_TEXT_LENGTH:]}"}


def _join(parts: _Parts) -> Mapping[str, object]:
    """The first part, with the texts of all."""
    objects = [parts.objects[index] for index in sorted(parts.objects)]
    return {**objects[0], "textPayload": "".join(str(value["textPayload"]) for value in objects)}


_LOGGER_KEYS = frozenset(("message", "msg", "body", "event", "exception", "attributes", "stack_trace"))
"""Of a logger's own objects, which may have a `resource` or an `httpRequest` as well (OpenTelemetry, Google's)."""
_ENVELOPE = frozenset(("textPayload", "jsonPayload", "protoPayload", "logName", "insertId", "resource", "httpRequest"))
_SERVICE_LABELS = ("service_name", "function_name", "job_name", "module_id", "container_name")
_REVISION_LABELS = ("revision_name", "version_id")
_REQUEST_LABELS = ("request_id", "requestId", "request-id", "x-request-id", "id", "connection_id", "connectionId")
_BUILD_LABELS = ("gcb-build-id", "gcb-trigger-id")
_LEVEL_KEYS = ("severity", "level", "levelname", "log_level")
_TIME_KEYS = ("timestamp", "receiveTimestamp", "time", "asctime", "ts", "timestamp_utc", "@timestamp")
_LEVELS = {"WARN": "WARNING", "ERR": "ERROR", "FATAL": "CRITICAL", "CRIT": "CRITICAL", "PANIC": "CRITICAL"}
_SOURCE_LOCATION = "logging.googleapis.com/sourceLocation"
_MAX_ID_LENGTH = 200
_COMMIT = re.compile(r"[0-9a-f]{7,64}")

_ESCAPED_LINES = re.compile(r"\\n[\s|]{0,40}(?:File \\*\"|Traceback \(|[\w.]{0,80}(?:Error|Exception)\b)|\):\\n")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "", '"': '"', "'": "'", "\\": "\\", "/": "/"}


def read_location(value: Mapping[str, object]) -> str:
    """The region in which the platform runs the service of an entry, "" where it does not say."""
    return _get_text(_get_mapping(_get_mapping(value, "resource"), "labels"), "location")


def parse_json_entry(value: object, position: int) -> LogEntry:
    """Never raises because of what the value holds."""
    if not isinstance(value, Mapping):
        return LogEntry(position=position, text="")
    resource, labels = _get_mapping(value, "resource"), _get_mapping(value, "labels")
    platform = _get_mapping(resource, "labels")
    log_name = _get_text(value, "logName")
    return LogEntry(
        position=position,
        text=truncate_middle(_read_payload_text(value)),
        timestamp=_read_time(value),
        severity=normalise_severity(_get_first_text(value, _LEVEL_KEYS)),
        log_name=log_name,
        insert_id=_get_text(value, "insertId"),
        project=_get_text(platform, "project_id") or _parse_project(log_name),
        service=_get_first_text(platform, _SERVICE_LABELS),
        revision=_get_first_text(platform, _REVISION_LABELS),
        instance=_get_text(labels, "instanceId"),
        trace=_get_text(value, "trace")[:_MAX_ID_LENGTH],
        span=_get_text(value, "spanId")[:_MAX_ID_LENGTH],
        request=(
            _get_first_text(labels, _REQUEST_LABELS)
            or _get_first_text(_get_mapping(value, "httpRequest"), _REQUEST_LABELS)
        )[:_MAX_ID_LENGTH],
        connection=find_named_fields(_get_payload(value)),
        commit=_read_commit_label(_get_text(labels, "commit-sha")),
        logged_at=_find_place(value),
        build=" ".join(f"{key} {labels[key]}"[:_MAX_ID_LENGTH] for key in _BUILD_LABELS if _get_text(labels, key)),
    )


def normalise_severity(name: str) -> str:
    """A severity in the words of Cloud Logging."""
    name = name.strip().upper()[:20]
    return _LEVELS.get(name, name)


def unescape_lines(text: str) -> str:
    """A traceback whose line ends were escaped twice, with real ones; any other text as it is."""
    if "\\n" not in text or "\n" in text or not _ESCAPED_LINES.search(text):
        return text
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match.group(1), match.group(0)), text)


def parse_rfc3339(text: str) -> datetime | None:
    """An RFC 3339 time with any number of decimals, in UTC; None where it is none. Without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(text.strip().replace(",", "."))
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read_payload_text(value: Mapping[str, object]) -> str:
    text = _get_text(value, "textPayload")
    if text or "protoPayload" in value:
        return unescape_lines(text or _read_platform_message(value))
    payload = value.get("jsonPayload")
    if isinstance(payload, str):
        return unescape_lines(_strip_surrogates(payload))
    if isinstance(payload, Mapping):
        return _join_pieces(read_payload(payload))
    return "" if _is_envelope(value) else _join_pieces(read_payload(value))


def _get_payload(value: Mapping[str, object]) -> Mapping[str, object]:
    """What the program itself logged as an object."""
    payload = _get_mapping(value, "jsonPayload")
    return payload if payload or _is_envelope(value) else value


def _is_envelope(value: Mapping[str, object]) -> bool:
    """Whether an object is the platform's entry without a payload, and not what a service's logger writes."""
    if "logName" in value:
        return True
    return bool(_ENVELOPE & value.keys()) and not _LOGGER_KEYS & value.keys()


def _read_platform_message(value: Mapping[str, object]) -> str:
    """What the platform's own log says of a service or a revision."""
    if not _get_text(value, "logName").endswith("cloudaudit.googleapis.com%2Fsystem_event"):
        return ""
    return _get_text(_get_mapping(_get_mapping(value, "protoPayload"), "status"), "message")


def _read_commit_label(label: str) -> str:
    """A commit's id, in small letters; "" for anything else."""
    commit = label.strip().lower()
    return commit if _COMMIT.fullmatch(commit) else ""


def _join_pieces(pieces: Iterator[str]) -> str:
    """The pieces on lines of their own, each text once: a stack often begins with the message."""
    texts: list[str] = []
    for piece in pieces:
        text = unescape_lines(_strip_surrogates(piece))
        if not text.strip() or any(text.strip() in other for other in texts):
            continue
        texts = [other for other in texts if other.strip() not in text]
        texts.append(text)
    return "\n".join(texts)


def _read_time(value: Mapping[str, object]) -> datetime | None:
    for key in _TIME_KEYS:
        time = value.get(key)
        if isinstance(time, str):
            parsed = parse_rfc3339(time)
        else:
            seconds = time.get("seconds") if isinstance(time, Mapping) else time
            parsed = _parse_epoch_time(seconds)
        if parsed is not None:
            return parsed
    return None


def _parse_epoch_time(seconds: object) -> datetime | None:
    try:
        number = float(seconds) if isinstance(seconds, int | float | str) and not isinstance(seconds, bool) else 0.0
        return datetime.fromtimestamp(number, UTC) if number > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _parse_project(log_name: str) -> str:
    """`projects/<project>/logs/…`."""
    parts = log_name.split("/", 2)
    return parts[1] if len(parts) > 2 and parts[0] == "projects" else ""


def _get_mapping(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    member = value.get(key)
    return member if isinstance(member, Mapping) else {}


def _get_text(value: Mapping[str, object], key: str) -> str:
    member = value.get(key)
    return _strip_surrogates(member) if isinstance(member, str) else ""


def _get_first_text(value: Mapping[str, object], keys: tuple[str, ...]) -> str:
    return next((text for key in keys if (text := _get_text(value, key))), "")


def _strip_surrogates(text: str) -> str:
    """Without half surrogate pairs, which JSON can spell and no encoding can write."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _find_place(value: Mapping[str, object]) -> str:
    """`path:line function` of the call that logged an entry, as loggers name it; "" where none does."""
    payload = _get_mapping(value, "jsonPayload") or value
    nested = (_get_mapping(payload, key) for key in ("labels", "extra", "record", "source", _SOURCE_LOCATION))
    for address in (_get_mapping(value, "sourceLocation"), payload, *nested):
        path = _get_first_text(address, ("pathname", "file", "filename", "module"))
        line = next((str(address[key]) for key in ("line", "lineno", "lineNumber") if key in address), "")
        function = _get_first_text(address, ("function", "funcName", "func"))
        if path and function and line.isdigit():
            return f"{path} "[:300].strip() + f":{line} {function[:200]}"
    return ""
