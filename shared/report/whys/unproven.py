"""Honest answers where nothing is proven: no deployed version was found, or the failure is not of a kind to prove."""

from collections.abc import Iterator

from shared.detection.close_code import CloseKind
from shared.detection.incident import Incident, describe_raised_exception
from shared.detection.signal import SignalKind
from shared.proof.model.finding import SELF_EXPLANATORY_REASONS, Finding, Reason
from shared.report.facts import Facts, FactTopic
from shared.report.facts.log_entries import format_error_line
from shared.report.whys.failure import describe_nearby
from shared.report.whys.trial import explain_trial
from shared.report.whys.why import Confidence, WhyDraft, WhyKey
from shared.text.phrases import join_words, pluralize, quote_service_name, quote_untrusted
from shared.text.timestamps import format_timestamp_phrase

_UNKNOWN = Confidence.UNKNOWN

# What each kind means, why no commit can be proven for it, and where its cause would have to be looked for.
_MEANING_BY_SIGNAL = {
    SignalKind.CLOSE_1011: (
        "WebSocket connections were closed with an internal error. The log does not say which end closed first, nor "
        "what failed.",
        "A close code names no file and no line, so there is nothing to compile.",
        "in what was logged before the close, at either end of the connection",
    ),
    SignalKind.KEEPALIVE_TIMEOUT: (
        "A keepalive ping was not answered in time: the event loop was blocked, or the network was slow or gone.",
        "That is not an error in a source file, so compiling commits cannot prove a fix.",
        "in blocking calls of the event loop, the CPU and the concurrency of the instances, and the clients' network",
    ),
    SignalKind.DYNAMIC_CODE: (
        "The source that does not compile was generated at run time; it is not a file.",
        "It is in no commit, so compiling commits cannot prove it right or wrong.",
        "in the text that was handed to `exec`, `eval` or `compile`, and in where that text came from",
    ),
    SignalKind.DEPENDENCY: (
        "The file that does not compile belongs to an installed package, not to the service's own sources.",
        "It is in no commit of this repository, so compiling commits cannot prove it right or wrong.",
        "in the version of that package, and in whether it supports the deployed Python",
    ),
    SignalKind.NOT_PYTHON: (
        "The error has the name of a Python error and comes from another language, or from data that was not parsed.",
        "It is not an error of the Python compiler, so compiling commits cannot prove a fix.",
        "in the program that logged it and in the text that it tried to parse",
    ),
}


_CLOSED_BY_PEER = (
    "The other end closed WebSocket connections with an internal error, and this service answered (“received … then "
    "sent”). What failed there is not in this log.",
    "What failed is at the other end of the connection, so compiling commits of this service cannot prove a fix.",
    "in the service at the other end, and in what this one sent to it",
)
_CLOSED_BY_SERVICE = (
    "This service closed WebSocket connections with an internal error, and the other end answered. The code says that "
    "something failed here, not what.",
    *_MEANING_BY_SIGNAL[SignalKind.CLOSE_1011][1:],
)


def explain_unproven_signal(incident: Incident, proof: Finding, facts: Facts) -> Iterator[WhyDraft]:
    """What was observed, what it means, and what is not known."""
    logged = facts.evidence_ids(
        FactTopic.SIGHTING, FactTopic.RAISED, FactTopic.SYMPTOM, FactTopic.NEARBY, FactTopic.COUNT
    )
    meaning, limit, where = _signal_meaning(incident)
    service = quote_service_name(incident.service) or "the service"
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated)
    shown = f": {format_error_line(incident, incident.sightings[-1])}" if incident.sightings else ""
    observed = f"It was logged {pluralize(incident.occurrences, 'time')}, first {first}{shown}."
    if incident.is_close_own_exception:
        observed += (
            f" The close was raised as an exception itself: {describe_raised_exception(incident, proof.raised_frame)}."
        )
    elif incident.raised is not None:
        observed += (
            " Logged before the close, and linked to it by the log: "
            f"{describe_raised_exception(incident, proof.raised_frame)}."
        )
    yield WhyDraft(
        WhyKey.FAILED, f"What failed in {service}?", observed + describe_nearby(incident), Confidence.OBSERVED, logged
    )
    yield WhyDraft(WhyKey.MEANING, "What does that mean?", meaning, Confidence.INFERRED, logged)
    yield explain_trial(proof, facts) or WhyDraft(
        WhyKey.NO_COMMIT, "Why is no commit proposed?", limit, Confidence.INFERRED, logged
    )
    if incident.raised is not None:
        yield from _explain_raised_exception(incident, proof, facts)
        return
    change = "Unknown: the log does not link it to a commit."
    yield WhyDraft(WhyKey.INTRODUCED, "Which change introduced it?", change, _UNKNOWN)
    check = "Unknown: what would have caught it depends on the cause."
    yield WhyDraft(WhyKey.NOT_CAUGHT, "Why was it not caught?", check, _UNKNOWN)
    answer = f"Unknown. Look for the cause {where}."
    yield WhyDraft(WhyKey.BEHIND, "What is the error behind the error?", answer, _UNKNOWN)


