"""Checks the commit of a revision that has traffic, and opens an incident where it is definitely broken.

The evidence is the verdict at the deployed commit, beside what the platform says about the revision. Nobody has met
the failure yet, so nothing is logged: the incident holds an entry that the check itself has made.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.detection.entry import CHECK_LOG, LogEntry
from shared.detection.signal import Signal, SignalKind
from shared.errors import InputError, Reject, UsageError
from shared.proof.check_commit import CheckOutcome, CommitCheck, CommitCheckRequest
from shared.proof.compare_services import SYNTAX, Alarm
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.ports import History
from shared.proposal.rollout import Revision
from shared.pushes import LIMIT_REACHED
from shared.service import Service
from shared.workflow.context import Context, StepResult
from shared.workflow.investigation.platform_evidence import resolve_commit
from shared.workflow.record import record_found_failure
from shared.workflow.records.sound_states import load_serving_state, store_revision

MAX_REQUESTS = 40
MAX_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Checked:
    """What came out, or why nothing could: `reason` is then a name."""

    check: CommitCheck | None
    reason: str = ""
    source_line: str = ""
    """The line of the first alarm."""


def check_revision(context: Context, message: Mapping[str, str]) -> StepResult:
    """`opened`, `attached`, `sound`, or `unknown` with the reason. Raises Retry, Reject."""
    service, name = context.services.get(message.get("service", "")), message.get("revision", "")
    if service is None or not name:
        raise Reject("unknown_service", f"{message.get('service', '')} is not configured any more")
    checked = _check(context, service, name)
    if checked.check is None:
        return StepResult("unknown", detail=f"{name}: {checked.reason}")
    if checked.check.outcome is CheckOutcome.SOUND:
        store_revision(context, service, name, is_sound=True)
        return StepResult("sound", detail=name)
    alarm = _choose_alarm(checked.check)
    if alarm is None:
        return StepResult("unknown", detail=f"{name}: {' '.join(checked.check.reasons)}")
    if not context.revisions.get_traffic(service).get(name):
        return StepResult("unknown", detail=f"{name}: it has no traffic any more")
    return record_found_failure(
        context, service, build_found_signal(context, service, name, alarm, checked.source_line)
    )


def build_found_signal(context: Context, service: Service, revision: str, alarm: Alarm, source_line: str) -> Signal:
    """What opens the incident of a failure that nobody has met yet."""
    entry = _build_entry(context, service, revision, alarm, source_line)
    kind = SignalKind.SYNTAX_ERROR if alarm.family == SYNTAX else SignalKind.FOUND_BY_CHECK
    return Signal(kind, entry, alarm.error_class, alarm.path, alarm.line, alarm.message, source_line)


def _choose_alarm(check: CommitCheck) -> Alarm | None:
    """What the incident is about: a file that does not compile before all else; a target has to fix every one."""
    located = [alarm for alarm in check.alarms if alarm.line]
    return next((alarm for alarm in located if alarm.family == SYNTAX), next(iter(located), None))


def _check(context: Context, service: Service, name: str) -> _Checked:
    revision = context.revisions.get_revision(service, name)
    sound_name = load_serving_state(context, service).sound
    sound = context.revisions.get_revision(service, sound_name) if sound_name else None
    if revision is None or not revision.commit:
        return _Checked(None, "the platform names no commit of it")
    if sound is None or not sound.commit:
        return _Checked(None, "no earlier revision has a commit to compare with")
    try:
        with context.open_limited_history(service, MAX_REQUESTS, MAX_SECONDS) as history:
            return _compare(context, service, history, (revision, sound))
    except Reject as refused:
        if refused.reason != LIMIT_REACHED:
            raise
        return _Checked(None, f"its commit was not read to the end: {refused.detail}")
    except (InputError, UsageError) as missing:
        return _Checked(None, f"the repository could not be read: {missing}")


def _compare(context: Context, service: Service, history: History, revisions: tuple[Revision, Revision]) -> _Checked:
    revision, sound = revisions
    commit, baseline = (resolve_commit(history, known.commit or "") for known in (revision, sound))
    if commit is None or baseline is None:
        return _Checked(None, "the repository does not know its commit")
    if commit == baseline:
        return _Checked(CommitCheck(baseline, commit))
    if contains_commit(history, baseline, commit):
        return _Checked(None, "it goes back to an earlier commit")
    python = revision.python or service.python or None
    request = CommitCheckRequest(baseline, commit, service.name, service.source_roots, python)
    check = context.prover.check_commit(history, context.compilers, request)
    alarm = _choose_alarm(check)
    return _Checked(check, source_line=read_source_line(history, commit, alarm.path, alarm.line) if alarm else "")


def read_source_line(history: History, commit: str, path: str, line: int) -> str:
    """A line of a file at a commit, stripped; `line` from 1. "" where there is none."""
    blob = history.blob_ids([(commit, path)]).get((commit, path))
    text = (history.read(blob) or b"").decode("utf-8", "replace") if blob is not None else ""
    lines = text.splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def _build_entry(context: Context, service: Service, name: str, alarm: Alarm, source_line: str) -> LogEntry:
    """What Python will log when it first loads the file, or runs the line."""
    if alarm.family == SYNTAX:
        header = f'  File "{alarm.path}", line {alarm.line}'
    else:
        header = (
            "Traceback (most recent call last):\n"
            f'  File "{alarm.path}", line {alarm.line}, in {alarm.function or "<module>"}'
        )
    return LogEntry(
        position=0, text=f"{header}\n    {source_line}\n{alarm.error_class}: {alarm.message}",
        timestamp=context.clock.now(), log_name=CHECK_LOG, insert_id=name, project=service.project,
        service=service.name, revision=name,
    )  # fmt: skip
