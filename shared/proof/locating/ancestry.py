"""Whether a commit contains another one: two ids and a history in, the graph's answer out."""

from shared.proof.model.ports import History


def contains_commit(history: History, commit: str, ancestor: str) -> bool:
    """Whether `ancestor` is `commit` or one of its ancestors: by the graph, never by time."""
    return commit == ancestor or not history.commits(ancestor, commit)
