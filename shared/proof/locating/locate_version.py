"""Finds the deployed version of a file: which commit's version fails just where the log says that it failed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.detection.incident import Incident, Sighting
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.locating.candidate_files import CandidateFiles, PathTier, SearchArea
from shared.proof.locating.located_version import (
    LocatedVersion,
    check_given_commit,
    describe_logged_position,
    get_sighting_key,
    list_deployments,
    report_ambiguous,
    report_not_fetched,
)
from shared.proof.locating.matching import FailingVersion, Presence, VersionMatch, choose_likeliest, find_matches
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Commit, FileVersion
from shared.proof.model.recommendation import Reason


def locate_version(
    files: CandidateFiles, verdicts: CompileVerdicts, given_commit: Commit | None, revision: str = ""
) -> LocatedVersion:
    """The deployed version: the given commit if the log bears it out, else the one that the logged lines give away.

    A commit that was given for one revision is held against what that one has logged: another one that fails too may
    have been built from it.
    """
    if given_commit is None:
        return _infer_version(files, verdicts, "")
    stated = check_given_commit(files.history, verdicts, files.incident, given_commit, revision)
    if stated.corroborated or stated.detail:  # what could not be judged is not contradicted either
        return stated
    inferred = _infer_version(files, verdicts, stated.conflict)
    if inferred.corroborated and _can_override_given(files, verdicts, inferred, given_commit):
        return inferred
    conflict = stated.conflict
    if inferred.corroborated and inferred.commit is not None:
        conflict += (
            f" It fails this way at {inferred.commit.id}, but {files.branch.name} did not contain that version when "
            "the failure was logged."
        )
    detail = f"{stated.conflict} {inferred.detail}" if inferred.detail else ""
    return replace(stated, conflict=conflict, reason=inferred.reason, detail=detail)


def _can_override_given(
    files: CandidateFiles, verdicts: CompileVerdicts, inferred: LocatedVersion, given_commit: Commit
) -> bool:
    """Whether a version may have been deployed although the given commit was named.

    It has to be what some state of the branch held: what only came in by a merge was never served from there. And it
    has to be part of the given commit, or of the branch when it was logged. What came later explains a line only where
    the file fails at the given commit as well: the work tree of that commit was deployed, and committed afterwards.
    """
    commit = inferred.commit
    landed = files.states.find_landing(commit.id) if commit is not None else None
    if commit is None or landed is None:
        return False
    at = dict.fromkeys((commit.id, landed, given_commit.id))
    held = files.history.blob_ids((oid, inferred.path) for oid in at)
    if held.get((commit.id, inferred.path)) != held.get((landed, inferred.path)):
        return False
    if _was_on_branch_when_logged(files, inferred, commit) or contains_commit(
        files.history, given_commit.id, commit.id
    ):
        return True
    named = held.get((given_commit.id, inferred.path))
    return (
        named is not None
        and verdicts.fails(named, inferred.path)
        and contains_commit(files.history, commit.id, given_commit.id)
    )


def _was_on_branch_when_logged(files: CandidateFiles, inferred: LocatedVersion, commit: Commit) -> bool:
    """Whether the branch contained a commit when its version was logged; without a time nothing can be asked."""
    if not files.incident.dated:
        return True
    logged = [entry.seen_at for entry in inferred.deployments if entry.commit == commit and entry.seen_at is not None]
    states = [files.states.find_state_at(moment) for moment in logged]
    return not logged or any(
        state is not None and commit.id not in files.states.commits_missing_from(state.id) for state in states
    )


@dataclass(frozen=True, slots=True)
class _BestMatch:
    """What one layer gave: the version, how well it fits the words, and its relation to the branch."""

    located: LocatedVersion
    likeness: int
    presence: Presence
    common_components: int

    @property
    def rank(self) -> tuple[bool, int, int]:
        """One that was there when it was logged comes first, then what the words say, then what the branch held."""
        return self.presence is not Presence.COMMITTED_LATER, self.likeness, self.presence

    def is_settled(self, *, dated: bool) -> bool:
        """Whether no other file can fit better; without a time nothing more can be asked."""
        return self.located.commit is None or self.presence is Presence.CURRENT or not dated


def _infer_version(files: CandidateFiles, verdicts: CompileVerdicts, conflict: str) -> LocatedVersion:
    """Searches the branch, then every other head, for versions that fail as the log says."""
    likeliest_path, best, unread = "", None, 0

    def is_wanted(area: SearchArea) -> bool:
        return best is None or area not in _find_settled_areas(files, best)

    for layer in files.walk_tiers(is_wanted):
        likeliest_path = likeliest_path or layer.paths[0]
        if not is_wanted(layer.area):
            break
        if not _can_improve_on(layer, best):
            continue
        matches = find_matches(verdicts, layer.graph, layer.paths, files.incident)
        unread += _count_unread(files, layer)
        if layer.area is SearchArea.OTHER_HEADS:
            if matches and not unread:
                return _report_other_branch(files, matches, conflict)
        elif matches:
            best = _choose_better(files, best, _choose_version(files, matches, layer, conflict))
            if best.is_settled(dated=files.incident.dated):
                break
    unknown = LocatedVersion(likeliest_path, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict)
    return _refuse_if_unread(files, best, unknown, unread)


def _refuse_if_unread(
    files: CandidateFiles, best: _BestMatch | None, unknown: LocatedVersion, unread: int
) -> LocatedVersion:
    """The best fit, or that there is none; neither, where contents that could say otherwise are not in this copy."""
    located = best.located if best is not None else unknown
    if unread and (best is None or _is_branch_version_unread(files, best)):
        return report_not_fetched(files.incident, located.path, unread, unknown.conflict)
    return located


_SETTLED_AREAS = {
    Presence.COMMITTED_LATER: frozenset((SearchArea.OTHER_HEADS,)),
    Presence.NOT_CURRENT: frozenset((SearchArea.BRANCH_HISTORY, SearchArea.OTHER_HEADS)),
    Presence.CURRENT: frozenset(SearchArea),
}
"""Where nothing is looked for any more, once a version of this presence was found."""


def _find_settled_areas(files: CandidateFiles, best: _BestMatch) -> Collection[SearchArea]:
    """Where nothing better is looked for.

    To list every former name of a file takes a walk over all of the history. A version that was committed later, of a
    file that the branch held by then, was built from a work tree: no former file explains it better.
    """
    path = best.located.path
    if (
        best.presence is Presence.COMMITTED_LATER
        and best.located.commit is not None
        and files.existed_when_logged(path)
    ):
        return _SETTLED_AREAS[Presence.NOT_CURRENT]
    return _SETTLED_AREAS[best.presence]


def _can_improve_on(tier: PathTier, best: _BestMatch | None) -> bool:
    """Whether a layer can hold something better than what fits already.

    One that was there but not current gives way to a file that was current; one from an uncommitted tree to any that
    was there. Without any, the files of that time are looked at under all their names.
    """
    if best is None:
        return tier.area is not SearchArea.AT_LOG_TIME
    return best.presence is Presence.COMMITTED_LATER or (
        tier.area is SearchArea.AT_LOG_TIME and tier.common_components >= best.common_components
    )


def _choose_better(files: CandidateFiles, current: _BestMatch | None, challenger: _BestMatch) -> _BestMatch:
    """The better one of two files; neither, where both fit equally well."""
    if current is None:
        return challenger
    if current.rank != challenger.rank or current.presence is Presence.COMMITTED_LATER:
        return max(current, challenger, key=lambda match: match.rank)
    both = (current.located, challenger.located)
    candidates = tuple(oid for entry in both for oid in entry.candidates)
    located = report_ambiguous(files.incident, [entry.path for entry in both], candidates, current.located.conflict)
    return replace(current, located=located)


def _count_unread(files: CandidateFiles, tier: PathTier) -> int:
    """How many versions of a layer's files were asked for and are not in this copy."""
    missing = files.history.missing_blobs()
    if not missing:
        return 0
    return len(missing.intersection(blob for version in tier.graph for blob in version.blobs.values()))


