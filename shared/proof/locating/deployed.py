"""Finds the deployed version of a file: which commit's version fails just where the log says that it failed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.detection.incident import Incident, Sighting
from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.locating.ancestry import contains
from shared.proof.locating.candidate_files import Area, Ground, Layer
from shared.proof.locating.given_commit import corroborate
from shared.proof.locating.located import Located, deployments, key_of, place
from shared.proof.locating.matching import Match, find_matches
from shared.proof.locating.presence import FailingVersion, Presence, likeliest
from shared.proof.model.finding import DeployedSource, Reason
from shared.proof.model.history import Commit, FileVersion


def locate(ground: Ground, verdicts: Verdicts, given: Commit | None, revision: str = "") -> Located:
    """The deployed version: the given commit if the log bears it out, else the one that the logged lines give away.

    A commit that was given for one revision is held against what that one has logged: another one that fails too may
    have been built from it.
    """
    if given is None:
        return _infer(ground, verdicts, "")
    stated = corroborate(ground.history, verdicts, ground.incident, given, revision)
    if stated.corroborated or stated.detail:  # what could not be judged is not contradicted either
        return stated
    inferred = _infer(ground, verdicts, stated.conflict)
    if inferred.corroborated and _may_override(ground, verdicts, inferred, given):
        return inferred
    conflict = stated.conflict
    if inferred.corroborated and inferred.commit is not None:
        conflict += (
            f" It fails so at {inferred.commit.id}, a version that no state of {ground.branch.name} held when it was "
            "logged."
        )
    detail = f"{stated.conflict} {inferred.detail}" if inferred.detail else ""
    return replace(stated, conflict=conflict, reason=inferred.reason, detail=detail)


def _may_override(ground: Ground, verdicts: Verdicts, inferred: Located, given: Commit) -> bool:
    """Whether a version may have been deployed although the given commit was named.

    It has to be what some state of the branch held: what only came in by a merge was never served from there. And it
    has to be part of the given commit, or of the branch when it was logged. What came later explains a line only where
    the file fails at the given commit as well: the work tree of that commit was deployed, and committed afterwards.
    """
    commit = inferred.commit
    landed = ground.states.landing(commit.id) if commit is not None else None
    if commit is None or landed is None:
        return False
    at = dict.fromkeys((commit.id, landed, given.id))
    held = ground.history.blobs((each, inferred.path) for each in at)
    if held.get((commit.id, inferred.path)) != held.get((landed, inferred.path)):
        return False
    if _was_there(ground, inferred, commit) or contains(ground.history, given.id, commit.id):
        return True
    named = held.get((given.id, inferred.path))
    return named is not None and verdicts.fails(named, inferred.path) and contains(ground.history, commit.id, given.id)


def _was_there(ground: Ground, inferred: Located, commit: Commit) -> bool:
    """Whether the branch contained a commit when its version was logged; without a time nothing can be asked."""
    if not ground.incident.dated:
        return True
    logged = [each.seen_at for each in inferred.deployments if each.commit == commit and each.seen_at is not None]
    states = [ground.states.at(moment) for moment in logged]
    return not logged or any(state is not None and commit.id not in ground.states.lacked(state.id) for state in states)


@dataclass(frozen=True, slots=True)
class _Fit:
    """What one layer gave: the version, how well it fits the words, and how it stood to the branch."""

    located: Located
    likeness: int
    presence: Presence
    common: int

    @property
    def rank(self) -> tuple[bool, int, int]:
        """One that was there when it was logged comes first, then what the words say, then what the branch held."""
        return self.presence is not Presence.LATER, self.likeness, self.presence

    def is_settled(self, *, dated: bool) -> bool:
        """Whether no other file can fit better; without a time nothing more can be asked."""
        return self.located.commit is None or self.presence is Presence.CURRENT or not dated


def _infer(ground: Ground, verdicts: Verdicts, conflict: str) -> Located:
    """Searches the branch, then every other head, for versions that fail as the log says."""
    likeliest_path, best, unread = "", None, 0

    def is_wanted(area: Area) -> bool:
        return best is None or area not in _beyond(ground, best)

    for layer in ground.layers(is_wanted):
        likeliest_path = likeliest_path or layer.paths[0]
        if not is_wanted(layer.area):
            break
        if not _may_outdo(layer, best):
            continue
        matches = find_matches(verdicts, layer.graph, layer.paths, ground.incident)
        unread += _unread(ground, layer)
        if layer.area is Area.ELSEWHERE:
            if matches and not unread:
                return _elsewhere(ground, matches, conflict)
        elif matches:
            best = _best(ground, best, _choose(ground, matches, layer, conflict))
            if best.is_settled(dated=ground.incident.dated):
                break
    unknown = Located(likeliest_path, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict)
    return _unless_unread(ground, best, unknown, unread)


def _unless_unread(ground: Ground, best: _Fit | None, unknown: Located, unread: int) -> Located:
    """The best fit, or that there is none; neither, where contents that could say otherwise are not in this copy."""
    located = best.located if best is not None else unknown
    if unread and (best is None or _held_is_unread(ground, best)):
        return _not_fetched(ground, located.path, unread, unknown.conflict)
    return located


_BEYOND = {
    Presence.LATER: frozenset((Area.ELSEWHERE,)),
    Presence.EARLIER: frozenset((Area.FORMER, Area.ELSEWHERE)),
    Presence.CURRENT: frozenset(Area),
}
"""Where nothing is looked for any more, once a version of this presence was found."""


def _beyond(ground: Ground, best: _Fit) -> Collection[Area]:
    """Where nothing better is looked for.

    To list every former name of a file takes a walk over all of the history. A version that was committed later, of a
    file that the branch held by then, was built from a work tree: no former file explains it better.
    """
    path = best.located.path
    if best.presence is Presence.LATER and best.located.commit is not None and ground.was_there_when_logged(path):
        return _BEYOND[Presence.EARLIER]
    return _BEYOND[best.presence]


def _may_outdo(layer: Layer, best: _Fit | None) -> bool:
    """Whether a layer can hold something better than what fits already.

    One that was there but not current gives way to a file that was current; one from an uncommitted tree to any that
    was there. Without any, the files of that time are looked at under all their names.
    """
    if best is None:
        return layer.area is not Area.LOGGED
    return best.presence is Presence.LATER or (layer.area is Area.LOGGED and layer.common >= best.common)


def _best(ground: Ground, known: _Fit | None, found: _Fit) -> _Fit:
    """The better one of two files; neither, where both fit equally well."""
    if known is None:
        return found
    if known.rank != found.rank or known.presence is Presence.LATER:
        return max(known, found, key=lambda each: each.rank)
    both = (known.located, found.located)
    candidates = tuple(oid for each in both for oid in each.candidates)
    located = _ambiguous(ground.incident, [each.path for each in both], candidates, known.located.conflict)
    return replace(known, located=located)


def _unread(ground: Ground, layer: Layer) -> int:
    """How many versions of a layer's files were asked for and are not in this copy."""
    missing = ground.history.missing()
    if not missing:
        return 0
    return len(missing.intersection(blob for version in layer.graph for blob in version.blobs.values()))


