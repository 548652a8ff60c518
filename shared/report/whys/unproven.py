"""Honest answers where nothing is proven: no deployed version was found, or the failure is not of a kind to prove.

Of closed connections and failed starts it says what was logged, its class, and who can fix it; of a trial, why a commit
is tried, or is proposed after it, although no compiler proves anything about it.
"""

from collections.abc import Iterator

from shared.detection.causes.cause import Cause, CauseClass
from shared.detection.causes.classify import classify_cause
from shared.detection.causes.text_rules import find_line_before
from shared.detection.close_code import CloseKind
from shared.detection.incident import Incident, describe_raised_exception, name_raised
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import SELF_EXPLANATORY_REASONS, ActionKind, Reason
from shared.report.evidence import CAUSE_TOPICS, Facts, FactTopic
from shared.report.facts.log_entries import describe_candidates, describe_gap, format_error_line
from shared.report.facts.unproven import describe_candidate, describe_experiment
from shared.report.whys.cause_answers import ANSWERS
from shared.report.whys.failure import describe_nearby
from shared.report.whys.why import Confidence, Statement, WhyDraft, WhyKey
from shared.text.phrases import join_words, pluralize, quote_service_name, quote_untrusted
from shared.text.timestamps import format_timestamp_phrase


def explain_trial(proof: Finding, facts: Facts) -> WhyDraft | None:
    """None where nothing is tried, and nothing was."""
    candidate = proof.trial_candidate
    if candidate is None or proof.recommendation.kind is ActionKind.NONE:
        return None
    cited = facts.evidence_ids(FactTopic.TARGET, FactTopic.TRIAL_CANDIDATE, FactTopic.EXPERIMENT)
    if proof.experiment is not None:
        answer = (
            f"{next(describe_experiment(proof.experiment))} That proves that this commit holds where the serving "
            "revision fails, not which of its changes does it."
        )
        return WhyDraft(WhyKey.NO_COMMIT, "Why is this commit proposed?", answer, Confidence.OBSERVED, cited)
    answer = (
        f"Nothing is proven: no compiler shows this failure. A possible fix is {describe_candidate(candidate)}. "
        "Whether it holds is found out by an experiment."
    )
    return WhyDraft(WhyKey.NO_COMMIT, "Why is only a trial proposed?", answer, Confidence.INFERRED, cited)


_LOG_TOPICS = (FactTopic.SIGHTING, FactTopic.SYMPTOM, FactTopic.NEARBY, FactTopic.COUNT)
_UNKNOWN_DIRECTION = {
    None: "The log does not say which end closed first, nor what failed.",
    CloseKind.INTERNAL_ERROR: "The log does not say which end closed first, nor what failed.",
    CloseKind.LOCAL_END: "This service closed first: something failed here, and the log does not say what.",
}


def explain_effect(incident: Incident, proof: Finding, facts: Facts) -> Iterator[WhyDraft]:
    """Six questions: what failed, what it means, why no commit, who can fix it, what would have caught it, and
    behind.
    """
    cause = classify_cause(incident, proof.environment)
    answers, is_known = ANSWERS[cause.cause_class], cause.cause_class is not CauseClass.UNKNOWN
    logged = facts.evidence_ids(*CAUSE_TOPICS, *_LOG_TOPICS)
    cited = facts.evidence_ids(*CAUSE_TOPICS) or facts.evidence_ids(FactTopic.SIGHTING)
    service = quote_service_name(incident.service) or "the service"
    observed = _describe_observation(incident, proof) + describe_nearby(incident)
    yield WhyDraft(WhyKey.FAILED, f"What failed in {service}?", observed, Confidence.OBSERVED, logged)
    sure = Confidence.OBSERVED if cause.proven_by else Confidence.INFERRED
    meaning = _describe_meaning(incident, cause)
    yield WhyDraft(WhyKey.MEANING, "What is the cause?", meaning, sure, logged)
    no_commit = answers.no_commit if is_known or incident.raised is None else _NOTHING_TESTED
    no_commit = _NOTHING_TOLD_APART if incident.candidates and not is_known else no_commit
    suspected = facts.evidence_ids(FactTopic.SUSPECTED)
    no_commit += _SUSPECTED if suspected else ""
    yield explain_trial(proof, facts) or WhyDraft(
        WhyKey.NO_COMMIT, "Why is no commit proposed?", no_commit, Confidence.INFERRED, (*logged, *suspected)
    )
    known = Confidence.INFERRED if is_known else Confidence.UNKNOWN
    statements = (Statement.CAUSE_CLASSIFIED,) if is_known else ()
    mends = _describe_next_step(incident, proof, cause)
    yield WhyDraft(WhyKey.MENDS, "What would fix it, and who can?", mends, known, cited, statements)
    yield WhyDraft(WhyKey.NOT_CAUGHT, "What would have caught it?", answers.caught_by, known, cited)
    yield WhyDraft(WhyKey.BEHIND, "What is the error behind the error?", answers.behind, known, cited)


_SUSPECTED = " Some changes are suspected, because they touched what the exception names; none of them was run."
_LINKED_TO_CLOSE = " The log links it to the close; that it closed the connection is likely, and not proven."
_NO_CLOSE_CODE = " No close code was logged; the server names the exception as that of a WebSocket."
_NOTHING_TOLD_APART = "It is not known which of the exceptions it was, so no commit was tested against one."
_NOTHING_TESTED = "No commit was tested against this exception, so none is proven to fix it."


