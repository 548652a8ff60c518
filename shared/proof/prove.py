"""The proof: an incident and a repository's history in, what is provable about break, fix and target out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.errors import UsageError
from shared.proof import pythons
from shared.proof.gating.candidates import Choice
from shared.proof.gating.chosen_image import choose_image
from shared.proof.gating.declarations import Declarations
from shared.proof.gating.gates import Gates
from shared.proof.gating.loaded import Loaded
from shared.proof.gating.other_files import describe_loading
from shared.proof.gating.target import (
    attempts,
    choose,
    describe_fix,
    describe_target,
    find_fix,
    find_rollback,
    unmerged_fix,
)
from shared.proof.gating.target_python import OwnPythons
from shared.proof.gating.traced import traced_files
from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.locating.branch_states import BranchStates
from shared.proof.locating.candidate_files import Ground
from shared.proof.locating.deployed import locate
from shared.proof.locating.located import Located, with_commits
from shared.proof.model.compilation import Fault
from shared.proof.model.finding import (
    AlsoBroken,
    Attempt,
    Broken,
    Deployed,
    DeployedSource,
    Introduced,
    Proof,
    Rollback,
)
from shared.proof.model.history import Commit
from shared.proof.model.paths import likely_files
from shared.proof.model.ports import Compilers, History
from shared.proof.model.recommendation import recommend
from shared.proof.model.service_files import belonging
from shared.proof.proof_context import Inquiry, Progress, Request
from shared.proof.searching.explain import Explained, excerpt, explain
from shared.proof.searching.file_history import Lineage, Start, follow
from shared.proof.searching.introducing_commit import Origin, Version, trace
from shared.proof.searching.wrong_command import is_no_python
from shared.proof.unproven import uncorroborated, unjudgeable, without_proof, wrong_command
from shared.proof.unseen import unseen


def prove(incident: Incident, history: History, compilers: Compilers, request: Request, progress: Progress) -> Proof:
    """Everything that can be proven about one incident. Raises Misused for a ref that does not exist."""
    branch = history.branch(request.branch)
    given = history.resolve(request.deployed) if request.deployed else None
    inquiry = Inquiry(incident, history, compilers, request, branch, given, progress)
    if incident.kind is not SignalKind.SYNTAX_ERROR or not incident.sightings:
        return without_proof(inquiry)
    progress(f"looking for the deployed version of {incident.path}")
    search = _search(inquiry)
    contradicted = _contradicted(inquiry, search) if search is not None else None
    if contradicted is not None:
        inquiry, search = contradicted, _search(contradicted)
    _check_roots(inquiry, search.located if search is not None else None)
    if search is None:
        return unjudgeable(inquiry, next(_pythons(inquiry)))
    if search.located.corroborated and search.located.commit is not None:
        return _prove(inquiry, search, search.located.commit)
    return uncorroborated(inquiry, search.located, search.verdicts, search.python_source)


def _check_roots(inquiry: Inquiry, located: Located | None) -> None:
    """Refuses a source root at which there is nothing: it would leave nothing to compile. Raises Misused."""
    asked = [inquiry.branch.head, *([inquiry.given.id] if inquiry.given else [])]
    asked += [located.commit.id] if located is not None and located.commit is not None else []
    for root in inquiry.request.roots:
        belongs = belonging({}, "", [root])
        if not any(belongs(path) for commit in dict.fromkeys(asked) for path in inquiry.history.tree(commit)):
            raise UsageError(
                f"--source-root {root}: no Python file lies there, neither at the head of {inquiry.branch.name} "
                "nor as deployed"
            )


@dataclass(frozen=True, slots=True)
class _Search:
    """The outcome of looking for the deployed version under one version of Python."""

    located: Located
    verdicts: Verdicts
    python_source: str


def _search(inquiry: Inquiry) -> _Search | None:
    """The deployed version under the best-evidenced Python under which there is one, else the first failure.

    None where no Python that log or repository name can be judged. Raises Misused where the person named that one.
    """
    tried: list[_Search] = []
    ground = Ground(
        inquiry.history, inquiry.incident, inquiry.branch, BranchStates(inquiry.history, inquiry.branch.head)
    )
    for python, source in _pythons(inquiry):
        try:
            compiler = inquiry.compilers.compiler(python)
        except UsageError:
            if python == inquiry.request.python:
                raise
            continue
        verdicts = Verdicts(inquiry.history, compiler, inquiry.compilers.explainer())
        located = locate(ground, verdicts, inquiry.given, inquiry.request.revision)
        tried.append(_Search(located, verdicts, source))
        if located.corroborated and located.commit is not None and not _declares_other(inquiry, tried[-1]):
            return tried[-1]
    return tried[0] if tried else None


def _contradicted(inquiry: Inquiry, search: _Search) -> Inquiry | None:
    """The inquiry without the version that the log names, where the deployed commit declares another one; else None."""
    python, commit = search.verdicts.python, search.located.commit
    logged = {each.python for each in inquiry.incident.sightings}
    if commit is None or not search.located.corroborated or python not in logged or python == inquiry.request.python:
        return None
    declared = pythons.contradiction(inquiry.history, commit.id, search.located.path, python)
    is_silent = pythons.declared_at(inquiry.history, commit.id, search.located.path) is None
    if not declared and not (is_silent and inquiry.request.python):
        return None
    elsewhere = f"{declared} (at {commit.id})" if declared else "the setting"
    told = f"Conflict: the log names Python {python}, and {elsewhere} another one, which is believed."
    request = replace(inquiry.request, stated=(*inquiry.request.stated, told))
    return replace(inquiry, incident=pythons.without_logged(inquiry.incident), request=request)


def _declares_other(inquiry: Inquiry, search: _Search) -> bool:
    """Whether the version was judged on a Python that the deployed commit itself does not declare.

    A branch's head may have moved to another version since; the others are tried before this one is believed.
    """
    if pythons.stated(inquiry.incident, inquiry.request.python) is not None or search.located.commit is None:
        return False
    commit, path = search.located.commit.id, search.located.path
    there = pythons.declared_at(inquiry.history, commit, path, choose_image(inquiry, commit, path))
    return there is not None and there[0] != search.verdicts.python


def _pythons(inquiry: Inquiry) -> Iterator[pythons.Choice]:
    """Versions to try, each once. What the log or the settings state is not second-guessed."""
    history, incident = inquiry.history, inquiry.incident
    stated = pythons.stated(incident, inquiry.request.python)
    if stated is not None:
        yield stated
        return
    look_at = inquiry.given.id if inquiry.given is not None else inquiry.branch.head
    near = next((tier[0] for tier in likely_files(incident.path, history.tree(look_at))), "")
    image = choose_image(inquiry, look_at, near)
    declared = pythons.declared_at(history, look_at, near, image)
    if declared is None:
        yield inquiry.request.fallback_python, "assumed: neither the log nor the repository names a version"
        return
    yield declared
    yield from (each for each in pythons.formerly_declared(history, look_at, near, image) if each[0] != declared[0])


def _prove(inquiry: Inquiry, search: _Search, commit: Commit) -> Proof:
    """Break, attempts, fix and target of a file whose deployed version is known."""
    history, verdicts, located = inquiry.history, search.verdicts, search.located
    traced = traced_files(history, inquiry.incident, commit.id)
    loaded = Loaded(history, located.path, traced, inquiry.request.roots)
    own = OwnPythons(inquiry, verdicts, commit.id, loaded, Declarations(history)).verdicts
    gates = Gates(history, verdicts, loaded, commit.id, inquiry.request.checks, own)
    blob = history.blobs([(commit.id, located.path)])[commit.id, located.path]
    deployed = Version(commit, located.path, blob)
    if is_no_python(history, verdicts, deployed, inquiry.branch.head):
        return wrong_command(inquiry, located.path, verdicts, search.python_source)
    inquiry.progress("going back to the commit that broke it")
    origin = trace(history, verdicts, commit.id, located.path, located.graph) or Origin(deployed, (), cut=True)
    inquiry.progress("looking for the commit that mends it")
    lineage = follow(history, verdicts.fails, Start(commit.id, located.path, located.graph), inquiry.branch)
    fix = find_fix(lineage, verdicts)
    tried = attempts(lineage, verdicts, origin, fix)
    inquiry.progress("compiling what the service loads as deployed")
    also = tuple(each for each in gates.broken(commit.id) if each.path != located.path)
    explained = explain(history, inquiry.compilers, verdicts, deployed, [origin.first, *tried])
    proof = Proof(
        deployed=_deployed(inquiry, search, commit, [origin.first, *tried], gates),
        broken=_broken(history, verdicts, deployed, explained, also),
        introduced=None if origin.cut else _introduced(origin, verdicts, explained),
        attempts=tuple(Attempt(each.commit, explained.errors[each.blob], _line(each, verdicts)) for each in tried),
        fix=None, target=None, rollback=None,
        recommendation=without_proof(inquiry).recommendation,
        branch=inquiry.branch.name,
        branch_head=inquiry.branch.head,
        declared=pythons.declared_files(history, commit.id if origin.cut else origin.first.commit.id),
    )  # fmt: skip
    proof = _propose(inquiry, proof, _Candidates(lineage, gates, origin, deployed), fix)
    proof = replace(proof, loading=describe_loading(gates, commit.id, proof.target))
    on_branch = bool(lineage.after) or commit.id == inquiry.branch.head
    return replace(
        proof,
        recommendation=recommend(proof, on_branch=on_branch),
        unseen=unseen(history, at_boundary=origin.cut),
        versions_compiled=verdicts.compiled_of(located.path),
    )


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What a proposal is chosen from."""

    lineage: Lineage
    gates: Gates
    origin: Origin
    deployed: Version


