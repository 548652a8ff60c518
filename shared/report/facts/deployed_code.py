"""What is deployed and why it fails: the deployed commit, the Python version, the compiler's verdicts on the file.

Also the imports at the proposed commit whose module vanished, each with the reason why it refuses no commit.
"""

import re
from collections.abc import Iterator

from shared.detection.causes.classify import classify_cause
from shared.detection.incident import Incident
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import SignalKind
from shared.proof.model.compilation import parse_ruff_explanation
from shared.proof.model.deployed_version import DeployedSource, LoggedDeployment
from shared.proof.model.finding import BrokenFile, Finding, LoadedSummary
from shared.proof.model.missing_import import ImportDoubt, MissingImport
from shared.proof.model.recommendation import SELF_EXPLANATORY_REASONS
from shared.proof.model.target import OtherBrokenFile
from shared.report.evidence import EvidenceKind, Fact, FactTopic
from shared.report.verdict_words import describe_corroboration, get_verdict_kind
from shared.text.phrases import join_first_words, join_words, pluralize, quote_untrusted
from shared.text.timestamps import format_rfc3339, format_timestamp_phrase

_DOUBT_PHRASES = {
    ImportDoubt.MAY_NOT_RUN: "the import may not run when the service starts",
    ImportDoubt.START_UNREAD: "no start command could be read, so whether the file is loaded is unknown",
    ImportDoubt.PATH_CHANGED: "a loaded file changes the import path",
    ImportDoubt.IMPORT_HOOK: "a file on the way changes what an import finds",
    ImportDoubt.DEPENDENCY: "a declared dependency has that name",
    ImportDoubt.GENERATED: "the build may generate that file",
    ImportDoubt.ATTRIBUTE: "the package may define that name itself",
    ImportDoubt.LINK: "a link is in its place",
}


def collect_missing_imports(loaded: LoadedSummary, commit: str) -> Iterator[Fact]:
    """One fact for each import at a commit whose module vanished."""
    for missing in loaded.missing_imports:
        ref = f"{commit}:{quote_untrusted(missing.path)}"
        yield Fact(FactTopic.MISSING_IMPORT, EvidenceKind.FILE, ref, describe_missing_import(missing))


def describe_missing_import(missing: MissingImport) -> str:
    """An import of a module that vanished, with the reason why it may do no harm."""
    imported = f"{quote_untrusted(missing.path)}, line {missing.line} imports {quote_untrusted(missing.module)}"
    doubt = f"; not refused: {_DOUBT_PHRASES[missing.doubt]}" if missing.doubt else ""
    return (
        f"Missing module: {imported}, which was {quote_untrusted(missing.former_path)} at the deployed commit "
        f"and {quote_untrusted(missing.what_became_of_it) if missing.left_out_by else 'no longer exists'}{doubt}"
    )


_SOURCE_PHRASES = {
    DeployedSource.GIVEN: "given to the investigation",
    DeployedSource.PROVENANCE: "from the build provenance of the image",
    DeployedSource.LABEL: "from a label of the revision",
    DeployedSource.TAG: "from the tag of the image",
    DeployedSource.ENV: "from an environment variable of the revision",
    DeployedSource.RECORD: "from the code host's record of a deployment",
    DeployedSource.INFERRED: "inferred from the logged line",
    DeployedSource.UNKNOWN: "unknown",
}
_COMMIT = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
_MAX_CANDIDATES = 20
_MAX_ALSO_BROKEN = 50
_MAX_LINES = 20
_MAX_PLATFORM_SENTENCES = 20


def collect_deployed_code_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    for deployment in proof.deployed.deployments:
        if deployment.commit is not None:
            yield _build_deployment_fact(incident, deployment)
    if incident.kind is SignalKind.SYNTAX_ERROR or proof.claim is not None:
        yield _build_deployed_fact(incident, proof)
        for sentence in proof.deployed.platform_statements[:_MAX_PLATFORM_SENTENCES]:
            ref = quote_untrusted(proof.deployed.revision) or "the service"
            yield Fact(FactTopic.STATED, EvidenceKind.REVISION, ref, quote_untrusted(sentence, 400))
        if proof.deployed.python:
            yield _build_python_fact(proof)
        if proof.claim is None:
            yield _build_comparison_fact(incident, proof)
    if proof.broken is not None:
        yield from _collect_broken_file_facts(proof, proof.broken)


