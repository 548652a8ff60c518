"""What a commit newly and definitely breaks: the gate of the families beyond syntax.

A tree may have hundreds of imports that never run. Only what the service loads counts, only what did not fail as
deployed, and only what is certain: what is unknown refuses nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from shared.proof.claims.attributes.expression_meaning import MeaningFinder
from shared.proof.claims.calls.value_search import ValueSearch
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.claim_verdicts import OpenModules
from shared.proof.claims.importing.image_layout import decides_image
from shared.proof.claims.ports import ClaimJudge, ServiceModules
from shared.proof.claims.regressions.change_focus import Focus, TouchedNames, find_touched_names, focus_on_change
from shared.proof.claims.regressions.complaints import find_circular_claim, list_opened_files
from shared.proof.claims.regressions.guarded_lines import find_guarded_lines
from shared.proof.claims.regressions.provided_names import ProvidedNames
from shared.proof.claims.regressions.repeated_failure import RepeatedFailure, refuse_claim
from shared.proof.claims.regressions.start_targets import find_start_claim
from shared.proof.claims.regressions.suspicions import Suspect, SuspectReader
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.starting.start_judge import StartJudge
from shared.proof.gating.gates import GateFailure
from shared.proof.loading.commit_tree import CommitTree, find_changed_paths
from shared.proof.model.ports import History

_MAX_FILES = 300
"""Files of one commit that are looked at: so many changed since the deployed one are no small step."""
_MAX_SUSPECTS = 400
_MAX_READ = 60
"""Files that one reader reads."""
_MAX_TEXTS = 1_500
"""Loaded files whose text is searched for the names that a change touched."""

_WORD = re.compile(rb"[A-Za-z_]\w*", re.ASCII)

_Judges = Mapping[ClaimFamily, ClaimJudge]
LoadedBlobs = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class NewFailure:
    """One claim that fails at a commit and did not fail before. `claim.path` and `line` are those of the commit."""

    claim: Claim
    verdict: ClaimVerdict

    @property
    def line(self) -> int:
        """Where it fails, from 1."""
        return self.verdict.lines[0] if self.verdict.lines else self.claim.line


@dataclass(slots=True)
class NewFailures:
    """Compares commits with the deployed one. `fixed_claim`: the claim that must not come back in another file."""

    history: History
    judges: _Judges
    confirming_judges: _Judges
    open_modules: OpenModules
    loaded_blobs: LoadedBlobs
    deployed_commit: str
    start_path: str
    """A file that is known to run."""
    fixed_claim: Claim | None = None
    suspects_judged: int = 0
    _deployed: ServiceModules | None = None
    _compared: dict[str, "_Comparison"] = field(default_factory=dict)
    """By commit: those of which one failure after the other is asked."""
    _touched: dict[tuple[str, str | None], TouchedNames] = field(default_factory=dict)

    def find(self, commit: str) -> GateFailure | None:
        """The first failure at a commit that the deployed commit did not have; None where there is none."""
        for failure in self.list_all(commit):
            claim = failure.claim
            judge = self.get_judge(claim.family) or self.judges[claim.family]
            repeated = RepeatedFailure(self.history, judge, self.open_modules, claim, self.start_path)
            refusing_file = (claim.path, self.loaded_blobs(commit).get(claim.path, ""))
            return replace(refuse_claim(claim, failure.verdict), refusing_file=refusing_file, repeat=repeated.find)
        return None

    def list_all(self, commit: str) -> Iterator[NewFailure]:
        """Every new failure, as it is found; those of one line and family once."""
        comparison = _Comparison(self, commit)
        if comparison.is_unchanged:
            return
        seen: set[tuple[ClaimFamily, str, int, str]] = set()
        for suspect in islice(comparison.list_suspects(), _MAX_SUSPECTS):
            self.suspects_judged += 1
            failure = comparison.judge(suspect)
            key = (suspect.claim.family, suspect.claim.path, failure.line if failure else 0, suspect.claim.name)
            if failure is not None and key not in seen:
                seen.add(key)
                yield failure

    def list_starts(self, commit: str) -> Iterator[NewFailure]:
        """The failure of a commit whose start command names what its image newly lacks, where nothing else is asked."""
        comparison = _Comparison(self, commit)
        yield from filter(None, map(comparison.judge, comparison.list_starts()))

    def get_judge(self, family: ClaimFamily) -> ClaimJudge | None:
        """Who judges a family; a start target with what the deployed commit installs as the witness."""
        if family is ClaimFamily.START_TARGET:
            return StartJudge().with_baseline(self.open_deployed())
        return self.judges.get(family)

    def is_new(self, claim: Claim, commit: str) -> bool:
        """Whether what fails at a commit did surely not fail at the deployed one."""
        if commit not in self._compared:
            self._compared[commit] = _Comparison(self, commit)
        return self._compared[commit].did_hold(claim)

    def find_touched(self, before: str, after: str | None) -> TouchedNames:
        """What the change of a blob touched, read once for all commits. `after`: None for a file that is gone."""
        if (before, after) not in self._touched:
            later = self.history.read(after) or b"" if after is not None else None
            self._touched[before, after] = find_touched_names(self.history.read(before) or b"", later)
        return self._touched[before, after]

    def open_deployed(self) -> ServiceModules:
        """The service as it is deployed; opened once."""
        if self._deployed is None:
            tree = CommitTree(self.history, self.deployed_commit)
            self._deployed = self.open_modules(tree, self.start_path)
        return self._deployed


def _name_module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]


class _Comparison:
    """One commit beside the deployed one."""

    def __init__(self, owner: NewFailures, commit: str) -> None:
        self._owner = owner
        self._commit = commit
        history = owner.history
        roots = history.root_tree(owner.deployed_commit), history.root_tree(commit)
        self._changed_paths = dict(find_changed_paths(history, *roots))
        self.is_unchanged = not self._changed_paths
        self.before = owner.loaded_blobs(owner.deployed_commit) if self._changed_paths else {}
        self.after = owner.loaded_blobs(commit) if self._changed_paths else {}
        self._tree = CommitTree(history, commit)
        self._modules = owner.open_modules(self._tree, owner.start_path)
        self._provided = ProvidedNames(owner.history, self.after)

    def list_suspects(self) -> Iterator[Suspect]:
        """What may newly fail: the circular start, the fixed claim, changed files, files that mention what changed."""
        changed = [path for path, blob in self.after.items() if self.before.get(path) != blob][:_MAX_FILES]
        yield from self._list_mended(changed)
        yield from self._read_each((path, self._focus_on_change(path)) for path in changed)
        yield from self._read_each(self._list_mentions(changed))
        if self._is_image_changed:
            yield from self._list_outside_imports(self._open_reader(), changed)
        yield from self._list_files()
        circular = find_circular_claim(self._modules, self._owner.start_path) if changed else None
        yield from (*(() if circular is None else (Suspect(circular),)), *self.list_starts())

    def list_starts(self) -> Iterator[Suspect]:
        """The start target that is newly missing, where loaded files or what makes the image differ."""
        is_script_changed = any(path.endswith(".sh") for path in self._changed_paths)
        if self.before != self.after or is_script_changed or self._is_image_changed:
            claim = find_start_claim(self._modules, self._owner.open_deployed())
            yield from () if claim is None else (Suspect(claim),)

    def _open_reader(self) -> SuspectReader:
        finder = MeaningFinder(self._modules, self._owner.start_path)
        return SuspectReader(self._modules, finder, ValueSearch(self._modules))

    def _read_each(self, entries: Iterable[tuple[str, Focus]]) -> Iterator[Suspect]:
        """The suspects of many files. A reader holds the syntax trees of all that it met, so it is replaced in time."""
        reader = self._open_reader()
        for number, (path, focus) in enumerate(entries, 1):
            yield from reader.list_suspects(path, focus)
            if number % _MAX_READ == 0:
                reader = self._open_reader()

    def _focus_on_change(self, path: str) -> Focus:
        former = self._owner.history.read(self.before[path]) if path in self.before else None
        return focus_on_change(former, self._tree.read(path) or b"")

    def _list_mentions(self, changed: Sequence[str]) -> Iterator[tuple[str, Focus]]:
        """Files with lines that are not new and that ask for names that may mean something else by now."""
        touched = {path: self._find_touched(path) for path, blob in self.before.items() if self.after.get(path) != blob}
        outer = frozenset(name for names in touched.values() for name in names.outer)
        for path in changed:
            former = self._owner.history.read(self.before[path]) if path in self.before else None
            focus = Focus(outer | touched.get(path, TouchedNames()).inner, frozenset(), former)
            if former is not None and focus.is_mentioned(self._tree.read(path) or b""):
                yield path, focus
        focus = Focus(outer, frozenset())
        mentioning = self._list_mentioning(changed, focus, self._list_module_words(touched))
        yield from ((path, focus) for path in mentioning)

    @property
    def _is_image_changed(self) -> bool:
        return any(decides_image(path) for path in self._changed_paths)

    def _list_mended(self, changed: Sequence[str]) -> Iterator[Suspect]:
        fixed_claim = self._owner.fixed_claim
        if fixed_claim is None:
            return
        name = (fixed_claim.name or fixed_claim.module.rpartition(".")[2]).encode()
        for path in changed:
            if path != fixed_claim.path and name and name in (self._tree.read(path) or b""):
                yield Suspect(replace(fixed_claim, path=path, line=0, source_text=""))

    def _find_touched(self, path: str) -> TouchedNames:
        """Names that a file no longer defines, or defines otherwise; its own, where it is loaded no more."""
        is_loaded = path in self.after
        touched = self._owner.find_touched(self.before[path], self.after.get(path))
        own = frozenset() if is_loaded else frozenset((_name_module(path),))
        return replace(touched, outer=touched.outer | own)

    def _list_module_words(self, paths: Iterable[str]) -> frozenset[str]:
        """The words by which an import reaches one of the modules: its own name, and packages that name it."""
        words: set[str] = set()
        for path in paths:
            words.add(_name_module(path))
            folder = path.rpartition("/")[0]
            while folder:
                above, _, package = folder.rpartition("/")
                initial = self.after.get(f"{folder}/__init__.py") or self.before.get(f"{folder}/__init__.py")
                text = self._owner.history.read(initial) or b"" if initial else b""
                if words & set(map(bytes.decode, _WORD.findall(text))):
                    words.add(package)
                folder = above
        return frozenset(words)

    def _list_mentioning(self, changed: Sequence[str], focus: Focus, modules: frozenset[str]) -> Iterator[str]:
        """Files that did not change, and mention a changed module and a name that may mean something else."""
        skipped, importing = frozenset(changed), Focus(modules)
        for path, blob in list(self.after.items())[: _MAX_TEXTS if focus.names else 0]:
            text = self._owner.history.read(blob) or b"" if path not in skipped else b""
            if importing.is_mentioned(text) and focus.is_mentioned(text):
                yield path

    def _list_outside_imports(self, reader: SuspectReader, changed: Sequence[str]) -> Iterator[Suspect]:
        """What unchanged files import, where the image may have other modules than before: each module once."""
        seen: set[tuple[str, str]] = set()
        for path in [path for path in self.after if path not in set(changed)][:_MAX_FILES]:
            for suspect in reader.list_missing_imports(path):
                key = (suspect.claim.module, suspect.claim.name)
                if key not in seen:
                    seen.add(key)
                    yield suspect

    def _list_files(self) -> Iterator[Suspect]:
        gone = [path for path, is_listed in self._changed_paths.items() if is_listed and not path.endswith(".py")]
        names = frozenset(path.rpartition("/")[2] for path in gone if self._tree.blob(path) is None)
        if names or self._is_image_changed:
            for path in list(self.after)[:_MAX_TEXTS]:
                claims = list_opened_files(self._modules, path, None if self._is_image_changed else names)
                yield from map(Suspect, claims)

    def judge(self, suspect: Suspect) -> NewFailure | None:
        """The failure, where it is certain and new."""
        judge = self._owner.get_judge(suspect.claim.family)
        verdict = self._judge(suspect.claim, self._modules, {suspect.claim.family: judge} if judge else {})
        if verdict is None or verdict.state is not ClaimState.FAILS:
            return None
        if self._provided.may_provide(suspect) or not self.did_hold(suspect.claim):
            return None
        confirmed = self._judge(suspect.claim, self._modules, self._owner.confirming_judges) or verdict
        guarded = self._list_guarded(suspect.claim)
        lines = tuple(line for line in confirmed.lines if line not in guarded)
        if confirmed.state is not ClaimState.FAILS or not lines:
            return None
        return NewFailure(suspect.claim, replace(confirmed, lines=lines))

    def _judge(self, claim: Claim, modules: ServiceModules, judges: _Judges) -> ClaimVerdict | None:
        judge = judges.get(claim.family)
        return judge.judge(claim, modules) if judge is not None and modules.tree.blob(claim.path) is not None else None

    def did_hold(self, claim: Claim) -> bool:
        """Whether nothing that the service loaded as deployed failed so, or may have."""
        deployed = self._owner.open_deployed()
        if claim.family is ClaimFamily.START_TARGET:
            return StartJudge().judge(claim, deployed).state is ClaimState.HOLDS
        if claim.path in self.before:
            former = self._judge(claim, deployed, self._owner.judges)
            return former is None or former.state is ClaimState.HOLDS
        name = (claim.name or claim.module.rpartition(".")[2]).encode()
        for path, blob in self.before.items():
            if path not in self.after and name in (self._owner.history.read(blob) or b""):
                former = self._judge(replace(claim, path=path), deployed, self._owner.judges)
                if former is not None and former.state is ClaimState.FAILS:
                    return False
        return True

    def _list_guarded(self, claim: Claim) -> frozenset[int]:
        code = parse_module(self._tree.read(claim.path) or b"")
        return find_guarded_lines(code.tree, claim.error_class) if code is not None else frozenset()
