"""Finds the place of a claim of which the log says only who caught it: the failing line and the deployed commit.

A commit counts where the logging call is on the logged line and writes the logged words. There the failure must be
one of the lines that the handler guards; of an undefined name it may be in the one imported file that lacks it.

`find_handler` finds the handler that logged an error by its message alone, and the lines that it guards: for the line
of the call that logged, what is in the `try` of that handler, and whether the call writes the words that were logged.
Then the log and the file are of one version.
"""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.proof.claims.attributes.expression_meaning import MeaningFinder
from shared.proof.claims.calls.call_message import parse_call_message
from shared.proof.claims.checking.checked_files import collect_files
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.locate_claim import LocatedClaim
from shared.proof.claims.source.python_source import FunctionNode, parse_source, walk_nodes
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.compilation import split_source_lines
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History

_PLACEHOLDER = re.compile(r"%[-#0 +]?\d{0,3}(?:\.\d{1,3})?[sdrifx]|\{[^{}]{0,80}\}")
_LETTERS = re.compile(r"[^A-Za-z0-9]+")
_MIN_LETTERS = 6


@dataclass(frozen=True, slots=True)
class LoggedHandler:
    """Lines count from 1; `guarded` are those of the body of the `try`."""

    function: str
    guarded: range


def find_handler(source: bytes, line: int, function: str, text: str) -> LoggedHandler | None:
    """The handler in a function with a call on a line that writes the logged text; None where there is none."""
    tree = parse_source(source)
    if tree is None:
        return None
    innermost: LoggedHandler | None = None
    for scope in walk_nodes(tree):
        if not isinstance(scope, FunctionNode) or scope.name != function:
            continue
        for node in walk_nodes(scope):
            if isinstance(node, ast.Try) and any(_logs(handler, line, text) for handler in node.handlers):
                last = node.body[-1].end_lineno or node.body[-1].lineno
                innermost = LoggedHandler(function, range(node.body[0].lineno, last + 1))  # the innermost comes last
    return innermost


def _logs(handler: ast.ExceptHandler, line: int, text: str) -> bool:
    return any(
        isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno) and _writes(node, text)
        for statement in handler.body
        for node in walk_nodes(statement)
    )


def _writes(call: ast.Call, text: str) -> bool:
    """Whether all words that a call spells are in the text, and enough of them that it is no chance."""
    logged = _LETTERS.sub("", text)
    pieces = [piece for argument in call.args[:1] for piece in _list_pieces(argument)]
    return sum(map(len, pieces)) >= _MIN_LETTERS and all(piece in logged for piece in pieces)


def _list_pieces(argument: ast.expr) -> Iterator[str]:
    for node in walk_nodes(argument):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from filter(None, (_LETTERS.sub("", piece) for piece in _PLACEHOLDER.split(node.value)))


_MAX_LINES = 12
"""Guarded lines that are judged,"""
_MAX_COMMITS = 6
"""and commits whose handler writes what was logged."""


