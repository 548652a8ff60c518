"""The proof of an incident about which nothing can be proven: why not, and what was looked at."""

from dataclasses import replace

from shared.detection.close_code import CloseKind
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, is_package_frame
from shared.detection.raised_exception import describe_raised_exception
from shared.detection.signal import SignalKind
from shared.detection.ties import RaisedException
from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.locating.located import Located, place
from shared.proof.model.finding import Deployed, DeployedSource, Kind, Proof, Reason, Recommendation
from shared.proof.model.paths import likely_files
from shared.proof.proof_context import Inquiry
from shared.proof.unseen import unseen
from shared.text.phrases import join_words, quote_untrusted

_MOST_NEARBY = 3
_OTHER_END = "The other end of the connection closed it with 1011; what failed there is not in this log."
_WITHOUT_PROOF = {
    SignalKind.CLOSE_1011: (
        Reason.CLOSE_1011_ALONE,
        "WebSockets were closed with 1011, and the log ties no exception to that.",
    ),
    SignalKind.KEEPALIVE_TIMEOUT: (
        Reason.KEEPALIVE_TIMEOUT,
        "The keepalive ping timed out: a blocked event loop or a slow network, which no redeploy mends.",
    ),
    SignalKind.DYNAMIC_CODE: (
        Reason.DYNAMIC_CODE,
        "The code that failed was made at run time; no file of the repository holds it.",
    ),
    SignalKind.DEPENDENCY: (
        Reason.DEPENDENCY,
        "The file that failed belongs to an installed package or to Python itself, not to the repository.",
    ),
    SignalKind.NOT_PYTHON: (
        Reason.NOT_PYTHON,
        "The error is JavaScript's, not Python's.",
    ),
}


def without_proof(inquiry: Inquiry) -> Proof:
    """For a signal that no compiler can confirm."""
    default = (Reason.NOT_CORROBORATED, "The log names no place that could be compiled.")
    reason, detail = _WITHOUT_PROOF.get(inquiry.incident.kind, default)
    frame = None
    if inquiry.incident.raised is not None and reason is not Reason.KEEPALIVE_TIMEOUT:  # that one is its own cause
        frame = _own_frame(inquiry, inquiry.incident.raised)
    if reason is Reason.CLOSE_1011_ALONE:
        reason, detail = _explain_close(inquiry.incident, frame)
    source = DeployedSource.UNKNOWN if inquiry.given is None else DeployedSource.GIVEN
    located = Located("", inquiry.given, source, corroborated=False)
    return replace(_proof(inquiry, located, Recommendation(Kind.NONE, reason, detail)), frame=frame)


def _explain_close(incident: Incident, frame: Frame | None) -> tuple[Reason, str]:
    """Why a close leads to no proposal, with the exception that the log ties to it."""
    quoted = describe_raised_exception(incident, frame) if incident.raised is not None else ""
    if incident.closed is CloseKind.OTHER_END:
        return Reason.CLOSED_BY_OTHER_END, f"{_OTHER_END}{f' With it was logged {quoted}.' if quoted else ''}"
    if quoted:
        return Reason.CLOSE_1011_UNPROVEN, (
            f"WebSockets were closed with 1011. The log ties an exception to that: {quoted}. That it closed them, "
            "and which commit mends it, is not proven."
        )
    reason, detail = _WITHOUT_PROOF[SignalKind.CLOSE_1011]
    if incident.nearby:
        words = join_words([f"“{quote_untrusted(each.text, 120)}”" for each in incident.nearby[:_MOST_NEARBY]])
        detail = f"{detail} Logged in the same minutes: {words}."
    return reason, detail


def _own_frame(inquiry: Inquiry, raised: RaisedException) -> Frame | None:
    """The deepest frame whose file lies in the repository, under its path there; None where none does."""
    at = inquiry.given.id if inquiry.given is not None else inquiry.branch.head
    tree = inquiry.history.tree(at)
    for frame in reversed(raised.exception.frames):
        tiers = likely_files(frame.path, tree) if not is_package_frame(frame) else ()
        if tiers and len(tiers[0]) == 1:
            return replace(frame, path=tiers[0][0])
    return None


def unjudgeable(inquiry: Inquiry, python: tuple[str, str]) -> Proof:
    """For a version of Python that no compiler at hand answers for, and where it stands."""
    source = DeployedSource.UNKNOWN if inquiry.given is None else DeployedSource.GIVEN
    located = Located("", inquiry.given, source, corroborated=False)
    told = f"Python {python[0]} ({python[1]}) cannot be judged here, so that nothing can be proven."
    return _proof(inquiry, located, Recommendation(Kind.NONE, Reason.NOT_CORROBORATED, told), python)


def uncorroborated(inquiry: Inquiry, located: Located, verdicts: Verdicts, python_source: str) -> Proof:
    """For a logged line on which no version of any file fails."""
    branch, python = inquiry.branch.name, verdicts.python
    notes = unseen(inquiry.history, at_boundary=located.reason is not Reason.AMBIGUOUS)
    told_unseen = "".join(f" {note}" for note in notes)
    if located.detail:
        recommendation = Recommendation(Kind.NONE, located.reason, f"{located.detail}{told_unseen}")
    elif located.path:
        logged = place(inquiry.incident)
        told = f"No version of {located.path} on {branch} fails as logged ({logged}) on Python {python}.{told_unseen}"
        recommendation = Recommendation(Kind.NONE, Reason.NOT_CORROBORATED, located.conflict or told)
    else:
        told = f"The history of {branch} holds no file that {place(inquiry.incident)} could mean.{told_unseen}"
        recommendation = Recommendation(Kind.NONE, Reason.FILE_NOT_FOUND, located.conflict or told)
    proof = _proof(inquiry, located, recommendation, (python, python_source), verdicts.compiled)
    return replace(proof, unseen=notes)


def wrong_command(inquiry: Inquiry, path: str, verdicts: Verdicts, python_source: str) -> Proof:
    """For a file that is no Python: it fails at every commit, and none of them broke it."""
    source = DeployedSource.UNKNOWN if inquiry.given is None else DeployedSource.GIVEN
    located = Located(path, inquiry.given, source, corroborated=False)
    told = (
        f"{path} is no Python, and Python was started with it: the command that starts the service is wrong, "
        "which no commit of this file mends."
    )
    recommendation = Recommendation(Kind.NONE, Reason.WRONG_COMMAND, told)
    return _proof(inquiry, located, recommendation, (verdicts.python, python_source), verdicts.compiled)


def _proof(
    inquiry: Inquiry,
    located: Located,
    recommendation: Recommendation,
    python: tuple[str, str] = ("", ""),
    compiled: int = 0,
) -> Proof:
    sightings = inquiry.incident.sightings
    deployed = Deployed(
        revision=sightings[-1].revision if sightings else "",
        commit=located.commit,
        source=inquiry.request.source if located.source is DeployedSource.GIVEN else located.source,
        corroborated=False,
        candidates=located.candidates,
        uncommitted_tree=False,
        python=python[0],
        python_source=python[1],
        conflict=located.conflict,
        named=inquiry.request.named,
        stated=inquiry.request.stated,
    )
    return Proof(
        deployed=deployed,
        broken=None,
        introduced=None,
        attempts=(),
        fix=None,
        target=None,
        rollback=None,
        recommendation=recommendation,
        branch=inquiry.branch.name,
        branch_head=inquiry.branch.head,
        versions_compiled=compiled,
    )