def _held_is_unread(ground: Ground, best: _Fit) -> bool:
    """Whether what the branch held when it was logged is not in this copy: without the words, that may have failed."""
    seen_at = _seen_at(ground.incident, ground.incident.sightings[-1])
    state = ground.states.at(seen_at) if seen_at is not None else None
    if best.presence is Presence.CURRENT or best.likeness or state is None:
        return False
    place = (state.id, best.located.path)
    return ground.history.blobs([place]).get(place) in ground.history.missing()


def _not_fetched(ground: Ground, path: str, unread: int, conflict: str) -> Located:
    detail = (
        f"{unread} versions of {path} are not in this copy of the repository, so that it cannot be judged "
        f"which one fails as logged ({place(ground.incident)})."
    )
    return Located(
        path, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict, reason=Reason.NOT_FETCHED,
        detail=detail,
    )  # fmt: skip


def _elsewhere(ground: Ground, matches: Sequence[Match], conflict: str) -> Located:
    """Whoever may push a branch can make a version that fails as any line says: it is no deployed one."""
    match = matches[0]
    branch = ground.branch.name
    detail = (
        f"{match.path} fails as logged ({place(ground.incident)}) at {match.versions[0].commit.id}, "
        f"which is no part of {branch}; no commit of {branch} does."
    )
    return Located(
        match.path, None, DeployedSource.UNKNOWN, corroborated=False, conflict=conflict, reason=Reason.NOT_ON_BRANCH,
        detail=detail,
    )  # fmt: skip


