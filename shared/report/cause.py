"""What a report says of a cause: the words for a title, one sentence, and the JSON."""

from shared.detection.causes.cause import Cause, CauseClass
from shared.detection.causes.text_rules import find_line_before
from shared.detection.close_code import CloseKind
from shared.detection.entry import CHECK_LOG, LogGap
from shared.detection.incident import Incident, describe_exception, describe_raised, describe_raised_exception
from shared.detection.logged_exception import Frame
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.report.report import Report
from shared.text.phrases import join_words, quote_untrusted
from shared.text.timestamps import format_rfc3339

_EFFECTS = {
    SignalKind.CLOSE_1011: ("WebSockets are closed with 1011", " after "),
    SignalKind.FAILED_START: ("the revision does not start", ": "),
}
_ENDED_BY_EXCEPTION = ("WebSockets fail", " with ")
"""Where no close code was logged: not every server closes with 1011 then (Hypercorn closes with 1000)."""


def describe_effect(report: Report) -> str:
    """`WebSockets are closed with 1011 after AttributeError in app/main.py, line 5`: as specific as the log allows."""
    incident, cause = report.incident, report.cause
    is_shown_by_exception = incident.kind is SignalKind.CLOSE_1011 and not incident.has_close_code
    alone, joint = _ENDED_BY_EXCEPTION if is_shown_by_exception else _EFFECTS[incident.kind]
    if cause.cause_class is CauseClass.UPSTREAM_CLOSED:
        code = " with 1011" if incident.close_kind is CloseKind.REMOTE_END else ""  # it may have closed with another
        return f"the upstream service{_describe_subject(cause)} closes WebSockets{code}"
    if cause.cause_class is CauseClass.CONFIGURATION and cause.subject:
        return f"{alone}: {quote_untrusted(cause.subject, 60)} is missing"
    if incident.raised is not None:
        name = quote_untrusted(incident.raised.exception.error_class.rpartition(".")[2], 40)
        return f"{alone}{joint}{name}{_describe_place(report)}"
    if cause.cause_class is not CauseClass.UNKNOWN:
        return f"{alone}: {cause.profile.title}"
    return alone


def _describe_subject(cause: Cause) -> str:
    return f" {quote_untrusted(cause.subject, 60)}" if cause.subject else ""


def _describe_place(report: Report) -> str:
    raised = report.incident.raised
    frame = report.proof.raised_frame or (raised.location if raised is not None else None)
    if frame is None:
        return ""
    line = f", line {frame.line}" if frame.line else ""
    return f" in {quote_untrusted(frame.path, 80)}{line}"


def describe_cause(report: Report) -> str:
    """The class, with what names it: `a setting or secret is missing (HARBOUR_URL)`."""
    cause = report.cause
    if cause.cause_class is CauseClass.UNKNOWN and report.incident.candidates:
        return "one of several exceptions, and the log does not say which"
    if cause.cause_class is CauseClass.UNKNOWN:
        return "not known"
    subject = f" ({quote_untrusted(cause.subject, 100)})" if cause.subject else ""
    return f"{cause.profile.title}{subject}"


def describe_shown_cause(report: Report) -> str:
    """What the log shows of the cause itself, untouched by any class; "" where it shows nothing."""
    incident = report.incident
    if incident.raised is not None:
        return describe_raised_exception(incident, report.proof.raised_frame)
    if incident.candidates:
        words = [describe_raised(candidate) for candidate in incident.candidates]
        return f"one of {join_words(words, 'or')}"
    before = find_line_before(incident)
    return f"“{quote_untrusted(before.text, 300)}”, the last error before the close" if before is not None else ""


def cause_to_json(report: Report) -> dict[str, object]:
    """Texts are those of the log and not yet redacted."""
    cause, incident = report.cause, report.incident
    return {
        "class": cause.cause_class.value,
        "title": cause.profile.title,
        "owner": cause.owner,
        "mends": cause.profile.mends,
        "mended_by_commit": cause.profile.is_mended_by_commit,
        "subject": cause.subject or None,
        "proven_by": cause.proven_by or None,
        "text": (describe_exception(cause.exception) if cause.exception else cause.quoted[:500]) or None,
        "chain": [_link_to_json(raised) for raised in _list_links(incident)],
        "candidates": [_candidate_to_json(raised) for raised in incident.candidates],
        "longest_gap": _gap_to_json(incident.longest_gap) if incident.longest_gap is not None else None,
        "evidence": list(report.cause_evidence_ids),
    }


def _list_links(incident: Incident) -> list[tuple[str, str]]:
    chain = incident.raised.chain if incident.raised is not None else ()
    return [(link.error_class, link.message) for link in chain]


def _link_to_json(link: tuple[str, str]) -> dict[str, object]:
    return {"class": link[0], "message": link[1]}


def _candidate_to_json(raised: RaisedException) -> dict[str, object]:
    frame: Frame | None = raised.location
    return {
        "class": raised.exception.error_class,
        "message": raised.exception.message,
        "path": frame.path if frame else None,
        "line": frame.line or None if frame else None,
    }


def _gap_to_json(gap: LogGap) -> dict[str, object]:
    return {
        "seconds": round(gap.seconds, 3),
        "from": format_rfc3339(gap.start),
        "to": format_rfc3339(gap.end),
        "lines": gap.line_count,
    }


def exception_to_json(report: Report) -> dict[str, object] | None:
    """The exception that the log ties to a close: quoted, and proven only where the code confirms it."""
    raised = report.incident.raised
    if raised is None or raised.entry.log_name == CHECK_LOG:
        return None
    frame = report.proof.raised_frame or raised.location
    return {
        "class": raised.exception.error_class,
        "message": raised.exception.message,
        "path": frame.path if frame else None,
        "line": frame.line or None if frame else None,
        "function": frame.function or None if frame else None,
        "in_repository": report.proof.raised_frame is not None,
        "proven": report.proof.claim is not None,
        "evidence": report.raised_evidence_id or None,
    }
