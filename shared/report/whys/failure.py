"""Why the service failed, why Python rejects the file, and what would fail next."""

from collections.abc import Sequence

from shared.detection.incident import Incident, Symptom, is_suspected_consequence
from shared.proof.model.finding import BrokenFile, Finding
from shared.proof.model.ruff_explanations import parse_ruff_explanation
from shared.report.facts import Facts, FactTopic
from shared.report.facts.failing import describe_other_versions, get_failing_line
from shared.report.facts.logged import format_error_line
from shared.report.whys.why import Confidence, WhyDraft, WhyKey, Statement
from shared.text.phrases import pluralize, join_words, quote_untrusted, quote_service_name, join_first_words
from shared.text.timestamps import format_timestamp_phrase

_MAX_SYMPTOMS = 3


def explain_failure(incident: Incident, facts: Facts) -> WhyDraft:
    """What the log shows, and what followed from it."""
    service = quote_service_name(incident.service) or "the service"
    shown = format_error_line(incident, incident.sightings[-1]) if incident.sightings else quote_untrusted(incident.error_class)
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated)
    answer = (
        f"Python could not load a file: {shown}. Logged {pluralize(incident.occurrences, 'time')}, first {first}. "
        f"A file that does not compile never runs: whatever needs it fails."
    )
    if incident.symptoms:
        answer += f" What followed: {join_words(quote_symptoms(incident.symptoms))}."
    answer += describe_nearby(incident)
    cited = facts.evidence_ids(FactTopic.SIGHTING, FactTopic.SYMPTOM, FactTopic.NEARBY, FactTopic.COUNT)
    return WhyDraft(WhyKey.FAILED, f"Why did {service} fail?", answer, Confidence.OBSERVED, cited)


def describe_nearby(incident: Incident) -> str:
    """What was logged in the same minutes: nothing ties it to the failure, whatever people suspect."""
    suspected = [each for each in incident.nearby if is_suspected_consequence(each, incident)]
    others = [each for each in incident.nearby if not is_suspected_consequence(each, incident)]
    answer = ""
    if others:
        answer += f" Logged in the same minutes, and not known to follow from it: {join_words(quote_symptoms(others))}."
    if suspected:
        answer += f" Suspected to follow, and tied to it by nothing in the log: {join_words(quote_symptoms(suspected))}."
    return answer


def quote_symptoms(symptoms: Sequence[Symptom]) -> list[str]:
    """The first of them, each text once."""
    return list(dict.fromkeys(f"“{quote_untrusted(symptom.text, 160)}”" for symptom in symptoms))[:_MAX_SYMPTOMS]


def explain_rejection(proof: Finding, broken: BrokenFile, facts: Facts) -> WhyDraft:
    """The compiler's verdict, in a person's words, and where the same bytes compile."""
    python = f"Python {proof.deployed.python}" if proof.deployed.python else "Python"
    versions, states = _describe_versions(proof, broken)
    parts = [_describe_compiler_error(broken, python), versions]
    if broken.errors > 1:
        parts.append(f"The file has {pluralize(broken.errors, 'error')}; Python stops at the first and logs only that.")
    if broken.second_opinion:
        parts.append(quote_untrusted(broken.second_opinion))
    topics = (FactTopic.PYTHON, FactTopic.BROKEN, FactTopic.LINE, FactTopic.EXPLAINED, FactTopic.ELSEWHERE, FactTopic.SECOND_OPINION)
    question = f"Why does {python} reject {quote_untrusted(broken.path)}?"
    answer = " ".join(filter(None, parts))
    return WhyDraft(WhyKey.REJECTED, question, answer, Confidence.PROVEN, facts.evidence_ids(*topics), states)


def explain_next_failure(broken: BrokenFile, facts: Facts) -> WhyDraft | None:
    """Other files of the deployed tree that fail; None where there are none."""
    if not broken.also_broken:
        return None
    places = [quote_untrusted(each.path) + (f", line {each.line}" if each.line is not None else "") for each in broken.also_broken]
    answer = (
        "No. The log names only the first broken file that an import meets. At the deployed commit these fail to "
        f"compile as well: {join_first_words(places, 5)}. Whatever is deployed must mend them too."
    )
    question = f"Would the service run with {quote_untrusted(broken.path)} alone mended?"
    return WhyDraft(WhyKey.NEXT_TO_FAIL, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.ALSO_BROKEN))


def _describe_compiler_error(broken: BrokenFile, python: str) -> str:
    line = f" (`{quote_untrusted(get_failing_line(broken), 120)}`)" if get_failing_line(broken) else ""
    place = f"On line {broken.fault.line}{line}" if broken.fault.line is not None else "In the file"
    form = parse_ruff_explanation(broken.explanation)
    if form is None or not form.description:
        words = f"{broken.fault.error_class}: {quote_untrusted(broken.fault.message)}"
        explained = f" Ruff explains: {quote_untrusted(broken.explanation)}." if broken.explanation else ""
        return f"{place} the compiler ({quote_untrusted(broken.checked_by)}) reports {words}.{explained}"
    pep = f" ({form.pep})" if form.pep else ""
    if form.added_in:
        since = f"Python {form.added_in} made that legal{pep}; {python} rejects it, with “{quote_untrusted(broken.fault.message)}”."
    else:
        since = f"It was legal before Python {form.removed_in}; {python} rejects it."
    return f"{place} {form.description}. {since}"


def _describe_versions(proof: Finding, broken: BrokenFile) -> tuple[str, tuple[Statement, ...]]:
    if not describe_other_versions(broken):
        return "", ()
    if broken.compiles_on and proof.deployed.python:
        return f"{describe_other_versions(broken)}, and not on {proof.deployed.python} ({quote_untrusted(broken.checked_by)}).", ()
    if parse_ruff_explanation(broken.explanation) is not None or broken.compiles_on:
        return f"{describe_other_versions(broken)}.", ()
    return f"{describe_other_versions(broken)}: the version is not the reason.", (Statement.VERSION_NO_REASON,)
