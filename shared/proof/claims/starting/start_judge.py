"""Judges the claim that a start target is missing: the family of failures before any file of the service runs.

At one commit the image's own start command names the target, and Python's rules find it there or do not. What was
installed when the log was written is known to lack what the log misses: the commit of the log is the witness for that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.service_modules import ImageModules
from shared.proof.claims.starting.start_image import StartImage, open_start_images
from shared.proof.claims.starting.start_targets import PYTHON_FILE, StartTarget
from shared.proof.claims.starting.target_search import LinkedTree, StartWitness, TargetSearch, TargetState, read_witness
from shared.proof.loading.commit_tree import RecordingTree

_CHECKED_BY = "Python's import rules and the start command"
_CHECKED_WITH_LOG = f"{_CHECKED_BY}, and the log for what packages lack"


@dataclass(frozen=True, slots=True)
class JudgedStart:
    """One start target of one image, with what became of it."""

    image: StartImage
    target: StartTarget
    state: TargetState


@dataclass(frozen=True, slots=True)
class StartPlace:
    """A line of the repository, from 1."""

    path: str
    line: int


class StartJudge:
    """Judges `START_TARGET`. `witness`: the service at the commit at which the log shows the claim to fail."""

    def __init__(self, witness: ServiceModules | None = None, *, is_baseline: bool = False) -> None:
        self._witness = witness
        self._is_baseline = is_baseline
        self._witnesses: dict[str, StartWitness | None] = {}

    def with_witness(self, witness: ServiceModules) -> "StartJudge":
        """The judge that believes the log for what was installed at the commit of `witness`."""
        return StartJudge(witness)

    def with_baseline(self, baseline: ServiceModules) -> "StartJudge":
        """The judge that knows what was installed at a commit that starts, where no log shows anything."""
        return StartJudge(baseline, is_baseline=True)

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`; the claim's path is that of the Dockerfile or Procfile."""
        readings = self._read(claim, modules)
        if not readings:
            return _conclude(ClaimState.UNKNOWN, f"{claim.path} builds no image here")
        verdicts = [_judge_image(claim, image, starts) for image, starts in readings]
        if len({verdict.state for verdict in verdicts}) > 1:
            return _conclude(ClaimState.UNKNOWN, f"from which folder {claim.path} is built is not known")
        is_shown = verdicts[0].state is ClaimState.FAILS and self._witness is not None and not self._is_baseline
        return replace(verdicts[0], checked_by=_CHECKED_WITH_LOG) if is_shown else verdicts[0]

    def list_missing(self, claim: Claim, modules: ServiceModules) -> list[JudgedStart]:
        """The starts whose target is missing at the commit of `modules`."""
        readings = self._read(claim, modules)
        starts = [start for _, starts in readings for start in starts if not start.image.doubt]
        return [start for start in starts if start.state.state is ClaimState.FAILS]

    def find_place(self, claim: Claim, modules: ServiceModules) -> StartPlace | None:
        """What is responsible: the line that keeps the target out, else the one that names it."""
        for start in self.list_missing(claim, modules):
            absence = start.state.absence
            if absence is not None and absence.path and absence.line:
                return StartPlace(absence.path, absence.line)
            return _find_naming_line(start, modules.tree)
        return None

    def find_started_place(self, claim: Claim, modules: ServiceModules) -> StartPlace | None:
        """The file that a start loads first at the commit of `modules`, and where it binds the name that is taken."""
        states = [start.state for _, starts in self._read(claim, modules) for start in starts]
        return next((StartPlace(state.path, max(1, state.line)) for state in states if state.path), None)

    def _read(self, claim: Claim, modules: ServiceModules) -> list[tuple[StartImage, list[JudgedStart]]]:
        tree = LinkedTree(modules.tree, _get_link_lookup(modules))
        readings = []
        for image in open_start_images(modules.tree, claim.path):
            search = TargetSearch(image, modules.python, tree, self._read_witness(claim))
            starts = [JudgedStart(image, target, search.find(target)) for target in image.targets if not target.doubt]
            readings.append((image, [start for start in starts if not start.state.is_foreign]))
        return readings

    def _read_witness(self, claim: Claim) -> StartWitness | None:
        """What the image of the log was made of; None without a log."""
        if self._witness is None:
            return None
        if claim.path not in self._witnesses:
            images = open_start_images(self._witness.tree, claim.path)
            python, is_baseline = self._witness.python, self._is_baseline
            self._witnesses[claim.path] = read_witness(images[0], python, is_baseline=is_baseline) if images else None
        return self._witnesses[claim.path]


def _judge_image(claim: Claim, image: StartImage, starts: Sequence[JudgedStart]) -> ClaimVerdict:
    if image.doubt or not starts:
        return _conclude(ClaimState.UNKNOWN, image.doubt or f"{image.path} starts no application")
    states = [start.state.state for start in starts]
    if all(state is ClaimState.HOLDS for state in states):
        return _conclude(ClaimState.HOLDS, _describe_found(starts[0]))
    own = [start for start in starts if start.target.program == claim.owner] or list(starts)
    if len(own) == 1 and own[0].state.state is ClaimState.FAILS:
        return _conclude(ClaimState.FAILS, _describe_missing(own[0]), (image.line,))
    unclear = next((start for start in starts if start.state.state is ClaimState.UNKNOWN), None)
    if unclear is not None:
        return _conclude(ClaimState.UNKNOWN, unclear.state.reason)
    return _conclude(ClaimState.UNKNOWN, f"{image.path} has several starts, and which of them runs is not known")


def _describe_found(start: JudgedStart) -> str:
    return f"{_describe_start(start)}, and {start.state.reason}"


def _describe_missing(start: JudgedStart) -> str:
    return f"{_describe_start(start)}, but {start.state.reason}"


def _describe_start(start: JudgedStart) -> str:
    target, image = start.target, start.image
    program = "Python" if target.program.startswith(PYTHON_FILE) else target.program
    return f"{image.path}, line {image.line}, starts {program} with {target.text}"


def _find_naming_line(start: JudgedStart, tree: RecordingTree) -> StartPlace:
    """The line of the Dockerfile, or of a script that its start command calls."""
    image, text = start.image, start.target.module or start.target.path.rpartition("/")[2]
    lines = tree.read_text(image.path).splitlines()
    if image.line and text in " ".join(lines[image.line - 1 : image.line + 10]):
        for number in range(image.line, min(len(lines), image.line + 10) + 1):
            if text in lines[number - 1]:
                return StartPlace(image.path, number)
    for script in image.scripts:
        for number, line in enumerate(tree.read_text(script).splitlines(), 1):
            if text in line and not line.lstrip().startswith("#"):
                return StartPlace(script, number)
    return StartPlace(image.path, image.line)


def _get_link_lookup(modules: ServiceModules) -> Callable[[str], bool]:
    return modules.is_link if isinstance(modules, ImageModules) else lambda _: False


def build_start_claim(path: str, line: int, program: str, error_class: str, message: str) -> Claim:
    """A claim of this family without its target."""
    return Claim(ClaimFamily.START_TARGET, path, line, error_class, message, owner=program)


def _conclude(state: ClaimState, reason: str, lines: tuple[int, ...] = ()) -> ClaimVerdict:
    return ClaimVerdict(state, reason, lines, _CHECKED_BY)
