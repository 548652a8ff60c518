"""Finds the place of an import of which the log has the message alone: the importing line and the deployed commit.

`cannot import name 'n' from 'a.b' (/app/a/b.py)` names the module and perhaps its file, `No module named 'a.b'` the
module alone; neither says who asks. Of all that the service loads at one commit, exactly one statement must fail with
that message, and of no other one may that be open.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ModuleKind
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.importing.import_requests import Guard, list_import_requests
from shared.proof.claims.locate_claim import LocatedClaim
from shared.proof.claims.read_claim import BareImport
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.source.python_source import walk_nodes
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.loading.image_starts import find_start_files
from shared.proof.loading.import_closure import ImportClosure
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.compilation import split_source_lines
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History
from shared.proof.model.recommendation import Reason

_MAX_IMPORTERS = 40
_OWN_FILES = frozenset((ModuleKind.FILE, ModuleKind.PACKAGE))
_MAX_NAMED = 4
"""Places that are named where several fail."""


@dataclass(frozen=True, slots=True)
class ImportPlacer:
    """Searches one claim without path and line."""

    history: History
    states: BranchStates
    bare: BareImport
    make_verdicts: Callable[[Claim], ClaimVerdicts]
    load_closure: Callable[[str, str], ImportClosure]
    """What the service loads at a commit, where a file is known to be part of it."""
    seen_at: datetime | None
    source_roots: Sequence[str] = ()

    @property
    def claim(self) -> Claim:
        return self.bare.claim

    def locate(self, given: Commit | None) -> LocatedClaim:
        """The given commit alone, if there is one; else the state of the branch at the time of the log."""
        state = self.states.find_state_at(self.seen_at) if self.seen_at is not None and given is None else None
        commit = given.id if given is not None else state.id if state is not None else self.states.head
        source = DeployedSource.GIVEN if given is not None else DeployedSource.INFERRED
        known = self._find_known_files(commit)
        if isinstance(known, str):
            return self._report(known)
        closures = [self.load_closure(commit, path) for path in known]
        hidden = self._find_hidden_import(closures) or self._find_unread(commit, closures)
        if hidden:
            return self._report(f"{hidden} at {commit}")
        failing: list[Claim] = []
        for claim in self._list_importers(commit, closures):
            verdict = self.make_verdicts(claim).judge_commit(commit).verdict
            if verdict.state is ClaimState.UNKNOWN:
                return self._report(f"{claim.path} at {commit}: {verdict.reason}")
            failing += [replace(claim, line=line) for line in verdict.lines if verdict.state is ClaimState.FAILS]
        if len(failing) != 1:
            return self._refuse(failing, commit)
        return self._confirm(failing[0], commit, source, closures)

    def _find_known_files(self, commit: str) -> Sequence[str] | str:
        """Files that the service is known to load; or why there are none."""
        if self.bare.provider:
            tiers = match_logged_path(self.bare.provider, self.history.tree(commit))
            if tiers and len(tiers[0]) == 1:
                return tiers[0]
            return f"{self.bare.provider} is no single file at {commit}"
        if self.source_roots:
            return ("",)
        known = find_start_files(CommitTree(self.history, commit))
        return known or f"which files the service starts at {commit} is not plain"

    def _find_hidden_import(self, closures: Sequence[ImportClosure]) -> str:
        """Something loaded that may import the module without a statement that names it; "" where nothing does."""
        if self.claim.family is not ClaimFamily.MODULE:
            return ""
        for closure in closures:
            if closure.unresolved_imports:
                return f"a loaded file imports a module that no text names: {closure.unresolved_imports[0]}"
            for path, imports in sorted(closure.imports_read.items()):
                texts = {*imports.mentioned_modules, *imports.django_applications, *imports.dynamic_targets}
                if path in closure.files and any(map(self._passes_through, texts)):
                    return f"{path} names {self.claim.module} in a text, which may be imported"
        return ""

    def _find_unread(self, commit: str, closures: Sequence[ImportClosure]) -> str:
        """A loaded file that is not in this copy of the repository; "" where all are."""
        loaded = sorted({path for closure in closures for path in closure.files})
        for (_, path), blob in sorted(self.history.blob_ids((commit, path) for path in loaded).items()):
            if self.history.read(blob) is None:
                return f"the contents of {path} are not in this copy of the repository"
        return ""

    def _passes_through(self, text: str) -> bool:
        return f"{text.partition(':')[0]}.".startswith(f"{self.claim.module}.")

    def _list_importers(self, commit: str, closures: Sequence[ImportClosure]) -> Iterator[Claim]:
        """A claim for each loaded file that mentions the module and, if there is one, the name."""
        provider = next(iter(match_logged_path(self.bare.provider, self.history.tree(commit))), ())
        loaded = sorted({path for closure in closures for path in closure.files}.difference(provider))
        blobs = self.history.blob_ids((commit, path) for path in loaded)
        module, name = self.claim.module.rpartition(".")[2].encode(), self.claim.name.encode()
        texts = ((path, self.history.read(blobs[commit, path]) or b"") for path in loaded if (commit, path) in blobs)
        asking = [path for path, text in texts if name in text and (module in text or (name and b"from ." in text))]
        yield from (replace(self.claim, path=path) for path in asking[:_MAX_IMPORTERS])

    def _confirm(
        self, claim: Claim, commit: str, source: DeployedSource, closures: Sequence[ImportClosure]
    ) -> LocatedClaim:
        blob = self.history.blob_ids([(commit, claim.path)])[commit, claim.path]
        content = self.history.read(blob) or b""
        placed = replace(claim, source_text=split_source_lines(content)[claim.line - 1].strip())
        verdicts = self.make_verdicts(placed)
        verdict = verdicts.confirm_commit(commit)
        if verdict.state is not ClaimState.FAILS or placed.line not in verdict.lines:
            return self._report(f"{placed.path}, line {placed.line}, at {commit}: {verdict.reason}")
        doubt = self._find_doubt(placed, verdicts, commit, content) or self._find_catching(verdicts, commit, closures)
        if doubt:
            return self._report(f"{placed.path}, line {placed.line}, at {commit}: {doubt}")
        [deployed] = self.history.first_parents(commit, 1)
        return LocatedClaim(placed, deployed, source, verdicts, (commit,))

    def _find_doubt(self, claim: Claim, verdicts: ClaimVerdicts, commit: str, content: bytes) -> str:
        """Why the statement may not be what the log shows; "" where nothing else can be."""
        modules = verdicts.open_deployed(commit)
        if self.bare.is_namespace:
            source = modules.find_module(claim.path, claim.module)
            if source.kind is not ModuleKind.NAMESPACE:
                return f"{claim.module} has a file, and the log says that it has none"
        if claim.family is ClaimFamily.MODULE and "." not in claim.module and _is_in_function(content, claim.line):
            return f"an installed package may ask for {claim.module}, too, and nothing says that the function has run"
        return ""

    def _find_catching(self, verdicts: ClaimVerdicts, commit: str, closures: Sequence[ImportClosure]) -> str:
        """A loaded file that goes on where an own module cannot be loaded: what is logged then ended nothing."""
        modules = verdicts.open_deployed(commit)
        for path in sorted({path for closure in closures for path in closure.files}):
            code = parse_module(modules.tree.read(path) or b"")
            for request in list_import_requests(code.tree, modules.python, "ImportError") if code is not None else ():
                if request.guard is not Guard.CAUGHT or request.is_dynamic:
                    continue
                if modules.find_module(path, request.module, request.level).kind in _OWN_FILES:
                    return f"{path}, line {request.line}, goes on where an import fails"
        return ""

    def _refuse(self, failing: Sequence[Claim], commit: str) -> LocatedClaim:
        asked = f"{self.claim.module} for {self.claim.name}" if self.claim.name else f"for {self.claim.module}"
        if not failing:
            return self._report(f"no loaded file asks {asked} in vain at {commit}")
        places = [f"{claim.path}, line {claim.line}" for claim in failing]
        more = f" and {len(places) - _MAX_NAMED} more" if len(places) > _MAX_NAMED else ""
        named = "; ".join(places[:_MAX_NAMED]) + more
        located = self._report(
            f"{len(places)} statements ask {asked} in vain at {commit}, and the log names none: {named}"
        )
        return replace(located, reason=Reason.AMBIGUOUS)

    def _report(self, detail: str) -> LocatedClaim:
        return LocatedClaim(self.claim, None, DeployedSource.UNKNOWN, detail=detail)


def _is_in_function(content: bytes, line: int) -> bool:
    code = parse_module(content)
    functions = (
        (node for node in walk_nodes(code.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        if code
        else ()
    )
    return any(node.lineno <= line <= (node.end_lineno or line) for node in functions)