def _propose(inquiry: Inquiry, proof: Proof, among: _Candidates, fix: Commit | None) -> Proof:
    """Adds fix and target, or, without a merged fix, where else one is and what could be gone back to."""
    history, verdicts, deployed = inquiry.history, among.gates.verdicts, among.deployed
    states = BranchStates(history, inquiry.branch.head)
    assert proof.broken is not None  # a deployed version is known only by its failure
    if fix is None:
        inquiry.progress("looking for a fix that is not merged, and for a commit to go back to")
        before = find_rollback(states, among.gates, among.origin)
        return replace(
            proof,
            fix=unmerged_fix(history, verdicts, inquiry.branch, among.origin.first, deployed),
            rollback=_rollback(before),
            not_looked_at=before.not_looked_at,
        )
    inquiry.progress("looking for the newest commit that passes every gate")
    broken = frozenset({*among.lineage.names, *(each.path for each in proof.broken.also_broken)})
    choice = choose(among.lineage, among.gates, fix, inquiry.branch.head, broken)
    return replace(
        proof,
        fix=describe_fix(history, among.lineage, fix, deployed, proof.broken.fault.line),
        target=describe_target(history, among.lineage, among.gates, choice),
        refused=choice.refused,
        not_looked_at=choice.not_looked_at,
        alternative=_rollback(find_rollback(states, among.gates, among.origin))
        if inquiry.request.alternative
        else None,
    )


