"""Which files of a commit a traceback names: they were loaded, whatever is known of how."""

from shared.detection.incident import Incident
from shared.detection.traceback import find_frame_paths
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History


def find_traced_files(history: History, incident: Incident, commit: str) -> tuple[str, ...]:
    """The files of a commit that frames of the logged traceback mean; one that several files fit is left out."""
    logged = dict.fromkeys(path for each in incident.sightings for path in find_frame_paths(each.first.text))
    if not logged:
        return ()
    tree = history.tree(commit)
    fitting = (next(iter(match_logged_path(path, tree)), ()) for path in logged)
    return tuple(dict.fromkeys(paths[0] for paths in fitting if len(paths) == 1))
