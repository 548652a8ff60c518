"""Holds a commit that somebody says is deployed against the log: whether its file fails as logged, and if not, why."""

from shared.detection.incident import Incident
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.locating.located import LocatedVersion, list_deployments, get_sighting_key, describe_logged_position
from shared.proof.model.compilation import Compilation
from shared.proof.model.finding import DeployedSource, Reason
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History


def check_given_commit(history: History, verdicts: CompileVerdicts, incident: Incident, given_commit: Commit, revision: str) -> LocatedVersion:
    """Checks a given commit against what one revision has logged ("": any). What cannot be judged is no conflict."""
    tree = history.tree(given_commit.id)
    paths = [path for tier in match_logged_path(incident.path, tree) for path in tier]
    for sighting in reversed([each for each in incident.sightings if not revision or each.revision == revision]):
        for path in paths:
            if verdicts.find_logged_fault(tree[path].blob, path, sighting):
                return LocatedVersion(
                    path, given_commit, DeployedSource.GIVEN, corroborated=True, candidates=(given_commit.id,),
                    deployments=list_deployments(incident, {get_sighting_key(sighting): given_commit}),
                )  # fmt: skip
    unread = [path for path in paths if tree[path].blob in history.missing_blobs()]
    said = f"The log says {describe_logged_position(incident)}"
    if unread:
        return _report_unjudged(
            given_commit, unread[0], Reason.CONTENTS_MISSING,
            f"{said}; at the given commit {given_commit.id}, {unread[0]} could not be judged: its contents "
            f"(blob {tree[unread[0]].blob}) are not in this copy of the repository.",
        )  # fmt: skip
    if not paths:
        conflict = f"{said}; the given commit {given_commit.id} has no such file."
        return LocatedVersion("", given_commit, DeployedSource.GIVEN, corroborated=False, conflict=conflict)
    found = verdicts.judge(tree[paths[0]].blob, paths[0])
    if found.compiles is None:
        told = f"{said}; at the given commit {given_commit.id}, {paths[0]} could not be judged on Python {verdicts.python}."
        return _report_unjudged(given_commit, paths[0], Reason.NOT_CORROBORATED, told)
    conflict = f"{said}; at the given commit {given_commit.id}, {paths[0]} {_describe_compilation(found)} on Python {verdicts.python}."
    return LocatedVersion(paths[0], given_commit, DeployedSource.GIVEN, corroborated=False, conflict=conflict)


def _describe_compilation(compilation: Compilation) -> str:
    if compilation.compiles:
        return "compiles"
    line = compilation.fault.line if compilation.fault is not None else None
    return f"fails first at line {line}" if line is not None else "fails, and Python names no line"


def _report_unjudged(given_commit: Commit, path: str, reason: Reason, detail: str) -> LocatedVersion:
    return LocatedVersion(path, given_commit, DeployedSource.GIVEN, corroborated=False, reason=reason, detail=detail)
