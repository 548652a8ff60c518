"""What every `shared.proof.model.ports.History` does: a planned history goes in, the port answers for it.

`OPENERS` holds the implementations; each is given a bare repository of this machine, and serves it in its own way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.adapters.git.repository import GitRepository
from shared.errors import InputError, UsageError
from shared.proof.model.history import Branch, FileVersion
from shared.proof.model.ports import History
from tests.support.cli_runs import create_blob, create_commit, create_tree, run_plumbing
from tests.support.github.clients import open_api_history
from tests.support.history_builder import HistoryBuilder

Opener = Callable[[Path], AbstractContextManager[History]]
Open = Callable[[Path], History]

A, B = "app/a.py", "lib/b.py"


def loose(path: Path) -> AbstractContextManager[History]:
    """Git on the repository as it was written."""
    return GitRepository(str(path))


def gathered(path: Path) -> AbstractContextManager[History]:
    """Git on one pack, packed refs, and an index of all commits with the paths that they changed."""
    run_plumbing(path, "gc", "--quiet")
    run_plumbing(path, "commit-graph", "write", "--reachable", "--changed-paths")
    return GitRepository(str(path))


OPENERS: Mapping[str, Opener] = {"loose": loose, "gathered": gathered, "github": open_api_history}


@pytest.fixture(params=OPENERS)
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(OPENERS[request.param](path))


@pytest.fixture(params=["loose", "gathered"])
def copied(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Copies of a repository: only these have remotes, a detached HEAD, and names that no JSON can carry."""
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(OPENERS[request.param](path))


@pytest.fixture
def story(tmp_path: Path) -> HistoryBuilder:
    """
    one - two - three - five (merge of three and side) - six   main
       \\- side ------------/
    """
    told = HistoryBuilder(tmp_path / "told.git")
    told.commit("one", {A: "1\n", B: "1\n", "docs/a.py": "d\n"})
    told.commit("two", {A: "2\n"})
    told.commit("three", {B: "2\n"})
    told.commit("side", {A: "side\n"}, "one")
    told.commit("five", {A: "5\n"}, "three", "side")
    told.commit("six", {"README.md": "Six.\n"})
    return told


def names(story: HistoryBuilder, versions: Sequence[FileVersion]) -> list[str | None]:
    return [story.name_of(version.commit.id) for version in versions]


# -- names of commits -------------------------------------------------------------------------------------------------


def test_without_a_name_the_branch_is_the_remotes_default(story: HistoryBuilder, copied: Open) -> None:
    story.write_repository(**{"refs/remotes/origin/trunk": "five", "refs/remotes/other/main": "two"})
    for remote, branch in (("origin", "trunk"), ("other", "main")):
        run_plumbing(story.path, "symbolic-ref", f"refs/remotes/{remote}/HEAD", f"refs/remotes/{remote}/{branch}")
    assert copied(story.path).branch(None) == Branch("origin/trunk", story.ids["five"])