def _choose(ground: Ground, matches: Sequence[Match], layer: Layer, conflict: str) -> _Fit:
    """The version of the last sighting that matched anything; refuses where two files fit equally well."""
    incident, graph = ground.incident, layer.graph
    position = {key_of(sighting): place for place, sighting in enumerate(incident.sightings)}
    last = max(position[key_of(match.sighting)] for match in matches)
    fitting = [match for match in matches if position[key_of(match.sighting)] == last]
    likeness = max(match.likeness for match in fitting)
    fitting = [match for match in fitting if match.likeness == likeness]
    if len(fitting) > 1 and _side_by_side([match.path for match in fitting], graph):
        fitting = _there_most(ground, fitting)
    paths = [match.path for match in fitting]
    versions = _in_order([each for match in fitting for each in match.versions], graph)
    version, presence = likeliest(ground.states, versions, _seen_at(incident, fitting[0].sighting))
    candidates = tuple(each.commit.id for each in versions)
    if len(paths) > 1 and _side_by_side(paths, graph):
        return _Fit(_ambiguous(incident, paths, candidates, conflict), likeness, presence, layer.common)
    chosen = {
        key_of(match.sighting): likeliest(ground.states, match.versions, _seen_at(incident, match.sighting))[0].commit
        for match in matches
        if match.path == version.path
    }
    located = Located(
        version.path, chosen[key_of(fitting[0].sighting)], DeployedSource.INFERRED, corroborated=True,
        candidates=candidates, conflict=conflict, deployments=deployments(incident, chosen), graph=graph,
    )  # fmt: skip
    return _Fit(located, likeness, presence, layer.common)


def _there_most(ground: Ground, fitting: Sequence[Match]) -> list[Match]:
    """Of several files those that were there when it was logged, and among them those that the branch held."""
    seen = {
        match.path: likeliest(ground.states, match.versions, _seen_at(ground.incident, match.sighting))[1]
        for match in fitting
    }
    most = max(seen.values())
    return [match for match in fitting if seen[match.path] == most]


def _ambiguous(incident: Incident, paths: Sequence[str], candidates: tuple[str, ...], conflict: str) -> Located:
    told = f"Several files fit {place(incident)} equally well: {', '.join(paths)}."
    return Located(
        paths[0], None, DeployedSource.UNKNOWN, corroborated=False, candidates=candidates, conflict=conflict,
        reason=Reason.AMBIGUOUS, detail=told,
    )  # fmt: skip


def _in_order(versions: Sequence[FailingVersion], graph: Sequence[FileVersion]) -> list[FailingVersion]:
    """Newest first, one for each commit."""
    by_commit = {each.commit.id: each for each in versions}
    return [by_commit[each.commit.id] for each in graph if each.commit.id in by_commit]


def _seen_at(incident: Incident, sighting: Sighting) -> datetime | None:
    return sighting.first_seen if incident.dated else None


def _side_by_side(paths: Sequence[str], graph: Sequence[FileVersion]) -> bool:
    """Whether two of these paths ever existed together; if not, they are the names of one file that was moved."""
    return any(sum(path in version.blobs for path in paths) > 1 for version in graph)
