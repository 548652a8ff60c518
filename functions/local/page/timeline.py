"""A dossier comes in, what happened goes out in the order of time: commits, what was logged, what provenfix did.

Whatever the report calls untrusted was redacted there; here it is only cut.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from functions.local.page.incident_view import Dossier
from shared.ports import Document
from shared.text.escaping import truncate, to_one_line
from shared.text.timestamps import has_date
from shared.workflow.flow import State
from shared.workflow.records import documents
from shared.workflow.records.proposals import back_id

_MOST_SYMPTOMS = 6
_LONGEST_LABEL = 34
_LONGEST_TEXT = 240


class Lane(StrEnum):
    """Whose doing it was."""

    COMMITS = "Commits"
    SERVICE = "Service"
    LOOP = "provenfix"


class Look(StrEnum):
    """How good or bad it is: decides shape and colour, and is said in words as well."""

    BROKEN = "broken"
    GOOD = "good"
    TARGET = "target"
    ERROR = "error"
    ASKED = "asked"
    DONE = "done"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Happening:
    """`label` fits into a drawing, `text` is the whole sentence."""

    at: datetime
    lane: Lane
    look: Look
    label: str
    text: str
    commit: str = ""


def happenings(dossier: Dossier) -> list[Happening]:
    """Oldest first; what has no known day is left out (the report tells it)."""
    report = dossier.report
    found = [*_commits(report), *_logged(report), *_loop(dossier)]
    return sorted((each for each in found if has_date(each.at)), key=lambda each: each.at)


def _commits(report: Document) -> Iterator[Happening]:
    running = documents.part(report, "deployed")
    deployed = _text(running, "commit")
    told: set[str] = set()

    def of(commit: Document, look: Look, label: str, text: str) -> Iterator[Happening]:
        at, oid = _moment(commit, "committed_at"), _text(commit, "commit")
        if at is None or not oid or oid in told:
            return
        told.add(oid)
        runs = ", deployed" if oid == deployed else ""
        subject = f" “{_text(commit, 'subject')}”" if _text(commit, "subject") else ""
        said = f"{oid[:12]}{subject}: {text}{runs}"
        yield Happening(at, Lane.COMMITS, look, truncate(f"{oid[:7]} {label}{runs}", _LONGEST_LABEL), _said(said), oid)

    introduced = documents.part(report, "introduced")
    errors = _count(introduced, "errors")
    yield from of(introduced, Look.BROKEN, f"breaks it: {errors}", f"brings the break in, {errors}")
    for attempt in documents.parts(report, "attempts"):
        left = _count(attempt, "errors_left")
        yield from of(attempt, Look.BROKEN, f"{left} left", f"still fails, {left} left")
    errors = _count(documents.part(report, "broken"), "errors")
    yield from of(running, Look.BROKEN, errors, f"fails, {errors}")
    fix, target = documents.part(report, "fix"), documents.part(report, "target")
    proposed = _text(fix, "commit") == _text(target, "commit")
    merged = "" if fix.get("where") == "merged" else ", not merged"
    words = f"mends it{merged}" + (", and is the proposed target" if proposed else "")
    yield from of(fix, Look.TARGET if proposed else Look.GOOD, f"fix{merged}", words)
    checks = _text(target, "checks")
    yield from of(target, Look.TARGET, "target", f"compiles, proposed; checks {checks}")
    yield from of(
        documents.part(report, "rollback"), Look.TARGET, "last good", "the newest good commit before the break"
    )


def _logged(report: Document) -> Iterator[Happening]:
    incident = documents.part(report, "incident")
    error = _text(incident, "error_class") or _text(incident, "signal")
    deployed = documents.part(report, "deployed")
    once = {"revision": deployed.get("revision"), "line": documents.part(report, "broken").get("line")}
    once |= {"seen_at": incident.get("first_seen"), "commit": deployed.get("commit")}
    for run in documents.parts(deployed, "deployments") or (once,):
        at, revision, line = _moment(run, "seen_at"), _text(run, "revision"), run.get("line")
        if at is None:
            continue
        where = f" on line {line}" if isinstance(line, int) else ""
        commit = _text(run, "commit")
        version = f", the version of {commit[:12]}" if commit else ""
        tree = ", which was not committed yet" if run.get("uncommitted") is True else ""
        label = truncate(f"{error}, line {line}" if where else error, _LONGEST_LABEL)
        text = _said(f"{revision or 'An unnamed revision'} logs {error}{where}{version}{tree}")
        yield Happening(at, Lane.SERVICE, Look.ERROR, label, text, commit)
    for symptom in documents.parts(incident, "symptoms")[:_MOST_SYMPTOMS]:
        at = _moment(symptom, "first_seen")
        if at is not None:
            words = f"{_text(symptom, 'text')} ({_count(symptom, 'occurrences', 'time')})"
            yield Happening(at, Lane.SERVICE, Look.PLAIN, "", _said(f"What followed: {words}"))


_STEPS: Mapping[str, tuple[Lane, Look, str, str]] = {
    State.WAITING: (Lane.LOOP, Look.PLAIN, "waiting", "A close with 1011 waits for the error that explains it"),
    State.OPENED: (Lane.LOOP, Look.ASKED, "detected", "The incident is opened"),
    State.UNFIXED: (Lane.LOOP, Look.PLAIN, "nothing to deploy", "There is an issue, and nothing to deploy yet"),
    State.PROPOSED: (Lane.LOOP, Look.ASKED, "proposed", "People are asked"),
    State.APPROVED: (Lane.LOOP, Look.DONE, "approved", "Approved"),
    State.DEPLOYING: (Lane.SERVICE, Look.PLAIN, "deploying", "The deployment begins"),
    State.WATCHING: (Lane.SERVICE, Look.GOOD, "deployed", "The new revision has all of the traffic, and is watched"),
    State.RESOLVED: (Lane.LOOP, Look.GOOD, "verified", "Verified automatically, and closed"),
    State.ROLLED_BACK: (
        Lane.SERVICE,
        Look.BROKEN,
        "rolled back",
        "Rolled back automatically: the traffic is as it was before",
    ),
    State.FAILED: (Lane.SERVICE, Look.BROKEN, "deployment failed", "The deployment failed"),
    State.DENIED: (Lane.LOOP, Look.BROKEN, "denied", "Denied; nothing is deployed"),
    State.EXPIRED: (Lane.LOOP, Look.PLAIN, "expired", "Nobody decided in time; nothing is deployed"),
    State.REFUSED: (Lane.LOOP, Look.BROKEN, "refused", "Not deployed: what the approval stood on has changed"),
    State.REPORTED: (Lane.LOOP, Look.PLAIN, "reported", "Reported; a person has to look at it"),
    State.MUTED: (Lane.LOOP, Look.PLAIN, "muted", "A person has put an end to the automation"),
    State.RECORDED: (Lane.LOOP, Look.PLAIN, "recorded", "Recorded: no redeployment mends this"),
    State.ABSORBED: (Lane.LOOP, Look.PLAIN, "absorbed", "Another incident explains this one"),
}


def _loop(dossier: Dossier) -> Iterator[Happening]:
    for step in dossier.case.history:
        at, state = _moment(step, "at"), _text(step, "state")
        if at is None or state not in _STEPS:
            continue
        lane, look, label, text = _STEPS[state]
        by = _approver(dossier, step) if state == State.APPROVED else ""
        why = _text(step, "why") if state not in {State.APPROVED, State.PROPOSED} else ""
        yield Happening(at, lane, look, label, _said(f"{text}{f' by {by}' if by else ''}{f': {why}' if why else ''}"))


def _approver(dossier: Dossier, step: Document) -> str:
    """The person whose approval it was; "" where the question has another answer by now, or is another one."""
    question = _text(dossier.decision, "proposal")
    if not question or _text(step, "why") not in {question, back_id(question)}:
        return ""
    people = [_text(each, "by") for each in documents.parts(dossier.decision, "steps") if each["state"] == "approved"]
    return people[-1] if people else ""


def _text(value: Document, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _count(value: Document, name: str, noun: str = "error") -> str:
    found = value.get(name)
    return f"{found} {noun}{'' if found == 1 else 's'}" if isinstance(found, int) else f"some {noun}s"


def _moment(value: Document, name: str) -> datetime | None:
    return documents.moment(value, name) if value.get(name) else None


def _said(text: str) -> str:
    return truncate(to_one_line(text), _LONGEST_TEXT)
