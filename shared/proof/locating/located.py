"""Where and in which version a failing file was deployed, as far as it is known: the answer of every search for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.detection.incident import Incident, Sighting
from shared.proof.model.finding import DeployedSource, LoggedDeployment, Reason
from shared.proof.model.history import Commit, FileVersion


@dataclass(frozen=True, slots=True)
class LocatedVersion:
    """The deployed version, or what was looked at in vain (`commit` is then None, or a given one that does not fit)."""

    path: str
    """In the tree of the deployed commit; "" where no file was found."""
    commit: Commit | None
    source: DeployedSource
    corroborated: bool
    candidates: tuple[str, ...] = ()
    conflict: str = ""
    deployments: tuple[LoggedDeployment, ...] = ()
    file_versions: Sequence[FileVersion] = ()
    """The path-limited graph that was searched, children before parents; empty for a given commit."""
    reason: Reason = Reason.NOT_CORROBORATED
    """Why nothing is proposed, where it is not corroborated."""
    detail: str = ""
    """The sentence for it; "" for the one that is always said."""


def describe_logged_position(incident: Incident) -> str:
    """The logged place of the last sighting, as in `app/x.py, line 12`."""
    last = incident.sightings[-1]
    return f"{incident.path}, line {last.line}" if last.line is not None else incident.path


def get_sighting_key(sighting: Sighting) -> tuple[str, int | None, str, str]:
    return sighting.revision, sighting.line, sighting.message, sighting.source_text


def list_deployments(
    incident: Incident, commits_by_sighting: Mapping[tuple[str, int | None, str, str], Commit]
) -> tuple[LoggedDeployment, ...]:
    """One for each sighting, with the commit that was chosen for it."""
    seen = {sighting: sighting.first_seen if incident.dated else None for sighting in incident.sightings}
    return tuple(
        LoggedDeployment(
            revision=sighting.revision,
            line=sighting.line,
            seen_at=seen[sighting],
            commit=(commit := commits_by_sighting.get(get_sighting_key(sighting))),
            uncommitted=is_committed_after(commit, seen[sighting]),
        )
        for sighting in incident.sightings
    )


def is_committed_after(commit: Commit | None, seen_at: datetime | None) -> bool:
    """Whether a version was logged before it was committed: then the image was built from an uncommitted tree."""
    return commit is not None and seen_at is not None and commit.committed_at > seen_at


def fill_in_commits(deployments: Iterable[LoggedDeployment], commits_by_line: Mapping[int | None, Commit]) -> tuple[LoggedDeployment, ...]:
    """Fills in deployments whose version was found later, by the line on which it fails."""
    return tuple(
        each
        if each.commit is not None or (commit := commits_by_line.get(each.line)) is None
        else LoggedDeployment(each.revision, each.line, each.seen_at, commit, is_committed_after(commit, each.seen_at))
        for each in deployments
    )
