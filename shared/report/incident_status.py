"""How an incident stands, for the one part of its issue that is edited: words and moments in, Markdown out.

The part lies between two marks, so that it is replaced and nothing else is: what people wrote, and ticked, stays.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.text.escaping import truncate, escape_markdown
from shared.text.phrases import join_words
from shared.text.timestamps import format_timestamp

_OPEN, _TICKED = "- [ ] ", "- [x] "
_BEGIN, _END = "<!-- provenfix:state -->", "<!-- /provenfix:state -->"
LONGEST_BODY = 65_536
"""Characters; GitHub refuses a longer body."""
_LONGEST = 900
_TWO_MINUTES, _TWO_HOURS = timedelta(minutes=2), timedelta(hours=2)

Milestone = tuple[str, datetime]
"""`("approved", when)`; the first one says when it was first logged."""


def state_part(now: str, *, urgent: bool, since: Sequence[Milestone], hint: str = "", state: str = "") -> str:
    """Markdown between its marks. `now`, `hint`: sentences of plain text. Urgent is what waits for a person.

    `state` is the name of what `now` says, for programs: it stands hidden above; "" for none.
    """
    lines = [escape_markdown(truncate(now, _LONGEST)), passed(since), f"<sub>{escape_markdown(hint)}</sub>" if hint else ""]
    shown = "\n>\n".join(f"> {line}" for line in lines if line)
    hidden = f"{stands(state)}\n" if state else ""
    return f"{_BEGIN}\n{hidden}> [!{'IMPORTANT' if urgent else 'NOTE'}]\n{shown}\n{_END}"


def stands(state: str) -> str:
    """The hidden line of the part that names the state which it tells of."""
    return f"<!-- provenfix:stands={state} -->"


def passed(milestones: Sequence[Milestone]) -> str:
    """`First logged at 2026-05-12T03:43:43Z; counted from then, detected after 15 s.`; "" for none."""
    if not milestones:
        return ""
    (_, first), *later = milestones
    steps = [f"{name} after {_lasted(at - first)}" for name, at in later]
    return f"First logged at {format_timestamp(first, dated=True)}{f'; counted from then, {join_words(steps)}' if steps else ''}."


def replaced(body: str, part: str) -> str | None:
    """The body with its part replaced; None where it has none any more, or where the whole would be too long."""
    before, begin, rest = body.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    whole = f"{before}{part}{after}"
    return whole if begin and end and len(whole) <= LONGEST_BODY else None


def with_ticks(old: str, new: str) -> str:
    """The new body, with what people have ticked in the old one."""
    ticked = {line.strip().removeprefix(_TICKED) for line in old.splitlines() if line.strip().startswith(_TICKED)}
    return "\n".join(
        f"{_TICKED}{words}" if line.startswith(_OPEN) and (words := line.removeprefix(_OPEN)) in ticked else line
        for line in new.split("\n")
    )


def carries(text: str, marker: str) -> bool:
    """Whether a text begins with a marker: a line of its own above the first heading, where only its author writes."""
    return marker in (line.strip() for line in above(text).splitlines())


def above(text: str) -> str:
    """What stands before the first heading."""
    return f"\n{text}".partition("\n## ")[0]


def _lasted(time: timedelta) -> str:
    seconds = max(0, round(time.total_seconds()))
    if time < _TWO_MINUTES:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if time < _TWO_HOURS else f"{minutes // 60} h {minutes % 60} min"
