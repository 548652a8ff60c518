"""Do these sources compile on the Python that they are deployed on?

In: sources, the texts of the files that declare a Python, and compilers. Out: what fails, with ruff's explanation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import UsageError
from shared.proof.declared.deployed_python import deployed_python
from shared.proof.model.compilation import Explanation, Fault, Source
from shared.proof.model.ports import Compilers


class Origin(StrEnum):
    """Where the version comes from that a source is checked on."""

    GIVEN = "given"
    DECLARED = "declared"
    RUNNING = "running"
    """The repository declares none: the version that runs this counts."""
    DECLARED_UNKNOWN = "declared_unknown"
    """The declared one cannot be judged: the version that runs this stands in for it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A minor version, where it comes from, and the words that say so."""

    python: str
    origin: Origin
    why: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that does not compile."""

    path: str
    fault: Fault
    target: Target
    explanation: str
    """Ruff's words for the failing line, "" where it has none or where they are CPython's own."""
    more: int
    """Errors in the file beyond the first, as ruff counts them."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A source that nobody could judge: neither good nor bad."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Group:
    """The sources of one target. `checked_by` is `cpython-3.11.7` or `ruff-0.17.6`."""

    target: Target
    checked_by: str
    sources: int
    failures: tuple[Failure, ...]
    unjudged: tuple[Unjudged, ...]


def targets(
    sources: Sequence[Source], declared: Mapping[str, str], given: str | None, running: str
) -> Mapping[Target, Sequence[Source]]:
    """Each source under its target: the given version, else what the repository declares nearest, else the running."""
    grouped: dict[Target, list[Source]] = {}
    known: dict[str, Target] = {}
    for source in sources:
        directory = source.path.rpartition("/")[0]
        if directory not in known:
            known[directory] = _target(source.path, declared, given, running)
        grouped.setdefault(known[directory], []).append(source)
    return grouped


def check(grouped: Mapping[Target, Sequence[Source]], compilers: Compilers, running: str) -> Sequence[Group]:
    """Compile everything; ruff is asked only about what fails. Raises Misused for a given version that is unknown."""
    return [_check(target, sources, compilers, running) for target, sources in grouped.items()]


def _target(path: str, declared: Mapping[str, str], given: str | None, running: str) -> Target:
    if given is not None:
        return Target(given, Origin.GIVEN, "given with --python")
    found = deployed_python(declared, path)
    if found is None:
        return Target(running, Origin.RUNNING, "the running one: the repository declares none")
    return Target(found[0], Origin.DECLARED, found[1])


def _check(target: Target, sources: Sequence[Source], compilers: Compilers, running: str) -> Group:
    try:
        compiler = compilers.compiler(target.python)
    except UsageError:
        if target.origin is Origin.GIVEN:
            raise
        told = f"the running one: {target.python} cannot be judged ({target.why})"
        target = Target(running, Origin.DECLARED_UNKNOWN, told)
        compiler = compilers.compiler(target.python)
    compiler.expect(sources)
    failing: list[tuple[Source, Fault]] = []
    unjudged: list[Unjudged] = []
    for source in sources:
        verdict = compiler.compile(source)
        if verdict.ok is None:
            unjudged.append(Unjudged(source.path, verdict.why))
        elif verdict.fault is not None:
            failing.append((source, verdict.fault))
    said = compilers.explainer().explain([(source, target.python) for source, _ in failing]) if failing else ()
    failures = [_failure(*pair, target, words) for pair, words in zip(failing, said, strict=True)]
    return Group(target, compiler.checked_by, len(sources), tuple(failures), tuple(unjudged))


def _failure(source: Source, fault: Fault, target: Target, said: Explanation) -> Failure:
    on_line = [finding.message for finding in said.findings if finding.line == fault.line]
    explanation = next((message for message in on_line if message != fault.message), "")
    return Failure(source.path, fault, target, explanation, max(len(said.findings) - 1, 0))
