"""Finds the deployed version of a file: which commit's version fails just where the log says that it failed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.compilation import Fault
from shared.domain.finding import DeployedSource, Deployment
from shared.domain.history import Commit, FileVersion
from shared.domain.incident import Incident, Sighting
from shared.domain.paths import likely_files
from shared.ports import History
from shared.steps.ground import Ground
from shared.steps.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class Located:
    """The deployed version, or what was looked at in vain (`commit` is then None, or a given one that does not fit)."""

    path: str
    """In the tree of the deployed commit; "" where no file was found."""
    commit: Commit | None
    source: DeployedSource
    corroborated: bool
    candidates: tuple[str, ...] = ()
    conflict: str = ""
    deployments: tuple[Deployment, ...] = ()
    graph: Sequence[FileVersion] = ()
    """The path-limited graph that was searched, children before parents; empty for a given commit."""


@dataclass(frozen=True, slots=True)
class _Match:
    """Versions of one path that fail as one sighting says, newest first."""

    sighting: Sighting
    path: str
    versions: Sequence[tuple[Commit, Fault]]
    likeness: int
    """2: the quoted source line and the message are the logged ones; 1: one of them; 0: the line number alone."""
    words_fit: bool
    """Whether these versions fail with the logged message."""


def locate(ground: Ground, verdicts: Verdicts, given: Commit | None, revision: str = "") -> Located:
    """The deployed version: the given commit if the log bears it out, else the one that the logged lines give away.

    A commit that was given for one revision is held against what that one has logged: another one that fails too may
    have been built from it.
    """
    conflict = ""
    if given is not None:
        stated = _corroborate(ground.history, verdicts, ground.incident, given, revision)
        if stated.corroborated:
            return stated
        conflict = stated.conflict
    inferred = _infer(ground, verdicts, conflict)
    if inferred.corroborated or given is None:
        return inferred
    return Located(stated.path, given, DeployedSource.GIVEN, corroborated=False, conflict=conflict or inferred.conflict)


def _corroborate(history: History, verdicts: Verdicts, incident: Incident, given: Commit, revision: str) -> Located:
    """Checks a given commit against the log."""
    tree = history.tree(given.id)
    tiers = likely_files(incident.path, tree)
    for sighting in reversed([each for each in incident.sightings if not revision or each.revision == revision]):
        for path in (path for tier in tiers for path in tier):
            if verdicts.fails_as(tree[path].blob, path, sighting):
                deployments = _deployments(incident, {_key(sighting): given})
                return Located(
                    path,
                    given,
                    DeployedSource.GIVEN,
                    corroborated=True,
                    candidates=(given.id,),
                    deployments=deployments,
                )
    path = tiers[0][0] if tiers else ""
    said = f"The log says {place(incident)}"
    if not path:
        conflict = f"{said}; the given commit {given.id} has no such file."
        return Located("", given, DeployedSource.GIVEN, corroborated=False, conflict=conflict)
    fault = verdicts.of(tree[path].blob, path).fault
    found = "compiles" if fault is None else f"fails first at line {fault.line}"
    conflict = f"{said}; at the given commit {given.id}, {path} {found} on Python {verdicts.python}."
    return Located(path, given, DeployedSource.GIVEN, corroborated=False, conflict=conflict)


def place(incident: Incident) -> str:
    """The logged place of the last sighting, as in `app/x.py, line 12`."""
    last = incident.sightings[-1]
    return f"{incident.path}, line {last.line}" if last.line is not None else incident.path


def _infer(ground: Ground, verdicts: Verdicts, conflict: str) -> Located:
    """Searches the branch, then every other head, for versions that fail as the log says."""
    incident = ground.incident
    likeliest, younger = "", None
    for paths, graph in ground.layers():
        likeliest = likeliest or paths[0]
        matches = _matches(verdicts, graph, paths, incident)
        if matches:
            found = _choose(incident, matches, graph, conflict)
            if not found.deployments or not found.deployments[-1].uncommitted:
                return found
            younger = younger or found  # unless another file of that name was already there when it was logged
    if younger is not None:
        return younger
    return Located(likeliest, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict)


def _matches(
    verdicts: Verdicts, graph: Sequence[FileVersion], paths: Sequence[str], incident: Incident
) -> list[_Match]:
    """All sightings against all versions of these paths, until the last sighting has its version.

    Compiled are first those that can fail with the logged words on the logged line, then those that are likely to fail
    at all, then the rest: a log may have cut the words, and an older patch level of Python may have had others.
    """
    made = {path: list(made_versions(graph, path)) for path in paths}
    every = {version.blobs[path]: path for path, versions in made.items() for version in versions}
    found: list[_Match] = []
    for choose in (verdicts.possible, verdicts.suspects, _all):
        blobs = choose(every, incident.sightings)
        verdicts.expect((every[blob], blob) for blob in blobs)
        found = [
            match
            for path, versions in made.items()
            for sighting in incident.sightings
            if (match := _match(verdicts, [each for each in versions if each.blobs[path] in blobs], path, sighting))
        ]
        words_fit = choose != verdicts.possible or all(match.words_fit for match in found)
        if words_fit and any(match.sighting == incident.sightings[-1] for match in found):
            break
    return found


def _all(blobs: Mapping[str, str], _sightings: Sequence[Sighting]) -> frozenset[str]:
    return frozenset(blobs)


def _match(verdicts: Verdicts, made: Sequence[FileVersion], path: str, sighting: Sighting) -> _Match | None:
    """The versions that fail on the logged line; where some of them say and quote what was logged, those alone."""
    failing = [
        (version.commit, fault)
        for version in made
        if (fault := verdicts.fails_as(version.blobs[path], path, sighting)) is not None
    ]
    if not failing:
        return None
    same_message = [pair for pair in failing if pair[1].message == sighting.message]
    kept = same_message or failing
    same_text = [pair for pair in kept if _quoted(pair[1], sighting)]
    return _Match(sighting, path, same_text or kept, bool(same_text) + bool(same_message), bool(same_message))


def _quoted(fault: Fault, sighting: Sighting) -> bool:
    """Whether the log quotes the failing source; of a string over several lines a traceback shows one."""
    return bool(sighting.source_text) and sighting.source_text in {
        fault.text.strip(), *(line.strip() for line in fault.text.splitlines())
    }  # fmt: skip


def made_versions(graph: Sequence[FileVersion], path: str) -> Iterator[FileVersion]:
    """The commits of a graph after which `path` had contents that it had at none of their parents."""
    before = {version.commit.id: version.blobs.get(path) for version in graph}
    for version in graph:
        blob = version.blobs.get(path)
        if blob is not None and all(before.get(parent) != blob for parent in version.commit.parents):
            yield version


def _choose(incident: Incident, matches: Sequence[_Match], graph: Sequence[FileVersion], conflict: str) -> Located:
    """The version of the last sighting that matched anything; refuses where two files fit equally well."""
    position = {_key(sighting): place for place, sighting in enumerate(incident.sightings)}
    last = max(position[_key(match.sighting)] for match in matches)
    fitting = [match for match in matches if position[_key(match.sighting)] == last]
    best = max(match.likeness for match in fitting)
    fitting = [match for match in fitting if match.likeness == best]
    if len(fitting) > 1 and _side_by_side([match.path for match in fitting], graph):
        names = ", ".join(match.path for match in fitting)
        told = f"Several files fit {place(incident)} equally well: {names}."
        return Located(fitting[0].path, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict or told)
    path, versions = _of_one_file(incident, fitting, graph)
    chosen = {
        _key(match.sighting): _likeliest(match, match.sighting.first_seen if incident.dated else None)
        for match in matches
        if match.path == path
    }
    commit = chosen[_key(fitting[0].sighting)]
    deployments = _deployments(incident, chosen)
    return Located(
        path, commit, DeployedSource.INFERRED, corroborated=True, candidates=versions, conflict=conflict,
        deployments=deployments, graph=graph,
    )  # fmt: skip


def _side_by_side(paths: Sequence[str], graph: Sequence[FileVersion]) -> bool:
    """Whether two of these paths ever existed together; if not, they are the names of one file that was moved."""
    return any(sum(path in version.blobs for path in paths) > 1 for version in graph)


def _of_one_file(
    incident: Incident, fitting: Sequence[_Match], graph: Sequence[FileVersion]
) -> tuple[str, tuple[str, ...]]:
    """Under which of its names the file was deployed, and every commit whose version fits, newest first."""
    by_commit = {commit.id: (match.path, commit, fault) for match in fitting for commit, fault in match.versions}
    order = [version.commit.id for version in graph if version.commit.id in by_commit]
    seen_at = fitting[0].sighting.first_seen if incident.dated else None
    every = replace(fitting[0], versions=[by_commit[oid][1:] for oid in order])
    return by_commit[_likeliest(every, seen_at).id][0], tuple(order)


def _likeliest(match: _Match, seen_at: datetime | None) -> Commit:
    """Of several matching versions the newest that was there when it was logged."""
    commits = [commit for commit, _ in match.versions]
    if seen_at is None:
        return commits[0]
    before = [commit for commit in commits if commit.committed_at <= seen_at]
    if before:
        return max(before, key=lambda commit: commit.committed_at)
    return min(commits, key=lambda commit: commit.committed_at)


def _key(sighting: Sighting) -> tuple[str, int | None, str, str]:
    return sighting.revision, sighting.line, sighting.message, sighting.source_text


def _deployments(
    incident: Incident, chosen: Mapping[tuple[str, int | None, str, str], Commit]
) -> tuple[Deployment, ...]:
    seen = {sighting: sighting.first_seen if incident.dated else None for sighting in incident.sightings}
    return tuple(
        Deployment(
            revision=sighting.revision,
            line=sighting.line,
            seen_at=seen[sighting],
            commit=(commit := chosen.get(_key(sighting))),
            uncommitted=is_younger(commit, seen[sighting]),
        )
        for sighting in incident.sightings
    )


def is_younger(commit: Commit | None, seen_at: datetime | None) -> bool:
    """Whether a version was logged before it was committed: then the image was built from an uncommitted tree."""
    return commit is not None and seen_at is not None and commit.committed_at > seen_at


def with_commits(deployments: Iterable[Deployment], by_line: Mapping[int | None, Commit]) -> tuple[Deployment, ...]:
    """Fills in deployments whose version was found later, by the line on which it fails."""
    return tuple(
        each
        if each.commit is not None or (commit := by_line.get(each.line)) is None
        else Deployment(each.revision, each.line, each.seen_at, commit, is_younger(commit, each.seen_at))
        for each in deployments
    )
