"""The proof of an incident about which nothing can be proven: why not, and what was looked at."""

from dataclasses import replace

from shared.detection.close_code import CloseKind
from shared.detection.incident import Incident, describe_raised_exception
from shared.detection.logged_exception import Frame, is_package_frame
from shared.detection.signal import SignalKind
from shared.detection.ties import RaisedException
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.locating.located_version import LocatedVersion, describe_logged_position
from shared.proof.model.finding import ActionKind, DeployedSource, DeployedVersion, Finding, Reason, Recommendation
from shared.proof.model.paths import has_other_interpreter, is_python_name, match_logged_path
from shared.proof.model.ports import History
from shared.proof.proof_context import ProofContext
from shared.proof.searching.introducing_commit import FileAtCommit
from shared.proof.suspected.find_suspected import find_suspected_for_incident
from shared.text.phrases import join_words, quote_untrusted


def describe_gaps(history: History, *, needs_full_history: bool) -> tuple[str, ...]:
    """What this clone lacks. `needs_full_history`: whether the answer depends on what a shallow clone cut off."""
    cut = history.shallow_boundary()
    if not needs_full_history or not cut:
        return tuple(history.describe_gaps())
    shallow = f"The repository is a shallow clone: the history before {len(cut)} of its commits is missing."
    return (shallow, *history.describe_gaps())


_MAX_NEARBY = 3
_CLOSED_BY_OTHER_END = "The other side closed the connection with 1011; this log does not show what failed there."
_REASONS = {
    SignalKind.CLOSE_1011: (
        Reason.CLOSE_1011_WITHOUT_CAUSE,
        "WebSockets were closed with code 1011, and the log shows no exception that caused it.",
    ),
    SignalKind.KEEPALIVE_TIMEOUT: (
        Reason.KEEPALIVE_TIMEOUT,
        "The keepalive ping timed out: the event loop was blocked or the network was slow. No redeployment fixes that.",
    ),
    SignalKind.DYNAMIC_CODE: (
        Reason.DYNAMIC_CODE,
        "The failing code was generated at run time; it is in no file of the repository.",
    ),
    SignalKind.DEPENDENCY: (
        Reason.DEPENDENCY,
        "The failing file belongs to an installed package or to Python itself, not to this repository.",
    ),
    SignalKind.NOT_PYTHON: (
        Reason.NOT_PYTHON,
        "The error does not come from Python, not a Python error.",
    ),
}


def explain_unprovable(context: ProofContext) -> Finding:
    """For a signal that no compiler can confirm."""
    default = (Reason.NOT_CORROBORATED, "The log names no file and line that could be compiled.")
    reason, detail = _REASONS.get(context.incident.kind, default)
    frame = None
    if context.incident.raised is not None and reason is not Reason.KEEPALIVE_TIMEOUT:  # that one is its own cause
        frame = _find_repository_frame(context, context.incident.raised)
    if reason is Reason.CLOSE_1011_WITHOUT_CAUSE:
        reason, detail = _explain_close_code(context.incident, frame)
    source = DeployedSource.UNKNOWN if context.given_commit is None else DeployedSource.GIVEN
    located = LocatedVersion("", context.given_commit, source, corroborated=False)
    finding = _build_finding(context, located, Recommendation(ActionKind.NONE, reason, detail))
    return replace(finding, raised_frame=frame, suspected=find_suspected_for_incident(context))


def _explain_close_code(incident: Incident, frame: Frame | None) -> tuple[Reason, str]:
    """Why a close leads to no proposal, with the exception that the log ties to it."""
    quoted = describe_raised_exception(incident, frame) if incident.raised is not None else ""
    if incident.close_kind is CloseKind.REMOTE_END:
        return Reason.CLOSED_BY_OTHER_END, f"{_CLOSED_BY_OTHER_END}{f' Logged with it: {quoted}.' if quoted else ''}"
    if quoted:
        return Reason.CLOSE_1011_UNPROVEN, (
            f"WebSockets were closed with code 1011. The log links an exception to the close: {quoted}. Whether it "
            "caused the close, and which commit fixes it, is not proven."
        )
    reason, detail = _REASONS[SignalKind.CLOSE_1011]
    if incident.nearby:
        words = join_words([f"“{quote_untrusted(nearby.text, 120)}”" for nearby in incident.nearby[:_MAX_NEARBY]])
        detail = f"{detail} Logged around the same time: {words}."
    return reason, detail


