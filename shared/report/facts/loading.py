"""Which files count, by which rule, and which of the others do not compile: the loading in, facts and sentences out."""

from collections.abc import Iterator

from shared.detection.incident import Incident
from shared.proof.model.finding import OtherBrokenFile, LoadedSummary, Finding
from shared.report.evidence import EvidenceKind
from shared.report.facts.fact import Fact, FactTopic
from shared.text.phrases import pluralize, quote_untrusted, join_first_words

_MAX_IMAGES = 5


def collect_loading_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    del incident
    found = proof.loaded_summary
    if found is None:
        return
    commit = proof.deployed.commit.id if proof.deployed.commit else "unknown"
    ref = f"{commit}:{quote_untrusted(found.image)}" if found.image else commit
    yield Fact(FactTopic.LOADING, EvidenceKind.FILE if found.image else EvidenceKind.QUERY, ref, describe_loading_rule(found))
    at = proof.target.commit.id if proof.target else commit
    for other in found.not_loaded:
        yield Fact(FactTopic.NOT_LOADED, EvidenceKind.COMPILE, f"{at}:{quote_untrusted(other.path)}", describe_unloaded_file(other))


def describe_loading_rule(found: LoadedSummary) -> str:
    """Which files count, by which rule, what was ambiguous, and what was not looked at."""
    told = f"{pluralize(found.file_count, 'Python file')} of the service {'counts' if found.file_count == 1 else 'count'}: "
    told += f"{quote_untrusted(found.rule, 400)}."
    if found.ambiguous:
        told += f" The failing image may as well be {join_first_words([quote_untrusted(each) for each in found.ambiguous], _MAX_IMAGES)}."
    if found.has_unchecked_others:
        told += f" Of the files that do not count, {found.others_checked} were compiled; others were not looked at."
    return told


def describe_unloaded_file(other: OtherBrokenFile) -> str:
    """A file that fails and refuses nothing."""
    line = f", line {other.line}" if other.line is not None else ""
    return f"Does not compile, not loaded by the service: {quote_untrusted(other.path)}{line}: {quote_untrusted(other.message)}"
