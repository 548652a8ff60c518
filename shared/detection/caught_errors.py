"""Finds errors that a handler caught and logged by their message alone: `Connection error: name 'x' is not defined`.

Only CPython's own messages about names, attributes, imports and calls count, at the end of what was logged. Where the
logger says which line of the code logged it, that line must bear the words out before anything is proven; without a
line the class is known, and no place.
"""

import re
from collections.abc import Iterator, Sequence

from shared.detection.entry import LogEntry
from shared.detection.logged_exception import Frame, LoggedException, is_logged_error
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
_STATED_MESSAGES: Sequence[tuple[str, re.Pattern[str]]] = (
    *_MESSAGES,
    ("ModuleNotFoundError", re.compile(r"No module named '[\w.]{1,200}'")),
    (
        "ImportError",
        re.compile(
            r"cannot import name '\w{1,200}' from (?:partially initialized module )?'[\w.]{1,200}'"
            r"(?: \([^()\n]{1,300}\)){0,2}"
        ),
    ),
)
_MAY_STATE = ("is not defined", "has no attribute '", "argument", "' object is not ", "can't be used in 'await'",
              "associated with a value", "before assignment", "No module named '", "cannot import name '")  # fmt: skip
_END = re.compile(r"(?:\. Did you mean: '[^'\n]{1,100}'\?)?[.)\s]*$")
_BEFORE = re.compile(r"(?:^|[:\-–|(>\]] ?)$")
_PLACE = re.compile(r"(?P<path>[^\s:]{1,300}):(?P<line>\d{1,9}) ?(?P<function>[\w.<>]{0,200})")
_LOGURU_PLACE = re.compile(
    r"\| {0,3}(?:ERROR|CRITICAL|WARNING) {0,8}\| {0,3}(?P<path>[A-Za-z_][\w.]{0,200}):(?P<function>[\w<>]{1,100})"
    r":(?P<line>\d{1,9}) {0,3}- "
)
"""`2026-03-01 03:43:43.123 | ERROR    | harbour.main:socket:88 - `"""
_FAILURE_SEVERITIES = frozenset(("", "DEFAULT", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"))
_ERROR_SEVERITIES = _FAILURE_SEVERITIES - {"", "DEFAULT"}
IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError"))
"""Their messages are no sentence that a user writes: as an error alone on its line they are the error's own."""
_SEVERITIES = frozenset(("", "DEFAULT", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"))
_MAX_LINE_LENGTH = 1_000


def find_caught_error(entry: LogEntry) -> LoggedException | None:
    """The error, with the place that logged it as its only frame; None where the entry shows none."""
    if entry.severity not in _SEVERITIES or not _may_state(entry):
        return None
    address = _PLACE.fullmatch(entry.logged_at) or _LOGURU_PLACE.search(entry.text[:_MAX_LINE_LENGTH])
    if address is None or address["path"] == "__main__":
        return None
    for _, error_class, message in _find_messages(entry, _MESSAGES):
        return LoggedException(error_class, message, (_read_frame(address),))
    return None


def find_stated_error(entry: LogEntry) -> LoggedException | None:
    """The error without any place, where a logger's own words lead to its message; None where the entry shows none."""
    if entry.severity not in _FAILURE_SEVERITIES or not _may_state(entry):
        return None
    for before, error_class, message in _find_messages(entry, _STATED_MESSAGES):
        is_import_alone = entry.severity in _ERROR_SEVERITIES and error_class in IMPORT_ERRORS
        if is_logged_error(before) if before.strip() else is_import_alone:
            return LoggedException(error_class, message)
    return None


def _may_state(entry: LogEntry) -> bool:
    """False where no message of an error is found; costs next to nothing."""
    return any(words in entry.text for words in _MAY_STATE)


def _find_messages(entry: LogEntry, messages: Sequence[tuple[str, re.Pattern[str]]]) -> Iterator[tuple[str, str, str]]:
    """What comes before each message that ends one of the first lines, its class, and the message."""
    lines = [line for line in strip_markup(entry.text[: 4 * _MAX_LINE_LENGTH]).splitlines() if line.strip()]
    for line in reversed(lines[:3]):
        words = line[-_MAX_LINE_LENGTH:].rstrip()
        for error_class, pattern in messages:
            for match in pattern.finditer(words):
                if _END.match(words, match.end()) and _BEFORE.search(words[: match.start()]):
                    yield words[: match.start()], error_class, match.group(0)


def _read_frame(address: re.Match[str]) -> Frame:
    path = address["path"] if address["path"].endswith((".py", ".pyw")) else address["path"].replace(".", "/") + ".py"
    return Frame(path, int(address["line"]), address["function"], is_handler=True)
