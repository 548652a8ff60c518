"""Describes the files that count: the rule, missing imports, and which other files do not compile."""

from collections.abc import Iterator

from shared.proof.gating.gates import Gates
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.model.finding import LoadedSummary, OtherBrokenFile, Target
from shared.proof.model.missing_import import MissingImport
from shared.proof.model.service_files import build_service_filter

_MAX_COMPILED = 20
"""Files that the service does not load are no reason against a commit: of many, some are looked at."""


def describe_loading(gates: Gates, deployed: str, target: Target | None) -> LoadedSummary:
    """The rule at the deployed commit, and warnings about the commit that is proposed (without one: the deployed)."""
    closure = gates.loaded_files.get_state(deployed).closure
    compiled: list[tuple[str, str]] = []
    left = False
    for index, other in enumerate(_list_other_files(gates, target.commit.id if target else deployed, target)):
        left = index >= _MAX_COMPILED
        if left:
            break
        compiled.append(other)
    gates.verdicts.prepare(compiled)
    return LoadedSummary(
        closure.rule,
        closure.start_command,
        closure.image_path,
        closure.is_exact,
        len(closure.files),
        closure.ambiguous_images,
        tuple(_find_broken(gates, compiled)),
        len(compiled),
        left,
        _list_missing_imports(gates, target),
        gates.loaded_files.traced_paths,
    )


def _list_missing_imports(gates: Gates, target: Target | None) -> tuple[MissingImport, ...]:
    """What the target imports and no longer has: it may do no harm, or the target would have been refused."""
    return gates.loaded_files.get_state(target.commit.id).closure.missing_imports if target else ()


def _find_broken(gates: Gates, others: list[tuple[str, str]]) -> Iterator[OtherBrokenFile]:
    for path, blob in sorted(others):
        fault = gates.verdicts.judge(blob, path).fault
        if fault is not None:
            yield OtherBrokenFile(path, fault.line, f"{fault.error_class}: {fault.message}")


def _list_other_files(gates: Gates, commit: str, target: Target | None) -> Iterator[tuple[str, str]]:
    """Path and blob of Python files that are not loaded at a commit: what the target changes first."""
    tree, loaded = CommitTree(gates.history, commit), gates.loaded_files.get_state(commit).closure.files
    belongs = build_service_filter({}, gates.loaded_files.failing_path)
    changed = dict.fromkeys(change.path for change in (target.shipped_changes if target else ()))
    for path in changed:
        if path not in loaded and belongs(path) and (blob := tree.blob(path)) is not None:
            yield path, blob
    for path, blob in tree.walk_files():
        if path not in loaded and path not in changed and belongs(path):
            yield path, blob
