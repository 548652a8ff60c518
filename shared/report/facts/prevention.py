"""What the repository's own files say about Python versions and checks, and what of it bears on this failure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.detection.incident import Incident
from shared.proof.declared.ci_python import CiCheck, find_ci_checks
from shared.proof.declared.deployed_python import CiPythons, PythonFact, find_ci_pythons, find_development_pythons
from shared.proof.declared.python_versions import is_permitted
from shared.proof.model.finding import Finding
from shared.report.evidence import EvidenceKind, Fact, FactTopic
from shared.text.phrases import join_first_words, join_words, quote_untrusted

_MAX_FILES = 12
_MAX_SETTINGS = 12
_MAX_CHECKS = 30


@dataclass(frozen=True, slots=True)
class PreventionAssessment:
    """Everything as of one commit, `commit`; "" where no file was read."""

    commit: str
    paths: tuple[str, ...]
    ci: CiPythons
    on_deployed_python: tuple[PythonFact, ...]
    """Places in CI that name the deployed Python."""
    on_other_pythons: tuple[PythonFact, ...]
    """Places in CI that name another one."""
    allowing_valid_python: tuple[tuple[PythonFact, str], ...]
    """Places that let developers work on a Python on which the broken file compiles, with that version."""


def assess_prevention(proof: Finding) -> PreventionAssessment:
    """Reads the declared files; parsing them again costs less than carrying the result through every layer."""
    files = {file.path: file.text for file in proof.declaring_files}
    ci = find_ci_pythons(files)
    python = proof.deployed.python
    compiles_on = proof.broken.compiles_on if proof.broken else ()
    admitting = tuple(
        (fact, version)
        for fact in find_development_pythons(files)
        if (
            version := next(
                (candidate for candidate in compiles_on if _allows_version(fact, candidate)),
                "",
            )
        )
    )
    return PreventionAssessment(
        commit=proof.declaring_files[0].commit if proof.declaring_files else "",
        paths=tuple(files),
        ci=ci,
        on_deployed_python=tuple(fact for fact in ci.versions if fact.version == python),
        on_other_pythons=tuple(fact for fact in ci.versions if fact.version != python),
        allowing_valid_python=admitting,
    )


def collect_prevention_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    del incident
    assessment = assess_prevention(proof)
    if assessment.commit:
        named = (
            f"CI configuration: {join_first_words(_quote_paths(assessment.ci.workflows), _MAX_FILES)}"
            if assessment.ci.workflows
            else "no CI configuration"
        )
        text = (
            "Files read for Python versions and checks: "
            f"{join_first_words(_quote_paths(assessment.paths), _MAX_FILES)}; {named} among them."
        )
        yield Fact(FactTopic.READ, EvidenceKind.QUERY, assessment.commit, text)
    ci = (
        *assessment.on_deployed_python,
        *assessment.on_other_pythons,
        *assessment.ci.compiling_steps,
        *assessment.ci.unreadable_files,
    )
    yield from _collect_setting_facts(FactTopic.CI, assessment.commit, ci)
    yield from _check_facts(proof, assessment.commit) if proof.claim is not None else ()
    yield from _collect_setting_facts(
        FactTopic.DEVELOPMENT, assessment.commit, [fact for fact, _ in assessment.allowing_valid_python]
    )
    for sentence in proof.gaps:
        yield Fact(FactTopic.UNSEEN, EvidenceKind.QUERY, "repository", quote_untrusted(sentence))


def describe_python_setting(fact: PythonFact) -> str:
    """``ci.yml, line 12 (`python-version: "3.12"`)``."""
    return f"{quote_untrusted(fact.path)}, line {fact.line} (`{quote_untrusted(fact.text, 120)}`)"


def describe_check(check: CiCheck) -> str:
    """A step of CI in the same form."""
    return f"{quote_untrusted(check.path)}, line {check.line} (`{quote_untrusted(check.text, 120)}`)"


def _check_facts(proof: Finding, commit: str) -> Iterator[Fact]:
    """The checks of code that CI runs: what would have met a failure beyond syntax is one of them, or is not."""
    checks = find_ci_checks({file.path: file.text for file in proof.declaring_files})
    described = {describe_check(check): f"{commit}:{quote_untrusted(check.path)}" for check in checks}
    for words, reference in list(described.items())[:_MAX_CHECKS]:
        yield Fact(FactTopic.CI, EvidenceKind.FILE, reference, f"{words}.")


def _collect_setting_facts(topic: FactTopic, commit: str, facts: Sequence[PythonFact]) -> Iterator[Fact]:
    """One fact for each line, with all versions that it names."""
    versions: dict[str, list[str]] = {}
    refs: dict[str, str] = {}
    for fact in facts:
        refs[describe_python_setting(fact)] = f"{commit}:{quote_untrusted(fact.path)}"
        versions.setdefault(describe_python_setting(fact), []).extend([fact.version] if fact.version else [])
    for words, named in list(versions.items())[:_MAX_SETTINGS]:
        names = f", names Python {join_words(list(dict.fromkeys(named)))}" if named else ""
        yield Fact(topic, EvidenceKind.FILE, refs[words], f"{words}{names}.")


def _quote_paths(paths: tuple[str, ...]) -> list[str]:
    return [quote_untrusted(path) for path in paths]


def _allows_version(fact: PythonFact, version: str) -> bool:
    if fact.kind == "requires-python":
        return is_permitted(fact.text.partition("=")[2], version)
    return fact.version == version
