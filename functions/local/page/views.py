"""Renders what the store holds as HTML: the templates' only way to data, and the words for every state.

Whatever a template prints is made plain first (no control, direction or zero-width characters) and escaped by Jinja.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup, escape

from functions.local.page.decision_bar import build_decision_bar
from functions.local.page.drawing import draw_timeline
from functions.local.page.incident_list import ListQuery, select_page
from functions.local.page.incident_view import IncidentList, IncidentView, read_related_entries
from functions.local.page.markdown import render_markdown
from functions.local.page.radar_view import RadarList
from functions.local.page.slack_clicks import ClickResponse, read_blocks
from functions.local.page.time_elements import format_clock_time, format_moment, format_sent_moment
from functions.local.page.timeline import build_timeline
from shared.detection.signal import SignalKind
from shared.ports import Document
from shared.proof.model.recommendation import ActionKind
from shared.proposal.state_words import INCIDENT_WORDS
from shared.proposal.states import IncidentState
from shared.report.incident_status import FOUND
from shared.text.escaping import split_code_spans, strip_invisible
from shared.text.timestamps import format_duration
from shared.workflow.records import documents
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.milestones import MILESTONE_NAMES, compute_milestones
from shared.workflow.records.proposals import PROPOSALS, derive_proposal_status, format_title
from shared.workflow.stats import MEASURED_STEPS, Stats


@dataclass(frozen=True, slots=True)
class PageState:
    """What a page shows besides the incident. `acting` is the user id that the last click was made as."""

    token: str
    people: Sequence[str]
    writable: bool
    why_not: str = ""
    acting: str = ""
    told: ClickResponse | None = None
    dialog: Mapping[str, object] | None = None
    dialog_token: str = ""
    etag: str = ""


STRANGER_USER_ID = "U0STRANGER"
"""A user of the channel who is no approver: shows that the server checks this."""
_STATE_TONES: Mapping[IncidentState, str] = {
    IncidentState.WAITING: "quiet",
    IncidentState.OPENED: "busy",
    IncidentState.UNFIXED: "attention",
    IncidentState.PROPOSED: "attention",
    IncidentState.APPROVED: "busy",
    IncidentState.DEPLOYING: "busy",
    IncidentState.TRYING: "busy",
    IncidentState.TRIED: "attention",
    IncidentState.WATCHING: "busy",
    IncidentState.RESOLVED: "good",
    IncidentState.ROLLED_BACK: "bad",
    IncidentState.FAILED: "bad",
    IncidentState.REFUSED: "bad",
    IncidentState.DENIED: "quiet",
    IncidentState.EXPIRED: "quiet",
}
_SIGNAL_LABELS: Mapping[SignalKind, str] = {
    SignalKind.SYNTAX_ERROR: "SyntaxError",
    SignalKind.CLOSE_1011: "WebSocket closed with 1011",
    SignalKind.FAILED_START: "Revision that does not start",
    SignalKind.FOUND_BY_CHECK: "Failure found by a check",
    SignalKind.KEEPALIVE_TIMEOUT: "WebSocket keepalive timeout",
    SignalKind.DYNAMIC_CODE: "Error in code made at run time",
    SignalKind.DEPENDENCY: "Error in an installed package",
    SignalKind.NOT_PYTHON: "Error that is not Python's",
    SignalKind.FOLLOW_ON_ERROR: "Error that follows from another",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in words; `tone` decides its colour."""

    words: str
    tone: str


def create_badge(state: IncidentState) -> Badge:
    """Every state has one."""
    return Badge(INCIDENT_WORDS[state].label, _STATE_TONES.get(state, "quiet"))


@dataclass(frozen=True, slots=True)
class MilestoneTime:
    """One hand of the clock; `after` is how long after the first log entry."""

    name: str
    at: datetime | None
    after: str


def list_milestone_times(record: IncidentRecord) -> list[MilestoneTime]:
    """Logged, detected, proposed, approved, deployed, verified; all counted from the first."""
    reached = compute_milestones(record)
    times = [
        MilestoneTime(name, getattr(reached, name), _format_delay(reached.time_since_logged(name), name))
        for name in MILESTONE_NAMES
    ]
    if reached.is_found_early:
        times[0] = MilestoneTime(FOUND, reached.logged, "")
    if record.ending is not IncidentState.ROLLED_BACK or record.ended_at is None:
        return times
    back = MilestoneTime("rolled back", record.ended_at, format_duration(record.ended_at - reached.logged))
    return [*times[:-1], back]  # in place of the verification, which never comes


