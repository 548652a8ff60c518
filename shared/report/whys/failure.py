"""Why the service failed, why Python rejects the file, and what would fail next."""

from collections.abc import Sequence

from shared.detection.incident import Incident, Symptom, is_suspected_consequence
from shared.proof.model.compilation import parse_ruff_explanation
from shared.proof.model.finding import Attempt, BrokenFile, Finding, Fix
from shared.proof.model.history import claims_fix, describe_commit
from shared.report.evidence import Facts, FactTopic
from shared.report.facts.deployed_code import describe_other_versions, get_failing_line
from shared.report.facts.fix_history import describe_errors_left, describe_fix_location
from shared.report.facts.log_entries import describe_occurrences, format_error_line
from shared.report.verdict_words import (
    describe_fixed,
    describe_introduced,
    describe_still_failing,
    is_broken_by_image,
)
from shared.report.whys.why import Confidence, Statement, WhyDraft, WhyKey
from shared.text.phrases import join_first_words, join_words, pluralize, quote_service_name, quote_untrusted, short_sha

_MAX_SYMPTOMS = 3


def explain_failure(incident: Incident, facts: Facts) -> WhyDraft:
    """What the log shows, and what followed from it."""
    service = quote_service_name(incident.service) or "the service"
    shown = (
        format_error_line(incident, incident.sightings[-1])
        if incident.sightings
        else quote_untrusted(incident.error_class)
    )
    could = "cannot" if incident.is_found_early else "could not"
    answer = (
        f"Python {could} load a file: {shown}. {describe_occurrences(incident)}. "
        "A module that does not compile cannot be imported, so every importer fails too."
    )
    if incident.symptoms:
        answer += f" Consequences: {join_words(quote_symptoms(incident.symptoms))}."
    answer += describe_nearby(incident)
    cited = facts.evidence_ids(FactTopic.SIGHTING, FactTopic.SYMPTOM, FactTopic.NEARBY, FactTopic.COUNT)
    question = f"Why does {service} fail?" if incident.is_found_early else f"Why did {service} fail?"
    sure = Confidence.PROVEN if incident.is_found_early else Confidence.OBSERVED
    return WhyDraft(WhyKey.FAILED, question, answer, sure, cited)


def describe_nearby(incident: Incident) -> str:
    """What was logged in the same minutes: nothing ties it to the failure, whatever is suspected."""
    suspected = [symptom for symptom in incident.nearby if is_suspected_consequence(symptom, incident)]
    others = [symptom for symptom in incident.nearby if not is_suspected_consequence(symptom, incident)]
    answer = ""
    if others:
        answer += f" Logged within the same minutes, with no known connection: {join_words(quote_symptoms(others))}."
    if suspected:
        answer += f" Possibly a consequence, but nothing in the log links it: {join_words(quote_symptoms(suspected))}."
    return answer


def quote_symptoms(symptoms: Sequence[Symptom]) -> list[str]:
    """The first of them, each text once."""
    return list(dict.fromkeys(f"“{quote_untrusted(symptom.text, 160)}”" for symptom in symptoms))[:_MAX_SYMPTOMS]


def explain_rejection(proof: Finding, broken: BrokenFile, facts: Facts) -> WhyDraft:
    """The compiler's verdict in plain words, and where the same bytes compile."""
    python = f"Python {proof.deployed.python}" if proof.deployed.python else "Python"
    versions, states = _describe_versions(proof, broken)
    parts = [_describe_compiler_error(broken, python), versions]
    if broken.errors > 1:
        parts.append(f"The file has {pluralize(broken.errors, 'error')}; Python stops at the first and logs only that.")
    if broken.second_opinion:
        parts.append(quote_untrusted(broken.second_opinion))
    topics = (
        FactTopic.PYTHON,
        FactTopic.BROKEN,
        FactTopic.LINE,
        FactTopic.EXPLAINED,
        FactTopic.ELSEWHERE,
        FactTopic.SECOND_OPINION,
    )
    question = f"Why does {python} reject {quote_untrusted(broken.path)}?"
    answer = " ".join(filter(None, parts))
    return WhyDraft(WhyKey.REJECTED, question, answer, Confidence.PROVEN, facts.evidence_ids(*topics), states)


