"""The exception that a log ties to an incident, as one phrase."""

from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame
from shared.text.phrases import quote_untrusted


def describe_raised_exception(incident: Incident, frame: Frame | None = None) -> str:
    """`AttributeError: no such attribute (/app/main.py, line 5, in base_url)`; "" where no exception is tied."""
    if incident.raised is None:
        return ""
    exception = incident.raised.exception
    words = ": ".join(filter(None, (quote_untrusted(exception.error_class, 80), quote_untrusted(exception.message, 200))))
    at = frame or exception.location
    if at is None:
        return words
    line = f", line {at.line}" if at.line else ""
    function = f", in {quote_untrusted(at.function, 80)}" if at.function else ""
    return f"{words} ({quote_untrusted(at.path, 200)}{line}{function})"
