"""Checks the commit of a push or a pull request, and writes what came out as a check run on it.

A push is compared with the last state of the branch that was found sound, a pull request with the commit at which it
left the branch.
"""

import re
from dataclasses import dataclass

from shared.errors import InputError, Reject, UsageError
from shared.proof.check_commit import CheckOutcome, CommitCheck, CommitCheckRequest
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.pushes import LIMIT_REACHED, PushKind, PushMessage
from shared.service import Service
from shared.workflow import check_effects
from shared.workflow.commit_checks.render_check_run import build_check_run
from shared.workflow.commit_checks.request_checks import build_check_key
from shared.workflow.context import Context, StepResult
from shared.workflow.records import branch_states
from shared.workflow.records.branch_states import BranchState

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
    if push.is_from_fork and not branch_states.count_fork_commit(context, service, push.commit):
        return StepResult("capped", detail=key)
    check, head = _check(context, service, push)
    if push.kind is PushKind.PUSH and check.outcome is CheckOutcome.SOUND and head is not None:
        # Before the effect: a delivery that finds the check run does not come this far.
        sound = BranchState(push.branch, push.commit, head.committed_at)
        branch_states.store_sound_commit(context, service, sound)
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
    known = branch_states.load_branch_state(context, service, push.branch)
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