def explain_next_failure(broken: BrokenFile, facts: Facts) -> WhyDraft | None:
    """Other files of the deployed tree that fail; None where there are none."""
    if not broken.also_broken:
        return None
    places = [
        quote_untrusted(file.path) + (f", line {file.line}" if file.line is not None else "")
        for file in broken.also_broken
    ]
    answer = (
        "No. Python stops at the first broken file that an import reaches. At the deployed commit these files also "
        f"fail to compile: {join_first_words(places, 5)}. A target must fix them too."
    )
    question = f"Would the service run if only {quote_untrusted(broken.path)} were fixed?"
    return WhyDraft(WhyKey.NEXT_TO_FAIL, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.ALSO_BROKEN))


def _describe_compiler_error(broken: BrokenFile, python: str) -> str:
    line = f" (`{quote_untrusted(get_failing_line(broken), 120)}`)" if get_failing_line(broken) else ""
    location = f"On line {broken.fault.line}{line}" if broken.fault.line is not None else "In the file"
    form = parse_ruff_explanation(broken.explanation)
    if form is None or not form.description:
        words = quote_untrusted(broken.fault.words)
        explained = f" Ruff explains: {quote_untrusted(broken.explanation)}." if broken.explanation else ""
        return f"{location} the compiler ({quote_untrusted(broken.checked_by)}) reports {words}.{explained}"
    pep = f" ({form.pep})" if form.pep else ""
    if form.added_in:
        since = (
            f"Python {form.added_in} made that legal{pep}; {python} rejects it, "
            f"with “{quote_untrusted(broken.fault.message)}”."
        )
    else:
        since = f"It was legal before Python {form.removed_in}; {python} rejects it."
    return f"{location} {form.description}. {since}"


def _describe_versions(proof: Finding, broken: BrokenFile) -> tuple[str, tuple[Statement, ...]]:
    if not describe_other_versions(broken):
        return "", ()
    if broken.compiles_on and proof.deployed.python:
        return (
            (
                f"{describe_other_versions(broken)}, and not on {proof.deployed.python} "
                f"({quote_untrusted(broken.checked_by)})."
            ),
            (),
        )
    if parse_ruff_explanation(broken.explanation) is not None or broken.compiles_on:
        return f"{describe_other_versions(broken)}.", ()
    return f"{describe_other_versions(broken)}: the version is not the reason.", (Statement.VERSION_NO_REASON,)


_MAX_ATTEMPTS = 5


def explain_introduction(proof: Finding, facts: Facts) -> WhyDraft:
    """The commit after which the file no longer compiled."""
    question = "Which change introduced the error?"
    if proof.introduced is None:
        answer = "Unknown: the commit that broke the file is not in the history that could be read."
        if proof.claim is not None and not proof.gaps:
            answer = "Unknown: whether earlier versions failed that way could not be decided."
        answer += _describe_unseen(proof)
        return WhyDraft(WhyKey.INTRODUCED, question, answer, Confidence.UNKNOWN, facts.evidence_ids(FactTopic.UNSEEN))
    introduced = proof.introduced
    state = describe_introduced(proof, introduced)
    shown = state if is_broken_by_image(proof) else f"{quote_untrusted(introduced.path)} has {state}"
    answer = f"Commit {describe_commit(introduced.commit)}. After it {shown}; "
    states: tuple[Statement, ...] = ()
    if introduced.was_added_broken:
        states = (Statement.ARRIVED_BROKEN,)
        answer += "this commit added the file, and it failed from the start."
    elif len(introduced.commit.parents) > 1:
        states = (Statement.MERGED_BROKEN,)
        answer += "it is a merge, and the error arose where the histories were joined."
    else:
        answer += (
            "before it the file did not fail to compile."
            if proof.claim is None
            else "before it nothing failed that way."
        )
    return WhyDraft(
        WhyKey.INTRODUCED, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.INTRODUCED), states
    )


def explain_attempts(proof: Finding, broken: BrokenFile, facts: Facts) -> WhyDraft:
    """Later versions that still fail, with the errors that each one left."""
    question = "Why did later changes not fix it?"
    if not proof.attempts:
        answer = (
            f"No attempt was seen: {pluralize(0, 'later version')} of "
            f"{quote_untrusted(broken.path)} {describe_still_failing(proof)}."
        )
        return WhyDraft(WhyKey.NOT_ENDED, question, answer, Confidence.INFERRED, facts.evidence_ids(FactTopic.ATTEMPTS))
    is_single = len(proof.attempts) == 1
    described = [_describe_attempt(attempt, proof) for attempt in select_notable_attempts(proof.attempts)]
    versions = f"{pluralize(len(proof.attempts), 'later version')} of the file still fail{'s' if is_single else ''}"
    answer = f"{versions}: {'; '.join(described)}. "
    if proof.claim is None:
        answer += "Python logs only the first error of a file, so a change that only moves it can look like progress."
    cited = facts.evidence_ids(FactTopic.ATTEMPTS, FactTopic.ATTEMPT, FactTopic.DEPLOYED)
    return WhyDraft(WhyKey.NOT_ENDED, question, answer, Confidence.PROVEN, cited, _list_attempt_statements(proof))


