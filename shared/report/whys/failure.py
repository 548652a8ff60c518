"""Why the service failed, why Python rejects the file, and what would fail next."""

from collections.abc import Sequence

from shared.detection.incident import Incident, Symptom, is_suspected_consequence
from shared.proof.model.finding import Broken, Proof
from shared.proof.model.ruff_explanations import form_of
from shared.report.facts import Facts, Topic
from shared.report.facts.failing import elsewhere, failing_line
from shared.report.facts.logged import fault_line
from shared.report.whys.why import Confidence, Draft, Key, Statement
from shared.text.phrases import pluralize, join_words, quote_untrusted, quote_service_name, join_first_words
from shared.text.timestamps import format_timestamp_phrase

_MOST_SYMPTOMS = 3


def failed(incident: Incident, facts: Facts) -> Draft:
    """What the log shows, and what followed from it."""
    service = quote_service_name(incident.service) or "the service"
    shown = fault_line(incident, incident.sightings[-1]) if incident.sightings else quote_untrusted(incident.error_class)
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated)
    answer = (
        f"Python could not load a file: {shown}. Logged {pluralize(incident.occurrences, 'time')}, first {first}. "
        f"A file that does not compile never runs: whatever needs it fails."
    )
    if incident.symptoms:
        answer += f" What followed: {join_words(quoted(incident.symptoms))}."
    answer += beside(incident)
    cited = facts.ids(Topic.SIGHTING, Topic.SYMPTOM, Topic.NEARBY, Topic.COUNT)
    return Draft(Key.FAILED, f"Why did {service} fail?", answer, Confidence.OBSERVED, cited)


def beside(incident: Incident) -> str:
    """What was logged in the same minutes: nothing ties it to the failure, whatever people suspect."""
    suspected = [each for each in incident.nearby if is_suspected_consequence(each, incident)]
    others = [each for each in incident.nearby if not is_suspected_consequence(each, incident)]
    answer = ""
    if others:
        answer += f" Logged in the same minutes, and not known to follow from it: {join_words(quoted(others))}."
    if suspected:
        answer += f" Suspected to follow, and tied to it by nothing in the log: {join_words(quoted(suspected))}."
    return answer


def quoted(symptoms: Sequence[Symptom]) -> list[str]:
    """The first of them, each text once."""
    return list(dict.fromkeys(f"“{quote_untrusted(symptom.text, 160)}”" for symptom in symptoms))[:_MOST_SYMPTOMS]


def rejected(proof: Proof, broken: Broken, facts: Facts) -> Draft:
    """The compiler's verdict, in a person's words, and where the same bytes compile."""
    python = f"Python {proof.deployed.python}" if proof.deployed.python else "Python"
    versions, states = _versions(proof, broken)
    parts = [_reason(broken, python), versions]
    if broken.errors > 1:
        parts.append(f"The file has {pluralize(broken.errors, 'error')}; Python stops at the first and logs only that.")
    if broken.second_opinion:
        parts.append(quote_untrusted(broken.second_opinion))
    topics = (Topic.PYTHON, Topic.BROKEN, Topic.LINE, Topic.EXPLAINED, Topic.ELSEWHERE, Topic.SECOND_OPINION)
    question = f"Why does {python} reject {quote_untrusted(broken.path)}?"
    answer = " ".join(filter(None, parts))
    return Draft(Key.REJECTED, question, answer, Confidence.PROVEN, facts.ids(*topics), states)


def next_to_fail(broken: Broken, facts: Facts) -> Draft | None:
    """Other files of the deployed tree that fail; None where there are none."""
    if not broken.also_broken:
        return None
    places = [quote_untrusted(each.path) + (f", line {each.line}" if each.line is not None else "") for each in broken.also_broken]
    answer = (
        "No. The log names only the first broken file that an import meets. At the deployed commit these fail to "
        f"compile as well: {join_first_words(places, 5)}. Whatever is deployed must mend them too."
    )
    question = f"Would the service run with {quote_untrusted(broken.path)} alone mended?"
    return Draft(Key.NEXT_TO_FAIL, question, answer, Confidence.PROVEN, facts.ids(Topic.ALSO_BROKEN))


def _reason(broken: Broken, python: str) -> str:
    line = f" (`{quote_untrusted(failing_line(broken), 120)}`)" if failing_line(broken) else ""
    place = f"On line {broken.fault.line}{line}" if broken.fault.line is not None else "In the file"
    form = form_of(broken.explanation)
    if form is None or not form.what:
        words = f"{broken.fault.error_class}: {quote_untrusted(broken.fault.message)}"
        explained = f" Ruff explains: {quote_untrusted(broken.explanation)}." if broken.explanation else ""
        return f"{place} the compiler ({quote_untrusted(broken.checked_by)}) reports {words}.{explained}"
    pep = f" ({form.pep})" if form.pep else ""
    if form.added:
        since = f"Python {form.added} made that legal{pep}; {python} rejects it, with “{quote_untrusted(broken.fault.message)}”."
    else:
        since = f"It was legal before Python {form.removed}; {python} rejects it."
    return f"{place} {form.what}. {since}"


def _versions(proof: Proof, broken: Broken) -> tuple[str, tuple[Statement, ...]]:
    if not elsewhere(broken):
        return "", ()
    if broken.compiles_on and proof.deployed.python:
        return f"{elsewhere(broken)}, and not on {proof.deployed.python} ({quote_untrusted(broken.checked_by)}).", ()
    if form_of(broken.explanation) is not None or broken.compiles_on:
        return f"{elsewhere(broken)}.", ()
    return f"{elsewhere(broken)}: the version is not the reason.", (Statement.VERSION_NO_REASON,)
