"""Compares versions of files with what was logged: sightings and histories in, the versions that fail as logged out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.detection.incident import Incident, Sighting
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.locating.presence import FailingVersion
from shared.proof.model.compilation import Fault
from shared.proof.model.history import FileVersion


@dataclass(frozen=True, slots=True)
class VersionMatch:
    """Versions of one path that fail as one sighting says, newest first."""

    sighting: Sighting
    path: str
    versions: Sequence[FailingVersion]
    likeness: int
    """2: the quoted source line and the message are the logged ones; 1: one of them; 0: the line number alone."""
    has_logged_message: bool
    """Whether these versions fail with the logged message."""


def find_matches(
    verdicts: CompileVerdicts, file_versions: Sequence[FileVersion], paths: Sequence[str], incident: Incident
) -> list[VersionMatch]:
    """All sightings against all versions of these paths, until the last sighting has its version.

    Compiled are first those that can fail with the logged words on the logged line, then those that are likely to fail
    at all, then the rest: a log may have cut the words, and an older patch level of Python may have had others.
    """
    made = {path: list(find_changed_versions(file_versions, path)) for path in paths}
    every = {version.blobs[path]: path for path, versions in made.items() for version in versions}
    found: list[VersionMatch] = []
    for choose in (verdicts.select_possible, verdicts.select_suspects, _select_all):
        blobs = choose(every, incident.sightings)
        verdicts.prepare((every[blob], blob) for blob in blobs)
        found = [
            match
            for path, versions in made.items()
            for sighting in incident.sightings
            if (match := _match_sighting(verdicts, [each for each in versions if each.blobs[path] in blobs], path, sighting))
        ]
        words_fit = choose != verdicts.select_possible or all(match.has_logged_message for match in found)
        if words_fit and any(match.sighting == incident.sightings[-1] for match in found):
            break
    return found


def _select_all(blobs: Mapping[str, str], _sightings: Sequence[Sighting]) -> frozenset[str]:
    return frozenset(blobs)


def _match_sighting(verdicts: CompileVerdicts, changed_versions: Sequence[FileVersion], path: str, sighting: Sighting) -> VersionMatch | None:
    """The versions that fail on the logged line; where some of them say and quote what was logged, those alone."""
    failing = [
        FailingVersion(version.commit, path, version.blobs[path], fault)
        for version in changed_versions
        if (fault := verdicts.find_logged_fault(version.blobs[path], path, sighting)) is not None
    ]
    if not failing:
        return None
    same_message = [each for each in failing if each.fault.message == sighting.message]
    kept = same_message or failing
    same_text = [each for each in kept if _is_quoted(each.fault, sighting)]
    return VersionMatch(sighting, path, same_text or kept, bool(same_text) + bool(same_message), bool(same_message))


def _is_quoted(fault: Fault, sighting: Sighting) -> bool:
    """Whether the log quotes the failing source; of a string over several lines a traceback shows one."""
    return bool(sighting.source_text) and sighting.source_text in {
        fault.text.strip(), *(line.strip() for line in fault.text.splitlines())
    }  # fmt: skip


def find_changed_versions(file_versions: Sequence[FileVersion], path: str) -> Iterator[FileVersion]:
    """The commits of a graph after which `path` had contents that it had at none of their parents."""
    before = {version.commit.id: version.blobs.get(path) for version in file_versions}
    for version in file_versions:
        blob = version.blobs.get(path)
        if blob is not None and all(before.get(parent) != blob for parent in version.commit.parents):
            yield version
