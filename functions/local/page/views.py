"""What the store knows comes in, HTML goes out: the templates' only way to data, and the words for every state.

Whatever a template prints is made plain first (no control, direction or zero-width characters) and escaped by Jinja.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup, escape

from functions.local.page.beside import read_beside
from functions.local.page.clicks import Answered, blocks_of
from functions.local.page.drawing import drawn
from functions.local.page.incident_view import Dossier, Listed
from functions.local.page.markdown import rendered
from functions.local.page.timeline import happenings
from shared.detection.signal import SignalKind
from shared.ports import Document
from shared.proof.model.finding import Kind
from shared.text.escaping import split_code_spans, strip_invisible
from shared.text.timestamps import format_duration
from shared.workflow.flow import State
from shared.workflow.records import documents
from shared.workflow.records.incident_record import Case
from shared.workflow.records.milestones import NAMES, milestones
from shared.workflow.records.proposal_status import standing_of, title_of
from shared.workflow.stats import STEPS, Stats


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows besides the dossier. `acting` is the user id that the last click was made as."""

    token: str
    people: Sequence[str]
    writable: bool
    why_not: str = ""
    acting: str = ""
    told: Answered | None = None
    dialog: Mapping[str, object] | None = None
    dialog_token: str = ""
    sign: str = ""


STRANGER = "U0STRANGER"
"""Somebody who is in the channel and may not decide: shows that this is checked on the server."""

_TONES: Mapping[State, str] = {
    State.WAITING: "quiet",
    State.OPENED: "busy",
    State.UNFIXED: "attention",
    State.PROPOSED: "attention",
    State.APPROVED: "busy",
    State.DEPLOYING: "busy",
    State.WATCHING: "busy",
    State.RESOLVED: "good",
    State.ROLLED_BACK: "bad",
    State.FAILED: "bad",
    State.REFUSED: "bad",
    State.DENIED: "quiet",
    State.EXPIRED: "quiet",
}
_WORDS: Mapping[State, str] = {
    State.WAITING: "Waiting for a cause",
    State.OPENED: "Investigating",
    State.UNFIXED: "Nothing to deploy yet",
    State.PROPOSED: "Decision needed",
    State.APPROVED: "Approved",
    State.DEPLOYING: "Deploying",
    State.WATCHING: "Deployed, being watched",
    State.RESOLVED: "Verified",
    State.ROLLED_BACK: "Rolled back",
    State.FAILED: "Deployment failed",
    State.REFUSED: "Not deployed",
    State.DENIED: "Denied",
    State.EXPIRED: "Expired",
    State.REPORTED: "Reported",
    State.MUTED: "Muted",
    State.RECORDED: "Recorded",
    State.ABSORBED: "Explained by another",
}