def _describe_observation(incident: Incident, proof: Finding) -> str:
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated)
    shown = f": {format_error_line(incident, incident.sightings[-1]).rstrip('.')}" if incident.sightings else ""
    text = f"It was logged {pluralize(incident.occurrences, 'time')}, first {first}{shown}."
    raised = describe_raised_exception(incident, proof.raised_frame)
    if not raised:
        return text + describe_candidates(incident)
    if incident.kind is SignalKind.FAILED_START:
        return f"{text} Raised while the program started: {raised}."
    if incident.is_close_own_exception:
        return f"{text} The close was raised as an exception itself: {raised}."
    if incident.is_raised_in_own_entry:
        if not incident.has_close_code:
            return f"{text} The server logged it as what the handler of a WebSocket raised: {raised}."
        return f"{text} The server logged it as what ended the connection: {raised}."
    return f"{text} Logged before the close, and linked to it by the log: {raised}."


def _describe_meaning(incident: Incident, cause: Cause) -> str:
    """The class in words, and what the platform or the log adds to it."""
    answers = ANSWERS[cause.cause_class]
    if cause.cause_class is CauseClass.UNKNOWN:
        return _describe_unknown(incident)
    subject = f" The log names {quote_untrusted(cause.subject, 120)}." if cause.subject else ""
    proven = f" {quote_untrusted(cause.proven_by, 300)}" if cause.proven_by else ""
    gap = f" {describe_gap(incident.longest_gap)}" if incident.longest_gap is not None else ""
    tie = _LINKED_TO_CLOSE if incident.has_close_code else _NO_CLOSE_CODE
    likely = tie if incident.raised is not None and incident.kind is SignalKind.CLOSE_1011 else ""
    return f"{answers.meaning}{subject}{proven}{gap}{likely}"


def _describe_unknown(incident: Incident) -> str:
    if incident.raised is not None:
        return (
            "Not known beyond the exception that is quoted: no rule names its kind, and it was not raised by the "
            "service's own code."
        )
    if incident.candidates:
        return "One of the quoted exceptions: the log does not name the connection that each of them ended."
    before = find_line_before(incident)
    if before is not None:
        return f"Not known beyond the last error before the close: “{quote_untrusted(before.text, 300)}”."
    if incident.kind is SignalKind.FAILED_START:
        return "The platform says that the revision did not start; the log holds no exception of its start."
    return _UNKNOWN_DIRECTION.get(incident.close_kind, _UNKNOWN_DIRECTION[None])


def _describe_next_step(incident: Incident, proof: Finding, cause: Cause) -> str:
    start = f" Start at {name_raised(incident.raised, proof.raised_frame)}." if incident.raised is not None else ""
    if cause.cause_class is CauseClass.UNKNOWN and incident.candidates:
        return (
            "Unknown. Start at the quoted exceptions, and log a connection or trace id with each entry, so that they "
            "can be distinguished."
        )
    if cause.cause_class is CauseClass.UNKNOWN:
        return f"Unknown.{start or ' Look in what the instance logged before it.'}"
    start = start if cause.profile.is_mended_by_commit else ""
    return f"{cause.profile.mends} Who can: {quote_untrusted(cause.owner, 120)}.{start}"


_UNKNOWN = Confidence.UNKNOWN

# What each kind means, why no commit can be proven for it, and where its cause would have to be looked for.
_MEANING_BY_SIGNAL = {
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


def explain_unproven_signal(incident: Incident, proof: Finding, facts: Facts) -> Iterator[WhyDraft]:
    """What was observed, what it means, and what is not known."""
    if incident.kind in EFFECT_KINDS:
        yield from explain_effect(incident, proof, facts)
        return
    logged = facts.evidence_ids(FactTopic.SIGHTING, FactTopic.SYMPTOM, FactTopic.NEARBY, FactTopic.COUNT)
    meaning, limit, where = _MEANING_BY_SIGNAL.get(incident.kind, _MEANING_BY_SIGNAL[SignalKind.NOT_PYTHON])
    service = quote_service_name(incident.service) or "the service"
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated)
    shown = f": {format_error_line(incident, incident.sightings[-1])}" if incident.sightings else ""
    observed = f"It was logged {pluralize(incident.occurrences, 'time')}, first {first}{shown}."
    yield WhyDraft(
        WhyKey.FAILED, f"What failed in {service}?", observed + describe_nearby(incident), Confidence.OBSERVED, logged
    )
    yield WhyDraft(WhyKey.MEANING, "What does that mean?", meaning, Confidence.INFERRED, logged)
    yield explain_trial(proof, facts) or WhyDraft(
        WhyKey.NO_COMMIT, "Why is no commit proposed?", limit, Confidence.INFERRED, logged
    )
    change = "Unknown: the log does not link it to a commit."
    yield WhyDraft(WhyKey.INTRODUCED, "Which change introduced it?", change, _UNKNOWN)
    check = "Unknown: what would have caught it depends on the cause."
    yield WhyDraft(WhyKey.NOT_CAUGHT, "Why was it not caught?", check, _UNKNOWN)
    answer = f"Unknown. Look for the cause {where}."
    yield WhyDraft(WhyKey.BEHIND, "What is the error behind the error?", answer, _UNKNOWN)


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
