"""The proof of an incident about which nothing can be proven: why not, and what was looked at."""

from dataclasses import replace

from shared.detection.causes.cause import CauseClass, EnvironmentComparison
from shared.detection.causes.classify import classify_cause
from shared.detection.incident import Incident, describe_raised, name_raised
from shared.detection.logged_exception import Frame, is_package_frame
from shared.detection.raised_exception import EFFECT_KINDS, RaisedException
from shared.detection.signal import SignalKind
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.locating.located_version import LocatedVersion, describe_logged_position
from shared.proof.model.deployed_version import DeployedSource, DeployedVersion
from shared.proof.model.finding import Finding
from shared.proof.model.paths import has_other_interpreter, is_python_name, match_logged_path
from shared.proof.model.ports import History
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.proof_context import ProofContext
from shared.proof.searching.introducing_commit import FileAtCommit
from shared.proof.suspected import find_suspected
from shared.text.phrases import join_words, quote_untrusted


def describe_gaps(history: History, *, needs_full_history: bool) -> tuple[str, ...]:
    """What this clone lacks. `needs_full_history`: whether the answer depends on what a shallow clone cut off."""
    cut = history.shallow_boundary()
    if not needs_full_history or not cut:
        return tuple(history.describe_gaps())
    shallow = f"The repository is a shallow clone: the history before {len(cut)} of its commits is missing."
    return (shallow, *history.describe_gaps())


_MAX_NEARBY = 3
_REASONS = {
    SignalKind.DYNAMIC_CODE: (
        Reason.DYNAMIC_CODE,
        "The failing code was generated at run time; it is in no file of the repository.",
    ),
    SignalKind.DEPENDENCY: (
        Reason.DEPENDENCY,
        "The failing file belongs to an installed package or to Python itself, not to this repository.",
    ),
    SignalKind.FOUND_BY_CHECK: (
        Reason.NOT_CORROBORATED,
        "The check found that a line of the deployed commit fails; the proof does not confirm it.",
    ),
    SignalKind.NOT_PYTHON: (
        Reason.NOT_PYTHON,
        "The error does not come from Python, not a Python error.",
    ),
}
_EFFECTS = {
    SignalKind.CLOSE_1011: "WebSockets were closed with code 1011",
    SignalKind.FAILED_START: "The revision did not start",
}
_UNPROVEN = {
    SignalKind.CLOSE_1011: (Reason.CLOSE_1011_UNPROVEN, Reason.CLOSE_1011_WITHOUT_CAUSE),
    SignalKind.FAILED_START: (Reason.FAILED_START_UNPROVEN, Reason.FAILED_START_WITHOUT_CAUSE),
}


def explain_unprovable(context: ProofContext) -> Finding:
    """For a signal that no compiler can confirm; also where no proof of its exception was found."""
    incident = context.incident
    default = (Reason.NOT_CORROBORATED, "The log names no file and line that could be compiled.")
    reason, detail = _REASONS.get(incident.kind, default)
    frame = None
    if incident.raised is not None and incident.kind is not SignalKind.KEEPALIVE_TIMEOUT:  # that one is its own cause
        frame = _find_repository_frame(context, incident.raised)
    if incident.kind in EFFECT_KINDS:
        reason, detail = _explain_effect(incident, frame, context.request.environment)
    source = DeployedSource.UNKNOWN if context.given_commit is None else DeployedSource.GIVEN
    located = LocatedVersion("", context.given_commit, source, corroborated=False)
    finding = _build_finding(context, located, Recommendation(ActionKind.NONE, reason, detail))
    return replace(
        finding,
        raised_frame=frame,
        environment=context.request.environment,
        suspected=find_suspected.find_suspected_for_incident(context),
    )


def _explain_effect(
    incident: Incident, frame: Frame | None, environment: EnvironmentComparison | None
) -> tuple[Reason, str]:
    """Why a close or a failed start leads to no proposal: by the class of its cause."""
    cause = classify_cause(incident, environment)
    if cause.cause_class is CauseClass.KEEPALIVE:
        return Reason.KEEPALIVE_TIMEOUT, (
            "A keepalive ping was not answered in time: the event loop was blocked, or the network was slow. "
            f"No redeployment fixes that. {cause.profile.mends}"
        )
    named = name_raised(incident.raised, frame) if incident.raised is not None else ""
    if cause.cause_class is CauseClass.UPSTREAM_CLOSED:
        upstream = f"the upstream service ({quote_untrusted(cause.subject, 100)})" if cause.subject else "the other end"
        detail = f"The connection was closed by {upstream}, not by this service; what failed there is not in this log."
        return Reason.CLOSED_BY_OTHER_END, f"{detail}{f' It was raised as {named}.' if named else ''}"
    if cause.cause_class is not CauseClass.UNKNOWN and not cause.profile.is_mended_by_commit:
        told = f" ({quote_untrusted(cause.subject, 100)})" if cause.subject else ""
        proven = f" {quote_untrusted(cause.proven_by, 200)}" if cause.proven_by else ""
        detail = f"No deployment of another commit fixes this: {cause.profile.title}{told}.{proven}"
        return Reason.NO_DEPLOYMENT_MENDS, detail
    return _explain_unproven_effect(incident, named)


def _explain_unproven_effect(incident: Incident, named: str) -> tuple[Reason, str]:
    unproven, without_cause = _UNPROVEN[incident.kind]
    effect = _EFFECTS[incident.kind]
    if named and incident.kind is SignalKind.CLOSE_1011 and not incident.has_close_code:
        return unproven, (
            f"A WebSocket's handler raised {named}, and no close code was logged. Which commit fixes it is not proven."
        )
    if named:
        return unproven, (
            f"{effect}. The log links it to {named}. Whether that is the cause, and which commit fixes it, is not "
            "proven."
        )
    if incident.candidates:
        words = join_words([describe_raised(raised) for raised in incident.candidates], "or")
        return Reason.CLOSE_1011_ONE_OF_SEVERAL, (
            f"{effect} by one of {len(incident.candidates)} exceptions, and the log does not say by which: {words}."
        )
    detail = f"{effect}, and the log shows no exception that caused it."
    if incident.nearby:
        words = join_words([f"“{quote_untrusted(nearby.text, 120)}”" for nearby in incident.nearby[:_MAX_NEARBY]])
        detail = f"{detail} Logged around the same time: {words}."
    return without_cause, detail


def _find_repository_frame(context: ProofContext, raised: RaisedException) -> Frame | None:
    """The deepest frame whose file is in the repository, under its path there; None where none does."""
    at = context.given_commit.id if context.given_commit is not None else context.branch.head
    tree = context.history.tree(at)
    frames = [frame for link in raised.chain for frame in reversed(link.frames)]
    for frame in frames:
        tiers = match_logged_path(frame.path, tree) if not is_package_frame(frame) else ()
        if tiers and len(tiers[0]) == 1:
            return replace(frame, path=tiers[0][0])
    return None


def report_unjudgeable_python(context: ProofContext, python: tuple[str, str]) -> Finding:
    """For a version of Python for which there is no compiler, with the file that declares it."""
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
