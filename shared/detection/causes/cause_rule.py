"""One rule by which an exception's class and message tell the class of its cause."""

import re
from dataclasses import dataclass

from shared.detection.causes.cause import CauseClass
from shared.detection.logged_exception import LoggedException


@dataclass(frozen=True, slots=True)
class CauseRule:
    """Patterns on class and message. `error_class` has to match the whole dotted name; messages are searched."""

    cause_class: CauseClass
    error_class: re.Pattern[str]
    message: re.Pattern[str] | None = None

    def fits(self, exception: LoggedException) -> bool:
        """Whether the exception is of this kind."""
        if self.error_class.fullmatch(exception.error_class) is None:
            return False
        return self.message is None or self.message.search(exception.message) is not None


def make_rule(cause_class: CauseClass, error_class: str, message: str = "") -> CauseRule:
    """`error_class`: alternatives of a dotted name's end, or of a whole name that begins with `^`."""
    name = error_class[1:] if error_class.startswith("^") else rf"(?:\w{{1,80}}\.){{0,12}}(?:{error_class})"
    return CauseRule(cause_class, re.compile(name), re.compile(message, re.IGNORECASE) if message else None)