def _signal_meaning(incident: Incident) -> tuple[str, str, str]:
    if incident.raised is not None and incident.kind is SignalKind.CLOSE_1011:
        return (
            "A WebSocket connection was closed with an internal error, and an exception was logged "
            f"{'with' if incident.is_close_own_exception else 'before'} it. That the "
            "exception closed the connection is likely, and not proven.",
            "No commit was tested against this exception, so none is proven to fix it.",
            "in that exception",
        )
    if incident.close_kind is CloseKind.REMOTE_END:
        return _CLOSED_BY_PEER
    if incident.close_kind is CloseKind.LOCAL_END:
        return _CLOSED_BY_SERVICE
    return _MEANING_BY_SIGNAL.get(incident.kind, _MEANING_BY_SIGNAL[SignalKind.NOT_PYTHON])


def _explain_raised_exception(incident: Incident, proof: Finding, facts: Facts) -> Iterator[WhyDraft]:
    cited = facts.evidence_ids(FactTopic.RAISED)
    words = describe_raised_exception(incident, proof.raised_frame)
    change = f"Not proven. Look for the change that made this possible: {words}."
    yield WhyDraft(WhyKey.INTRODUCED, "Which change introduced it?", change, _UNKNOWN, cited)
    check = "Not proven: nothing was compiled or run for this exception."
    yield WhyDraft(WhyKey.NOT_CAUGHT, "Why was it not caught?", check, _UNKNOWN, cited)
    behind = f"Not proven. Look for the cause where the exception was raised: {words}."
    yield WhyDraft(WhyKey.BEHIND, "What is the error behind the error?", behind, _UNKNOWN, cited)


def explain_unknown_version(incident: Incident, proof: Finding, facts: Facts) -> tuple[WhyDraft, ...]:
    """What was compared, and why no version can be called the deployed one."""
    lines = sorted({sighting.line for sighting in incident.sightings if sighting.line is not None})
    logged = f" on {join_words([f'line {line}' for line in lines[:5]])}" if lines else ""
    python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
    versions = f"{pluralize(proof.versions_compiled, 'version')} of {quote_untrusted(incident.path)}"
    tied = "" if proof.recommendation.reason in SELF_EXPLANATORY_REASONS else f"; none matches what was logged{logged}"
    compared = f"Unknown. Compiled{python}: {versions}{tied}. {quote_untrusted(proof.recommendation.detail, 500)}"
    why = "Unknown: without the deployed version there is no commit to start from."
    if proof.recommendation.reason is Reason.FILE_IS_NOT_PYTHON:
        why = "Unknown: a file that is not Python has no version that broke it."
    cited, seen = facts.evidence_ids(FactTopic.COMPARED, FactTopic.DEPLOYED), facts.evidence_ids(FactTopic.SIGHTING)
    return (
        WhyDraft(WhyKey.VERSION, "Which version of the file is deployed?", compared, _UNKNOWN, cited),
        WhyDraft(
            WhyKey.REJECTED,
            "Why does Python reject the file?",
            _describe_logged_error(incident),
            Confidence.OBSERVED,
            seen,
        ),
        WhyDraft(WhyKey.INTRODUCED, "Which change introduced the error?", why, _UNKNOWN),
        WhyDraft(WhyKey.ANY_FIX, "Is there a fix?", why, _UNKNOWN),
    )


def _describe_logged_error(incident: Incident) -> str:
    if not incident.sightings:
        return "The log does not say."
    words = format_error_line(incident, incident.sightings[-1])
    return f"The log says: {words}. The deployed version is unknown, so it could not be compiled to check this."