def _rollback(before: Choice) -> Rollback | None:
    return None if before.commit is None else Rollback(before.commit)


def _deployed(inquiry: Inquiry, search: _Search, commit: Commit, failing: Sequence[Version], gates: Gates) -> Deployed:
    located, verdicts = search.located, search.verdicts
    by_line = {_line(version, verdicts): version.commit for version in reversed(failing)}
    deployments = with_commits(located.deployments, by_line)
    return Deployed(
        revision=next((each.revision for each in reversed(deployments) if each.commit == commit), ""),
        commit=commit,
        source=inquiry.request.source if located.source is DeployedSource.GIVEN else located.source,
        corroborated=True,
        candidates=located.candidates,
        uncommitted_tree=any(each.uncommitted and each.commit == commit for each in deployments),
        python=verdicts.python,
        python_source=_python_source(inquiry, search, commit, gates),
        conflict=located.conflict,
        deployments=deployments,
        named=inquiry.request.named,
        stated=inquiry.request.stated,
    )


def _python_source(inquiry: Inquiry, search: _Search, commit: Commit, gates: Gates) -> str:
    """Where the version of Python stands: at the deployed commit, if its files say the same as what was tried."""
    if pythons.stated(inquiry.incident, inquiry.request.python) is not None:
        return search.python_source
    image = gates.loaded.at(commit.id).closure.image
    there = pythons.declared_at(inquiry.history, commit.id, search.located.path, image)
    return there[1] if there is not None and there[0] == search.verdicts.python else search.python_source


def _broken(
    history: History, verdicts: Verdicts, deployed: Version, explained: Explained, also: tuple[AlsoBroken, ...]
) -> Broken:
    compilation = verdicts.of(deployed.blob, deployed.path)
    fault = compilation.fault or Fault("SyntaxError", "", None)
    return Broken(
        path=deployed.path,
        fault=fault,
        errors=explained.errors[deployed.blob],
        error_lines=tuple(sorted({each.line for each in explained.findings})),
        checked_by=compilation.checked_by,
        explanation=explained.explanation,
        compiles_on=explained.compiles_on,
        compiles_on_checked_by=explained.compiles_on_checked_by,
        excerpt=excerpt(history.read(deployed.blob) or b"", fault.line),
        second_opinion=explained.second_opinion,
        also_broken=also,
    )


def _introduced(origin: Origin, verdicts: Verdicts, explained: Explained) -> Introduced:
    first = origin.first
    return Introduced(
        first.commit, first.path, explained.errors[first.blob], _line(first, verdicts), arrived=origin.arrived
    )


def _line(version: Version, verdicts: Verdicts) -> int | None:
    """The line of a version's first error."""
    fault = verdicts.of(version.blob, version.path).fault
    return fault.line if fault is not None else None
