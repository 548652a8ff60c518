"""Checks the commit of a push or a pull request, and writes what came out as a check run on it, every text redacted.

A push is compared with the last state of the branch that was found sound, a pull request with the commit at which it
left the branch.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import InputError, Reject, UsageError
from shared.proof.check_commit import CheckOutcome, CommitCheck, CommitCheckRequest
from shared.proof.compare_services import Alarm, ComparedService
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.pushes import LIMIT_REACHED, MAX_ANNOTATIONS, Annotation, CheckConclusion, CheckRun, PushKind, PushMessage
from shared.service import Service
from shared.text.escaping import escape_markdown, format_code_span, to_one_line, truncate
from shared.text.phrases import pluralize, short_sha
from shared.text.redaction import redact
from shared.workflow import check_effects
from shared.workflow.commit_checks.request_checks import build_check_key
from shared.workflow.context import Context, StepResult
from shared.workflow.records import sound_states
from shared.workflow.records.sound_states import BranchState

_MAX_LISTED = 200
_MAX_MESSAGE_LENGTH = 500
_CONCLUSIONS = {
    CheckOutcome.BROKEN: CheckConclusion.FAILURE,
    CheckOutcome.UNKNOWN: CheckConclusion.NEUTRAL,
    CheckOutcome.SOUND: CheckConclusion.SUCCESS,
}


def build_check_run(service: Service, check: CommitCheck, external_id: str, *, shares_name: bool) -> CheckRun:
    """The check run. `shares_name`: another service of the repository has the same name."""
    environment = f" ({service.environment_name})" if shares_name else ""
    located = [alarm for alarm in check.alarms if alarm.line]
    return CheckRun(
        name=f"provenfix / {service.name}{environment}",
        external_id=external_id,
        commit=check.commit,
        conclusion=_CONCLUSIONS[check.outcome],
        title=_format_title(check),
        summary="\n".join(_list_paragraphs(check)),
        annotations=tuple(_annotate(alarm) for alarm in located[:MAX_ANNOTATIONS]),
    )


def _format_title(check: CommitCheck) -> str:
    if check.alarms:
        first = check.alarms[0]
        others = f" and {len(check.alarms) - 1} more" if len(check.alarms) > 1 else ""
        return _clean(f"{first.error_class} in {first.path}{others}")
    return "Not proven" if check.reasons else "Nothing newly fails"


def _list_paragraphs(check: CommitCheck) -> Iterator[str]:
    if check.alarms:
        yield f"{pluralize(len(check.alarms), 'new failure')}, each proven. The service fails when it runs that line."
        yield ""
        yield from (_format_alarm(alarm) for alarm in check.alarms[:_MAX_LISTED])
        if len(check.alarms) > _MAX_LISTED:
            yield f"- and {len(check.alarms) - _MAX_LISTED} more"
        yield ""
    if check.reasons:
        yield "Unknown:"
        yield ""
        yield from (f"- {escape_markdown(_clean(reason))}" for reason in check.reasons)
        yield ""
    if check.baseline:
        yield f"Compared with {short_sha(check.baseline)}."
    yield from (_format_service(service) for service in check.services)


def _format_alarm(alarm: Alarm) -> str:
    position = f"{alarm.path}:{alarm.line}" if alarm.line else alarm.path
    error = _clean(f"{alarm.error_class}: {alarm.message}")
    reason = escape_markdown(_clean(f"{alarm.reason} ({alarm.checked_by})"))
    return f"- {format_code_span(_clean(position))}: {format_code_span(error)}. {reason}"


def _format_service(service: ComparedService) -> str:
    loaded = pluralize(service.loaded_count, "file")
    python = escape_markdown(_clean(f"Python {service.python} ({service.python_source})"))
    rule = escape_markdown(_clean(service.rule))
    return f"{format_code_span(_clean(service.start_path))} loads {loaded}: {rule}. {python}."


def _annotate(alarm: Alarm) -> Annotation:
    message = _clean(f"{alarm.message}. {alarm.reason} ({alarm.checked_by}).")
    return Annotation(alarm.path, alarm.line, _clean(alarm.error_class), message)


def _clean(text: str) -> str:
    return truncate(to_one_line(redact(text)), _MAX_MESSAGE_LENGTH)


MAX_REQUESTS = 18
"""For the history; the merge base and the check run itself take one each, so that a push costs at most twenty."""
MAX_SECONDS = 300.0
"""The function has nine minutes; what is read later than this is not judged any more."""
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NOT_COMPARED = "There is no earlier commit to compare with."


@dataclass(frozen=True, slots=True)
class _Push:
    """A checked message."""

    kind: PushKind
    branch: str
    commit: str
    before: str
    is_from_fork: bool


def check_push(context: Context, message: PushMessage) -> StepResult:
    """`broken`, `unknown`, `sound`, `duplicate`, `capped` or `unavailable`. Raises Retry, Reject."""
    service, push = _read_message(context, message)
    key = build_check_key(message)
    if not context.check_runs.is_available():
        return StepResult("unavailable", detail="only a GitHub App can write check runs")
    if check_effects.is_check_run_created(context, key):
        return StepResult("duplicate", detail=key)
    if push.is_from_fork and not sound_states.count_fork_commit(context, service, push.commit):
        return StepResult("capped", detail=key)
    check, head = _check(context, service, push)
    if push.kind is PushKind.PUSH and check.outcome is CheckOutcome.SOUND and head is not None:
        # Before the effect: a delivery that finds the check run does not come this far.
        sound = BranchState(push.branch, push.commit, head.committed_at)
        sound_states.store_sound_commit(context, service, sound)
    run = build_check_run(service, check, key, shares_name=_shares_name(context, service))
    check_effects.create_check_run(context, service, run)
    return StepResult(check.outcome.value, detail=key)


def _read_message(context: Context, message: PushMessage) -> tuple[Service, _Push]:
    try:
        kind, commit, before = PushKind(message["kind"]), message["commit"], message["before"]
        service, branch, fork = message["service"], message["branch"], message["fork"]
    except (KeyError, ValueError) as wrong:
        raise Reject("malformed_message", f"{type(wrong).__name__}: {wrong}") from wrong
    if not _COMMIT.fullmatch(commit) or (before and not _COMMIT.fullmatch(before)):
        raise Reject("malformed_message", "a commit is no full id")
    known = context.services.get(service)
    if known is None:
        raise Reject("unknown_service", f"{service} is not configured any more")
    return known, _Push(kind, branch, commit, before, bool(fork))


def _shares_name(context: Context, service: Service) -> bool:
    """Whether another service of the same repository has the same name."""
    return any(
        other.id != service.id and (other.name, other.repository) == (service.name, service.repository)
        for other in context.services.values()
    )


def _check(context: Context, service: Service, push: _Push) -> tuple[CommitCheck, Commit | None]:
    """What came out, and the commit; None where the repository does not have it."""
    baseline, head = "", None
    try:
        with context.open_limited_history(service, MAX_REQUESTS, MAX_SECONDS) as history:
            head = history.resolve(push.commit)
            baseline = _find_baseline(context, service, push, history, head)
            if not baseline:
                return CommitCheck("", push.commit, reasons=(_NOT_COMPARED,)), head
            request = CommitCheckRequest(
                baseline, push.commit, service.name, service.source_roots, service.python or None
            )
            return context.prover.check_commit(history, context.compilers, request), head
    except Reject as refused:
        if refused.reason != LIMIT_REACHED:
            raise
        reason = f"The commit was not read to the end: {refused.detail}."
        return CommitCheck(baseline, push.commit, reasons=(reason,)), head
    except (InputError, UsageError) as missing:
        return CommitCheck(baseline, push.commit, reasons=(f"The commit could not be read: {missing}",)), head


def _find_baseline(context: Context, service: Service, push: _Push, history: History, head: Commit) -> str:
    """The commit to compare with; "" where there is none."""
    if push.kind is PushKind.PULL_REQUEST:
        return context.check_runs.find_merge_base(service, push.before, push.commit) or ""
    known = sound_states.load_branch_state(context, service, push.branch)
    is_late = known.committed_at is not None and known.committed_at > head.committed_at
    if known.commit and known.commit != push.commit and not is_late and _is_readable(history, known.commit):
        return known.commit
    before = push.before if push.before and _is_readable(history, push.before) else ""
    return before or next(iter(head.parents), "")


def _is_readable(history: History, commit: str) -> bool:
    """A commit that no branch has any more may be gone."""
    try:
        return history.resolve(commit).id == commit
    except UsageError:
        return False
