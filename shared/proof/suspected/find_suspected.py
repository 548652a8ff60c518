"""The suspected changes of an exception in own code that nothing can prove: which commits touched what its stack names.

They are reported as suspected, and nothing is ever recommended because of them.
"""

from collections.abc import Sequence

from shared.detection.causes.cause import CauseClass
from shared.detection.causes.classify import classify_cause
from shared.detection.close_code import CloseKind
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.signal import SignalKind
from shared.errors import UsageError
from shared.proof.model.suspected_change import NO_SUSPECTED_CHANGES, SuspectedChanges
from shared.proof.proof_context import ProofContext
from shared.proof.suspected.deployed_state import DeployedState, find_deployed_state
from shared.proof.suspected.function_history import FunctionHistories, FunctionTouch
from shared.proof.suspected.possible_fixes import FixSearch
from shared.proof.suspected.rank_changes import Occasion, rank_introducing
from shared.proof.suspected.source_outline import Outlines
from shared.proof.suspected.stack_functions import StackFunction, list_stack_functions

_NOT_OF_THE_CODE = frozenset(
    ("KeyboardInterrupt", "SystemExit", "CancelledError", "MemoryError", "WebSocketDisconnect")
)
"""Exceptions that something outside raises: no change of the code is suspected."""

_OF_OTHERS = frozenset(
    (CauseClass.UPSTREAM_CLOSED, CauseClass.BACKING_SERVICE, CauseClass.CREDENTIALS, CauseClass.KEEPALIVE,
     CauseClass.MEMORY, CauseClass.RESTART)
)  # fmt: skip
"""Classes of causes outside of the repository, as is a setting that the platform shows to be gone."""
_MAX_UNDONE = 3
"""Suspects that a later change may take back."""


def find_suspected_for_incident(context: ProofContext) -> SuspectedChanges:
    """Those of the exception that the log ties to the incident; none where something else than the code is at fault."""
    incident = context.incident
    if incident.raised is None or incident.kind is SignalKind.KEEPALIVE_TIMEOUT:
        return NO_SUSPECTED_CHANGES
    if incident.close_kind is CloseKind.REMOTE_END:  # the other end failed
        return NO_SUSPECTED_CHANGES
    cause = classify_cause(incident, context.request.environment)
    if cause.cause_class in _OF_OTHERS or cause.proven_by:
        return NO_SUSPECTED_CHANGES
    return find_suspected_changes(context, incident.raised.exception)


def find_suspected_changes(context: ProofContext, exception: LoggedException) -> SuspectedChanges:
    """Suspected changes of one exception; empty where no commit fits its frames."""
    name = exception.error_class.rpartition(".")[2]
    if name in _NOT_OF_THE_CODE or name.startswith("ConnectionClosed") or not exception.frames:
        return NO_SUSPECTED_CHANGES
    context.report_progress("comparing the frames of the exception with the versions of their files")
    outlines = Outlines(context.history)
    state = find_deployed_state(context, exception, outlines)
    if state is None:
        return NO_SUSPECTED_CHANGES
    if not all(_can_parse(outlines, state, frame) for frame in state.frames):
        outlines = Outlines(context.history, by_lines=True)
    functions = list_stack_functions(state, outlines)
    context.report_progress("searching for the changes that touched what the exception names")
    touches = _list_touches(context, outlines, state, functions)
    introduced = rank_introducing(touches, _read_occasion(context, exception, state))
    likeliest = {change.commit.id for change in introduced[:_MAX_UNDONE]}
    suspects = [touch for _, entries in touches for touch in entries if touch.commit.id in likeliest]
    fixes = FixSearch(context.history, outlines, context.branch, state.commit, functions, suspects)
    return SuspectedChanges(
        deployed=state.commit,
        is_given=state.is_given,
        candidates=state.candidates,
        frames_compared=len(state.frames),
        introduced=introduced,
        possible_fixes=fixes.list_possible_fixes(),
    )


def _can_parse(outlines: Outlines, state: DeployedState, frame: Frame) -> bool:
    outline = outlines.read(state.blobs[frame.path])
    return outline is not None and outline.can_parse(outline.find_function(frame.line))


def _list_touches(
    context: ProofContext, outlines: Outlines, state: DeployedState, functions: Sequence[StackFunction]
) -> Sequence[tuple[StackFunction, Sequence[FunctionTouch]]]:
    paths = list(dict.fromkeys(at.path for at in functions))
    versions = state.versions or context.history.file_versions(paths, [state.commit.id])
    histories = FunctionHistories(context.history, outlines, versions)
    return [(at, histories.list_touches(at.path, at.function, at.outline)) for at in functions]


def _read_occasion(context: ProofContext, exception: LoggedException, state: DeployedState) -> Occasion:
    incident = context.incident
    failed_at = incident.first_seen if incident.dated and incident.first_seen is not None else state.commit.committed_at
    return Occasion(exception.message, failed_at, _list_since_last_good(context, state))


def _list_since_last_good(context: ProofContext, state: DeployedState) -> frozenset[str]:
    """The commits that came with the failing revision; empty where the last good one is not known."""
    if not context.request.last_good:
        return frozenset()
    try:
        good = context.history.resolve(context.request.last_good)
    except UsageError:
        return frozenset()
    return frozenset(commit.id for commit in context.history.commits(state.commit.id, good.id))
