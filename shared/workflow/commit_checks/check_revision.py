"""Checks the commit of a revision that has traffic, and opens an incident where it is definitely broken.

The evidence is the verdict at the deployed commit, beside what the platform says about the revision. Nobody has met
the failure yet, so nothing is logged: the incident holds an entry that the check itself has made.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.detection.entry import CHECK_LOG, LogEntry
from shared.errors import InputError, Reject, UsageError
from shared.proof.check_commit import CheckOutcome, CommitCheck, CommitCheckRequest
from shared.proof.compare_services import SYNTAX, Alarm
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.ports import History
from shared.proposal.rollout import Revision
from shared.service import Service
from shared.workflow.context import Context, StepResult
from shared.workflow.investigation.platform_evidence import resolve_commit
from shared.workflow.record import record_found_failure
from shared.workflow.records.serving_states import load_serving_state, store_revision


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
    alarm = next((alarm for alarm in checked.check.alarms if alarm.family == SYNTAX and alarm.line), None)
    if alarm is None:
        return StepResult("unknown", detail=f"{name}: {_describe_rest(checked.check)}")
    if not context.revisions.get_traffic(service).get(name):
        return StepResult("unknown", detail=f"{name}: it has no traffic any more")
    entry = _build_entry(context, service, name, checked)
    return record_found_failure(context, service, entry)


def _describe_rest(check: CommitCheck) -> str:
    """What keeps an incident from being opened."""
    if check.alarms:
        first = check.alarms[0]
        return f"{first.error_class} in {first.path}, line {first.line}: {first.message}"
    return " ".join(check.reasons)


def _check(context: Context, service: Service, name: str) -> _Checked:
    revision = context.revisions.get_revision(service, name)
    sound_name = load_serving_state(context, service).sound
    sound = context.revisions.get_revision(service, sound_name) if sound_name else None
    if revision is None or not revision.commit:
        return _Checked(None, "the platform names no commit of it")
    if sound is None or not sound.commit:
        return _Checked(None, "no earlier revision has a commit to compare with")
    try:
        with context.open_history(service) as history:
            return _compare(context, service, history, (revision, sound))
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
    line = next((_read_line(history, commit, alarm) for alarm in check.alarms if alarm.family == SYNTAX), "")
    return _Checked(check, source_line=line)


def _read_line(history: History, commit: str, alarm: Alarm) -> str:
    blob = history.blob_ids([(commit, alarm.path)]).get((commit, alarm.path))
    text = (history.read(blob) or b"").decode("utf-8", "replace") if blob is not None else ""
    lines = text.splitlines()
    return lines[alarm.line - 1].strip() if 0 < alarm.line <= len(lines) else ""


def _build_entry(context: Context, service: Service, name: str, checked: _Checked) -> LogEntry:
    """What Python will log when it first loads the file."""
    assert checked.check is not None
    alarm = next(alarm for alarm in checked.check.alarms if alarm.family == SYNTAX and alarm.line)
    text = f'  File "{alarm.path}", line {alarm.line}\n    {checked.source_line}\n{alarm.error_class}: {alarm.message}'
    return LogEntry(
        position=0, text=text, timestamp=context.clock.now(), log_name=CHECK_LOG, insert_id=name,
        project=service.project, service=service.name, revision=name, commit=checked.check.commit,
    )  # fmt: skip
