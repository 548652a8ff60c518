"""Classifies the cause of an incident by its exception chain, its close, and the lines of the log beside it.

The names of variables that the revision lacks count too, where the platform knows them. The first link of the chain
that a rule names decides; where none does, whose code raised it. Nothing is guessed.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from shared.detection.causes import configuration, exception_rules, own_code, service_rules, text_rules, upstream
from shared.detection.causes.cause import Cause, CauseClass, EnvironmentComparison
from shared.detection.close_code import CloseKind
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident, Symptom
from shared.detection.logged_exception import LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.text.escaping import strip_markup

_MAX_SENTENCES = 20
"""Of a failed start that are read: each of its attempts may have said more than the platform's last word."""
_MEMORY_WINDOW = timedelta(minutes=1)
"""The platform ends an instance right after its line about the memory."""
_MAX_MESSAGE_LENGTH = 300
_CLASS_BY_KIND = {
    SignalKind.SYNTAX_ERROR: CauseClass.OWN_CODE,
    SignalKind.DEPENDENCY: CauseClass.DEPENDENCY,
    SignalKind.DYNAMIC_CODE: CauseClass.OWN_CODE_UNPROVABLE,
    SignalKind.NOT_PYTHON: CauseClass.UNKNOWN,
}


def classify_cause(incident: Incident, environment: EnvironmentComparison | None = None) -> Cause:
    """The cause of an incident. It never depends on anything but its arguments."""
    cause = _classify(incident)
    return _compare_environment(cause, environment) if environment is not None else cause


def _classify(incident: Incident) -> Cause:
    if incident.kind in _CLASS_BY_KIND:
        return Cause(_CLASS_BY_KIND[incident.kind])
    text = _join_incident_text(incident)
    if incident.kind is SignalKind.KEEPALIVE_TIMEOUT:
        links = incident.raised.chain if incident.raised is not None else ()
        return Cause(CauseClass.KEEPALIVE, quoted=text, subject=upstream.find_upstream(links, ""))
    if incident.raised is not None:
        return classify_raised(incident.raised)
    if incident.close_kind is CloseKind.REMOTE_END:
        return Cause(CauseClass.UPSTREAM_CLOSED, quoted=text, subject=upstream.find_upstream((), text))
    return _classify_lines(incident, text)


def classify_raised(raised: RaisedException) -> Cause:
    """By the first link that a rule names, else by whose code raised the first one."""
    text = strip_markup(raised.entry.text)
    for at, link in enumerate(raised.chain):
        cause = _classify_link(link, raised, text)
        if cause is not None and not _is_met_in_clean_up(cause, raised.chain[:at]):
            return cause
    for link in raised.chain:
        of_socket = service_rules.classify_socket(link)
        if of_socket is not None:
            return Cause(of_socket, link)
    for link in raised.chain:
        of_code = own_code.classify_code_error(link)
        if of_code is not CauseClass.UNKNOWN:
            return Cause(of_code, link)
    return Cause(CauseClass.UNKNOWN, raised.exception)


def _is_met_in_clean_up(cause: Cause, before: Sequence[LoggedException]) -> bool:
    """Whether a connection was only found closed while the service's own error was being handled."""
    is_closed = cause.cause_class is CauseClass.CLOSED_CONNECTION
    return is_closed and any(own_code.classify_code_error(link) is not CauseClass.UNKNOWN for link in before)


def _classify_link(link: LoggedException, raised: RaisedException, text: str) -> Cause | None:
    """What a rule says of one link; None where none names it."""
    closed = upstream.classify_closed_connection(link, raised.chain)
    if closed is CauseClass.UPSTREAM_CLOSED:
        return Cause(closed, link, subject=upstream.find_upstream(raised.chain, text))
    if closed is not None:
        return Cause(closed, link)
    variable = (
        configuration.find_missing_key(link)
        or configuration.find_missing_field(link, text)
        or configuration.find_missing_variable(link.message)
    )
    if variable:
        return Cause(CauseClass.CONFIGURATION, link, subject=variable)
    whole = LoggedException(link.error_class, _join_message(link, text), link.frames)
    rule = next((rule for rule in exception_rules.RULES if rule.fits(whole)), None)
    return Cause(rule.cause_class, link) if rule is not None else None


