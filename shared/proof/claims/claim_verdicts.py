"""The verdicts on one claim at many commits; a commit with the inputs of a judged one is not judged again."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from shared.proof.claims.attributes.outside_patches import PATCHED_FAMILIES, Patch, find_patch, get_patched_name
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.importing.image_layout import may_provide
from shared.proof.claims.ports import ClaimJudge, ServiceModules, WitnessedJudge
from shared.proof.claims.service_modules import ImageModules
from shared.proof.loading.commit_tree import (
    CommitTree,
    RecordingTree,
    find_changed_paths,
    is_affected_by,
    is_build_file,
    is_image_file,
)
from shared.proof.model.ports import History

OpenModules = Callable[[CommitTree, str], ServiceModules]
"""The service's modules at one commit, as a file at a path imports them."""

_ABOUT_MODULES = frozenset((ClaimFamily.IMPORT_NAME, ClaimFamily.MODULE, ClaimFamily.FILE))
LOG = "the log"
"""Who decided, where the log is the only witness,"""
PATCHES = "what other files set"
"""or where another file may set what is missing."""
_MAX_STATES = 8
"""Judged trees with which a new one is compared, the one that was asked for last at the end."""


@dataclass(frozen=True, slots=True)
class JudgedTree:
    """A verdict with the tree for which it was given, and the paths on which it depends."""

    root_tree: str
    path: str
    """The claim's file in this tree; "" where it has none."""
    verdict: ClaimVerdict
    inputs: frozenset[str]
    """Files as "a/b.py", whether or not they exist; listed folders as "a/"."""
    dockerfiles: frozenset[str] = frozenset()
    """Those of the images that may be the service's."""


