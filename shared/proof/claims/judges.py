"""The judge of each family of claims, and the lookup of the service's modules: the tools of one proof."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from shared.detection.logged_exception import is_package_frame
from shared.detection.raised_exception import RaisedException
from shared.proof.claims import prove_claim
from shared.proof.claims.attributes import attribute_judge
from shared.proof.claims.calls import call_judge
from shared.proof.claims.checking import two_witnesses, value_judge
from shared.proof.claims.claim import ClaimFamily
from shared.proof.claims.files import file_judge
from shared.proof.claims.importing import circular_judge, import_judge
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.ports import ClaimJudge, ServiceModules
from shared.proof.claims.read_claim import find_import_root, find_package_root
from shared.proof.claims.scopes import name_judge
from shared.proof.claims.service_modules import open_service_modules
from shared.proof.claims.source.standard_names import StandardNames
from shared.proof.claims.starting import start_judge
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.model.paths import match_logged_path, split_logged_path
from shared.proof.model.ports import Compilers, History
from shared.proof.proof_context import ProofContext

Judges = Mapping[ClaimFamily, ClaimJudge]
_SOURCE_FAMILIES = (
    ClaimFamily.IMPORT_NAME,
    ClaimFamily.MODULE,
    ClaimFamily.CIRCULAR_IMPORT,
    ClaimFamily.NAME,
    ClaimFamily.LOCAL_NAME,
    ClaimFamily.CALL,
    ClaimFamily.MODULE_ATTRIBUTE,
    ClaimFamily.CLASS_ATTRIBUTE,
)
"""Those whose judges read sources alone."""


class _OpenedJudges(Mapping[ClaimFamily, ClaimJudge]):
    """Builds a judge when its family is first asked for: most proofs ask one family, or none."""

    def __init__(self, families: Collection[ClaimFamily], build: Callable[[ClaimFamily], ClaimJudge]) -> None:
        self._families = families
        self._build = build
        self._built: dict[ClaimFamily, ClaimJudge] = {}

    def __getitem__(self, family: ClaimFamily) -> ClaimJudge:
        if family not in self._families:
            raise KeyError(family)
        if family not in self._built:
            self._built[family] = self._build(family)
        return self._built[family]

    def __iter__(self) -> Iterator[ClaimFamily]:
        return iter(self._families)

    def __len__(self) -> int:
        return len(self._families)


def build_tools(context: ProofContext, raised: RaisedException) -> "prove_claim.ClaimTools":
    """The judges of all families, and imports as the service's image resolves them."""
    matched_paths = _match_frames(context, raised)
    roots = find_import_root(raised.exception.message), find_package_root(raised.exception)

    def open_modules(request: "prove_claim.ModulesRequest") -> ServiceModules:
        tree = RecordingTree(request.tree)
        logged_paths = _find_in_tree(tree, matched_paths)
        others = tuple(path for path in logged_paths if path != request.path)
        traced = TracedFiles(request.path, others, logged_paths, request.tree.is_link, *roots)
        return open_service_modules(tree, traced, request.python, request.source_roots, request.is_python_declared)

    tips = [context.branch.head, *([context.given_commit.id] if context.given_commit is not None else [])]
    judges, confirming = build_judges(context.compilers, context.history, tips)
    return prove_claim.ClaimTools(judges, confirming, open_modules)


def build_judges(compilers: Compilers, history: History, tips: Sequence[str]) -> tuple[Judges, Judges]:
    """The judges of all families, and those that ask a second witness; `tips`: where the history is looked into."""
    list_paths = lru_cache(lambda name: history.paths_named(name, tips))
    standard_names = StandardNames(compilers.type_checker())

    def build_judge(family: ClaimFamily) -> ClaimJudge:
        if family is ClaimFamily.VALUE:
            return value_judge.ValueJudge(compilers.type_checker())
        if family is ClaimFamily.FILE:
            return file_judge.FileJudge(list_paths)
        if family is ClaimFamily.START_TARGET:
            return start_judge.StartJudge()
        return _build_source_judge(family, standard_names)

    others = (ClaimFamily.VALUE, ClaimFamily.FILE, ClaimFamily.START_TARGET)
    judges = _OpenedJudges((*_SOURCE_FAMILIES, *others), build_judge)
    confirming = _OpenedJudges(
        _SOURCE_FAMILIES, lambda family: two_witnesses.TwoWitnesses(judges[family], compilers.type_checker())
    )
    return judges, confirming


def _build_source_judge(family: ClaimFamily, standard_names: StandardNames) -> ClaimJudge:
    """Raises KeyError for a family that nobody judges by sources alone."""
    if family in {ClaimFamily.IMPORT_NAME, ClaimFamily.MODULE}:
        return import_judge.ImportJudge(standard_names=standard_names)
    if family in {ClaimFamily.NAME, ClaimFamily.LOCAL_NAME}:
        return name_judge.NameJudge()
    if family in {ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.CLASS_ATTRIBUTE}:
        return attribute_judge.AttributeJudge(standard_names)
    if family is ClaimFamily.CIRCULAR_IMPORT:
        return circular_judge.CircularJudge()
    if family is ClaimFamily.CALL:
        return call_judge.CallJudge()
    raise KeyError(family)


def _find_in_tree(tree: RecordingTree, matched_paths: Mapping[str, str]) -> Mapping[str, str]:
    """The matched files of a commit: where one was moved later, the file that the logged path itself ends with."""
    logged_paths: dict[str, str] = {}
    for path, logged in matched_paths.items():
        parts = [part for part in split_logged_path(logged) if part]
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        known = path if tree.blob(path) is not None else next((end for end in ends if tree.blob(end) is not None), path)
        logged_paths[known] = logged
    return logged_paths


def _match_frames(context: ProofContext, raised: RaisedException) -> Mapping[str, str]:
    """Each path of the repository that only one logged path fits, with that logged path."""
    commit = context.given_commit.id if context.given_commit is not None else context.branch.head
    tree = context.history.tree(commit)
    matched: dict[str, str] = {}
    for frame in raised.exception.frames:
        tiers = match_logged_path(frame.path, tree) if not is_package_frame(frame) else ()
        if tiers and len(tiers[0]) == 1:
            matched[tiers[0][0]] = frame.path
    return matched