def explain_fix(proof: Finding, facts: Facts) -> WhyDraft:
    """The fix and where it is; without one, what there is instead."""
    if proof.fix is not None:
        return _explain_existing_fix(proof, proof.fix, facts)
    question = "Why is there no fix to deploy?"
    answer = quote_untrusted(proof.recommendation.detail, 500)
    if proof.rollback is not None:
        answer += (
            f" {describe_commit(proof.rollback.commit)} predates the break: going back to it is a rollback, not a fix."
        )
    return WhyDraft(
        WhyKey.NO_FIX, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.NO_FIX, FactTopic.ROLLBACK)
    )


def _describe_attempt(attempt: Attempt, proof: Finding) -> str:
    claim = "its subject says fix, " if claims_fix(attempt.commit) else ""
    deployed = " (this is the deployed one)" if _is_deployed(attempt, proof) else ""
    return f"{describe_commit(attempt.commit)}: {claim}{describe_errors_left(attempt)}{deployed}"


def _is_deployed(attempt: Attempt, proof: Finding) -> bool:
    return proof.deployed.commit is not None and proof.deployed.commit.id == attempt.commit.id


def _list_attempt_statements(proof: Finding) -> tuple[Statement, ...]:
    shown = select_notable_attempts(proof.attempts)
    claims = (Statement.CLAIMS_FIX,) if any(claims_fix(attempt.commit) for attempt in shown) else ()
    deployed = any(_is_deployed(attempt, proof) for attempt in shown)
    return (*claims, Statement.DEPLOYED_AMONG_THEM) if deployed else claims


def select_notable_attempts(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """All where they are few, else those that claim to be a fix and the last one, in their order."""
    if len(attempts) <= _MAX_ATTEMPTS:
        return attempts
    claiming = [attempt for attempt in attempts if claims_fix(attempt.commit)][: _MAX_ATTEMPTS - 1]
    return [*(attempt for attempt in claiming if attempt != attempts[-1]), attempts[-1]]


def _explain_existing_fix(proof: Finding, fix: Fix, facts: Facts) -> WhyDraft:
    deployed = (
        f"the deployed commit {short_sha(proof.deployed.commit.id)}" if proof.deployed.commit else "the deployed one"
    )
    merged = fix.where == "merged"
    question = "Why does it still fail, although a fix exists?" if merged else "Why is the fix not ready to deploy?"
    if not merged:
        fixed = describe_fixed(proof)
        answer = (
            f"{fixed[:1].upper()}{fixed[1:]}, at {describe_commit(fix.commit)}, which "
            f"is {describe_fix_location(fix, proof.branch)}."
        )
        return WhyDraft(
            WhyKey.NOT_READY, question, answer, Confidence.PROVEN, facts.evidence_ids(FactTopic.DEPLOYED, FactTopic.FIX)
        )
    answer = (
        f"Commit {describe_commit(fix.commit)} is the first after {deployed} {_describe_fixed_file(proof, fix)}. It is "
        f"{describe_fix_location(fix, proof.branch)}, and the deployed commit does not contain it."
    )
    states = (Statement.FILE_DELETED,) if fix.is_deletion else ()
    if not claims_fix(fix.commit):
        states = (*states, Statement.CLAIMS_NO_FIX)
        answer += " Its subject does not mention a fix."
    cited = facts.evidence_ids(FactTopic.DEPLOYED, FactTopic.FIX, FactTopic.NOT_DEPLOYED)
    return WhyDraft(WhyKey.NOT_DEPLOYED, question, answer, Confidence.PROVEN, cited, states)


def _describe_fixed_file(proof: Finding, fix: Fix) -> str:
    broken = proof.broken.path if proof.broken else ""
    if fix.is_deletion:
        return f"without {quote_untrusted(broken)}: the file is not there any more"
    if fix.path and fix.path != broken:
        return f"where {describe_fixed(proof)}; it is now {quote_untrusted(fix.path)}"
    return f"where {describe_fixed(proof)}"


def _describe_unseen(proof: Finding) -> str:
    return f" {quote_untrusted(proof.gaps[0])}" if proof.gaps else ""
