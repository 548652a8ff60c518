"""The gates that a commit must pass before it is proposed for deployment."""

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field

from shared.proof.gating.loaded_files import LoadedFiles, LoadedState
from shared.proof.gating.run_without import is_run_without
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.ports import History
from shared.proof.model.target import (
    IMAGE_GATE,
    NO_IMAGE_NEEDED,
    CheckStatus,
    ImageCheck,
    ImageStatus,
    OtherBrokenFile,
)


@dataclass(frozen=True, slots=True)
class GateFailure:
    """A gate that was not passed: its name, and one sentence."""

    gate: str
    detail: str
    newly_broken: tuple[OtherBrokenFile, ...] = ()
    refusing_file: tuple[str, str] | None = None
    """Path and blob of a file that refuses whatever commit loads it so."""
    file_detail: str = ""
    """The sentence for that file alone."""
    absent_paths: tuple[str, ...] = ()
    """Paths at which nothing may be: with a file at one of them, the refusing file need not refuse."""
    repeat: "Callable[[str], GateFailure | None] | None" = field(default=None, compare=False, repr=False)
    """Asks cheaply whether another commit fails so as well, where more than the refusing file decides that."""


@dataclass(frozen=True, slots=True)
class OwnVerdicts:
    """The verdicts on the Python that a commit declares for its own image, where that is not the deployed one."""

    verdicts: CompileVerdicts
    replace_deployed: bool
    """Whether that Python certainly runs the commit, so that the deployed one has no say there."""
    find_loss: Callable[[Mapping[str, str]], str] = field(default=lambda _: "")
    """What these files (path to blob) ask of it in vain, and not of the deployed one: one sentence, "" for nothing."""