def describe_other_versions(broken: BrokenFile) -> str:
    """On which other Python versions the same bytes compile; "" where none was asked."""
    if broken.compiles_on:
        return f"The same bytes compile on Python {join_words(broken.compiles_on)}"
    return "The same bytes compile on no Python version that was asked" if broken.compiles_on_checked_by else ""


def _build_deployment_fact(incident: Incident, deployment: LoggedDeployment) -> Fact:
    assert deployment.commit is not None
    commit = deployment.commit
    seen = format_timestamp_phrase(deployment.seen_at, dated=incident.dated)
    line = f" on line {deployment.line}" if deployment.line is not None else ""
    shown = "found by a check" if incident.is_found_early else "logged"
    text = (
        f"The error{line}, {shown} {seen}, is the first error in the version that {commit.id} made, "
        f"committed {format_rfc3339(commit.committed_at)}"
    )
    late = "; that is later than it was logged, so the tree was not committed when it was deployed"
    ref = quote_untrusted(deployment.revision) or commit.id
    return Fact(FactTopic.DEPLOYMENT, EvidenceKind.REVISION, ref, f"{text}{late if deployment.uncommitted else ''}.")


def _build_deployed_fact(incident: Incident, proof: Finding) -> Fact:
    deployed, line = proof.deployed, "that line" if incident.is_found_early else "the logged line"
    source = _SOURCE_PHRASES[deployed.source]
    if deployed.commit is None:
        text = f"Deployed commit: {source}"
    else:
        text = (
            f"Deployed commit: {deployed.commit.id}, {source}, committed {format_rfc3339(deployed.commit.committed_at)}"
        )
        text += f"; {_describe_corroboration(proof, line)}"
    if proof.claim is None:
        text += f". Versions of the file that fail first on {line}: {len(deployed.candidates)}"
    if deployed.candidates and proof.claim is None:
        text += f" ({join_first_words(deployed.candidates, _MAX_CANDIDATES)})"
    conflict = f" {quote_untrusted(deployed.conflict)}" if deployed.conflict else ""
    ref = quote_untrusted(deployed.revision) or (deployed.commit.id if deployed.commit else "unknown")
    return Fact(FactTopic.DEPLOYED, EvidenceKind.REVISION, ref, f"{text}.{conflict}")


def _describe_corroboration(proof: Finding, line: str) -> str:
    if proof.claim is not None:
        return describe_corroboration(proof)
    return f"corroborated: the file fails there on {line}" if proof.deployed.corroborated else "not corroborated"


def _build_python_fact(proof: Finding) -> Fact:
    deployed = proof.deployed
    source = quote_untrusted(deployed.python_source)
    file = next((file for file in proof.declaring_files if file.path in deployed.python_source), None)
    kind = EvidenceKind.FILE if file else EvidenceKind.QUERY
    commit = next(iter(_COMMIT.findall(deployed.python_source)), file.commit if file else "")
    ref = f"{commit}:{quote_untrusted(file.path)}" if file else source or "python"
    return Fact(FactTopic.PYTHON, kind, ref, f"The deployed Python is {deployed.python}: {source or 'source unknown'}.")


def _build_comparison_fact(incident: Incident, proof: Finding) -> Fact:
    lines = sorted({sighting.line for sighting in incident.sightings if sighting.line is not None})
    logged = f"logged {join_words([f'line {line}' for line in lines[:_MAX_LINES]])}" if lines else "no line was logged"
    if incident.is_found_early:
        logged = "nothing was logged"
    versions = pluralize(proof.versions_compiled, "version")
    python = f" for Python {proof.deployed.python}" if proof.deployed.python else ""
    text = f"Compared: {versions} of {quote_untrusted(incident.path)} compiled{python}; {logged}."
    if proof.recommendation.reason in SELF_EXPLANATORY_REASONS:
        text += f" {quote_untrusted(proof.recommendation.detail, 500)}"
    return Fact(FactTopic.COMPARED, EvidenceKind.QUERY, f"history of {quote_untrusted(incident.path)}", text)