def _format_delay(time: timedelta | None, name: str) -> str:
    return format_duration(time) if time is not None and name != MILESTONE_NAMES[0] else ""


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident of the list."""

    case: IncidentRecord
    badge: Badge
    clock: Sequence[MilestoneTime]
    active: bool


_ALL = ListQuery()


def render_incident_list(listed: IncidentList, sign: str, query: ListQuery = _ALL) -> str:
    """One page of the list: what is open first, and nothing that another incident explains."""
    shown = [record for record in listed.records if record.state is not IncidentState.ABSORBED]
    page = select_page(shown, query)
    rows = [
        IncidentRow(record, create_badge(record.state), list_milestone_times(record), record.active)
        for record in page.records
    ]
    hidden = len(listed.records) - len(shown)
    return _render_template(
        "incidents.html", listed=listed, page=page, total=len(shown), rows=rows, hidden=hidden, sign=sign
    )


def render_times(figures: Stats, sign: str) -> str:
    """How long it takes."""
    return _render_template(
        "times.html", stats=figures, steps=MEASURED_STEPS, badge=create_badge, clock=list_milestone_times, sign=sign
    )


def render_radars(radars: RadarList, sign: str) -> str:
    """What is merged and not deployed."""
    return _render_template("radar.html", radars=radars, sign=sign)


def render_incident(view: IncidentView, shown: PageState) -> str:
    """One incident."""
    events = build_timeline(view)
    proposal = PROPOSALS.decode(view.proposal) if view.proposal else None
    return _render_template(
        "incident.html",
        of=view,
        case=view.record,
        report=view.report,
        badge=create_badge(view.record.state),
        bar=build_decision_bar(view),
        clock=list_milestone_times(view.record),
        title=format_title(view.record, view.findings, proposal, derive_proposal_status(view.record)),
        shipped=_read_shipped(view),
        happenings=events,
        drawing=draw_timeline(events),
        channel=_format_channel(view),
        logged=read_related_entries(view.report),
        evidence={str(entry.get("id")): entry for entry in documents.read_parts(view.report, "evidence")},
        blocks=read_blocks(view.message),
        thread=[read_blocks(entry) for entry in view.replies],
        issue=_render_issue(view.issue),
        shown=shown,
        stranger=STRANGER_USER_ID,
        sign=shown.etag,
    )


def _format_channel(view: IncidentView) -> str:
    """`#alerts` where the configuration names the channel, else its id."""
    if view.service is not None and view.service.channel_name:
        return f"#{view.service.channel_name}"
    return documents.read_text(view.message, "channel")


def _read_shipped(view: IncidentView) -> Document:
    """What ships by what was decided, else by what is proposed; `ships` is there only for what is newer."""
    report, kind = view.report, documents.read_text(view.proposal, "kind") or documents.read_text(view.findings, "kind")
    if kind == ActionKind.TRIAL.value:
        return documents.read_part(documents.read_part(report, "trial"), "target")
    if kind != ActionKind.ROLLBACK.value:
        return documents.read_part(report, "target")
    earlier = [documents.read_part(report, name) for name in ("alternative", "rollback")]
    decided = documents.read_text(view.proposal, "commit") or documents.read_text(view.findings, "commit")
    return next(
        ({**commit, "earlier": True} for commit in earlier if documents.read_text(commit, "commit") == decided), {}
    )


def render_error(status: int, detail: str) -> str:
    """Why a request was not answered with what it asked for."""
    return _render_template("refused.html", status=status, detail=detail, sign="")


def _render_issue(issue: Document) -> Document:
    """As it would be rendered; empty where there is none."""
    if not issue:
        return {}
    comments = [render_markdown(comment) for comment in documents.read_texts(issue, "comments")]
    return {**issue, "rendered": render_markdown(documents.read_text(issue, "body")), "rendered_comments": comments}


def _render_template(template: str, **values: object) -> str:
    return _create_jinja_environment().get_template(template).render(**values)


@cache
def _create_jinja_environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=ChainableUndefined,  # keys of stored documents may be missing
        finalize=_to_plain_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": format_moment,
        "sent_moment": format_sent_moment,
        "clock_time": format_clock_time,
        "lasting": _format_duration,
        "short": _short_sha,
    }
    made.filters |= {"prose": _render_prose, "caret": _align_caret, "failing": _describe_failure}
    return made


def _describe_failure(record: IncidentRecord) -> str:
    """What an incident is about, as its name."""
    return record.error_class or _SIGNAL_LABELS[record.kind]


def _render_prose(text: str) -> Markup:
    """One paragraph; what is between backticks, and what could be a commit, is code."""
    wrapped = [
        Markup("<code>{}</code>").format(words) if is_code else escape(words)
        for words, is_code in split_code_spans(text)
    ]
    return Markup("").join(wrapped)


def _align_caret(before: str) -> str:
    """Below the column after these characters; a tab stays one, so that it is in the right place."""
    return "".join("\t" if character == "\t" else " " for character in before) + "^"


def _to_plain_text(value: object) -> object:
    """What is HTML already was made of plain text."""
    if value is None:
        return ""
    return strip_invisible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _format_duration(time: timedelta | None) -> str:
    return format_duration(time) if time is not None else "–"


def _short_sha(commit: str | None) -> str:
    return (commit or "")[:12]
