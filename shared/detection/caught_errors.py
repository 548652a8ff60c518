"""Finds errors that a handler caught and logged by their message alone: `Connection error: name 'x' is not defined`.

Only CPython's own messages about names, attributes and calls count, at the end of what was logged, and only where the
logger says which line of the code logged it: that line must bear the words out before anything is proven.
"""

import re
from collections.abc import Sequence

from shared.detection.entry import LogEntry
from shared.detection.logged_exception import Frame, LoggedException
from shared.text.escaping import strip_markup

_MESSAGES: Sequence[tuple[str, re.Pattern[str]]] = (
    ("NameError", re.compile(r"name '\w{1,200}' is not defined")),
    (
        "UnboundLocalError",
        re.compile(
            r"cannot access local variable '\w{1,200}' where it is not associated with a value"
            r"|local variable '\w{1,200}' referenced before assignment"
        ),
    ),
    (
        "AttributeError",
        re.compile(r"(?:(?:type object|module) )?'[\w.]{1,200}'(?: object)? has no attribute '\w{1,200}'"),
    ),
    (
        "TypeError",
        re.compile(
            r"[\w.<>]{1,200}\(\) (?:got an unexpected keyword argument '\w{1,200}'"
            r"|got multiple values for argument '\w{1,200}'"
            r"|missing \d{1,3} required (?:positional|keyword-only) arguments?: [\w', ]{1,300}"
            r"|takes (?:from )?\d{1,3}(?: to \d{1,3})? positional arguments? but \d{1,3} (?:was|were) given)"
            r"|object [\w.]{1,200} can't be used in 'await' expression"
            r"|'[\w.]{1,200}' object is not (?:callable|subscriptable|iterable)"
        ),
    ),
)
_END = re.compile(r"(?:\. Did you mean: '[^'\n]{1,100}'\?)?[.)\s]*$")
_BEFORE = re.compile(r"(?:^|[:\-–|(>\]] ?)$")
_PLACE = re.compile(r"(?P<path>[^\s:]{1,300}):(?P<line>\d{1,9}) ?(?P<function>[\w.<>]{0,200})")
_SEVERITIES = frozenset(("", "DEFAULT", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"))
_MAX_LINE_LENGTH = 1_000


def find_caught_error(entry: LogEntry) -> LoggedException | None:
    """The error, with the place that logged it as its only frame; None where the entry shows none."""
    address = _PLACE.fullmatch(entry.logged_at)
    if address is None or entry.severity not in _SEVERITIES:
        return None
    lines = [line for line in strip_markup(entry.text).splitlines() if line.strip()]
    for line in reversed(lines[:3]):
        words = line[-_MAX_LINE_LENGTH:].rstrip()
        for error_class, pattern in _MESSAGES:
            for match in pattern.finditer(words):
                if _END.match(words, match.end()) and _BEFORE.search(words[: match.start()]):
                    return LoggedException(error_class, match.group(0), (_read_frame(address),))
    return None


def _read_frame(address: re.Match[str]) -> Frame:
    path = address["path"] if address["path"].endswith((".py", ".pyw")) else address["path"].replace(".", "/") + ".py"
    return Frame(path, int(address["line"]), address["function"], is_handler=True)
