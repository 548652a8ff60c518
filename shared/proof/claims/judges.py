"""The judge of each family of claims, and the lookup of the service's modules: the tools of one proof."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from shared.detection.logged_exception import is_package_frame
from shared.detection.ties import RaisedException
from shared.proof.claims.attributes.attribute_judge import AttributeJudge
from shared.proof.claims.calls.call_judge import CallJudge
from shared.proof.claims.checking.two_witnesses import TwoWitnesses
from shared.proof.claims.checking.value_judge import ValueJudge
from shared.proof.claims.claim import ClaimFamily
from shared.proof.claims.files.file_judge import FileJudge
from shared.proof.claims.importing.circular_judge import CircularJudge
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.importing.import_judge import ImportJudge
from shared.proof.claims.ports import ClaimJudge, ServiceModules
from shared.proof.claims.prove_claim import ClaimTools, ModulesRequest
from shared.proof.claims.read_claim import find_import_root
from shared.proof.claims.scopes.name_judge import NameJudge
from shared.proof.claims.service_modules import open_service_modules
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.model.paths import match_logged_path, split_logged_path
from shared.proof.model.ports import Compilers, History
from shared.proof.proof_context import ProofContext

Judges = Mapping[ClaimFamily, ClaimJudge]
_IMPORTS, _NAMES, _ATTRIBUTES = ImportJudge(), NameJudge(), AttributeJudge()
_JUDGES: Judges = {
    ClaimFamily.IMPORT_NAME: _IMPORTS,
    ClaimFamily.MODULE: _IMPORTS,
    ClaimFamily.CIRCULAR_IMPORT: CircularJudge(),
    ClaimFamily.NAME: _NAMES,
    ClaimFamily.LOCAL_NAME: _NAMES,
    ClaimFamily.CALL: CallJudge(),
    ClaimFamily.MODULE_ATTRIBUTE: _ATTRIBUTES,
    ClaimFamily.CLASS_ATTRIBUTE: _ATTRIBUTES,
}
"""The judges that read sources alone."""


def build_tools(context: ProofContext, raised: RaisedException) -> ClaimTools:
    """The judges of all families, and imports as the service's image resolves them."""
    matched_paths = _match_frames(context, raised)
    logged_root = find_import_root(raised.exception.message)

    def open_modules(request: ModulesRequest) -> ServiceModules:
        tree = RecordingTree(request.tree)
        logged_paths = _find_in_tree(tree, matched_paths)
        others = tuple(path for path in logged_paths if path != request.path)
        traced = TracedFiles(request.path, others, logged_paths, request.tree.is_link, logged_root)
        return open_service_modules(tree, traced, request.python, request.source_roots)

    tips = [context.branch.head, *([context.given_commit.id] if context.given_commit is not None else [])]
    judges, confirming = build_judges(context.compilers, context.history, tips)
    return ClaimTools(judges, confirming, open_modules)


def build_judges(compilers: Compilers, history: History, tips: Sequence[str]) -> tuple[Judges, Judges]:
    """The judges of all families, and those that ask a second witness; `tips`: where the history is looked into."""
    checker = compilers.type_checker()
    judges = {
        **_JUDGES,
        ClaimFamily.VALUE: ValueJudge(checker),
        ClaimFamily.FILE: FileJudge(lru_cache(lambda name: history.paths_named(name, tips))),
    }
    return judges, {family: TwoWitnesses(judge, checker) for family, judge in _JUDGES.items()}


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
