"""Whether something that a commit loads still asks for what is missing, where the failing statement is gone or fixed.

Takes the verdicts on one claim and what the service loads. For a commit it returns one sentence, or "" where the
service has nothing left that fails in the same way when it starts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared.proof.claims.claim import ClaimFamily, ClaimState
from shared.proof.claims.claim_verdicts import ClaimVerdicts, JudgedTree
from shared.proof.claims.importing.import_judge import list_asking_lines
from shared.proof.claims.importing.import_requests import list_import_requests
from shared.proof.claims.source.module_code import parse_module
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.gating.remaining_loads import find_remaining_load
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.loading.startup_chain import parse_statements
from shared.proof.model.ports import History

_ASKING = frozenset((ClaimFamily.IMPORT_NAME, ClaimFamily.MODULE))
_IMPORTING_BY_NAME = (b"import_module", b"__import__")
"""A file with one of these may load whatever it names."""
_MAX_ASKED = 40
"""Files that are judged for one commit."""


@dataclass(slots=True)
class RemainingImports:
    """Answers for many commits of one history."""

    history: History
    verdicts: ClaimVerdicts
    loaded_files: LoadedFiles
    _by_path: dict[str, ClaimVerdicts] = field(default_factory=dict)
    _mentions: dict[str, bool] = field(default_factory=dict)
    """By blob."""

    def find(self, commit: str) -> str:
        """Who loads the deleted file, or asks in vain for the same name or module."""
        state = self.loaded_files.get_state(commit)
        if not self.verdicts.judge_commit(commit).path:
            remaining = find_remaining_load(state.closure, self.verdicts.names)
            if remaining:
                return remaining
        asking = self._list_asking(state.blobs) if self.verdicts.claim.family in _ASKING else ()
        return next((sentence for path in asking if (sentence := self._judge(commit, path, state.blobs))), "")

    def _list_asking(self, blobs: Mapping[str, str]) -> Iterator[str]:
        """Other loaded files that mention the name and the module."""
        others = [path for path in blobs if path not in self.verdicts.names and self._is_mentioned(blobs[path])]
        yield from others[:_MAX_ASKED]

    def _is_mentioned(self, blob: str) -> bool:
        if blob not in self._mentions:
            claim, text = self.verdicts.claim, self.history.read(blob) or b""
            words = (claim.name.encode(), claim.module.rpartition(".")[2].encode())
            self._mentions[blob] = all(word in text for word in words)
        return self._mentions[blob]

    def _judge(self, commit: str, path: str, blobs: Mapping[str, str]) -> str:
        if path not in self._by_path:
            claim = replace(self.verdicts.claim, path=path, line=0, source_text="")
            self._by_path[path] = ClaimVerdicts(self.history, claim, self.verdicts.judge, self.verdicts.open_modules)
        state, source = self._by_path[path].judge_commit(commit), self.history.read(blobs[path]) or b""
        failing = state.verdict.lines if state.verdict.state is ClaimState.FAILS else ()
        if self._is_as_logged(state, commit, path):
            failing = self._list_asking_lines(path, source)
        always = {entry.line for entry in parse_statements(source) if entry.always_runs}
        lines = [line for line in failing if line in always]
        if not lines or not self._is_always_loaded(path, blobs):
            return ""
        return f"{path}, line {lines[0]}, fails in the same way: {state.verdict.reason}"

    def _is_as_logged(self, state: JudgedTree, commit: str, path: str) -> bool:
        """Whether only the log knows what is missing, and nothing of what would bring it has changed since."""
        if not self.verdicts.is_witnessed_by_log or state.verdict.state is not ClaimState.UNKNOWN:
            return False
        now, then = (CommitTree(self.history, oid) for oid in (commit, self.loaded_files.deployed_commit))
        asked = state.inputs.difference((path, *self.verdicts.names))
        pairs = ((entry, now.blob(entry), then.blob(entry)) for entry in asked if not entry.endswith("/"))
        return all(later == former or (entry.endswith(".py") and later and former) for entry, later, former in pairs)

    def _list_asking_lines(self, path: str, source: bytes) -> tuple[int, ...]:
        claim, code = replace(self.verdicts.claim, path=path), parse_module(source)
        python = self.verdicts.open_deployed(self.loaded_files.deployed_commit).python
        requests = list_import_requests(code.tree, python, claim.error_class) if code is not None else ()
        return list_asking_lines(claim, requests)

    def _is_always_loaded(self, path: str, blobs: Mapping[str, str]) -> bool:
        """Whether a loaded file imports another whenever it is loaded itself, as far as the names tell."""
        if path in self.loaded_files.traced_paths or path == self.loaded_files.failing_path:
            return True
        name = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
        for other, blob in blobs.items():
            text = self.history.read(blob) or b"" if other != path else b""
            if name.encode() not in text:
                continue
            if any(word in text for word in _IMPORTING_BY_NAME):
                return True
            statements = parse_statements(text)
            always = (statement.imported for statement in statements if statement.always_runs)
            if any(name in (*entry.module.split("."), *entry.names) for entry in always):
                return True
        return False
