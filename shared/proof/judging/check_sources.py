"""Do these sources compile on the Python that they are deployed on?

Returns what fails, with ruff's explanation.

Of the given files, those that a start command runs by their path are judged otherwise than imported files.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import UsageError
from shared.proof.declared.deployed_python import find_deployed_python
from shared.proof.loading.import_closure import find_import_closure
from shared.proof.model.compilation import Explanation, Fault, Source
from shared.proof.model.ports import Compilers

_MAX_ASKED = 8
"""Files for each of which the images are read."""


class _ListedTree:
    """Implements `shared.proof.loading.commit_tree.SourceTree` for a list of paths."""

    def __init__(self, paths: Collection[str], read: Callable[[str], bytes | None]) -> None:
        self._paths = frozenset(paths)
        self._read = read
        self._folders: dict[str, dict[str, str]] = {"": {}}
        for path in paths:
            *folders, name = path.split("/")
            at = ""
            for folder in folders:
                self._folders.setdefault(at, {})[folder] = "folder"
                at = f"{at}/{folder}" if at else folder
            self._folders.setdefault(at, {})[name] = "file"

    def blob(self, path: str) -> str | None:
        return path if path in self._paths else None

    def folder(self, path: str) -> Mapping[str, str] | None:
        return self._folders.get(path)

    def read(self, path: str) -> bytes | None:
        return self._read(path) if path in self._paths else None


def find_start_files(
    sources: Sequence[Source], paths: Collection[str], read: Callable[[str], bytes | None]
) -> frozenset[str]:
    """Of the sources for which it matters, those that are started by their path."""
    asked = [source.path for source in sources if _is_judged_otherwise(source.content)]
    if not asked:
        return frozenset()
    tree = _ListedTree(paths, read)
    closures = (find_import_closure(tree, path) for path in asked[:_MAX_ASKED])
    return frozenset(path for closure in closures for path in closure.scripts)


def _is_judged_otherwise(content: bytes) -> bool:
    """Whether the bytes are such as `python FILE` may refuse and an import may accept."""
    if b"\0" in content:
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


class PythonSource(StrEnum):
    """Where the version comes from that a source is checked on."""

    GIVEN = "given"
    DECLARED = "declared"
    RUNNING = "running"
    """The repository declares none: the version that runs this counts."""
    DECLARED_UNKNOWN = "declared_unknown"
    """The declared one cannot be judged: the version that runs this is used instead."""


@dataclass(frozen=True, slots=True)
class PythonTarget:
    """A minor version, where it comes from, and the words that say so."""

    python: str
    source: PythonSource
    description: str


@dataclass(frozen=True, slots=True)
class CompileFailure:
    """A source that does not compile."""

    path: str
    fault: Fault
    python_target: PythonTarget
    explanation: str
    """Ruff's words for the failing line, "" where it has none or where they are CPython's own."""
    further_errors: int
    """Errors in the file beyond the first, as ruff counts them."""


@dataclass(frozen=True, slots=True)
class UnjudgedSource:
    """A source that no compiler could judge: neither good nor bad."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedGroup:
    """The sources of one target. `checked_by` is `cpython-3.11.7` or `ruff-0.17.6`."""

    python_target: PythonTarget
    checked_by: str
    source_count: int
    failures: tuple[CompileFailure, ...]
    unjudged: tuple[UnjudgedSource, ...]


def group_by_python(
    sources: Sequence[Source], declared: Mapping[str, str], given_python: str | None, running_python: str
) -> Mapping[PythonTarget, Sequence[Source]]:
    """Each source under its target: the given version, else what the repository declares nearest, else the running."""
    grouped: dict[PythonTarget, list[Source]] = {}
    known: dict[str, PythonTarget] = {}
    for source in sources:
        directory = source.path.rpartition("/")[0]
        if directory not in known:
            known[directory] = _choose_python(source.path, declared, given_python, running_python)
        grouped.setdefault(known[directory], []).append(source)
    return grouped


def check_sources(
    grouped: Mapping[PythonTarget, Sequence[Source]],
    compilers: Compilers,
    running_python: str,
    scripts: Collection[str] = (),
) -> Sequence[CheckedGroup]:
    """Compiles all sources, and explains those that fail. Raises UsageError for a given version that is unknown.

    `scripts` are the paths of those that are started by their path; all others are imported.
    """
    return [_check_group(target, sources, compilers, running_python, scripts) for target, sources in grouped.items()]


def _choose_python(
    path: str, declared: Mapping[str, str], given_python: str | None, running_python: str
) -> PythonTarget:
    if given_python is not None:
        return PythonTarget(given_python, PythonSource.GIVEN, "given with --python")
    declaration = find_deployed_python(declared, path)
    if declaration is None:
        return PythonTarget(running_python, PythonSource.RUNNING, "the running one: the repository declares none")
    return PythonTarget(declaration[0], PythonSource.DECLARED, declaration[1])


def _check_group(
    target: PythonTarget,
    sources: Sequence[Source],
    compilers: Compilers,
    running_python: str,
    scripts: Collection[str],
) -> CheckedGroup:
    try:
        compiler = compilers.compiler_for(target.python)
    except UsageError:
        if target.source is PythonSource.GIVEN:
            raise
        note = f"the running one: {target.python} cannot be judged ({target.description})"
        target = PythonTarget(running_python, PythonSource.DECLARED_UNKNOWN, note)
        compiler = compilers.compiler_for(target.python)
    compiler.prepare(sources)
    failing: list[tuple[Source, Fault]] = []
    unjudged: list[UnjudgedSource] = []
    for source in sources:
        verdict = compiler.compile(source)
        verdict = verdict.as_script if source.path in scripts else verdict
        if verdict.compiles is None:
            unjudged.append(UnjudgedSource(source.path, verdict.unjudged_reason))
        elif verdict.fault is not None:
            failing.append((source, verdict.fault))
    explanations = compilers.explainer().explain([(source, target.python) for source, _ in failing]) if failing else ()
    failures = [_build_failure(*pair, target, words) for pair, words in zip(failing, explanations, strict=True)]
    return CheckedGroup(target, compiler.checked_by, len(sources), tuple(failures), tuple(unjudged))


def _build_failure(source: Source, fault: Fault, target: PythonTarget, ruff_explanation: Explanation) -> CompileFailure:
    on_line = [finding.message for finding in ruff_explanation.diagnostics if finding.line == fault.line]
    explanation = next((message for message in on_line if message != fault.message), "")
    return CompileFailure(source.path, fault, target, explanation, max(len(ruff_explanation.diagnostics) - 1, 0))