_FAILING: Mapping[SignalKind, str] = {
    SignalKind.SYNTAX_ERROR: "SyntaxError",
    SignalKind.CLOSE_1011: "WebSocket closed with 1011",
    SignalKind.KEEPALIVE_TIMEOUT: "WebSocket keepalive timeout",
    SignalKind.DYNAMIC_CODE: "Error in code made at run time",
    SignalKind.DEPENDENCY: "Error in an installed package",
    SignalKind.NOT_PYTHON: "Error that is not Python's",
    SignalKind.FOLLOWER: "Error that follows from another",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in words; `tone` decides its colour."""

    words: str
    tone: str


def badge(state: State) -> Badge:
    """Every state has one."""
    return Badge(_WORDS[state], _TONES.get(state, "quiet"))


@dataclass(frozen=True, slots=True)
class Tick:
    """One hand of the clock; `after` is how long after the first log entry."""

    name: str
    at: datetime | None
    after: str


def clock(case: Case) -> list[Tick]:
    """Logged, detected, proposed, approved, deployed, verified; all counted from the first."""
    reached = milestones(case)
    return [Tick(name, getattr(reached, name), _after(reached.after(name), name)) for name in NAMES]


def _after(time: timedelta | None, name: str) -> str:
    return format_duration(time) if time is not None and name != NAMES[0] else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One incident of the list."""

    case: Case
    badge: Badge
    clock: Sequence[Tick]
    active: bool


def incidents(listed: Listed, sign: str) -> str:
    """The list: what is open first, and nothing that another incident explains."""
    shown = [case for case in listed.cases if case.state is not State.ABSORBED]
    rows = [Row(case, badge(case.state), clock(case), case.active) for case in shown]
    hidden = len(listed.cases) - len(rows)
    return _page("incidents.html", listed=listed, rows=rows, hidden=hidden, sign=sign)


def times(told: Stats, sign: str) -> str:
    """How long it takes."""
    return _page("times.html", stats=told, steps=STEPS, badge=badge, clock=clock, sign=sign)


def incident(dossier: Dossier, shown: Shown) -> str:
    """One incident."""
    found = happenings(dossier)
    return _page(
        "incident.html",
        of=dossier,
        case=dossier.case,
        report=dossier.report,
        badge=badge(dossier.case.state),
        clock=clock(dossier.case),
        title=title_of(dossier.case, dossier.findings, dossier.proposal, standing_of(dossier.case)),
        shipped=_shipped(dossier),
        happenings=found,
        drawing=drawn(found),
        logged=read_beside(dossier.report),
        evidence={str(each.get("id")): each for each in documents.parts(dossier.report, "evidence")},
        blocks=blocks_of(dossier.message),
        thread=[blocks_of(each) for each in dossier.replies],
        issue=_issue(dossier.issue),
        shown=shown,
        stranger=STRANGER,
        sign=shown.sign,
    )


def _shipped(dossier: Dossier) -> Document:
    """What ships by what was decided, else by what is proposed; `ships` is there only for what is newer."""
    report, kind = dossier.report, documents.text(dossier.proposal, "kind") or documents.text(dossier.findings, "kind")
    if kind != Kind.ROLLBACK.value:
        return documents.part(report, "target")
    earlier = [documents.part(report, name) for name in ("alternative", "rollback")]
    decided = documents.text(dossier.proposal, "commit") or documents.text(dossier.findings, "commit")
    return next(({**each, "earlier": True} for each in earlier if documents.text(each, "commit") == decided), {})


def refused(status: int, detail: str) -> str:
    """Why a request was not answered with what it asked for."""
    return _page("refused.html", status=status, detail=detail, sign="")


def _issue(issue: Document) -> Document:
    """As it would be rendered; empty where there is none."""
    if not issue:
        return {}
    comments = [rendered(each) for each in documents.texts(issue, "comments")]
    return {**issue, "rendered": rendered(documents.text(issue, "body")), "rendered_comments": comments}


def _page(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=ChainableUndefined,  # keys of stored documents may be missing
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": _moment, "clock_time": _clock_time, "lasting": _lasting, "short": _short}
    made.filters |= {"prose": _prose, "caret": _caret, "failing": _failing}
    return made


def _failing(case: Case) -> str:
    """What an incident is about, as its name."""
    return case.error_class or _FAILING[case.kind]


def _prose(text: str) -> Markup:
    """One paragraph; what stands between backticks, and what could be a commit, is code."""
    wrapped = [Markup("<code>{}</code>").format(words) if is_code else escape(words) for words, is_code in split_code_spans(text)]
    return Markup("").join(wrapped)


def _caret(before: str) -> str:
    """Below the column after these characters; a tab stays one, so that it stands where it should."""
    return "".join("\t" if character == "\t" else " " for character in before) + "^"


def _plain(value: object) -> object:
    """What is HTML already was made of plain text."""
    if value is None:
        return ""
    return strip_invisible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _moment(at: datetime | str | None) -> str:
    """`2026-03-01 03:43:43 UTC`."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else "unknown"


def _clock_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M:%S")


def _lasting(time: timedelta | None) -> str:
    return format_duration(time) if time is not None else "–"


def _short(commit: str | None) -> str:
    return (commit or "")[:12]
