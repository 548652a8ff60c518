"""Parses one line of a console log into a `LogEntry`: time, level and text.

Entries have no service, revision or instance: text proves none of them. A line without a time continues the one above
it and carries that one's time.
"""

import re
from datetime import UTC, datetime, time, timedelta

from shared.adapters.logs.log_json import normalise_severity, parse_rfc3339, unescape_lines
from shared.detection.entry import LogEntry
from shared.detection.incident import DATELESS_DAY
from shared.text.escaping import strip_markup

_HEAD_LENGTH = 400
_SENDER = re.compile(r"[\w.\-]{1,60} {1,30}\| ?")
"""`web-1  | ` of docker compose."""
_SYSLOG = re.compile(r"[A-Z][a-z]{2} [ \d]\d (?P<time>\d\d:\d\d:\d\d) \S{1,80} [\w.\-/]{1,60}(?:\[\d{1,9}\])?:")
_TIMESTAMP = re.compile(
    r"\[?(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T ](?P<time>\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?)"
    r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?\]?(?![\d])"
)
_ZONE = re.compile(r" ?(?:[ECMP][SD]T|CES?T|EES?T|WES?T|[IJKM]ST|AE[SD]T|NZ[SD]T|BST|HKT|SGT|MSK)\b\]?")
"""Names of time zones: several of them mean two different hours."""
_CLOCK = re.compile(r"\[?(?P<time>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\]?(?![\d:])")
_PROCESS = re.compile(r"[\w.\-]{1,60}\[[\w.\-]{1,40}\]: ")
"""`app[web.1]: ` after the time."""
_LEVELS = (
    r"DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|ERR|CRITICAL|CRIT|FATAL|ALERT|EMERGENCY|DEFAULT"
    r"|debug|info|notice|warning|warn|error|critical|fatal"
)
_LEVEL = re.compile(
    rf"(?:[|│] ?)?(?:\[\d{{1,9}}\] )?(?:\[ ?(?P<bracketed>{_LEVELS}) {{0,5}}\]|(?P<bare>{_LEVELS})(?= ?[:|│-]|\s))"
    r"(?: {0,8}[|│:-](?= |\w))?"
)
_ERROR_CODE = re.compile(r"error code\b")
_MIN_INDENTATION = 5
"""Spaces after the time from which on a line is taken for a quoted source line: one that separates, and four."""
_HALF_A_DAY = timedelta(hours=12)


class ConsoleLogReader:
    """Reads lines one after the other; remembers the time, and midnight."""

    def __init__(self) -> None:
        self._time: datetime | None = None
        self._has_date = True
        self._day = DATELESS_DAY
        self._clock: datetime | None = None
        self._is_descending = 0

    def parse_line(self, line: str, position: int) -> LogEntry:
        """Never raises because of what the line holds."""
        head = strip_markup(line[:_HEAD_LENGTH])
        begin = _skip_spaces(head, 0)
        if begin and not (head[begin : begin + 1].isdigit() or head[begin : begin + 1] == "["):
            return LogEntry(position=position, text=unescape_lines(line), timestamp=self._time, dated=self._has_date)
        sender = _SENDER.match(head, begin)
        begin = begin if sender is None else sender.end()
        rest, stamped = self._read_timestamp(head, begin)
        if not stamped and begin and sender is None:
            rest = 0
        severity = ""
        if stamped:
            process = _PROCESS.match(head, _skip_spaces(head, rest))
            rest = rest if process is None else process.end() - 1
        level = _LEVEL.match(head, _skip_spaces(head, rest))
        if level is not None and not _ERROR_CODE.match(head, level.start()):
            severity = normalise_severity(level.group("bracketed") or level.group("bare"))
            rest = level.end()
        text = head[rest:] + line[_HEAD_LENGTH:] if rest or len(head) != len(line[:_HEAD_LENGTH]) else line
        return LogEntry(
            position=position,
            text=unescape_lines(_strip_indentation(text) if stamped or severity else text),
            timestamp=self._time,
            dated=self._has_date,
            severity=severity,
        )

    def _read_timestamp(self, head: str, at: int) -> tuple[int, bool]:
        """Where the line goes on after its time, and whether it has one."""
        logged = _SYSLOG.match(head, at)
        match = _TIMESTAMP.match(head, _skip_spaces(head, logged.end()) if logged else at)
        if match is not None:
            date, clock, zone = match.group("date").replace("/", "-"), match.group("time"), match.group("zone") or ""
            read = parse_rfc3339(f"{date}T{clock}{'+00:00' if zone in {'Z', 'UTC', 'GMT'} else zone}")
            if not zone and (named := _ZONE.match(head, match.end())):
                self._time, self._has_date = (
                    None,
                    True,
                )  # ambiguous hours: no time is better than a wrong one
                return named.end(), True
            if read is not None:
                self._time, self._has_date = read, True
                return match.end(), True
        match = logged or _CLOCK.match(head, at)
        if match is None or not self._set_clock(match.group("time")):
            return at, False
        return match.end(), True

    def _set_clock(self, text: str) -> bool:
        """A time of day; more than twelve hours back means that midnight passed, unless the log runs backwards."""
        try:
            clock = datetime.combine(DATELESS_DAY, time.fromisoformat(text.replace(",", ".")), UTC)
        except ValueError:
            return False
        if self._clock is not None:
            if self._clock - clock > _HALF_A_DAY:
                self._day += timedelta(days=0 if self._is_descending > 0 else 1)
            elif clock != self._clock:
                self._is_descending += 1 if clock < self._clock else -1
        self._clock = clock
        self._time, self._has_date = self._day + (clock - DATELESS_DAY), False
        return True


def _skip_spaces(head: str, at: int) -> int:
    return at + len(head[at:]) - len(head[at:].lstrip(" \t"))


def _strip_indentation(text: str) -> str:
    """Without the spaces after time and level, unless they are the indentation of a traceback's line."""
    bare = text.lstrip(" \t")
    if len(text) - len(bare) >= _MIN_INDENTATION:
        return text[1:]
    return "  " + bare if bare.startswith('File "') and text[:1] in (" ", "\t") else bare