def test_a_default_that_points_nowhere_is_no_default(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    run_plumbing(story.path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    assert opened(story.path).branch(None) == Branch("main", story.ids["six"])


def test_without_a_remote_the_branch_is_head(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository(feature="two")
    run_plumbing(story.path, "symbolic-ref", "HEAD", "refs/heads/feature")
    assert opened(story.path).branch(None) == Branch("feature", story.ids["two"])


def test_a_detached_head_is_named_head(story: HistoryBuilder, copied: Open) -> None:
    story.write_repository()
    run_plumbing(story.path, "update-ref", "--no-deref", "HEAD", story.ids["two"])
    assert copied(story.path).branch(None) == Branch("HEAD", story.ids["two"])


def test_a_repository_without_commits_has_no_branch(story: HistoryBuilder, opened: Open) -> None:
    run_plumbing(story.path.parent, "init", "--quiet", "--bare", str(story.path))
    with pytest.raises(InputError, match=r"\bHEAD\b"):
        opened(story.path).branch(None)


@pytest.mark.parametrize(
    ("name", "commit_name"),
    [
        ("feature/x", "two"),
        ("refs/heads/feature/x", "two"),
        ("v1", "three"),
        ("annotated", "five"),
        ("origin/x", "side"),
        ("main~1", "five"),
        ("main^2", None),
        ("HEAD", "six"),
    ],
)
def test_a_branch_is_given_by_any_name(story: HistoryBuilder, opened: Open, name: str, commit_name: str | None) -> None:
    story.write_repository(
        **{
            "feature/x": "two",
            "refs/tags/v1": "three",
            "refs/remotes/origin/x": "side",
            "refs/remotes/origin/only-remote": "one",
        }
    )
    run_plumbing(story.path, "tag", "-a", "-m", "Marked.", "annotated", story.ids["five"])
    history = opened(story.path)
    if commit_name is None:
        with pytest.raises(UsageError, match=r"'main\^2'"):
            history.branch(name)
    else:
        assert history.branch(name) == Branch(name, story.ids[commit_name])
        assert history.resolve(name).id == story.ids[commit_name]


def test_a_branch_of_the_remote_is_given_without_naming_the_remote(story: HistoryBuilder, copied: Open) -> None:
    story.write_repository(**{"refs/remotes/origin/only-remote": "one"})
    assert copied(story.path).branch("only-remote") == Branch("only-remote", story.ids["one"])


def test_a_local_branch_goes_before_the_remotes(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository(x="one", **{"refs/remotes/origin/x": "two"})
    assert opened(story.path).branch("x").head == story.ids["one"]


def test_a_commit_is_given_by_its_id_whole_or_short(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    history = opened(story.path)
    for length in (40, 12, 7):
        assert history.resolve(story.ids["side"][:length]).id == story.ids["side"]


def test_what_names_no_commit_is_refused(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    held = run_plumbing(story.path, "rev-parse", f"{story.ids['one']}:{A}")
    history = opened(story.path)
    for name in (
        "nowhere",
        "0" * 40,
        held,
        "main:app",
        "--all",
        "--upload-pack=x",
        "one two",
        "a..b",
        "",
        "a\nmain",
        "\0",
    ):
        for ask in (history.branch, history.resolve):
            with pytest.raises(UsageError):
                ask(name)
    assert history.resolve("main").id == story.ids["six"]


def test_a_commit_is_told_in_full(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    told = opened(story.path).resolve("main~1")
    assert told.parents == (story.ids["three"], story.ids["side"])
    assert (told.subject, told.author) == ("five", "Robin Vale")
    assert told.committed_at == told.authored_at == story.committed_at("five")


HEADERS = (
    "author  <> 99999999999999 +0000\ncommitter R\udce4 <r> -5 +0000\nencoding ISO-8859-1\n",
    "author A <B> C <d@e> 1772323200 -0800\ncommitter A\tB  <x> 1772323200 +9999\ngpgsig -----BEGIN\n a b\n\n",
    "author caf\udce9 <a> 1 +0000\ncommitter \u00e9 <> 1 +0000\nencoding nonsense\n",
    "author <a> 1 +0000\ncommitter nobody\n",
    "author A <a> 99999999999999999999999 +0000\ncommitter A <a> 07 +0000\nencoding KOI8-R\n",
)
MESSAGES = (
    "Sp\udce4t\tan\x1b[31m\r und\n weiter  \n\nrest\n",
    "\n\n  \t\n  first \n \nsecond\n",
    "",
    "no end",
    "\u00e4 \udcff\r\n\r\nbody\r\n",
    "one\ntwo\0three\n\nfour",
)


@pytest.mark.parametrize("header", HEADERS)
def test_a_commit_may_claim_anything_and_is_told_alike_wherever_it_is_met(
    story: HistoryBuilder, opened: Open, header: str
) -> None:
    story.write_repository()
    top = run_plumbing(story.path, "rev-parse", "main^{tree}")
    odd = []
    for message in MESSAGES:
        text = f"tree {top}\nparent {story.ids['one']}\n{header}\n{message}".encode("utf-8", "surrogateescape")
        odd.append(run_plumbing(story.path, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=text))
    history = opened(story.path)
    for oid in odd:
        told = history.resolve(oid)
        assert told.parents == (story.ids["one"],)
        assert datetime(1970, 1, 1, tzinfo=UTC) <= told.committed_at <= datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        assert "\n" not in told.subject
        assert told == history.first_parents(oid, 1)[0]


# -- walks ------------------------------------------------------------------------------------------------------------


def test_versions_are_the_graph_of_the_commits_that_changed_a_path(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    graph = opened(story.path).file_versions([A], [story.ids["six"]])
    assert names(story, graph) == ["five", "side", "two", "one"]
    parents = {
        story.name_of(each.commit.id): [story.name_of(parent) for parent in each.commit.parents] for each in graph
    }
    assert parents == {"five": ["two", "side"], "two": ["one"], "side": ["one"], "one": []}
    assert all(list(each.blobs) == [A] for each in graph)
    assert len({each.blobs[A] for each in graph}) == 4


def test_versions_of_several_paths_hold_the_blob_of_each(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    graph = opened(story.path).file_versions([A, B], [story.ids["six"]])
    assert names(story, graph) == ["five", "side", "three", "two", "one"]
    assert all(set(each.blobs) == {A, B} for each in graph)
    held = {story.name_of(each.commit.id): each.blobs for each in graph}
    assert held["two"][B] == held["one"][B] != held["three"][B]


def test_a_deletion_is_a_version_without_a_blob(story: HistoryBuilder, opened: Open) -> None:
    story.commit("gone", {A: None})
    story.write_repository()
    graph = opened(story.path).file_versions([A], [story.ids["gone"]])
    assert story.name_of(graph[0].commit.id) == "gone"
    assert graph[0].blobs == {}


def test_versions_leave_out_what_other_commits_reach(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    history = opened(story.path)
    assert names(story, history.file_versions([A], [story.ids["six"]], [story.ids["two"]])) == ["five", "side"]
    assert history.file_versions([A], [story.ids["two"]], [story.ids["six"]]) == []


def test_versions_start_at_every_tip(story: HistoryBuilder, opened: Open) -> None:
    story.commit("elsewhere", {A: "e\n"}, "one")
    story.write_repository("six", elsewhere="elsewhere")
    graph = opened(story.path).file_versions([A], [story.ids["two"], story.ids["elsewhere"]])
    assert names(story, graph) == ["elsewhere", "two", "one"]


def test_a_merge_that_keeps_one_side_stays_in_the_graph(story: HistoryBuilder, opened: Open) -> None:
    story.commit("keeps", {}, "six", "one")
    story.commit("other", {A: "other\n"}, "one")
    story.commit("ours", {}, "six", "other")
    story.write_repository()
    graph = opened(story.path).file_versions([A], [story.ids["ours"]])
    held = {story.name_of(each.commit.id): each for each in graph}
    assert [story.name_of(parent) for parent in held["ours"].commit.parents] == ["five", "other"]
    assert held["ours"].blobs[A] == held["five"].blobs[A]


@pytest.mark.parametrize(
    "path",
    [
        "nowhere.py",
        "app",
        "",
        "*",
        "app/*.py",
        ":(glob)**",
        ":/",
        "a\nb",
        "a\0b",
        "\ud800.py",
        "x" * 5000,
        "../told.git",
    ],
)
def test_versions_of_what_is_no_file_are_none(story: HistoryBuilder, opened: Open, path: str) -> None:
    story.write_repository()
    history = opened(story.path)
    assert not any(version.blobs for version in history.file_versions([path], [story.ids["six"]]))
    assert [list(version.blobs) for version in history.file_versions([path, B], [story.ids["two"]])][-1] == [B]


def test_no_paths_and_no_tips_are_no_versions(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    history = opened(story.path)
    assert history.file_versions([], [story.ids["six"]]) == []
    assert history.file_versions([A], []) == []


def test_commits_are_all_that_one_has_and_the_other_has_not(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    between = opened(story.path).commits(story.ids["six"], story.ids["two"])
    assert [each.subject for each in between] == ["six", "five", "side", "three"]
    assert between[1].parents == (story.ids["three"], story.ids["side"])
    assert opened(story.path).commits(story.ids["two"], story.ids["six"]) == []


def test_children_come_before_parents_whatever_the_clock_said(story: HistoryBuilder, opened: Open) -> None:
    story.commit("late", {A: "l\n"}, minute=500)
    story.commit("early", {A: "e\n"}, minute=-500)
    story.write_repository()
    history = opened(story.path)
    assert [each.subject for each in history.commits(story.ids["early"], story.ids["six"])] == ["early", "late"]
    assert names(story, history.file_versions([A], [story.ids["early"]]))[:2] == ["early", "late"]


def test_first_parents_follow_the_main_line(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    history = opened(story.path)
    chain = history.first_parents(story.ids["six"], 10)
    assert [each.subject for each in chain] == ["six", "five", "three", "two", "one"]
    assert chain[1].parents == (story.ids["three"], story.ids["side"])
    assert [each.subject for each in history.first_parents(story.ids["six"], 2)] == ["six", "five"]


def test_named_finds_a_file_name_wherever_it_ever_was(story: HistoryBuilder, opened: Open) -> None:
    story.commit("moved", {A: None, "deep/er/a.py": "2\n", "banana.py": "b\n"})
    story.commit("elsewhere", {"else/a.py": "e\n"}, "one")
    story.write_repository("moved", elsewhere="elsewhere")
    history = opened(story.path)
    tip, other = story.ids["moved"], story.ids["elsewhere"]
    assert history.paths_named("a.py", [tip]) == ["app/a.py", "deep/er/a.py", "docs/a.py"]
    assert history.paths_named("a.py", [tip, other]) == ["app/a.py", "deep/er/a.py", "docs/a.py", "else/a.py"]
    assert history.paths_named("a.py", []) == []


@pytest.mark.parametrize("name", ["*.py", "?.py", "[ab].py", "**", "", "a", ":(top)a.py", "\\", "\0", "\ud800", "a\nb"])
def test_a_name_is_no_pattern(story: HistoryBuilder, opened: Open, name: str) -> None:
    story.write_repository()
    assert opened(story.path).paths_named(name, [story.ids["six"]]) == []


@pytest.mark.parametrize("name", ["[x]*.py", "ä b.py", 'q"uote.py', "-rf.py", "back\\slash.py"])
def test_odd_names_are_found_and_followed(story: HistoryBuilder, opened: Open, name: str) -> None:
    followed(story, opened, name)


def test_a_name_that_is_no_text_is_found_and_followed(story: HistoryBuilder, copied: Open) -> None:
    followed(story, copied, "caf\udce9.py")


def followed(story: HistoryBuilder, opened: Open, name: str) -> None:
    story.write_repository()
    top = create_tree(story.path, [("100644", create_blob(story.path, b"odd\n"), name)])
    odd = create_commit(story.path, top, story.ids["six"])
    history = opened(story.path)
    assert history.paths_named(name, [odd]) == [name]
    assert list(history.tree(odd)) == [name]
    newest, *older = history.file_versions([name], [odd])  # merges may be listed whatever they changed
    assert history.read(newest.blobs[name]) == b"odd\n"
    assert not any(version.blobs for version in older)


# -- contents ---------------------------------------------------------------------------------------------------------


def odd_tree(story: HistoryBuilder) -> str:
    """A commit whose tree holds one entry of every kind."""
    content = create_blob(story.path, b"print()\n")
    inner = create_tree(story.path, [("100644", content, "inner.py"), ("120000", content, "link.py")])
    entries = [
        ("100644", content, "plain.py"),
        ("100755", content, "run.py"),
        ("120000", create_blob(story.path, b"plain.py"), "link.py"),
        ("160000", story.ids["one"], "module"),
        ("040000", inner, "folder"),
    ]
    return create_commit(story.path, create_tree(story.path, entries), story.ids["six"])


def test_a_tree_is_its_regular_and_executable_files(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    odd = odd_tree(story)
    files = opened(story.path).tree(odd)
    assert sorted(files) == ["folder/inner.py", "plain.py", "run.py"]
    assert all(entry.path == path for path, entry in files.items())


def test_blobs_are_of_files_and_of_nothing_else(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    odd = odd_tree(story)
    wanted = ["plain.py", "run.py", "folder/inner.py", "folder", "folder/", "module", "module/x", "gone.py", "", "a\nb"]
    found = opened(story.path).blob_ids([(odd, path) for path in [*wanted, "x" * 100_000, "\ud800", "plain.py/x", "/"]])
    assert sorted(path for _, path in found) == ["folder/inner.py", "plain.py", "run.py"]
    assert len(set(found.values())) == 1


def test_a_link_is_not_followed(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    odd = odd_tree(story)
    history = opened(story.path)
    assert "link.py" not in history.tree(odd)
    assert history.blob_ids([(odd, "link.py"), (odd, "folder/link.py")]) == {}


def test_any_number_of_long_names_may_be_asked_at_once(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    places = [(story.ids["six"], f"{'long/' * 700}{number}.py") for number in range(500)]
    assert opened(story.path).blob_ids([*places, (story.ids["six"], A)]).keys() == {(story.ids["six"], A)}


def test_read_gives_the_bytes_and_of_no_other_object(story: HistoryBuilder, opened: Open) -> None:
    content = bytes(range(256)) * 1000
    story.commit("bytes", {A: content})
    story.write_repository()
    history = opened(story.path)
    assert history.read(history.tree(story.ids["bytes"])[A].blob) == content
    assert history.read("0" * 40) is None
    assert history.read(story.ids["one"]) is None


def test_the_tree_of_what_is_not_there_is_refused(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    missing = create_commit(
        story.path, create_tree(story.path, [("040000", "1" * 40, "away"), ("100644", "2" * 40, "x.py")])
    )
    history = opened(story.path)
    for absent in ("0" * 40, missing):
        with pytest.raises(InputError, match=absent):
            history.tree(absent)
    assert A in history.tree(story.ids["six"])


def test_changes_count_lines_and_name_deletions_and_binaries(story: HistoryBuilder, opened: Open) -> None:
    story.commit("all", {A: "5\n6\n7\n", B: None, "new.bin": b"\0\1", "tab\tname.py": "x\n"})
    story.write_repository()
    changes = {each.path: (each.added, each.deleted) for each in opened(story.path).diffstat(story.ids["six"], "main")}
    assert changes == {A: (2, 0), B: (0, 1), "new.bin": (None, None), "tab\tname.py": (1, 0)}
    assert opened(story.path).diffstat(story.ids["six"], story.ids["six"]) == []


# -- the rest of the repository ---------------------------------------------------------------------------------------


def test_unmerged_heads_are_branches_and_pull_requests(story: HistoryBuilder, opened: Open) -> None:
    story.commit("fork", {A: "f\n"}, "two")
    story.commit("request", {A: "r\n"}, "side")
    story.write_repository(
        "six",
        merged="two",
        fork="fork",
        again="fork",
        **{"refs/pull/7/head": "request", "refs/remotes/origin/main": "six", "refs/tags/t": "fork"},
    )
    history = opened(story.path)
    branch = history.branch("main")
    heads = history.unmerged_heads(branch, None)
    assert [each.head for each in heads] == [story.ids["request"], story.ids["fork"]]
    assert heads[0].name == "refs/pull/7/head"
    assert [each.head for each in history.unmerged_heads(branch, story.ids["two"])] == [story.ids["fork"]]
    assert [each.head for each in history.unmerged_heads(branch, story.ids["side"])] == [story.ids["request"]]
    assert history.unmerged_heads(branch, story.ids["six"]) == []


def test_at_most_200_unmerged_heads_are_told_the_newest_first(story: HistoryBuilder, opened: Open) -> None:
    heads = {f"topic{number}": f"topic{number}" for number in range(205)}
    for name in heads:
        story.commit(name, {A: name}, "one")
    story.write_repository("six", **heads)
    history = opened(story.path)
    told = history.unmerged_heads(history.branch("main"), None)
    assert len(told) == 200
    assert story.name_of(told[0].head) == "topic204"


def test_a_whole_copy_sees_everything(story: HistoryBuilder, opened: Open) -> None:
    story.write_repository()
    history = opened(story.path)
    assert history.describe_gaps() == []
    assert history.shallow_boundary() == frozenset()
