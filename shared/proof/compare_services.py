"""What one commit newly and definitely breaks in the services of a repository, beside another commit.

No incident is asked: the start files are found in the images that the repository builds, and what they load is judged
by all families, and compiled.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.errors import UsageError
from shared.proof.claims.claim import Claim, ClaimFamily
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.judges import build_judges
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.regressions.new_failures import NewFailure, NewFailures
from shared.proof.claims.service_modules import open_service_modules
from shared.proof.find_deployed import find_declared_python
from shared.proof.gating.gates import Gates
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.loading.imports import Imports
from shared.proof.model.ports import Compilers, History
from shared.proof.started_services import StartedService, find_compared_services

SYNTAX = "syntax"
"""The family of a file that does not compile."""


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """Two commits. `python`: the minor version of the image, None for what the repository declares."""

    baseline: str
    commit: str
    python: str | None = None
    fallback_python: str = "3.11"
    source_roots: tuple[str, ...] = ()
    start_paths: tuple[str, ...] = ()
    """Instead of what the images start."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that fails at the commit and did not at the baseline. `line`: from 1, 0 where there is none."""

    family: str
    path: str
    line: int
    error_class: str
    message: str
    reason: str
    """One sentence, without a full stop."""
    checked_by: str
    start_path: str
    """The start file of the service that it breaks."""
    function: str = ""
    """In which function; "" for module level, and where that does not matter."""

    @property
    def identity(self) -> tuple[str, str, int, str]:
        """What makes it the same failure, whichever service loads it and whatever it was compared with."""
        return self.family, self.path, self.line, self.message


@dataclass(frozen=True, slots=True)
class ComparedService:
    """One service at the commit."""

    start_path: str
    built_by: str
    python: str
    python_source: str
    rule: str
    """How it was found what it loads: one sentence."""
    loaded_count: int
    is_exact: bool
    alarms: tuple[Alarm, ...]
    unjudged: tuple[str, ...] = ()
    """Loaded files on which no compiler gave a verdict."""


@dataclass(frozen=True, slots=True)
class _FoundFailure:
    """What an alarm stands for. `claim`: None for a file that does not compile."""

    request: ComparisonRequest
    service: StartedService
    python: str
    claim: Claim | None


_MAX_OPENED = 8
"""States of services that are held to be asked for one failure after the other."""


