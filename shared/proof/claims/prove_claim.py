"""The proof of a failure beyond syntax: which commit is deployed, what introduced the failure, what fixes it.

The same search as for a file that does not compile, with another predicate: the verdict on one claim.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from shared.detection.logged_exception import is_package_frame
from shared.detection.raised_exception import RaisedException
from shared.detection.syntax_errors import find_python_version
from shared.proof.claims.claim import Claim, ClaimFamily
from shared.proof.claims.claim_history import ClaimLineage, ClaimOrigin, follow_claim, trace_claim
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.locate_claim import ClaimLocator, LocatedClaim
from shared.proof.claims.place_claim import ClaimPlacer
from shared.proof.claims.place_import import ImportPlacer
from shared.proof.claims.ports import ClaimJudge, ServiceModules
from shared.proof.claims.read_claim import read_bare_import, read_claim
from shared.proof.claims.regressions.new_failures import NewFailures
from shared.proof.claims.remaining_imports import RemainingImports
from shared.proof.claims.started_files import list_started_files
from shared.proof.claims.starting.place_start import StartPlacer
from shared.proof.claims.starting.start_complaint import StartComplaint
from shared.proof.find_deployed import find_declared_python, find_stated_python
from shared.proof.gating.gates import Gates
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.gating.target_python import DeclarationReader, TargetPython
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.loading.commit_tree import CommitTree, is_image_file
from shared.proof.loading.import_closure import ImportClosure
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.proof_context import ProofContext
from shared.proof.searching.file_history import FileHistory, HistoryStart, follow_file


@dataclass(frozen=True, slots=True)
class ModulesRequest:
    """The service at one commit, as one of its files imports modules."""

    tree: CommitTree
    path: str
    source_roots: Sequence[str]
    python: str
    """The minor version that ran."""
    is_python_declared: Callable[[], bool]
    """Whether the files of the deployed commit name it: those of another commit may then name another one."""


@dataclass(frozen=True, slots=True)
class ClaimTools:
    """Who judges which family, and who finds modules."""

    judges: Mapping[ClaimFamily, ClaimJudge]
    confirming_judges: Mapping[ClaimFamily, ClaimJudge]
    """The same with a second witness, for the commits on which something is decided."""
    open_modules: Callable[[ModulesRequest], ServiceModules]


@dataclass(frozen=True, slots=True)
class TracedClaim:
    """A claim that the deployed commit confirms, with its history."""

    claim: Claim
    located: LocatedClaim
    deployed: Commit
    verdicts: ClaimVerdicts
    python: tuple[str, str]
    """The minor version, and where it is named."""
    origin: ClaimOrigin
    file_history: FileHistory
    lineage: ClaimLineage
    fix: Commit | None
    """The merged one; None where the deploy branch has none."""
    gates: Gates
    remaining: RemainingImports


def locate_claim(context: ProofContext, raised: RaisedException, tools: ClaimTools) -> LocatedClaim | None:
    """The claim of an exception at its deployed commit; None where it makes none that can be judged."""
    bare = read_bare_import(raised.exception)
    claim = bare.claim if bare is not None else read_claim(raised.exception)
    judge = tools.judges.get(claim.family) if claim is not None else None
    if claim is None or judge is None:
        return None
    confirming = tools.confirming_judges.get(claim.family)
    logged_path = bare.provider if bare is not None else claim.path
    context.report_progress(f"searching for the deployed version of {logged_path or 'what imports ' + claim.module}")
    python = choose_python(context, raised, context.branch.head, logged_path)[0]

    seen_at = raised.entry.timestamp if raised.entry.dated else None
    states = BranchStates(context.history, context.branch.head)
    is_declared = lru_cache(lambda: _declares_python(context, states, seen_at, logged_path, python))

    def open_modules(tree: CommitTree, path: str) -> ServiceModules:
        return tools.open_modules(ModulesRequest(tree, path, context.request.source_roots, python, is_declared))

    loaded_files: dict[str, LoadedFiles] = {}

    def load_closure(commit: str, path: str) -> ImportClosure:
        if path not in loaded_files:
            roots, read = context.request.source_roots, context.imports_by_blob
            loaded_files[path] = LoadedFiles(context.history, path, (), roots, imports_by_blob=read)
        return loaded_files[path].get_state(commit).closure

    def make_verdicts(located: Claim) -> ClaimVerdicts:
        def list_loaded(commit: str) -> Collection[str]:
            return load_closure(commit, located.path).files

        return ClaimVerdicts(context.history, located, judge, open_modules, confirming, list_loaded=list_loaded)

    if bare is not None:
        importer = ImportPlacer(
            context.history, states, bare, make_verdicts, load_closure, seen_at, context.request.source_roots
        )
        return importer.locate(context.given_commit)
    if raised.exception.frames[-1].is_handler:
        placer = ClaimPlacer(context.history, states, claim, raised.entry.text, make_verdicts, seen_at)
        return placer.locate(context.given_commit)
    return ClaimLocator(
        context.history,
        states,
        claim,
        raised.exception.frames[:-1],
        make_verdicts,
        seen_at,
    ).locate(context.given_commit)


def locate_start(
    context: ProofContext, raised: RaisedException, complaint: StartComplaint, tools: ClaimTools
) -> LocatedClaim:
    """The claim of a start whose target is missing, at its deployed commit."""
    judge = tools.judges[ClaimFamily.START_TARGET]
    context.report_progress("searching for the deployed version of the start command")
    python = choose_python(context, raised, context.branch.head, "Dockerfile")[0]

    def open_modules(tree: CommitTree, path: str) -> ServiceModules:
        return tools.open_modules(ModulesRequest(tree, path, (), python, lambda: False))

    def make_verdicts(located: Claim) -> ClaimVerdicts:
        return ClaimVerdicts(context.history, located, judge, open_modules)

    seen_at = raised.entry.timestamp if raised.entry.dated else None
    states = BranchStates(context.history, context.branch.head)
    placer = StartPlacer(context.history, states, complaint, make_verdicts, open_modules, seen_at)
    return placer.locate(context.given_commit)


def _declares_python(
    context: ProofContext, states: BranchStates, seen_at: datetime | None, logged_path: str, python: str
) -> bool:
    """Whether what serves, or the branch when it was logged, names the Python that ran as that of its image."""
    state = states.find_state_at(seen_at) if seen_at is not None else None
    served = context.given_commit or state
    commit = served.id if served is not None else context.branch.head
    matched = next((tier[0] for tier in match_logged_path(logged_path, context.history.tree(commit))), "")
    fact = DeclarationReader(context.history).find_fact(commit, matched)
    return fact is not None and fact.is_of_image and fact.version == python


def choose_python(context: ProofContext, raised: RaisedException, commit: str, path: str) -> tuple[str, str]:
    """The minor version that ran, and where it is named."""
    logged = find_python_version(raised.entry.text)
    if logged:
        return logged, f"the traceback's own paths name python{logged}"
    stated = find_stated_python(context.incident, context.request.python)
    if stated is not None:
        return stated
    matched = next((tier[0] for tier in match_logged_path(path, context.history.tree(commit))), "")
    declared = find_declared_python(context.history, commit, matched)
    return declared or (context.request.fallback_python, "assumed: no version found in the log or the repository")


def trace_history(
    context: ProofContext, raised: RaisedException, located: LocatedClaim, tools: ClaimTools
) -> TracedClaim:
    """Follows a claim from its deployed commit back to its introduction, and on to its fix."""
    assert located.commit is not None
    assert located.verdicts is not None
    history, verdicts, deployed = context.history, located.verdicts, located.commit
    path = located.claim.path
    context.report_progress("searching for the commit that introduced the failure")
    origin = trace_claim(history, verdicts, deployed)
    context.report_progress("searching for the commit that fixes it")
    start = HistoryStart(deployed.id, path)
    file_history = follow_file(history, lambda blob, name: bool(blob and name), start, context.branch)
    python = choose_python(context, raised, deployed.id, path)
    running, *names = path, *_list_later_names(file_history, path)
    gates = _build_gates(context, raised, deployed, running, python[0])
    remaining = RemainingImports(history, verdicts, gates.loaded_files)
    lineage = follow_claim(history, verdicts, file_history, context.branch, remaining.find)
    if located.claim.family is ClaimFamily.START_TARGET:  # no file of the service has run: what would run counts
        fixes = [lineage.fix.id] if lineage.fix is not None else []
        running, *names = list_started_files(verdicts, [*fixes, context.branch.head, *origin.commit.parents])
        gates = _build_gates(context, raised, deployed, running, python[0])
    gates.loaded_files.later_names = tuple(names)
    new_failures = NewFailures(
        history, tools.judges, tools.confirming_judges, verdicts.open_modules, gates.loaded_blobs, deployed.id, running,
        located.claim,
    )  # fmt: skip
    gates.find_new_failure = new_failures.find
    return TracedClaim(
        located.claim,
        located,
        deployed,
        verdicts,
        python,
        origin,
        file_history,
        lineage,
        lineage.fix,
        gates,
        remaining,
    )


def _list_later_names(file_history: FileHistory, path: str) -> tuple[str, ...]:
    return tuple(name for name in file_history.names if name != path)


def _build_gates(context: ProofContext, raised: RaisedException, deployed: Commit, path: str, python: str) -> Gates:
    """The same gates as for a syntax error: what a target loads must compile, and have its modules."""
    history, request = context.history, context.request
    compiling = CompileVerdicts(history, context.compilers.compiler_for(python), context.compilers.explainer())
    traced = _find_traced_paths(context, raised, deployed.id, path)
    loaded = LoadedFiles(history, path, traced, request.source_roots, deployed.id, context.imports_by_blob)
    own = TargetPython(history, context.compilers, compiling, deployed.id, loaded, DeclarationReader(history))
    return Gates(
        history, compiling, loaded, deployed.id, request.checks, own.get_verdicts, check_image=request.check_image
    )


def _find_traced_paths(context: ProofContext, raised: RaisedException, commit: str, path: str) -> tuple[str, ...]:
    """The other files of a commit that the traceback names, but for those of installed packages."""
    tree = context.history.tree(commit)
    own = (frame for frame in raised.exception.frames if not is_package_frame(frame) and not is_image_file(frame.path))
    fitting = (next(iter(match_logged_path(frame.path, tree)), ()) for frame in own)
    return tuple(dict.fromkeys(paths[0] for paths in fitting if len(paths) == 1 and paths[0] != path))