@dataclass(frozen=True, slots=True)
class ClaimPlacer:
    """Searches one claim, whose path, line and function are those of the logging call. `text` is what was logged."""

    history: History
    states: BranchStates
    claim: Claim
    text: str
    make_verdicts: Callable[[Claim], ClaimVerdicts]
    seen_at: datetime | None

    def locate(self, given: Commit | None) -> LocatedClaim:
        """The given commit alone, if there is one; else the newest that was committed by the time of the log."""
        source = DeployedSource.INFERRED if given is None else DeployedSource.GIVEN
        detail, tried = "", 0
        for commit, path in self._list_candidates(given):
            content = self._read(commit, path)
            handler = find_handler(content, self.claim.line, self.claim.function, self.text)
            if handler is None:
                continue
            tried += 1
            if tried > _MAX_COMMITS:
                break
            for placed in self._list_places(commit, path, content, handler):
                verdicts = self.make_verdicts(placed)
                verdict = verdicts.confirm_commit(commit.id)
                if _fails_on_line(placed, verdict):
                    return LocatedClaim(placed, commit, source, verdicts, (commit.id,))
                detail = detail or f"{placed.path}, line {placed.line}, at {commit.id}: {verdict.reason}"
        detail = detail or f"no line that {self.claim.function} in {self.claim.path} guards is seen to fail like this"
        return LocatedClaim(self.claim, None, DeployedSource.UNKNOWN, detail=detail)

    def _list_candidates(self, given: Commit | None) -> Iterator[tuple[Commit, str]]:
        if given is not None:
            yield from ((given, path) for path in self._list_paths(given.id))
            return
        state = self.states.find_state_at(self.seen_at) if self.seen_at is not None else None
        paths = self._list_paths(state.id if state is not None else self.states.head)
        if state is not None:
            yield from ((state, path) for path in paths)
        versions = self.history.file_versions(paths, [self.states.head]) if paths else ()
        seen_at = self.seen_at
        past = [version.commit for version in versions if seen_at is None or version.commit.committed_at <= seen_at]
        yield from ((commit, path) for commit in past for path in paths)

    def _list_paths(self, commit: str) -> list[str]:
        tiers = match_logged_path(self.claim.path, self.history.tree(commit))
        return [path for tier in tiers[:1] for path in tier[:4]]

    def _read(self, commit: Commit, path: str) -> bytes:
        blob = self.history.blob_ids([(commit.id, path)]).get((commit.id, path))
        return (self.history.read(blob) or b"") if blob else b""

    def _list_places(self, commit: Commit, path: str, content: bytes, handler: LoggedHandler) -> list[Claim]:
        """The guarded lines that fail as claimed; without one, those of the only imported file that does."""
        lines = split_source_lines(content)
        token = _find_token(self.claim)
        guarded = [number for number in handler.guarded if token.search(lines[number - 1])][:_MAX_LINES]
        if not guarded:
            return self._search_imported(commit, path, token) if self.claim.family is ClaimFamily.NAME else []
        placed = [
            replace(self.claim, path=path, line=number, source_text=lines[number - 1].strip()) for number in guarded
        ]
        if self.claim.family is ClaimFamily.CALL:  # the line that the log names shows what a call reaches
            return [claim for claim in placed if _fails_on_line(claim, self._judge(commit, claim))]
        verdict = self._judge(commit, replace(self.claim, path=path, line=0, source_text=""))
        failing = [claim for claim in placed if _fails_on_line(claim, verdict)]
        if failing or self.claim.family is not ClaimFamily.NAME or verdict.state is ClaimState.UNKNOWN:
            return failing
        return self._search_imported(commit, path, token)

    def _judge(self, commit: Commit, claim: Claim) -> ClaimVerdict:
        return self.make_verdicts(claim).judge_commit(commit.id).verdict

    def _search_imported(self, commit: Commit, path: str, token: re.Pattern[str]) -> list[Claim]:
        """The name in the one file near to the handler's that uses it without having it."""
        start = replace(self.claim, path=path)
        modules = self.make_verdicts(start).open_deployed(commit.id)
        contents = collect_files(MeaningFinder(modules, path), path).contents
        failing: list[Claim] = []
        for other, content in contents.items():
            lines = split_source_lines(content)
            if not any(map(token.search, lines)):
                continue
            claim = replace(self.claim, path=other, line=0, function="", source_text="")
            verdict = self._judge(commit, claim)
            if verdict.state is ClaimState.FAILS:
                line = verdict.lines[0]
                failing.append(replace(claim, line=line, source_text=lines[line - 1].strip()))
        return failing if len(failing) == 1 else []


def _fails_on_line(claim: Claim, verdict: ClaimVerdict) -> bool:
    return verdict.state is ClaimState.FAILS and claim.line in verdict.lines


def _find_token(claim: Claim) -> re.Pattern[str]:
    """What a line has to spell to fail as claimed."""
    if claim.family is ClaimFamily.CALL:
        complaint = parse_call_message(claim.message)
        names: Sequence[str] = () if complaint is None else complaint.callee.split(".")
        name = next((part for part in reversed(names) if part not in {"__init__", "__new__"}), claim.owner)
        return re.compile(rf"(?<!\w){re.escape(name)}\b")
    if claim.family is ClaimFamily.VALUE and not claim.name:
        return re.compile(r"\bawait\b" if "'await'" in claim.message else r"[(\[]|\bin\b|\*")
    return re.compile(rf"(?<!\w){re.escape(claim.name)}\b")
