"""Judges claims that a file is missing which the repository has or had: what the code opens, and what its image has.

The inputs of a verdict are the claim's file, the file that it opens, and what decides whether the image has it.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.proof.claims.claim import Claim, ClaimState, ClaimVerdict
from shared.proof.claims.files.image_places import ImagePlaces, ListPathsNamed, open_places
from shared.proof.claims.files.path_expressions import NamedPath, PathReader
from shared.proof.claims.files.template_folders import find_template_folders
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.source.python_source import describe_unparsed
from shared.proof.loading.image_contents import AbsenceReason, FilePresence, Presence
from shared.proof.model.compilation import split_source_lines

CHECKED_BY = "the image's files and the paths that the code names"
_TEMPLATE_ERROR = re.compile(r"Template(?:NotFound|DoesNotExist|sNotFound)$")
_MAX_QUOTED = 300


@dataclass(frozen=True, slots=True)
class _Asking:
    """How a file asks for the missing one: `lines` certainly do; `doubt` says what is not known."""

    lines: tuple[int, ...] = ()
    doubt: str = ""


class FileJudge:
    """Implements `shared.proof.claims.ports.ClaimJudge`. `list_paths_named` looks into all states of the history."""

    def __init__(self, list_paths_named: ListPathsNamed) -> None:
        self._list_paths_named = list_paths_named

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`."""
        source = modules.tree.read(claim.path)
        if source is None:
            is_gone = modules.tree.blob(claim.path) is None
            reason = f"{claim.path} is not in the tree" if is_gone else f"{claim.path} is not in this copy"
            return _conclude(ClaimState.HOLDS if is_gone else ClaimState.UNKNOWN, reason)
        places = open_places(modules, self._list_paths_named)
        if not places:
            return _conclude(ClaimState.UNKNOWN, "the image is not known")
        try:
            verdicts = [_Reading(claim, modules, image, source).judge() for image in places]
        except RecursionError:
            return _conclude(ClaimState.UNKNOWN, f"{claim.path} is nested too deeply")
        if len({verdict.state for verdict in verdicts}) == 1:
            return verdicts[0]
        return _conclude(ClaimState.UNKNOWN, "the images that may be the service's differ in it")

    def find_absence(self, claim: Claim, modules: ServiceModules) -> AbsenceReason | None:
        """The line that keeps the claimed file out of the image, where the repository has such a line."""
        source = modules.tree.read(claim.path) or b""
        for image in open_places(modules, self._list_paths_named):
            presence = _Reading(claim, modules, image, source).find_presence()
            if presence.absence is not None:
                return presence.absence
        return None


class _Reading:
    """One claim at one commit, in one layout of the image."""

    def __init__(self, claim: Claim, modules: ServiceModules, places: ImagePlaces, source: bytes) -> None:
        self._claim = claim
        self._modules = modules
        self._places = places
        self._lines = split_source_lines(source)
        self._source = source
        self._is_template = _TEMPLATE_ERROR.search(claim.error_class) is not None
        self._name = posixpath.basename(claim.name)

    def judge(self) -> ClaimVerdict:
        presence = self.find_presence()
        if presence.state is Presence.PRESENT:
            return _conclude(ClaimState.HOLDS, presence.reason)
        asking = self._find_template_lines() if self._is_template else self._find_asking()
        if not asking.lines:
            state = ClaimState.UNKNOWN if asking.doubt else ClaimState.HOLDS
            return _conclude(state, asking.doubt or f"nothing in {self._claim.path} names {self._name} any more")
        state = ClaimState.FAILS if presence.state is Presence.ABSENT else ClaimState.UNKNOWN
        return _conclude(state, presence.reason, asking.lines if state is ClaimState.FAILS else ())

    def find_presence(self) -> FilePresence:
        """Whether the image has the file that the log misses."""
        if self._is_template:
            return self._find_template()
        target = self._target
        if not target:
            return FilePresence(Presence.UNKNOWN, "in which folder the service runs is not known")
        return self._places.find_presence(target)

    @property
    def _target(self) -> str:
        """The image path that the log misses; "" for a relative one where the folder is not known."""
        name = self._claim.name
        if name.startswith("/"):
            return posixpath.normpath(name)
        return posixpath.normpath(posixpath.join(self._places.workdir, name)) if self._places.workdir else ""

    def _find_template(self) -> FilePresence:
        is_django = self._claim.error_class.endswith("DoesNotExist")
        looked = find_template_folders(self._modules, self._places, self._claim.path, has_app_folders=is_django)
        answers = [self._places.find_presence(posixpath.join(folder, self._claim.name)) for folder in looked.folders]
        states = {answer.state for answer in answers}
        is_decisive = looked.is_certain and (len(states) == 1 or Presence.PRESENT in states)
        if not answers or not (is_decisive or len(states) == 1):
            return FilePresence(Presence.UNKNOWN, "in which folder the service looks for its templates is not known")
        return next((answer for answer in answers if answer.state is Presence.PRESENT), answers[0])

    def _find_template_lines(self) -> _Asking:
        """The lines that name the template, and the logged one as long as it is there."""
        named = re.compile(rf"(?<![\w./-]){re.escape(self._claim.name)}(?![\w./-])")
        lines = [number for number, line in enumerate(self._lines, 1) if named.search(line)]
        quoted = list(self._find_quoted())
        if lines or quoted:
            return _Asking(tuple(sorted({*lines, *quoted})))
        if self._name in self._claim.source_text:
            return _Asking()
        return _Asking(doubt=f"how {self._claim.path} asks for {self._claim.name} is not seen")

    def _find_quoted(self) -> Iterator[int]:
        """The lines that read as the logged one."""
        text = self._claim.source_text[:_MAX_QUOTED]
        for number, line in enumerate(self._lines, 1):
            if text and line.strip()[:_MAX_QUOTED] == text:
                yield number

    def _find_asking(self) -> _Asking:
        code = parse_module(self._source)
        if code is None:
            return _Asking(doubt=describe_unparsed(self._claim.path))
        image_path = self._places.find_image_path(self._claim.path)
        reader = PathReader(code.tree, image_path, self._places.workdir)
        exact = [named.line for named in reader.named_paths if named.path == self._target]
        if exact:
            return _Asking(tuple(sorted(set(exact))))
        quoted = list(self._find_quoted())
        others = {path for line in quoted for path in reader.list_opened(line)}
        if quoted and not others:
            return _Asking(tuple(quoted))  # put together at run time, as it was when it failed
        return self._judge_others(reader, others)

    def _judge_others(self, reader: PathReader, others: set[str]) -> _Asking:
        """What the file names where it does not certainly name the missing one."""
        near = [named for named in reader.named_paths if posixpath.basename(named.path) == self._name]
        if doubtful := [named for named in near if named.is_part or not self._has(named)]:
            line = doubtful[0].line
            return _Asking(doubt=f"what line {line} of {self._claim.path} makes of {self._name} is not known")
        absent = sorted(path for path in others if self._places.find_presence(path).state is not Presence.PRESENT)
        if absent:
            return _Asking(doubt=f"it asks for {absent[0]} now, which is not known to be in the image either")
        if others or near or self._name in self._claim.source_text:
            return _Asking()
        return _Asking(doubt=f"how {self._claim.path} came to {self._name} is not seen")

    def _has(self, named: NamedPath) -> bool:
        return self._places.find_presence(named.path).state is Presence.PRESENT


def _conclude(state: ClaimState, reason: str, lines: tuple[int, ...] = ()) -> ClaimVerdict:
    return ClaimVerdict(state, reason, lines, CHECKED_BY)