class ServiceComparison:
    """Compares commits of one history; what two comparisons have in common is computed once."""

    def __init__(self, history: History, compilers: Compilers) -> None:
        self._history = history
        self._compilers = compilers
        self._verdicts: dict[str, CompileVerdicts] = {}
        self._imports: dict[str, Imports] = {}
        self._followed: dict[str, LoadedFiles] = {}
        self._opened: dict[tuple[str, str], NewFailures] = {}
        self._found: dict[tuple[str, str, int, str], list[_FoundFailure]] = {}

    def compare(
        self, request: ComparisonRequest, started: Sequence[StartedService] | None = None
    ) -> tuple[ComparedService, ...]:
        """The services that the commit builds, each with its alarms; () where none was found.

        `started`: those that the caller has chosen of them.
        """
        if request.start_paths:
            started = [StartedService(path, "") for path in request.start_paths]
        elif started is None:
            started = find_compared_services(self._history, request.commit, request.baseline)
        compared = (self._compare_service(request, service) for service in started)
        return tuple(service for service in compared if service is not None)

    def _compare_service(self, request: ComparisonRequest, service: StartedService) -> ComparedService | None:
        """None where the start of an image is not found any more, and that is not certain to fail."""
        history, path = self._history, service.start_path
        python, python_source = self._choose_python(request, service)
        is_lost = bool(service.built_by) and CommitTree(history, request.commit).blob(path) is None
        loaded = LoadedFiles(history, path, (), request.source_roots, request.baseline, imports_by_blob=self._imports)
        gates = Gates(history, self._get_verdicts(python), loaded, request.baseline)
        alarms = [] if is_lost else [*_list_uncompilable(gates, request, path)]
        claims: list[Claim | None] = [None] * len(alarms)
        failures = self._open_failures(request, path, python, loaded)
        for failure in failures.list_starts(request.commit) if is_lost else failures.list_all(request.commit):
            alarms.append(_describe(failure, path))
            claims.append(failure.claim)
        for alarm, claim in zip(alarms, claims, strict=True):
            self._found.setdefault(alarm.identity, []).append(_FoundFailure(request, service, python, claim))
        if is_lost and not alarms:
            return None
        closure = loaded.get_state(request.commit).closure
        return ComparedService(
            path, service.built_by, python, python_source, closure.rule, len(closure.files), closure.is_exact,
            tuple(sorted(alarms, key=lambda alarm: (alarm.path, alarm.line, alarm.family))),
            () if is_lost else gates.find_unjudged(request.commit),
        )  # fmt: skip

    def _open_failures(self, request: ComparisonRequest, path: str, python: str, loaded: LoadedFiles) -> NewFailures:
        history = self._history
        judges, confirming = build_judges(self._compilers, history, [request.baseline, request.commit])

        def open_modules(tree: CommitTree, running_path: str) -> ServiceModules:
            traced = TracedFiles(running_path, (), {}, tree.is_link)
            return open_service_modules(tree, traced, python, request.source_roots)

        def load_blobs(commit: str) -> Mapping[str, str]:
            return loaded.get_state(commit).blobs

        return NewFailures(history, judges, confirming, open_modules, load_blobs, request.baseline, path)

    def is_ended(self, alarm: Alarm, commit: str) -> bool:
        """Whether a failure that a comparison has found does not occur at some other commit.

        That one question is asked there, and no other: whatever else differs costs nothing.
        """
        return any(self._is_ended(alarm, failure, commit) for failure in self._found[alarm.identity])

    def _is_ended(self, alarm: Alarm, failure: _FoundFailure, commit: str) -> bool:
        request, path = failure.request, failure.service.start_path
        loaded = self._followed.setdefault(
            path, LoadedFiles(self._history, path, (), request.source_roots, imports_by_blob=self._imports)
        )
        if failure.claim is None:
            state, verdicts = loaded.get_state(commit), self._get_verdicts(failure.python)
            blob = state.blobs.get(alarm.path)
            return blob is None or verdicts.judge_loaded(blob, alarm.path, state.closure.scripts).fault is None
        if (path, commit) not in self._opened:
            if len(self._opened) >= _MAX_OPENED:
                self._opened.pop(next(iter(self._opened)))
            between = replace(request, baseline=commit)
            self._opened[path, commit] = self._open_failures(between, path, failure.python, loaded)
        return self._opened[path, commit].is_new(failure.claim, request.commit)

    def _choose_python(self, request: ComparisonRequest, service: StartedService) -> tuple[str, str]:
        if request.python:
            return request.python, "--python"
        declared = find_declared_python(self._history, request.commit, service.start_path, service.built_by)
        if declared is not None:
            return declared[0], declared[1].partition(" (at ")[0]
        return request.fallback_python, "assumed: the repository names no version"

    def _get_verdicts(self, python: str) -> CompileVerdicts:
        if python not in self._verdicts:
            compiler = self._compilers.compiler_for(python)
            self._verdicts[python] = CompileVerdicts(self._history, compiler, self._compilers.explainer())
        return self._verdicts[python]


def _list_uncompilable(gates: Gates, request: ComparisonRequest, start_path: str) -> Iterator[Alarm]:
    """The loaded files that do not compile, and that did, or were not loaded."""
    former = {broken.path for broken in gates.find_broken(request.baseline)}
    for broken in gates.find_broken(request.commit):
        if broken.path not in former:
            error, _, message = broken.message.partition(": ")
            checked_by = gates.verdicts.judge(gates.loaded_blobs(request.commit)[broken.path], broken.path).checked_by
            reason = f"it does not compile on Python {gates.verdicts.python}"
            yield Alarm(SYNTAX, broken.path, broken.line or 0, error, message, reason, checked_by, start_path)


def _describe(failure: NewFailure, start_path: str) -> Alarm:
    claim, verdict = failure.claim, failure.verdict
    return Alarm(
        claim.family.value, claim.path, failure.line, claim.error_class, claim.message, verdict.reason,
        verdict.checked_by, start_path, claim.function,
    )  # fmt: skip


def list_alarms(services: Sequence[ComparedService]) -> list[Alarm]:
    """The alarms of all services; what several of them load is named once."""
    alarms: dict[tuple[str, str, int, str], Alarm] = {}
    for alarm in (alarm for service in services for alarm in service.alarms):
        alarms.setdefault(alarm.identity, alarm)
    return list(alarms.values())


def list_families() -> Sequence[str]:
    """Every family of which an alarm can be."""
    judged = [family.value for family in ClaimFamily if family is not ClaimFamily.VALUE]
    return (SYNTAX, *judged)


def require_services(services: Sequence[ComparedService], where: str) -> None:
    """Raises UsageError where no start file was found: nothing would have been judged."""
    if not services:
        raise UsageError(f"{where}: no Dockerfile, Procfile or main.py says what starts; name a file with --start")
