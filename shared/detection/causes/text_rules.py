"""The rules by which a line of the log, without any exception, shows the class of a cause.

Such a line may be the error that the same instance logged right before a close to which no exception is tied: a handler
that catches everything logs one sentence and closes, and that sentence is all that the log says of the cause.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from shared.detection.causes.cause import CauseClass
from shared.detection.causes.configuration import find_missing_variable
from shared.detection.connections import are_different_connections, find_connection_ids
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Symptom
from shared.detection.signal import SignalKind

_MEMORY = re.compile(
    r"\bmemory limit of [\d.]{1,12} ?[KMG]i?B exceeded with |exceeded (?:hard|soft) memory limit"
    r"|instance was found to be using too much memory and was terminated"
    r"|\bout[- ]of[- ]memory: killed process|\bOOMKilled\b",
    re.IGNORECASE,
)
_RESTART = re.compile(
    r"\b(?:received|sent) 1012\b|\bcode[=: ]{1,2}1012\b|\b(?:sent|received) 1001 \(going away\)"
    r"|\bcontainer terminated on signal 15\b|\bSIGTERM\b|\bhandling signal: term\b",
    re.IGNORECASE,
)
_PAYLOAD = re.compile(
    r"\b(?:received|sent) 1009\b|\bcode[=: ]{1,2}1009\b|\bmessage too big\b|\bmessage size \d{1,12} exceeds limit"
    r"|\bpayload too large\b",
    re.IGNORECASE,
)
_SECRET_DENIED = re.compile(r"permission denied on secret\b|does not have permission to access secret", re.IGNORECASE)
_SECRET_MISSING = re.compile(r"\bsecret\b.{0,200}\b(?:was|were) not found\b", re.IGNORECASE)
_FILE_MISSING = re.compile(
    r"can't open file '[^'\n]{1,300}': \[Errno 2\]|Error loading ASGI app\. Could not import module \""
    r"|\bexec: \"[^\"\n]{1,200}\": (?:executable file not found|stat )|No such file or directory: '/(?:app|workspace)/",
    re.IGNORECASE,
)
_PROGRAM_MISSING = re.compile(
    r"(?:^|\n)(?:/\S{1,100}/)?(?:ba|da)?sh: (?:\d{1,4}|line \d{1,4}): (?:exec: )?\S{1,100}: (?:command )?not found"
    r"(?:\n|$)"
    r"|(?:^|\n)exec \S{1,200}: no such file or directory(?:\n|$)"
    r"|\bError while finding module specification for '[\w.]{1,200}' \(ModuleNotFoundError: No module named '"
)
_PACKAGE_MISSING = re.compile(
    r"/python[\d.]{0,6}: No module named (?:uvicorn|gunicorn|hypercorn|daphne|granian|fastapi|"
    r"flask|django|celery|streamlit|functions_framework)(?:\n|$)"
)
_PORT_TAKEN = re.compile(r"\[Errno 98\] [^\n]{0,200}address already in use", re.IGNORECASE)
_PLATFORM_LOGS = ("run.googleapis.com%2Fvarlog%2Fsystem", "run.googleapis.com/varlog/system")
_CLOSED_CONNECTION = re.compile(
    r"Cannot call \"(?:send|receive)\" once a (?:close|disconnect) message|after sending 'websocket\.close'"
)


def classify_text(text: str) -> CauseClass:
    """What one line says on its own; UNKNOWN where it says none."""
    head = text[:2_000]
    if find_missing_variable(head):
        return CauseClass.CONFIGURATION
    rules: Sequence[tuple[re.Pattern[str], CauseClass]] = (
        (_PAYLOAD, CauseClass.PAYLOAD),
        (_RESTART, CauseClass.RESTART),
        (_MEMORY, CauseClass.MEMORY),
        (_SECRET_DENIED, CauseClass.CREDENTIALS),
        (_SECRET_MISSING, CauseClass.CONFIGURATION),
        (_FILE_MISSING, CauseClass.IMAGE),
        (_PROGRAM_MISSING, CauseClass.IMAGE),
        (_PACKAGE_MISSING, CauseClass.DEPENDENCY),
        (_PORT_TAKEN, CauseClass.CONFIGURATION),
        (_CLOSED_CONNECTION, CauseClass.CLOSED_CONNECTION),
    )
    return next((cause_class for pattern, cause_class in rules if pattern.search(head)), CauseClass.UNKNOWN)


_REFUSED = re.compile(
    r"\bError code: 40[13]\b|\bAPI key (?:not valid|expired)|\b(?:incorrect|invalid) API key|invalid x-api-key"
    r"|password authentication failed|default credentials were not found|\bWRONGPASS\b|\bNOAUTH\b"
    r"|rejected WebSocket connection: HTTP 40[13]\b|\b40[13] (?:PERMISSION_DENIED|UNAUTHENTICATED)\b"
    r"|StatusCode\.(?:PERMISSION_DENIED|UNAUTHENTICATED)\b|\b403 Permission '",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"\[Errno (?:-2|-3|-5|101|110|111|113)\] |\bConnect call failed \(|\bError \d{1,3} connecting to \S{1,200}:\d"
    r"|\bTimeout (?:reading from|connecting to) |\bQueuePool limit of size |remaining connection slots are reserved"
    r"|sorry, too many clients already|server closed the connection unexpectedly|MySQL server has gone away"
    r"|Lost connection to MySQL server|\b429 RESOURCE_EXHAUSTED\b|\b503 UNAVAILABLE\b"
    r"|\bError code: (?:429|5\d\d)\b|overloaded_error|StatusCode\.(?:UNAVAILABLE|RESOURCE_EXHAUSTED)\b"
    r"|rejected WebSocket connection: HTTP (?:429|50[0-4])\b|couldn't get a connection after \d"
    r"|\bCannot connect to host \S{1,200}:\d",
    re.IGNORECASE,
)

_SAID_BY_PLATFORM = frozenset((CauseClass.MEMORY, CauseClass.RESTART))


def classify_message(text: str) -> CauseClass:
    """What the words of a caught error say, which were logged without its class; UNKNOWN where they say none."""
    head = text[:2_000]
    if _REFUSED.search(head):
        return CauseClass.CREDENTIALS
    if _UNREACHABLE.search(head):
        return CauseClass.BACKING_SERVICE
    cause_class = classify_text(head)
    return CauseClass.UNKNOWN if cause_class in _SAID_BY_PLATFORM else cause_class


def is_memory_line(entry: LogEntry) -> bool:
    """Whether it is the platform's own line about a lack of memory; what a service prints itself does not count."""
    is_own = not entry.log_name or entry.log_name.endswith(_PLATFORM_LOGS)
    return is_own and _MEMORY.search(entry.text[:2_000]) is not None


_MAX_AGE = timedelta(seconds=2)


def find_line_before(incident: Incident) -> Symptom | None:
    """The last such line of the instance, within two seconds; None where there is none, or the log has no times."""
    if incident.kind is not SignalKind.CLOSE_1011 or incident.candidates:
        return None
    errors = [symptom for symptom in incident.nearby if symptom.kind is SignalKind.FOLLOW_ON_ERROR]
    fitting = [
        symptom
        for symptom in errors
        if any(_is_just_before(symptom.first, sighting.first) for sighting in incident.sightings)
    ]
    return max(fitting, key=lambda symptom: (symptom.first.timestamp, symptom.first.position), default=None)


def _is_just_before(line: LogEntry, close: LogEntry) -> bool:
    if line.timestamp is None or close.timestamp is None or line.instance != close.instance:
        return False
    is_before = timedelta() <= close.timestamp - line.timestamp <= _MAX_AGE
    return is_before and not are_different_connections(find_connection_ids(line), find_connection_ids(close))
