"""What a query does not give whole or exactly comes through the blob API; trees that are cut off come in parts."""

from pathlib import Path

import pytest

from shared.adapters.git.repository import GitRepository
from shared.adapters.github import commit_graph
from shared.adapters.github.history import open_history
from tests.support.github.clients import open_client
from tests.support.github.git_backend import GitBackend
from tests.support.github.server import REPOSITORY, FakeGitHub, serve_fake
from tests.support.history_builder import HistoryBuilder, broken_source, valid_source

CONTENTS = {
    "plain.py": b"plain = 1\n",
    "empty.py": b"",
    "latin.py": "# -*- coding: latin-1 -*-\nname = 'Jos\xe9'\n".encode("latin-1"),
    "bom.py": b"\xef\xbb\xbfmark = 1\r\n",
    "replaced.py": "was = '\ufffd'\n".encode(),
    "binary.dat": bytes(range(256)),
    "huge.py": b"x = 1  # " + b"long " * 200_000 + b"\n",
    "deep/er/still/here.py": b"deep = 1\n",
}


def test_every_kind_of_content_arrives_byte_for_byte(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("all", dict(CONTENTS))
    story.write_repository()
    fake = FakeGitHub(GitBackend(story.path))
    with serve_fake(fake), open_history(open_client(fake.address), REPOSITORY) as history:
        tree = history.tree(story.ids["all"])
        assert {path: history.read(entry.blob) for path, entry in tree.items()} == CONTENTS
        asked = [each.path for each in fake.requests]
        assert all(history.read(entry.blob) == CONTENTS[path] for path, entry in tree.items())
    whole = {path.rpartition("/")[2] for path in asked if "/git/blobs/" in path}
    assert whole == {tree[name].blob for name in ("latin.py", "binary.dat", "huge.py")}
    assert [each.path for each in fake.requests] == asked  # nothing is asked for twice


def test_a_tree_that_is_cut_off_is_put_together_from_its_folders(tmp_path: Path) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("all", {f"folder{number}/sub/{name}.py": name for number in range(6) for name in "abc"})
    story.write_repository()
    fake = FakeGitHub(GitBackend(story.path, most_entries=8))
    with (
        serve_fake(fake),
        open_history(open_client(fake.address), REPOSITORY) as history,
        GitRepository(str(story.path)) as git,
    ):
        assert history.tree(story.ids["all"]) == git.tree(story.ids["all"])


def test_a_long_history_is_asked_for_the_commits_that_changed_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_graph, "MAX_WALK_COMMITS", 10)
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", {"app.py": valid_source(), "other.py": "0\n"})
    for number in range(1, 140):  # each topic is merged as pull requests are
        story.commit(
            f"topic{number}", {"app.py": broken_source(5, number)}, "start" if number == 1 else f"merge{number - 1}"
        )
        before = "start" if number == 1 else f"merge{number - 1}"
        story.commit(f"merge{number}", {"app.py": broken_source(5, number)}, before, f"topic{number}")
    story.write_repository("merge139")
    head = story.ids["merge139"]
    fake = FakeGitHub(GitBackend(story.path))
    with serve_fake(fake), open_history(open_client(fake.address), REPOSITORY) as history:
        assert history.branch(None).head == head
        graph = history.file_versions(["app.py"], [head])
        assert [story.name_of(each.commit.id) for each in graph] == [*(f"topic{n}" for n in range(139, 0, -1)), "start"]
        parents = [[story.name_of(parent) for parent in each.commit.parents] for each in graph]
        assert parents == [*([f"topic{n - 1}"] for n in range(139, 1, -1)), ["start"], []]
        assert len(fake.requests) == 3  # the branch, and two pages
        since = history.file_versions(["app.py"], [head], [story.ids["merge137"]])
        assert [story.name_of(each.commit.id) for each in since] == ["topic139", "topic138"]
