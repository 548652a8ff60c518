"""The reminder of a question that nobody has answered, and how long a snooze puts it off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SNOOZE_PERIOD = timedelta(hours=1)
"""How long one press of the button puts the next reminder off."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """In plain text: redacted and cut; the adapters escape it and lay it out."""

    marker: str
    """Finds it again, and lets a pager take a second copy for the first."""
    title: str
    """That of the question, with its impact."""
    asked_at: datetime
    expires_at: datetime
    issue_url: str = ""