def _find_repository_frame(context: ProofContext, raised: RaisedException) -> Frame | None:
    """The deepest frame whose file lies in the repository, under its path there; None where none does."""
    at = context.given_commit.id if context.given_commit is not None else context.branch.head
    tree = context.history.tree(at)
    for frame in reversed(raised.exception.frames):
        tiers = match_logged_path(frame.path, tree) if not is_package_frame(frame) else ()
        if tiers and len(tiers[0]) == 1:
            return replace(frame, path=tiers[0][0])
    return None


def report_unjudgeable_python(context: ProofContext, python: tuple[str, str]) -> Finding:
    """For a version of Python that no compiler at hand answers for, and where it stands."""
    source = DeployedSource.UNKNOWN if context.given_commit is None else DeployedSource.GIVEN
    located = LocatedVersion("", context.given_commit, source, corroborated=False)
    detail = f"No compiler for Python {python[0]} ({python[1]}) is available here, so nothing can be proven."
    return _build_finding(context, located, Recommendation(ActionKind.NONE, Reason.NOT_CORROBORATED, detail), python)


def report_uncorroborated(
    context: ProofContext, located: LocatedVersion, verdicts: CompileVerdicts, python_source: str
) -> Finding:
    """For a logged line on which no version of any file fails."""
    branch, python = context.branch.name, verdicts.python
    notes = describe_gaps(context.history, needs_full_history=located.reason is not Reason.AMBIGUOUS)
    gap_notes = "".join(f" {note}" for note in notes)
    if located.detail:
        recommendation = Recommendation(ActionKind.NONE, located.reason, f"{located.detail}{gap_notes}")
    elif located.path:
        logged = describe_logged_position(context.incident)
        detail = f"No version of {located.path} on {branch} fails on Python {python} as logged ({logged}).{gap_notes}"
        recommendation = Recommendation(ActionKind.NONE, Reason.NOT_CORROBORATED, located.conflict or detail)
    else:
        position = describe_logged_position(context.incident)
        detail = f"The history of {branch} contains no file that matches {position}.{gap_notes}"
        recommendation = Recommendation(ActionKind.NONE, Reason.FILE_NOT_FOUND, located.conflict or detail)
    proof = _build_finding(context, located, recommendation, (python, python_source), verdicts.compiled_count)
    return replace(proof, gaps=notes)


def report_wrong_command(context: ProofContext, path: str, verdicts: CompileVerdicts, python_source: str) -> Finding:
    """For a file that is no Python: it fails at every commit, and none of them broke it."""
    source = DeployedSource.UNKNOWN if context.given_commit is None else DeployedSource.GIVEN
    located = LocatedVersion(path, context.given_commit, source, corroborated=False)
    detail = (
        f"{path} is not a Python file, but Python was started with it: the start command of the service is wrong. "
        "No commit to this file fixes that."
    )
    recommendation = Recommendation(ActionKind.NONE, Reason.FILE_IS_NOT_PYTHON, detail)
    return _build_finding(context, located, recommendation, (verdicts.python, python_source), verdicts.compiled_count)


def _build_finding(
    context: ProofContext,
    located: LocatedVersion,
    recommendation: Recommendation,
    python: tuple[str, str] = ("", ""),
    versions_compiled: int = 0,
) -> Finding:
    sightings = context.incident.sightings
    deployed = DeployedVersion(
        revision=sightings[-1].revision if sightings else "",
        commit=located.commit,
        source=context.request.source if located.source is DeployedSource.GIVEN else located.source,
        corroborated=False,
        candidates=located.candidates,
        uncommitted_tree=False,
        python=python[0],
        python_source=python[1],
        conflict=located.conflict,
        has_named_commit=context.request.has_named_commit,
        platform_statements=context.request.platform_statements,
    )
    return Finding(
        deployed=deployed,
        broken=None,
        introduced=None,
        attempts=(),
        fix=None,
        target=None,
        rollback=None,
        recommendation=recommendation,
        branch=context.branch.name,
        branch_head=context.branch.head,
        versions_compiled=versions_compiled,
    )


def is_not_python(history: History, verdicts: CompileVerdicts, failing_version: FileAtCommit, branch_head: str) -> bool:
    """By its name and its first line; where these leave it open, by whether any version of it ever compiled."""
    if is_python_name(failing_version.path):
        return False
    content = history.read(failing_version.blob) or b""
    if content.startswith(b"#!"):
        return has_other_interpreter(content)
    versions = history.file_versions(
        [failing_version.path], list(dict.fromkeys((branch_head, failing_version.commit.id)))
    )
    blobs = {failing_version.blob, *(blob for version in versions for blob in version.blobs.values())}
    return all(verdicts.judge(blob, failing_version.path).compiles is False for blob in sorted(blobs))
