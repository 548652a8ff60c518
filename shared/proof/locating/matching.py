"""Compares versions of files with what was logged, and returns those that fail as logged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from shared.detection.incident import Incident, Sighting
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.compilation import Fault
from shared.proof.model.history import Commit, FileVersion


class Presence(IntEnum):
    """A version's relation to the deploy branch when it was logged; the higher, the likelier it was deployed."""

    COMMITTED_LATER = 0
    """Committed only afterwards: it can have been deployed from an uncommitted tree alone."""
    NOT_CURRENT = 1
    """There, but not what the branch held: replaced by then, or not merged yet. Or the log does not say when."""
    CURRENT = 2
    """What the branch held."""


@dataclass(frozen=True, slots=True)
class FailingVersion:
    """A version of a file that fails as logged."""

    commit: Commit
    path: str
    blob: str
    fault: Fault


def choose_likeliest(
    branch_states: BranchStates, versions: Sequence[FailingVersion], seen_at: datetime | None
) -> tuple[FailingVersion, Presence]:
    """The version that the branch held at that moment, else the one that it held last, else the first one after it.

    `versions` are newest first; there is at least one.
    """
    if seen_at is None:
        return versions[0], Presence.NOT_CURRENT
    earlier = [version for version in versions if version.commit.committed_at <= seen_at]
    if not earlier:
        return min(versions, key=_get_commit_time), Presence.COMMITTED_LATER
    state = branch_states.find_state_at(seen_at)
    held = _read_branch_blobs(branch_states, state, {version.path for version in earlier})
    current = [version for version in earlier if held.get(version.path) == version.blob]
    return _choose_newest(
        branch_states, state, current or earlier
    ), Presence.CURRENT if current else Presence.NOT_CURRENT


def _read_branch_blobs(branch_states: BranchStates, state: Commit | None, paths: set[str]) -> dict[str, str]:
    if state is None:
        return {}
    return {
        path: blob
        for (_, path), blob in branch_states.history.blob_ids((state.id, path) for path in sorted(paths)).items()
    }


def _choose_newest(
    branch_states: BranchStates, state: Commit | None, versions: Sequence[FailingVersion]
) -> FailingVersion:
    """The newest of those that the branch contained by then; of others, only where there is no such one."""
    if len(versions) > 1 and state is not None:
        lacked = branch_states.commits_missing_from(state.id)
        versions = [version for version in versions if version.commit.id not in lacked] or versions
    return max(versions, key=_get_commit_time)


def _get_commit_time(version: FailingVersion) -> datetime:
    return version.commit.committed_at


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
    matches: list[VersionMatch] = []
    for choose in (verdicts.select_possible, verdicts.select_suspects, _select_all):
        blobs = choose(every, incident.sightings)
        verdicts.prepare((every[blob], blob) for blob in blobs)
        matches = [
            match
            for path, versions in made.items()
            for sighting in incident.sightings
            if (
                match := _match_sighting(
                    verdicts, [version for version in versions if version.blobs[path] in blobs], path, sighting
                )
            )
        ]
        words_fit = choose != verdicts.select_possible or all(match.has_logged_message for match in matches)
        if words_fit and any(match.sighting == incident.sightings[-1] for match in matches):
            break
    return matches


def _select_all(blobs: Mapping[str, str], _sightings: Sequence[Sighting]) -> frozenset[str]:
    return frozenset(blobs)


def _match_sighting(
    verdicts: CompileVerdicts, changed_versions: Sequence[FileVersion], path: str, sighting: Sighting
) -> VersionMatch | None:
    """The versions that fail on the logged line; where some of them say and quote what was logged, those alone."""
    failing = [
        FailingVersion(version.commit, path, version.blobs[path], fault)
        for version in changed_versions
        if (fault := verdicts.find_logged_fault(version.blobs[path], path, sighting)) is not None
    ]
    if not failing:
        return None
    same_message = [version for version in failing if version.fault.message == sighting.message]
    candidates = same_message or failing
    same_text = [version for version in candidates if _is_quoted(version.fault, sighting)]
    return VersionMatch(
        sighting, path, same_text or candidates, bool(same_text) + bool(same_message), bool(same_message)
    )


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
