"""Honest answers where nothing is proven: no deployed version was found, or the failure is not of a kind to prove."""

from collections.abc import Iterator

from shared.detection.incident import Incident
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import SELF_EXPLANATORY_REASONS, Reason
from shared.report.evidence import Facts, FactTopic
from shared.report.facts.log_entries import format_error_line
from shared.report.whys.cause_of_effect import explain_effect
from shared.report.whys.failure import describe_nearby
from shared.report.whys.trial import explain_trial
from shared.report.whys.why import Confidence, WhyDraft, WhyKey
from shared.text.phrases import join_words, pluralize, quote_service_name, quote_untrusted
from shared.text.timestamps import format_timestamp_phrase

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