def _collect_broken_file_facts(proof: Finding, broken: BrokenFile) -> Iterator[Fact]:
    commit = proof.deployed.commit.id if proof.deployed.commit else "unknown"
    ref = f"{commit}:{quote_untrusted(broken.path)}"
    at_line = f", line {broken.fault.line}" if broken.fault.line is not None else ""
    lines = (
        f", on lines {join_first_words([str(line) for line in broken.error_lines], _MAX_LINES)}"
        if broken.error_lines
        else ""
    )
    verdict = f"{quote_untrusted(broken.checked_by)}: {quote_untrusted(broken.fault.words)}{at_line}"
    python = f" on Python {proof.deployed.python}" if proof.deployed.python else ""
    text = f"{verdict}. Errors in {quote_untrusted(broken.path)}{python}: {broken.errors}{lines}."
    if proof.claim is not None:
        text = f"{verdict}. {quote_untrusted(proof.claim.failing_reason)}."
    yield Fact(FactTopic.BROKEN, get_verdict_kind(proof), ref, text)
    if broken.fault.text or broken.excerpt:
        yield Fact(
            FactTopic.LINE,
            EvidenceKind.FILE,
            ref,
            f"Line {broken.fault.line}: {quote_untrusted(get_failing_line(broken))}",
        )
    if broken.explanation:
        form = parse_ruff_explanation(broken.explanation)
        pep = f". {form.pep} is what made it legal." if form and form.pep else ""
        yield Fact(FactTopic.EXPLAINED, EvidenceKind.COMPILE, ref, f"ruff: {quote_untrusted(broken.explanation)}{pep}")
    if describe_other_versions(broken):
        checker = f" ({quote_untrusted(broken.compiles_on_checked_by)})" if broken.compiles_on_checked_by else ""
        yield Fact(FactTopic.ELSEWHERE, EvidenceKind.COMPILE, ref, f"{describe_other_versions(broken)}{checker}.")
    if broken.second_opinion:
        yield Fact(FactTopic.SECOND_OPINION, EvidenceKind.COMPILE, ref, quote_untrusted(broken.second_opinion))
    for other in broken.also_broken[:_MAX_ALSO_BROKEN]:
        at = f", line {other.line}" if other.line is not None else ""
        text = f"Also fails to compile: {quote_untrusted(other.path)}{at}: {quote_untrusted(other.message)}"
        yield Fact(FactTopic.ALSO_BROKEN, EvidenceKind.COMPILE, f"{commit}:{quote_untrusted(other.path)}", text)


def get_failing_line(broken: BrokenFile) -> str:
    """The source line that the compiler points at."""
    return broken.fault.text or dict(broken.excerpt).get(broken.fault.line or 0, "")


_MAX_IMAGES = 5


def collect_loading_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    del incident
    loading = proof.loaded_summary
    if loading is None:
        return
    commit = proof.deployed.commit.id if proof.deployed.commit else "unknown"
    ref = f"{commit}:{quote_untrusted(loading.image)}" if loading.image else commit
    yield Fact(
        FactTopic.LOADING,
        EvidenceKind.FILE if loading.image else EvidenceKind.QUERY,
        ref,
        describe_loading_rule(loading),
    )
    at = proof.target.commit.id if proof.target else commit
    for other in loading.not_loaded:
        yield Fact(
            FactTopic.NOT_LOADED,
            EvidenceKind.COMPILE,
            f"{at}:{quote_untrusted(other.path)}",
            describe_unloaded_file(other),
        )
    yield from collect_missing_imports(loading, at)


def describe_loading_rule(loading: LoadedSummary) -> str:
    """Which files count, by which rule, what was ambiguous, and what was not looked at."""
    rule = (
        f"{pluralize(loading.file_count, 'Python file')} of the service "
        f"{'counts' if loading.file_count == 1 else 'count'}: "
    )
    rule += f"{quote_untrusted(loading.rule, 400)}."
    if loading.ambiguous:
        rule += (
            " The failing image may as well be "
            f"{join_first_words([quote_untrusted(image) for image in loading.ambiguous], _MAX_IMAGES)}."
        )
    if loading.has_unchecked_others:
        rule += f" Of the files that do not count, {loading.others_checked} were compiled; others were not looked at."
    return rule


def describe_unloaded_file(other: OtherBrokenFile) -> str:
    """A file that fails and refuses nothing."""
    line = f", line {other.line}" if other.line is not None else ""
    return (
        f"Does not compile, not loaded by the service: {quote_untrusted(other.path)}{line}: "
        f"{quote_untrusted(other.message)}"
    )


def collect_environment_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    """Only what confirms the class of the cause: other variables may differ for good reasons."""
    if proof.environment is None or incident.kind not in EFFECT_KINDS:
        return
    cause = classify_cause(incident, proof.environment)
    if cause.proven_by:
        ref = quote_untrusted(proof.environment.failing, 80)
        yield Fact(FactTopic.ENVIRONMENT, EvidenceKind.REVISION, ref, quote_untrusted(cause.proven_by, 300))
