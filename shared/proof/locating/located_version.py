"""Where and in which version a failing file was deployed, as far as it is known: the answer of every search for it.

A log that carried times of day only gets its dates from the deployed commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from shared.detection.incident import Incident, Sighting, move_to_day
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.compilation import Compilation
from shared.proof.model.deployed_version import DeployedSource, LoggedDeployment
from shared.proof.model.finding import Finding
from shared.proof.model.history import Commit, FileVersion
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History
from shared.proof.model.recommendation import Reason


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


def fill_in_commits(
    deployments: Iterable[LoggedDeployment], commits_by_line: Mapping[int | None, Commit]
) -> tuple[LoggedDeployment, ...]:
    """Fills in deployments whose version was found later, by the line on which it fails."""
    return tuple(
        deployment
        if deployment.commit is not None or (commit := commits_by_line.get(deployment.line)) is None
        else LoggedDeployment(
            deployment.revision,
            deployment.line,
            deployment.seen_at,
            commit,
            is_committed_after(commit, deployment.seen_at),
        )
        for deployment in deployments
    )


def check_given_commit(
    history: History, verdicts: CompileVerdicts, incident: Incident, given_commit: Commit, revision: str
) -> LocatedVersion:
    """Checks a given commit against what one revision has logged ("": any). What cannot be judged is no conflict."""
    tree = history.tree(given_commit.id)
    paths = [path for tier in match_logged_path(incident.path, tree) for path in tier]
    for sighting in reversed([entry for entry in incident.sightings if not revision or entry.revision == revision]):
        for path in paths:
            if verdicts.find_logged_fault(tree[path].blob, path, sighting):
                return LocatedVersion(
                    path, given_commit, DeployedSource.GIVEN, corroborated=True, candidates=(given_commit.id,),
                    deployments=list_deployments(incident, {get_sighting_key(sighting): given_commit}),
                )  # fmt: skip
    unread = [path for path in paths if tree[path].blob in history.missing_blobs()]
    statement = f"The log says {describe_logged_position(incident)}"
    if unread:
        return _report_unjudged(
            given_commit, unread[0], Reason.CONTENTS_MISSING,
            f"{statement}; at the given commit {given_commit.id}, {unread[0]} could not be judged: its contents "
            f"(blob {tree[unread[0]].blob}) are not in this copy of the repository.",
        )  # fmt: skip
    if not paths:
        conflict = f"{statement}, but commit {given_commit.id} contains no such file."
        return LocatedVersion("", given_commit, DeployedSource.GIVEN, corroborated=False, conflict=conflict)
    compilation = verdicts.judge(tree[paths[0]].blob, paths[0])
    at_commit, python = (
        f"{statement}; at the given commit {given_commit.id}, {paths[0]}",
        f"on Python {verdicts.python}.",
    )
    if compilation.compiles is None:
        detail = f"{at_commit} could not be judged {python}"
        return _report_unjudged(given_commit, paths[0], Reason.NOT_CORROBORATED, detail)
    conflict = f"{at_commit} {_describe_compilation(compilation)} {python}"
    return LocatedVersion(paths[0], given_commit, DeployedSource.GIVEN, corroborated=False, conflict=conflict)


def _describe_compilation(compilation: Compilation) -> str:
    if compilation.compiles:
        return "compiles"
    line = compilation.fault.line if compilation.fault is not None else None
    return f"fails first at line {line}" if line is not None else "fails, and Python names no line"


def _report_unjudged(given_commit: Commit, path: str, reason: Reason, detail: str) -> LocatedVersion:
    return LocatedVersion(path, given_commit, DeployedSource.GIVEN, corroborated=False, reason=reason, detail=detail)


def report_ambiguous(
    incident: Incident, paths: Sequence[str], candidates: tuple[str, ...], conflict: str
) -> LocatedVersion:
    """For several files that fit the log equally well."""
    detail = f"Several files match {describe_logged_position(incident)} equally well: {', '.join(paths)}."
    return LocatedVersion(
        paths[0], None, DeployedSource.UNKNOWN, corroborated=False, candidates=candidates, conflict=conflict,
        reason=Reason.AMBIGUOUS, detail=detail,
    )  # fmt: skip


def report_not_fetched(incident: Incident, path: str, unread: int, conflict: str) -> LocatedVersion:
    """For versions whose contents this clone does not have."""
    detail = (
        f"{unread} versions of {path} are missing from this clone, so the one that fails as logged "
        f"({describe_logged_position(incident)}) cannot be determined."
    )
    return LocatedVersion(
        path, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict, reason=Reason.CONTENTS_MISSING,
        detail=detail,
    )  # fmt: skip


_MAX_LEAD_TIME = timedelta(hours=2)
"""How long before its commit a tree is taken to have been deployed uncommitted; a longer gap means a later day."""


def infer_dates(incident: Incident, finding: Finding) -> tuple[Incident, Finding]:
    """The incident on the first day that fits its deployed commit; unchanged where it has dates, or no commit."""
    commit = finding.deployed.commit
    last = incident.sightings[-1].first_seen if incident.sightings else None
    if incident.dated or commit is None or last is None:
        return incident, finding
    clock_day = last.date()
    moved = move_to_day(incident, _infer_day(last, commit.committed_at) - (clock_day - date(1970, 1, 1)))
    deployments = tuple(
        _set_date(deployment, sighting.first_seen)
        for deployment, sighting in zip(finding.deployed.deployments, moved.sightings, strict=True)
    )
    uncommitted = any(deployment.uncommitted and deployment.commit == commit for deployment in deployments)
    return moved, replace(
        finding, deployed=replace(finding.deployed, deployments=deployments, uncommitted_tree=uncommitted)
    )


def _infer_day(clock_time: datetime, committed_at: datetime) -> date:
    """The first day on which a time of day is no earlier than shortly before the commit."""
    earliest = committed_at - _MAX_LEAD_TIME
    same_day = datetime.combine(earliest.date(), clock_time.timetz(), UTC)
    return same_day.date() if same_day >= earliest else (same_day + timedelta(days=1)).date()


def _set_date(deployment: LoggedDeployment, seen_at: datetime | None) -> LoggedDeployment:
    return replace(deployment, seen_at=seen_at, uncommitted=is_committed_after(deployment.commit, seen_at))
