"""Renders and replaces the status block: the one part of an issue that is edited while the incident moves.

The part is between two marks, so that it is replaced and nothing else is: what users wrote, and ticked, stays.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.report.links import format_link
from shared.text.escaping import escape_markdown, truncate
from shared.text.phrases import join_words
from shared.text.timestamps import format_timestamp

FOUND = "found"
"""The first milestone of an incident that a check has found before it was logged."""
_OPEN, _TICKED = "- [ ] ", "- [x] "
_BEGIN, _END = "<!-- provenfix:state -->", "<!-- /provenfix:state -->"
MAX_BODY_LENGTH = 65_536
"""Characters; GitHub refuses a longer body."""
_MAX_STATUS_LENGTH = 900
_TWO_MINUTES, _TWO_HOURS = timedelta(minutes=2), timedelta(hours=2)

ReachedMilestone = tuple[str, datetime]
"""`("approved", when)`; the first one says when it was first logged."""


def render_status_block(  # noqa: PLR0913  # one for each line of the block
    status: str,
    *,
    urgent: bool,
    milestones: Sequence[ReachedMilestone],
    hint: str = "",
    state: str = "",
    runbook_url: str = "",
    commit_link: tuple[str, str] = ("", ""),
) -> str:
    """Markdown between its marks. `status` is lines of plain text, `hint` a line. Urgent is what waits for a user.

    `state` is the name of what `status` says, for programs: it is hidden above; "" for none. `runbook_url` is an
    address of the configuration. `commit_link` is a commit's short id as `status` names it between backticks, and its
    address, "" for none.
    """
    first, *further = [escape_markdown(line) for line in truncate(status, _MAX_STATUS_LENGTH).split("\n")]
    lines = [
        _link_commit(first, *commit_link),
        format_elapsed_milestones(milestones),
        *further,
        f"[Runbook](<{runbook_url}>)" if runbook_url else "",
        f"<sub>{escape_markdown(hint)}</sub>" if hint else "",
    ]
    shown = "\n>\n".join(f"> {line}" for line in lines if line)
    hidden = f"{format_state_marker(state)}\n" if state else ""
    return f"{_BEGIN}\n{hidden}> [!{'IMPORTANT' if urgent else 'NOTE'}]\n{shown}\n{_END}"


def _link_commit(markdown: str, commit: str, url: str) -> str:
    """The first code span that is the commit, as a link."""
    span = f"`{commit}`"
    return markdown.replace(span, format_link(span, url), 1) if commit and url else markdown


def format_state_marker(state: str) -> str:
    """The hidden line of the part that names the state which it reports."""
    return f"<!-- provenfix:stands={state} -->"


def format_elapsed_milestones(milestones: Sequence[ReachedMilestone]) -> str:
    """`First logged at 2026-05-12T03:43:43Z; counted from then, detected after 15 s.`; "" for none."""
    if not milestones:
        return ""
    (begin, first), *later = milestones
    steps = [f"{name} after {_format_elapsed(at - first)}" for name, at in later]
    return (
        f"{'Found by a check' if begin == FOUND else 'First logged'} at "
        f"{format_timestamp(first, dated=True)}{f'; counted from then, {join_words(steps)}' if steps else ''}."
    )


def replace_status_block(body: str, status_block: str) -> str | None:
    """The body with its part replaced; None where it has none any more, or where the whole would be too long."""
    before, begin, rest = body.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    whole = f"{before}{status_block}{after}"
    return whole if begin and end and len(whole) <= MAX_BODY_LENGTH else None


def keep_ticked_items(old: str, new: str) -> str:
    """The new body, with what users have ticked in the old one."""
    ticked = {line.strip().removeprefix(_TICKED) for line in old.splitlines() if line.strip().startswith(_TICKED)}
    return "\n".join(
        f"{_TICKED}{words}" if line.startswith(_OPEN) and (words := line.removeprefix(_OPEN)) in ticked else line
        for line in new.split("\n")
    )


def has_marker(text: str, marker: str) -> bool:
    """Whether a text begins with a marker: a line of its own above the first heading, where only its author writes."""
    return marker in (line.strip() for line in find_text_above_first_heading(text).splitlines())


def find_text_above_first_heading(text: str) -> str:
    """What comes before the first heading."""
    return f"\n{text}".partition("\n## ")[0]


def _format_elapsed(time: timedelta) -> str:
    seconds = max(0, round(time.total_seconds()))
    if time < _TWO_MINUTES:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if time < _TWO_HOURS else f"{minutes // 60} h {minutes % 60} min"
