"""A file is followed through its renames: a history in, its names out, and each disappearance asked about once."""

from collections.abc import Mapping
from pathlib import Path

from shared.adapters.git.repository import GitRepository
from shared.proof.model.history import TreeEntry
from shared.proof.searching.file_history import HistoryStart, follow_file
from tests.support.history_builder import HistoryBuilder, broken_source, valid_source


class _Trees:
    """Counts how often the whole tree of a commit is listed."""

    def __init__(self, history: GitRepository) -> None:
        self._history = history
        self.listed: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._history, name)

    def tree(self, commit: str) -> Mapping[str, TreeEntry]:
        self.listed.append(commit)
        return self._history.tree(commit)


def test_each_disappearance_is_asked_about_once(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("break", {"app.py": broken_source(5), "keep.py": valid_source()})
    story.commit("rename", {"app.py": None, "relay.py": broken_source(5)})
    story.commit("rename again", {"relay.py": None, "buoy.py": broken_source(5)})
    story.commit("mend", {"buoy.py": valid_source(1)})
    story.commit("rename what is mended", {"buoy.py": None, "gull.py": valid_source(1)})
    story.write_repository()
    with GitRepository(str(story.path)) as repository:
        history = _Trees(repository)
        branch = repository.branch(None)
        bad = {repository.blob_ids([(story.ids["break"], "app.py")])[story.ids["break"], "app.py"]}
        lineage = follow_file(history, lambda blob, _: blob in bad, HistoryStart(story.ids["break"], "app.py"), branch)  # type: ignore[arg-type]
    assert lineage.names == ("app.py", "relay.py", "buoy.py")
    pairs = [("rename", "break"), ("rename again", "rename")]
    assert [story.name_of(commit) for commit in history.listed] == [name for pair in pairs for name in pair]
    assert [commit.subject for commit in lineage.changing_commits] == [
        "rename what is mended", "mend", "rename again", "rename",
    ]  # fmt: skip
    assert not lineage.is_lost