@dataclass(slots=True)
class Gates:
    """Judges commits by the files that the service loads there, and by nothing else."""

    history: History
    verdicts: CompileVerdicts
    loaded_files: LoadedFiles
    deployed_commit: str = ""
    """The deployed commit, against which "new" and "no longer" are said; "" where it is not known."""
    get_check_status: Callable[[str], CheckStatus] = field(default=lambda _: CheckStatus.UNKNOWN)
    own_verdicts: Callable[[str], OwnVerdicts | None] = field(default=lambda _: None)

    find_new_failure: Callable[[str], GateFailure | None] = field(default=lambda _: None)
    """What fails at a commit, beyond syntax, and does not at the deployed one."""

    check_image: Callable[[str], ImageCheck] = field(default=lambda _: NO_IMAGE_NEEDED)
    """Whether a commit has an image, where the service is deployed by images."""

    def loaded_blobs(self, commit: str) -> Mapping[str, str]:
        """Path and blob of every file that the service loads at a commit."""
        return self.loaded_files.get_state(commit).blobs

    def find_broken(self, commit: str, verdicts: CompileVerdicts | None = None) -> tuple[OtherBrokenFile, ...]:
        """Every file that is loaded at a commit and fails to compile, by path."""
        return self._find_broken(self.loaded_files.get_state(commit), verdicts or self.verdicts)

    def _find_broken(self, state: LoadedState, verdicts: CompileVerdicts) -> tuple[OtherBrokenFile, ...]:
        verdicts.prepare(state.blobs.items())
        return tuple(
            OtherBrokenFile(path, fault.line, f"{fault.error_class}: {fault.message}")
            for path, blob in state.blobs.items()
            if (fault := verdicts.judge_loaded(blob, path, state.closure.scripts).fault) is not None
            and not self._is_as_harmless_as_deployed(state, path)
        )

    def _is_as_harmless_as_deployed(self, state: LoadedState, path: str) -> bool:
        """Whether the service runs without a broken file, which as deployed was not there or did not compile either."""
        loaded = self.loaded_files
        if not self.deployed_commit or path in (loaded.failing_path, *loaded.later_names, *loaded.traced_paths):
            return False
        position = (self.deployed_commit, path)
        deployed = self.history.blob_ids([position]).get(position)
        compiled = self._may_be_moved(state, path) if deployed is None else self.verdicts.judge(deployed, path).compiles
        return compiled is False and is_run_without(path, state, self.history.read)

    def _may_be_moved(self, state: LoadedState, path: str) -> bool:
        """Whether the service loaded a file of that name as deployed that it does not load any more."""
        name = _get_own_name(path)
        former = self.loaded_blobs(self.deployed_commit)
        return any(other not in state.blobs and _get_own_name(other) == name for other in former)

    def find_unjudged(self, commit: str, verdicts: CompileVerdicts | None = None) -> tuple[str, ...]:
        """The loaded files on which there is no verdict at a commit."""
        verdicts = verdicts or self.verdicts
        sources = self.loaded_blobs(commit).items()
        if (
            self.loaded_files.source_roots and not sources
        ):  # they were moved: nothing would be looked at, and everything pass
            return (f"the source root {self.loaded_files.source_roots[0]}, which contains no Python file,",)
        return tuple(path for path, blob in sources if verdicts.judge(blob, path).compiles is None)

    def find_failure(self, commit: str, already_broken: frozenset[str]) -> GateFailure | None:
        """The first gate that a commit does not pass; `already_broken` are the paths that fail as deployed."""
        state = self.loaded_files.get_state(commit)
        failure = self._find_uncompilable(commit, state, already_broken)
        if failure is not None and not self._is_left_python(commit):
            return failure
        failure = _find_missing_module(state) or self.find_new_failure(commit) or self._find_own_failure(commit, state)
        if failure is not None:
            return failure
        if (checks := self.get_check_status(commit)) in {CheckStatus.RED, CheckStatus.PENDING}:
            return GateFailure("checks", f"its checks are {checks}")
        return None

    def _is_left_python(self, commit: str) -> bool:
        """Whether a commit's own image certainly has another Python than the deployed one."""
        own = self.own_verdicts(commit)
        return own is not None and own.replace_deployed

    def _find_own_failure(self, commit: str, state: LoadedState) -> GateFailure | None:
        """The failure where not every loaded file compiles on the Python of the commit's own image."""
        own = self.own_verdicts(commit)
        if own is None:
            return None
        on_python = f"on Python {own.verdicts.python}, the version of this commit's own image"
        if broken := self._find_broken(state, own.verdicts):
            detail = f"{_describe_position(broken[0])} does not compile {on_python}"
            return GateFailure("own_python", detail + _describe_others(broken))
        if loss := own.find_loss(state.blobs):
            return GateFailure("own_python", f"{loss} {on_python}")
        if own.replace_deployed and (unseen := self.find_unjudged(commit, own.verdicts)):
            return GateFailure("unseen", f"{unseen[0]} could not be checked {on_python}")
        return None

    def find_missing_image(self, commit: str) -> GateFailure | None:
        """The failure where a commit certainly has no image; asked last, because a build may still be under way."""
        image = self.check_image(commit)
        return GateFailure(IMAGE_GATE, image.detail) if image.status is ImageStatus.MISSING else None

    def _find_uncompilable(self, commit: str, state: LoadedState, already_broken: frozenset[str]) -> GateFailure | None:
        """The failure where not every loaded file compiles."""
        broken = self._find_broken(state, self.verdicts)
        new = tuple(other for other in broken if other.path not in already_broken)
        if new:
            detail = self._describe_since(new[0])
            return GateFailure(
                "newly_broken", detail + _describe_others(new), new, _find_refusing_file(state, new[0].path), detail
            )
        if broken:
            detail = f"{_describe_position(broken[0])} does not compile either and would fail next"
            return GateFailure(
                "also_broken", detail + _describe_others(broken), (), _find_refusing_file(state, broken[0].path), detail
            )
        if unseen := self.find_unjudged(commit):
            detail = f"{unseen[0]} could not be checked at this commit"
            return GateFailure("unseen", detail, refusing_file=_find_refusing_file(state, unseen[0]))
        return None

    def is_loaded_as_deployed(self, path: str) -> bool:
        """Whether the service loads a file at the deployed commit."""
        return bool(self.deployed_commit) and path in self.loaded_blobs(self.deployed_commit)

    def _describe_since(self, broken: OtherBrokenFile) -> str:
        """Since when a file fails: only what was there and compiled as deployed has stopped to compile."""
        if not self.deployed_commit:
            return f"{_describe_position(broken)} does not compile"
        blob = self.history.blob_ids([(self.deployed_commit, broken.path)]).get((self.deployed_commit, broken.path))
        if blob is None:
            return f"{_describe_position(broken)} is new since the deployed commit and does not compile"
        before = self.verdicts.judge(blob, broken.path).compiles
        if before:
            return f"{_describe_position(broken)} compiles at the deployed commit but not at this one"
        if before is None:
            return f"{_describe_position(broken)} does not compile"
        since = "" if self.is_loaded_as_deployed(broken.path) else ", and is now loaded"
        return f"{_describe_position(broken)} did not compile at the deployed commit either{since}"


def _find_missing_module(state: LoadedState) -> GateFailure | None:
    """The failure where a loaded file always imports a module that vanished."""
    missing = tuple(entry for entry in state.closure.missing_imports if entry.doubt is None)
    if not missing:
        return None
    first = missing[0]
    imported = f"{first.path}, line {first.line} imports {first.module}"
    detail = f"{imported}, which was {first.former_path} at the deployed commit and {first.what_became_of_it}"
    refusing_file = _find_refusing_file(state, first.path) if first.absent_paths else None
    return GateFailure(
        "missing_module", detail + _describe_others(missing), (), refusing_file, detail, first.absent_paths
    )


def _get_own_name(path: str) -> str:
    """The name of a file, with that of its package where it is the package's own."""
    folder, _, name = path.rpartition("/")
    return f"{folder.rpartition('/')[2]}/{name}" if name == "__init__.py" else name


def _find_refusing_file(state: LoadedState, path: str) -> tuple[str, str] | None:
    """None where it is no file that refuses, but a source root with nothing in it."""
    return (path, state.blobs[path]) if path in state.blobs else None


def _describe_position(broken: OtherBrokenFile) -> str:
    return broken.path if broken.line is None else f"{broken.path}, line {broken.line}"


def _describe_others(broken: Sized) -> str:
    return f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