@dataclass(slots=True)
class ClaimVerdicts:
    """The predicate of one claim. `names` are the paths that its file has had, those of later commits first."""

    history: History
    claim: Claim
    judge: ClaimJudge
    open_modules: OpenModules
    confirming_judge: ClaimJudge | None = None
    """The same rules with a second witness, who takes longer."""
    names: tuple[str, ...] = ()
    list_loaded: Callable[[str], Collection[str]] | None = None
    """What the service loads at a commit: another file of it may set what is missing."""
    judged_count: int = 0
    inputs: frozenset[str] = frozenset()
    """The inputs of all verdicts so far."""
    walked_paths: frozenset[str] = frozenset()
    """The paths by which the history of these inputs is walked."""
    _witnessed: JudgedTree | None = None
    _states: list[JudgedTree] = field(default_factory=list)
    _by_tree: dict[str, JudgedTree] = field(default_factory=dict)
    """Every judged tree: the search comes back to a commit to describe it, and to compare it with its children."""
    _patching: frozenset[str] = frozenset()
    """Files of which one commit or another sets what is missing."""
    _known_inputs: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)
    """Most trees depend on the same paths: these are held once."""
    _confirmed: dict[tuple[str, str], ClaimVerdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = self.names or (self.claim.path,)

    def add_names(self, names: Sequence[str]) -> None:
        """Further names of the claim's file; verdicts that were given without them are forgotten."""
        if self.claim.family is ClaimFamily.START_TARGET:
            return  # another Dockerfile builds another image: what deploys the service may not know it
        fresh = tuple(name for name in names if name not in self.names)
        if fresh:
            self.names = (*self.names, *fresh)
            self._forget_states()

    def trust_log(self, commit: str) -> None:
        """The log is the witness that the claim's commit fails: so does every tree with the same inputs."""
        state = self.judge_commit(commit)
        verdict = replace(state.verdict, state=ClaimState.FAILS, lines=(self.claim.line,), checked_by=LOG)
        if isinstance(self.judge, WitnessedJudge):
            self.judge = self.judge.with_witness(self.open_deployed(commit))
        self._witnessed = replace(state, verdict=verdict)
        self._forget_states()

    def believe_log(self, commit: str) -> None:
        """The log is the witness of what the image of a commit lacks, for a judge that asks one; its rules decide."""
        if isinstance(self.judge, WitnessedJudge):
            self.judge = self.judge.with_witness(self.open_deployed(commit))
        self._forget_states()

    def open_deployed(self, commit: str) -> ServiceModules:
        """The service's modules at the commit at which the claim was logged."""
        return self.open_modules(CommitTree(self.history, commit), self.claim.path)

    @property
    def is_witnessed_by_log(self) -> bool:
        """Whether the failure at the deployed commit is known from the log alone."""
        return self._witnessed is not None

    def holds(self, commit: str) -> bool | None:
        """Whether the claim's failure cannot happen at a commit; None where it is not known."""
        return self.judge_commit(commit).verdict.holds

    def has_same_inputs(self, commit: str, other: str) -> bool:
        """Whether nothing on which the verdict at a commit depends is different at another one."""
        return self._is_same(self.judge_commit(commit), self.history.root_tree(other))

    def has_own_change(self, commit: str, parents: Sequence[str]) -> bool:
        """Whether a commit gives a file that the verdict has read a content that none of its parents has.

        What decides where modules are found, such as a Dockerfile, counts only where the claim is about modules; the
        Dockerfile of another image, and a script or a workflow that only may say how one is built, never do.
        """
        state = self.judge_commit(commit)
        paths = [path for path in state.inputs if self._may_mend(path, state)]
        tree, *former = (CommitTree(self.history, oid) for oid in (commit, *parents))
        return any(all(tree.blob(path) != other.blob(path) for other in former) for path in paths)

    def _may_mend(self, path: str, state: JudgedTree) -> bool:
        """Whether a change of an input can be meant for the claim."""
        claim = self.claim
        if claim.family is ClaimFamily.START_TARGET:
            return self._may_change_start(path, state)
        if path.endswith(".py"):
            module = f"/{claim.module.replace('.', '/')}" if claim.family is ClaimFamily.MODULE else ""
            return not module or path in self.names or f"/{path}".endswith((f"{module}.py", f"{module}/__init__.py"))
        if claim.family not in _ABOUT_MODULES or path.endswith(("/", ".gitignore")) or is_build_file(path):
            return False
        return path in state.dockerfiles if is_image_file(path) else True

    def _may_change_start(self, path: str, state: JudgedTree) -> bool:
        """Whether an input is the start command, what keeps files out of the image, or the target itself."""
        if is_image_file(path):
            return path in state.dockerfiles
        if path.endswith(("/", ".gitignore")) or is_build_file(path):
            return False
        module = self.claim.module.replace(".", "/")
        endings = (f"/{module}.py", f"/{module}/__init__.py") if module else (f"/{self.claim.name.rpartition('/')[2]}",)
        return f"/{path}".endswith(endings) or path.endswith(("ignore", ".sh"))

    def judge_commit(self, commit: str) -> JudgedTree:
        """The verdict at a commit."""
        tree = CommitTree(self.history, commit)
        if tree.root_tree in self._by_tree:
            return self._by_tree[tree.root_tree]
        for state in reversed(self._states):
            if self._is_same(state, tree.root_tree):
                return self._remember(replace(state, root_tree=tree.root_tree), state)
        state = self._watch_patches(commit, self._judge_tree(tree))
        if state.verdict.state is ClaimState.UNKNOWN and self._has_witnessed_inputs(tree.root_tree):
            assert self._witnessed is not None
            state = replace(state, verdict=self._witnessed.verdict)
        self.inputs |= state.inputs
        self.walked_paths |= _select_walked_paths(tree, state.inputs)
        return self._remember(state)

    def confirm_commit(self, commit: str) -> ClaimVerdict:
        """The verdict at a commit, held against the second witness; asked only where something is decided by it."""
        state = self.judge_commit(commit)
        if self.confirming_judge is None or not state.path or state.verdict.checked_by in {LOG, PATCHES}:
            return state.verdict
        key = (state.root_tree, state.path)
        if key not in self._confirmed:
            modules = self.open_modules(CommitTree(self.history, commit), state.path)
            verdict = self.confirming_judge.judge(replace(self.claim, path=state.path), modules)
            self._confirmed[key] = _limit_to_copy(verdict, modules.tree)
        return self._confirmed[key]

    def _remember(self, state: JudgedTree, former: JudgedTree | None = None) -> JudgedTree:
        """Near to what is asked next, so that few files differ."""
        others = [other for other in self._states if other is not former]
        self._states = [*others[1 - _MAX_STATES :], state]
        self._by_tree[state.root_tree] = state
        return state

    def _forget_states(self) -> None:
        self._states.clear()
        self._by_tree.clear()

    def _judge_tree(self, tree: CommitTree) -> JudgedTree:
        path = next((name for name in self.names if tree.blob(name) is not None), "")
        if not path:
            state = ClaimState.UNKNOWN if self.claim.family is ClaimFamily.START_TARGET else ClaimState.HOLDS
            verdict = ClaimVerdict(state, f"{self.names[0]} does not exist any more", checked_by="its tree")
            return JudgedTree(tree.root_tree, "", verdict, frozenset(self.names))
        self.judged_count += 1
        modules = self.open_modules(tree, path)
        verdict = _limit_to_copy(self.judge.judge(replace(self.claim, path=path), modules), modules.tree)
        inputs = frozenset({*modules.tree.recorded_paths, *self.names})
        dockerfiles = self._list_dockerfiles(path, modules)
        return JudgedTree(tree.root_tree, path, verdict, self._known_inputs.setdefault(inputs, inputs), dockerfiles)

    def uncover_patch(self, commit: str) -> bool:
        """Whether a file that no verdict has read may set at a commit what is missing; from now on all depend on it."""
        patch = self._find_patch(commit, self.judge_commit(commit))
        if patch is None or patch.path in self._patching:
            return False
        self._patching |= {patch.path}
        self.walked_paths |= {patch.path}
        self._forget_states()
        return True

    def _find_patch(self, commit: str, state: JudgedTree) -> Patch | None:
        is_asked = state.verdict.state is ClaimState.FAILS and self.claim.family in PATCHED_FAMILIES
        if not is_asked or self.list_loaded is None or state.verdict.checked_by == LOG:
            return None
        modules = self.open_modules(CommitTree(self.history, commit), state.path)
        patch = find_patch(replace(self.claim, path=state.path), modules, self.list_loaded(commit))
        unread = sorted(modules.tree.unreadable_paths)
        return Patch(unread[0], 0) if patch is None and unread else patch

    def _watch_patches(self, commit: str, state: JudgedTree) -> JudgedTree:
        """With what another loaded file sets on the module or the class: whether that has run is not known."""
        patch = self._find_patch(commit, state)
        state = replace(state, inputs=state.inputs | self._patching) if self._patching else state
        if patch is None:
            return state
        where = f"{patch.path}, line {patch.line}," if patch.line else f"{patch.path}, which this copy lacks,"
        reason = f"{where} may set {get_patched_name(self.claim)}"
        verdict = ClaimVerdict(ClaimState.UNKNOWN, reason, checked_by=PATCHES)
        return replace(state, verdict=verdict, inputs=state.inputs | {patch.path})

    def _list_dockerfiles(self, path: str, modules: ServiceModules) -> frozenset[str]:
        if self.claim.family is ClaimFamily.START_TARGET:
            return frozenset((path,))
        layouts = modules.layouts if isinstance(modules, ImageModules) else ()
        return frozenset(layout.dockerfile for layout in layouts)

    def _has_witnessed_inputs(self, root_tree: str) -> bool:
        return self._witnessed is not None and self._is_same(self._witnessed, root_tree)

    def _is_same(self, state: JudgedTree, root_tree: str) -> bool:
        changed = find_changed_paths(self.history, state.root_tree, root_tree)
        return not any(
            is_affected_by(state.inputs, path, is_added_or_removed=is_added_or_removed)
            for path, is_added_or_removed in changed
        )


def _limit_to_copy(verdict: ClaimVerdict, tree: RecordingTree) -> ClaimVerdict:
    """Unknown where the contents of a file that was asked for are not in this copy of the repository."""
    if not tree.unreadable_paths:
        return verdict
    reason = f"the contents of {min(tree.unreadable_paths)} are not in this copy of the repository"
    return ClaimVerdict(ClaimState.UNKNOWN, reason, checked_by=verdict.checked_by)


def _select_walked_paths(tree: CommitTree, inputs: frozenset[str]) -> frozenset[str]:
    """Files that exist, and for each that does not the topmost part of its path that does not exist either.

    A file that would only make a verdict less sure, such as another list of requirements, is left out where it does
    not exist: a commit at which one appears is judged on its own tree before anything is said of it.
    """
    walked: set[str] = set()
    for entry in inputs:
        path = entry.rstrip("/")
        if not path or (may_provide(path) and tree.blob(path) is None):
            continue
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            if tree.folder(above) is None:
                walked.add(above)  # a file, or nothing: what is further down cannot exist as long as this stays
                break
    return frozenset(walked)
