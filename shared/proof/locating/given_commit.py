"""Holds a commit that somebody says is deployed against the log: whether its file fails as logged, and if not, why."""

from shared.detection.incident import Incident
from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.locating.located import Located, deployments, key_of, place
from shared.proof.model.compilation import Compilation
from shared.proof.model.finding import DeployedSource, Reason
from shared.proof.model.history import Commit
from shared.proof.model.paths import likely_files
from shared.proof.model.ports import History


def corroborate(history: History, verdicts: Verdicts, incident: Incident, given: Commit, revision: str) -> Located:
    """Checks a given commit against what one revision has logged ("": any). What cannot be judged is no conflict."""
    tree = history.tree(given.id)
    paths = [path for tier in likely_files(incident.path, tree) for path in tier]
    for sighting in reversed([each for each in incident.sightings if not revision or each.revision == revision]):
        for path in paths:
            if verdicts.fails_as(tree[path].blob, path, sighting):
                return Located(
                    path, given, DeployedSource.GIVEN, corroborated=True, candidates=(given.id,),
                    deployments=deployments(incident, {key_of(sighting): given}),
                )  # fmt: skip
    unread = [path for path in paths if tree[path].blob in history.missing()]
    said = f"The log says {place(incident)}"
    if unread:
        return _unjudged(
            given, unread[0], Reason.NOT_FETCHED,
            f"{said}; at the given commit {given.id}, {unread[0]} could not be judged: its contents "
            f"(blob {tree[unread[0]].blob}) are not in this copy of the repository.",
        )  # fmt: skip
    if not paths:
        conflict = f"{said}; the given commit {given.id} has no such file."
        return Located("", given, DeployedSource.GIVEN, corroborated=False, conflict=conflict)
    found = verdicts.of(tree[paths[0]].blob, paths[0])
    if found.ok is None:
        told = f"{said}; at the given commit {given.id}, {paths[0]} could not be judged on Python {verdicts.python}."
        return _unjudged(given, paths[0], Reason.NOT_CORROBORATED, told)
    conflict = f"{said}; at the given commit {given.id}, {paths[0]} {_found(found)} on Python {verdicts.python}."
    return Located(paths[0], given, DeployedSource.GIVEN, corroborated=False, conflict=conflict)


def _found(compilation: Compilation) -> str:
    if compilation.ok:
        return "compiles"
    line = compilation.fault.line if compilation.fault is not None else None
    return f"fails first at line {line}" if line is not None else "fails, and Python names no line"


def _unjudged(given: Commit, path: str, reason: Reason, detail: str) -> Located:
    return Located(path, given, DeployedSource.GIVEN, corroborated=False, reason=reason, detail=detail)