def _is_branch_version_unread(files: CandidateFiles, best: _BestMatch) -> bool:
    """Whether what the branch held when it was logged is not in this copy: without the words, that may have failed."""
    seen_at = _get_log_time(files.incident, files.incident.sightings[-1])
    state = files.states.find_state_at(seen_at) if seen_at is not None else None
    if best.presence is Presence.CURRENT or best.likeness or state is None:
        return False
    position = (state.id, best.located.path)
    return files.history.blob_ids([position]).get(position) in files.history.missing_blobs()


def _report_other_branch(files: CandidateFiles, matches: Sequence[VersionMatch], conflict: str) -> LocatedVersion:
    """Every user who may push a branch can make a version that fails as any line says: it is no deployed one."""
    match = matches[0]
    branch = files.branch.name
    detail = (
        f"{match.path} fails as logged ({describe_logged_position(files.incident)}) at {match.versions[0].commit.id}, "
        f"which is no part of {branch}; no commit of {branch} does."
    )
    return LocatedVersion(
        match.path, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict, reason=Reason.NOT_ON_BRANCH,
        detail=detail,
    )  # fmt: skip


def _choose_version(
    files: CandidateFiles, matches: Sequence[VersionMatch], tier: PathTier, conflict: str
) -> _BestMatch:
    """The version of the last sighting that matched anything; refuses where two files fit equally well."""
    incident, graph = files.incident, tier.graph
    position = {get_sighting_key(sighting): index for index, sighting in enumerate(incident.sightings)}
    last = max(position[get_sighting_key(match.sighting)] for match in matches)
    fitting = [match for match in matches if position[get_sighting_key(match.sighting)] == last]
    likeness = max(match.likeness for match in fitting)
    fitting = [match for match in fitting if match.likeness == likeness]
    if len(fitting) > 1 and _have_coexisted([match.path for match in fitting], graph):
        fitting = _filter_most_present(files, fitting)
    paths = [match.path for match in fitting]
    versions = _order_newest_first([version for match in fitting for version in match.versions], graph)
    version, presence = choose_likeliest(files.states, versions, _get_log_time(incident, fitting[0].sighting))
    candidates = tuple(entry.commit.id for entry in versions)
    if len(paths) > 1 and _have_coexisted(paths, graph):
        return _BestMatch(
            report_ambiguous(incident, paths, candidates, conflict), likeness, presence, tier.common_components
        )
    chosen = {
        get_sighting_key(match.sighting): choose_likeliest(
            files.states, match.versions, _get_log_time(incident, match.sighting)
        )[0].commit
        for match in matches
        if match.path == version.path
    }
    located = LocatedVersion(
        version.path, chosen[get_sighting_key(fitting[0].sighting)], DeployedSource.INFERRED, corroborated=True,
        candidates=candidates, conflict=conflict, deployments=list_deployments(incident, chosen), file_versions=graph,
    )  # fmt: skip
    return _BestMatch(located, likeness, presence, tier.common_components)


def _filter_most_present(files: CandidateFiles, fitting: Sequence[VersionMatch]) -> list[VersionMatch]:
    """Of several files those that were there when it was logged, and among them those that the branch held."""
    seen = {
        match.path: choose_likeliest(files.states, match.versions, _get_log_time(files.incident, match.sighting))[1]
        for match in fitting
    }
    most = max(seen.values())
    return [match for match in fitting if seen[match.path] == most]


def _order_newest_first(versions: Sequence[FailingVersion], graph: Sequence[FileVersion]) -> list[FailingVersion]:
    """Newest first, one for each commit."""
    by_commit = {version.commit.id: version for version in versions}
    return [by_commit[version.commit.id] for version in graph if version.commit.id in by_commit]


def _get_log_time(incident: Incident, sighting: Sighting) -> datetime | None:
    return sighting.first_seen if incident.dated else None


def _have_coexisted(paths: Sequence[str], graph: Sequence[FileVersion]) -> bool:
    """Whether two of these paths ever existed together; if not, they are the names of one file that was moved."""
    return any(sum(path in version.blobs for path in paths) > 1 for version in graph)