def _join_message(link: LoggedException, text: str) -> str:
    """With the lines below it where the message only begins on its first (`<AioRpcError of RPC that …`)."""
    if not link.message.startswith("<"):
        return link.message
    at = text.find(link.message[:80])
    return text[at : at + _MAX_MESSAGE_LENGTH] if at >= 0 else link.message


def _classify_lines(incident: Incident, text: str) -> Cause:
    """Where no exception is tied: by the incident's own words, else by the platform's line about the memory."""
    for line in _list_own_lines(incident, text):
        cause_class = text_rules.classify_text(line)
        if cause_class is not CauseClass.UNKNOWN:
            subject = configuration.find_missing_variable(line) if cause_class is CauseClass.CONFIGURATION else ""
            return Cause(cause_class, quoted=line, subject=subject)
    before = text_rules.find_line_before(incident)
    if before is not None and text_rules.classify_message(before.text) is not CauseClass.UNKNOWN:
        cause_class = text_rules.classify_message(before.text)
        subject = configuration.find_missing_variable(before.text) if cause_class is CauseClass.CONFIGURATION else ""
        return Cause(cause_class, quoted=before.text, subject=subject)
    for symptom in (*incident.symptoms, *incident.nearby):
        if text_rules.is_memory_line(symptom.first) and _is_of_same_instance(symptom, incident):
            return Cause(CauseClass.MEMORY, quoted=symptom.text)
    return Cause(CauseClass.UNKNOWN, quoted=before.text if before is not None else text)


def _list_own_lines(incident: Incident, text: str) -> Iterator[str]:
    yield text
    if incident.kind is SignalKind.FAILED_START:
        yield from (strip_markup(sighting.first.text[:4_000]) for sighting in incident.sightings[-_MAX_SENTENCES:])
        yield from (symptom.text for symptom in incident.symptoms)


def _is_of_same_instance(symptom: Symptom, incident: Incident) -> bool:
    return any(_is_just_beside(symptom.first, sighting.first) for sighting in incident.sightings)


def _is_just_beside(line: LogEntry, close: LogEntry) -> bool:
    if line.instance and close.instance and line.instance != close.instance:
        return False
    if line.timestamp is None or close.timestamp is None:
        return False
    return abs(line.timestamp - close.timestamp) <= _MEMORY_WINDOW


def _join_incident_text(incident: Incident) -> str:
    return strip_markup(incident.sightings[-1].first.text[:4_000]).strip() if incident.sightings else ""


def _compare_environment(cause: Cause, environment: EnvironmentComparison) -> Cause:
    """A missing setting is proven where an earlier revision has the variable and the failing one has not."""
    if cause.cause_class is CauseClass.CONFIGURATION:
        name = _find_removed(cause.subject, environment)
    elif cause.exception is not None and cause.cause_class in {CauseClass.OWN_CODE_UNPROVABLE, CauseClass.UNKNOWN}:
        name = next((name for name in environment.removed if name == configuration.find_key(cause.exception)), "")
    else:
        name = ""
    if not name:
        return cause
    sentence = f"{name} is set in revision {environment.earlier} and not in revision {environment.failing}."
    return Cause(CauseClass.CONFIGURATION, cause.exception, cause.quoted, name, sentence)


def _find_removed(subject: str, environment: EnvironmentComparison) -> str:
    """The removed variable that the log names: itself, or the field of a settings class that it fills."""
    field = subject.rpartition(".")[2].lower()
    if not field:
        return ""
    exact = [name for name in environment.removed if name.lower() == field]
    prefixed = [name for name in environment.removed if name.lower().endswith(f"_{field}")]
    fitting = exact or prefixed
    return fitting[0] if len(fitting) == 1 else ""
