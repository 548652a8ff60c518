"""Finds the deployed version of the failing file, and the Python that ran it, best evidence first.

Each Python that the log, the settings or the repository names is tried until the file fails under it as logged.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from shared.detection.incident import Incident
from shared.errors import UsageError
from shared.proof.declared.deployed_python import (
    find_deployed_fact,
    find_deployed_python,
    list_dockerfile_pythons,
    select_declaring_files,
)
from shared.proof.declared.python_versions import is_permitted
from shared.proof.gating.loaded_files import LoadedFiles, find_traced_files
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.loading.imports import Imports
from shared.proof.locating.candidate_files import CandidateFiles
from shared.proof.locating.locate_version import locate_version
from shared.proof.locating.located_version import LocatedVersion
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.finding import DeclaredFile
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History
from shared.proof.proof_context import ProofContext

PythonChoice = tuple[str, str]
"""A minor version such as `3.11`, and the sentence that says where it is declared."""

_REQUIRES_PYTHON = "requires-python"


@dataclass(frozen=True, slots=True)
class DeployedSearch:
    """What the search for the deployed version found under one version of Python."""

    located: LocatedVersion
    verdicts: CompileVerdicts
    python_source: str
    loaded_files: "LoadedFilesByCommit"

    @property
    def commit(self) -> Commit | None:
        """The deployed commit, where the log corroborates it."""
        return self.located.commit if self.located.corroborated else None


@dataclass(slots=True)
class LoadedFilesByCommit:
    """Builds the `LoadedFiles` of a failing file as deployed at one commit, each once."""

    _built: dict[tuple[str, str], LoadedFiles] = field(default_factory=dict)
    _imports_by_blob: dict[str, Imports] = field(default_factory=dict)

    def get(self, context: ProofContext, commit: str, path: str) -> LoadedFiles:
        """With the files that the traceback names at that commit."""
        if (commit, path) not in self._built:
            traced = find_traced_files(context.history, context.incident, commit)
            roots = context.request.source_roots
            self._built[commit, path] = LoadedFiles(context.history, path, traced, roots, commit, self._imports_by_blob)
        return self._built[commit, path]

    def choose_dockerfile(self, context: ProofContext, commit: str, path: str) -> str:
        """The Dockerfile whose closure holds a file; "" where they all name one Python, and it does not matter."""
        files = read_declaring_files(context.history, commit)
        if not path or len(list_dockerfile_pythons({file.path: file.text for file in files})) < 2:
            return ""
        return self.get(context, commit, path).get_state(commit).closure.image_path


def find_deployed(context: ProofContext) -> tuple[ProofContext, DeployedSearch | None]:
    """The deployed version, and the context less a logged Python that the deployed commit contradicts.

    None where no Python that the log or the repository names can be judged. Raises UsageError where the caller named
    that Python.
    """
    loaded_files = LoadedFilesByCommit()
    search = _search_pythons(context, loaded_files)
    believed = _resolve_python_conflict(context, search) if search is not None else None
    return (context, search) if believed is None else (believed, _search_pythons(believed, loaded_files))


def find_likeliest_python(context: ProofContext) -> PythonChoice:
    """The best-evidenced Python, whether or not it can be judged."""
    return next(_list_pythons(context, LoadedFilesByCommit()))


def _list_pythons(context: ProofContext, loaded_files: LoadedFilesByCommit) -> Iterator[PythonChoice]:
    """Versions to try, each once. What the log or the settings state is not second-guessed."""
    history, incident = context.history, context.incident
    stated = find_stated_python(incident, context.request.python)
    if stated is not None:
        yield stated
        return
    commit = context.given_commit.id if context.given_commit is not None else context.branch.head
    path = next((tier[0] for tier in match_logged_path(incident.path, history.tree(commit))), "")
    dockerfile = loaded_files.choose_dockerfile(context, commit, path)
    declared = find_declared_python(history, commit, path, dockerfile)
    if declared is None:
        yield context.request.fallback_python, "assumed: no version found in the log or the repository"
        return
    yield declared
    former = find_former_pythons(history, commit, path, dockerfile)
    yield from (choice for choice in former if choice[0] != declared[0])


def _search_pythons(context: ProofContext, loaded_files: LoadedFilesByCommit) -> DeployedSearch | None:
    """The search under the best-evidenced Python under which there is a deployed version, else the first failure."""
    tried: list[DeployedSearch] = []
    states = BranchStates(context.history, context.branch.head)
    files = CandidateFiles(context.history, context.incident, context.branch, states)
    for python, source in _list_pythons(context, loaded_files):
        try:
            compiler = context.compilers.compiler_for(python)
        except UsageError:
            if python == context.request.python:
                raise
            continue
        verdicts = CompileVerdicts(context.history, compiler, context.compilers.explainer())
        located = locate_version(files, verdicts, context.given_commit, context.request.revision)
        search = DeployedSearch(located, verdicts, source, loaded_files)
        if search.commit is not None and not _is_other_python_declared(context, search, search.commit.id):
            return search
        tried.append(search)
    return tried[0] if tried else None


def _resolve_python_conflict(context: ProofContext, search: DeployedSearch) -> ProofContext | None:
    """The context without the Python that the log names, where the deployed commit declares another one; else None."""
    python, commit = search.verdicts.python, search.commit
    logged = {sighting.python for sighting in context.incident.sightings}
    if commit is None or python not in logged or python == context.request.python:
        return None
    declared = _find_contradiction(context.history, commit.id, search.located.path, python)
    is_silent = find_declared_python(context.history, commit.id, search.located.path) is None
    if not declared and not (is_silent and context.request.python):
        return None
    elsewhere = f"{declared} (at {commit.id})" if declared else "the setting"
    conflict = f"Conflict: the log names Python {python}, but {elsewhere} names another version, which is used."
    request = replace(context.request, platform_statements=(*context.request.platform_statements, conflict))
    return replace(context, incident=_drop_logged_python(context.incident), request=request)


def _is_other_python_declared(context: ProofContext, search: DeployedSearch, commit: str) -> bool:
    """Whether the version was judged on a Python that the deployed commit itself does not declare.

    A branch's head may have moved to another version since; the others are tried before this one is believed.
    """
    path = search.located.path
    if find_stated_python(context.incident, context.request.python) is not None:
        return False
    dockerfile = search.loaded_files.choose_dockerfile(context, commit, path)
    declared = find_declared_python(context.history, commit, path, dockerfile)
    return declared is not None and declared[0] != search.verdicts.python


def find_stated_python(incident: Incident, configured: str | None) -> PythonChoice | None:
    """What the log's own library paths say, else what the service's setting says."""
    for sighting in reversed(incident.sightings):
        if sighting.python:
            return sighting.python, f"the traceback's own paths name python{sighting.python}"
    return (configured, "given with --python") if configured else None


def _drop_logged_python(incident: Incident) -> Incident:
    """The incident as if its log named no version."""
    return replace(incident, sightings=tuple(replace(sighting, python="") for sighting in incident.sightings))


def _find_contradiction(history: History, commit: str, failing_path: str, python: str) -> str:
    """The declaration of a commit that a logged version contradicts; "" where the commit leaves room for it.

    A user who can make a service log a line can name any version, and sound code fails on one that is old enough.
    """
    files = {file.path: file.text for file in read_declaring_files(history, commit)}
    fact = find_deployed_fact(files, failing_path)
    if fact is None or fact.version == python:
        return ""
    if fact.kind == _REQUIRES_PYTHON:
        return "" if is_permitted(fact.text, python) else f"{fact.path}: {fact.text}"
    others = [find_deployed_fact({path: text}, path) for path, text in files.items()]
    if any(other is not None and other.kind != _REQUIRES_PYTHON and other.version == python for other in others):
        return ""  # one of several images
    return f"{fact.path}: {fact.text}"


def find_declared_python(history: History, commit: str, failing_path: str, dockerfile: str = "") -> PythonChoice | None:
    """What the files of one commit say: Dockerfiles (`dockerfile` first), buildpack files, `requires-python`."""
    files = read_declaring_files(history, commit)
    choice = find_deployed_python({file.path: file.text for file in files}, failing_path, dockerfile)
    return None if choice is None else (choice[0], f"{choice[1]} (at {commit})")


def read_declaring_files(history: History, commit: str) -> tuple[DeclaredFile, ...]:
    """The files of a commit that say something about Python versions, images or checks."""
    tree = history.tree(commit)
    return tuple(
        DeclaredFile(path, commit, content.decode("utf-8", "replace"))
        for path in select_declaring_files(tree)
        if (content := history.read(tree[path].blob)) is not None
    )


def find_former_pythons(history: History, head: str, failing_path: str, dockerfile: str = "") -> Iterator[PythonChoice]:
    """What earlier versions of those files said, newest first: the image may be older than the branch's head."""
    paths = [file.path for file in read_declaring_files(history, head)]
    seen: set[str] = set()
    judged: set[frozenset[tuple[str, str]]] = set()
    for version in history.file_versions(paths, [head]) if paths else ():
        contents = frozenset(version.blobs.items())
        if contents in judged:  # most merges: what they join was looked at, or will be, where it was written
            continue
        judged.add(contents)
        choice = find_declared_python(history, version.commit.id, failing_path, dockerfile)
        if choice is not None and choice[0] not in seen:
            seen.add(choice[0])
            yield choice
