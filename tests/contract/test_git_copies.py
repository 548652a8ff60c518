"""Every kind of copy of a git repository: the same incident is put to it, and it answers, or says what it lacks."""

import hashlib
import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from shared.adapters.git import process
from shared.adapters.git.repository import GitRepository
from shared.errors import InputError, UsageError
from tests.support import cli_runs
from tests.support.cli_runs import (
    EXPECTED_COMMITS,
    create_blob,
    create_commit,
    create_tree,
    named_commits,
    run_investigate,
    run_plumbing,
    run_provenfix,
    write_broken_history,
    write_log,
)
from tests.support.git_copies import assert_untouched, clone_repository, hide_objects
from tests.support.history_builder import HistoryBuilder, broken_source, valid_source


@pytest.fixture
def story(tmp_path: Path) -> HistoryBuilder:
    """A bare repository; the others are copies of it."""
    return write_broken_history(tmp_path / "origin.git")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path)


def test_bare_repository_gives_the_same_report(story: HistoryBuilder, log: Path) -> None:
    assert named_commits(story, assert_untouched(story.path, log)) == EXPECTED_COMMITS


@pytest.mark.parametrize("inside", ["", ".git", "app"])
def test_work_tree_is_found_from_any_of_its_folders(
    story: HistoryBuilder, log: Path, tmp_path: Path, inside: str
) -> None:
    copy = clone_repository(story, tmp_path / "work")
    assert named_commits(story, assert_untouched(copy / inside, log)) == EXPECTED_COMMITS


def test_what_lies_in_the_work_tree_has_no_say(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "work")
    (copy / "app" / "relay.py").write_text("broken = = here\n")
    run_plumbing(copy, "add", ".")
    assert named_commits(story, assert_untouched(copy, log)) == EXPECTED_COMMITS


def test_linked_work_tree_gives_the_same_report(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "work")
    run_plumbing(copy, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), story.ids["claim"])
    linked = tmp_path / "linked"
    assert named_commits(story, assert_untouched(linked, log)) == EXPECTED_COMMITS
    with GitRepository(str(linked)) as history:
        assert history.resolve("HEAD").id == story.ids["claim"]
        assert history.branch("main").head == story.ids["later"]


def test_a_linked_work_tree_has_an_index_of_its_own(story: HistoryBuilder, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "work")
    run_plumbing(copy, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    (tmp_path / "linked" / "new.py").write_text("x = = 1\n")
    run_plumbing(tmp_path / "linked", "add", "new.py")
    assert run_provenfix("check", "--repo", str(tmp_path / "linked"), "--staged").exit_code == 1
    assert run_provenfix("check", "--repo", str(copy), "--staged").exit_code == 0


def test_bare_repository_inside_another_checkout_is_read(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    run_plumbing(tmp_path, "init", "--quiet", "outer")
    (tmp_path / "outer" / "app").mkdir()
    (tmp_path / "outer" / "app" / "relay.py").write_text("of = = another repository\n")
    inner = story.path.rename(tmp_path / "outer" / "inner.git")
    assert named_commits(story, assert_untouched(inner, log)) == EXPECTED_COMMITS
    ended = run_provenfix("check", "--repo", str(inner))
    assert (ended.exit_code, ended.out.split(" on ")[0]) == (0, "All 2 files compile")


def test_submodule_gives_the_same_report(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    run_plumbing(tmp_path, "init", "--quiet", "outer")
    outer = tmp_path / "outer"
    run_plumbing(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", story.path.as_uri(), "sub")
    assert named_commits(story, assert_untouched(outer / "sub", log)) == EXPECTED_COMMITS


# -- shallow ----------------------------------------------------------------------------------------------------------


def test_a_shallow_copy_that_ends_before_the_break_is_right(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--depth=6")
    hide_objects(story)
    ended = assert_untouched(copy, log)
    assert named_commits(story, ended) == EXPECTED_COMMITS
    assert ended.reports[0]["unseen"] == []


@pytest.mark.parametrize("depth", [4, 5])
def test_shallow_copy_without_the_break_names_no_introducing_commit(
    story: HistoryBuilder, log: Path, tmp_path: Path, depth: int
) -> None:
    copy = clone_repository(story, tmp_path / "copy", f"--depth={depth}")
    hide_objects(story)
    ended = assert_untouched(copy, log)
    assert named_commits(story, ended) == {**EXPECTED_COMMITS, "introduced": None}
    (report,) = ended.reports
    said = " ".join(each["text"] for each in report["evidence"])
    assert re.search(r"\bshallow\b.* 1 of ", said)
    assert any(why["confidence"] == "unknown" and "shallow" in why["answer"] for why in report["whys"])


def test_a_shallow_copy_without_the_deployed_version_proves_nothing(
    story: HistoryBuilder, log: Path, tmp_path: Path
) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--depth=2")
    (report,) = assert_untouched(copy, log).reports
    assert report["decision"]["kind"] == "none"
    assert report["deployed"]["commit"] is None
    assert "shallow" in str(report)


def test_a_commit_before_the_boundary_is_not_there(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--depth=2")
    ended = assert_untouched(copy, log, "--deployed", story.ids["claim"])
    assert ended.exit_code == 2
    assert story.ids["claim"] in ended.error_line


def test_a_shallow_copy_names_its_boundary(story: HistoryBuilder, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--depth=3")
    with GitRepository(str(copy)) as history:
        assert history.shallow_boundary() == {story.ids["aside"]}
        assert [each.subject for each in history.first_parents(story.ids["later"], 9)] == ["later", "fix", "aside"]


def test_a_damaged_list_of_shallow_commits_is_told(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--depth=3")
    for damage in (b"\xff\xfe\n", b"main\n", b"0123\n"):
        (copy / ".git" / "shallow").write_bytes(damage)
        ended = assert_untouched(copy, log)
        assert ended.exit_code == 3
        assert str(copy) in ended.error_line


# -- partial ----------------------------------------------------------------------------------------------------------


def test_a_blobless_copy_says_what_it_lacks_and_fetches_nothing(
    story: HistoryBuilder, log: Path, tmp_path: Path
) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--filter=blob:none")
    calls = tmp_path / "calls"
    remote = f"ext::sh -c echo%called>>{calls}"
    run_plumbing(copy, "config", "remote.origin.url", remote.replace("%", "% "))
    run_plumbing(copy, "config", "protocol.allow", "always")
    hide_objects(story)
    (report,) = assert_untouched(copy, log).reports
    assert report["decision"]["kind"] == "none"
    assert "partial clone" in str(report)
    assert not calls.exists()


def test_a_blobless_copy_answers_where_the_blobs_are_there(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--filter=blob:none")
    for name in story.ids.values():
        run_plumbing(copy, "checkout", "--quiet", "--detach", name)  # fetches the blobs of that commit
    hide_objects(story)
    ended = assert_untouched(copy, log)
    assert named_commits(story, ended) == EXPECTED_COMMITS
    assert ended.reports[0]["unseen"] == []


def test_a_blobless_copy_knows_which_files_there_are(story: HistoryBuilder, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--filter=blob:none")
    hide_objects(story)
    with GitRepository(str(copy)) as history:
        claim = story.ids["claim"]
        held = history.blob_ids([(claim, "app/relay.py"), (claim, "app"), (claim, "none.py")])
        assert list(held) == [(claim, "app/relay.py")]
        assert history.read(held[claim, "app/relay.py"]) is None
        assert history.tree(claim)["app/relay.py"].blob == held[claim, "app/relay.py"]
        assert [len(version.blobs) for version in history.file_versions(["app/relay.py"], [story.ids["later"]])] == [
            1
        ] * 4
        changed = {each.path: each.added for each in history.diffstat(story.ids["claim"], story.ids["later"])}
        assert changed == {"app/relay.py": None, "app/other.py": None}


def test_check_does_not_pass_what_a_partial_copy_lacks(story: HistoryBuilder, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--filter=blob:none", "--no-checkout")
    hide_objects(story)
    ended = run_provenfix("check", "--repo", str(copy), "--ref", "main")
    assert ended.exit_code == 3
    assert str(copy) in ended.error_line
    assert re.search(r"\bapp/\w+\.py\b", ended.error_line), "which file's contents are missing"


def test_a_treeless_copy_is_refused_in_one_sentence(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--filter=tree:0")
    hide_objects(story)
    ended = assert_untouched(copy, log)
    assert ended.exit_code == 3
    assert str(copy) in ended.error_line
    assert "fetch" in ended.error_line


def test_check_works_on_the_commit_that_a_treeless_copy_has(story: HistoryBuilder, tmp_path: Path) -> None:
    copy = clone_repository(story, tmp_path / "copy", "--filter=tree:0")
    hide_objects(story)
    assert run_provenfix("check", "--repo", str(copy), "--ref", "main").exit_code == 0
    assert run_provenfix("check", "--repo", str(copy), "--ref", "main~2").exit_code == 3


# -- other ways to keep a repository ----------------------------------------------------------------------------------


def test_objects_in_alternates_are_read(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    run_plumbing(tmp_path, "clone", "--quiet", "--shared", str(story.path), "shared")
    run_plumbing(
        tmp_path, "clone", "--quiet", "--shared", "--no-local", "--reference", "shared", str(story.path), "again"
    )
    alternates = tmp_path / "again" / ".git" / "objects" / "info" / "alternates"
    alternates.write_text("../../../shared/.git/objects\n")
    assert named_commits(story, assert_untouched(tmp_path / "shared", log)) == EXPECTED_COMMITS
    assert named_commits(story, assert_untouched(tmp_path / "again", log)) == EXPECTED_COMMITS


def test_packed_objects_and_refs_are_read(story: HistoryBuilder, log: Path) -> None:
    run_plumbing(story.path, "gc", "--quiet", "--aggressive", "--prune=now")
    run_plumbing(story.path, "repack", "-a", "-d", "--write-midx", "--write-bitmap-index", "--quiet")
    assert not list(story.path.glob("refs/heads/*"))
    assert named_commits(story, assert_untouched(story.path, log)) == EXPECTED_COMMITS


def test_sha256_repository_is_read(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    modern = tmp_path / "modern.git"
    run_plumbing(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", str(modern))
    stream = subprocess.run(
        ["git", "-C", str(story.path), "fast-export", "main"], capture_output=True, check=True
    ).stdout  # fmt: skip
    run_plumbing(modern, "fast-import", "--quiet", stdin=stream)
    story.ids = {
        line.split(" ")[1]: line.split(" ")[0] for line in run_plumbing(modern, "log", "--format=%H %s").splitlines()
    }
    assert {len(oid) for oid in story.ids.values()} == {64}
    assert named_commits(story, assert_untouched(modern, log)) == EXPECTED_COMMITS


def test_reftable_refs_are_read(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    """Git 2.45 and newer; an older one says in one sentence that it cannot read that."""
    copy = tmp_path / "table.git"
    shutil.copytree(story.path, copy)
    known = subprocess.run(
        ["git", "-C", str(copy), "refs", "migrate", "--ref-format=reftable"], capture_output=True, check=False
    )
    if known.returncode == 0:
        assert named_commits(story, assert_untouched(copy, log)) == EXPECTED_COMMITS
        return
    run_plumbing(copy, "config", "core.repositoryFormatVersion", "1")
    run_plumbing(copy, "config", "extensions.refStorage", "reftable")
    ended = assert_untouched(copy, log)
    assert ended.exit_code == 3
    assert "refstorage" in ended.error_line


def test_replaced_objects_are_not_believed(story: HistoryBuilder, log: Path) -> None:
    run_plumbing(story.path, "replace", story.ids["claim"], story.ids["start"])
    held = run_plumbing(story.path, "rev-parse", f"{story.ids['claim']}:app/relay.py")
    run_plumbing(story.path, "replace", "-f", held, create_blob(story.path, valid_source().encode()))
    assert named_commits(story, assert_untouched(story.path, log)) == EXPECTED_COMMITS


def test_grafts_are_not_believed(story: HistoryBuilder, log: Path) -> None:
    (story.path / "info").mkdir(exist_ok=True)
    (story.path / "info" / "grafts").write_text(f"{story.ids['claim']} {story.ids['start']}\n{story.ids['fix']}\n")
    assert named_commits(story, assert_untouched(story.path, log)) == EXPECTED_COMMITS


def test_repository_of_another_user_is_read(
    story: HistoryBuilder, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = clone_repository(story, tmp_path / "copy")
    genuine = process.build_environment
    # Git's own way to test this: everything belongs to another user. Only root could really give files away.
    monkeypatch.setattr(
        process, "build_environment", lambda **extra: genuine(GIT_TEST_ASSUME_DIFFERENT_OWNER="1", **extra)
    )
    refused = subprocess.run(
        ["git", "-C", str(copy), "log"],
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"},
    )
    assert b"dubious ownership" in refused.stderr
    for repository in (copy, copy / "app", story.path):
        assert named_commits(story, assert_untouched(repository, log)) == EXPECTED_COMMITS
    assert run_provenfix("check", "--repo", str(copy), "--staged").exit_code == 0


@pytest.mark.parametrize(
    "name", ["two\nlines", "-C", "--bare", "a b", "ä\u2028\x85", "caf\udce9", "*", "'\"$(touch x)"]
)
def test_repository_in_a_folder_of_any_name_is_read(
    story: HistoryBuilder, log: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    copy = clone_repository(story, folder / "copy")
    assert named_commits(story, assert_untouched(copy, log)) == EXPECTED_COMMITS


# -- damaged ----------------------------------------------------------------------------------------------------------


def object_file(repository: Path, oid: str) -> Path:
    return repository / "objects" / oid[:2] / oid[2:]


@pytest.fixture
def unpacked(story: HistoryBuilder, tmp_path: Path) -> Path:
    """The repository with every object in a file of its own."""
    copy = tmp_path / "loose.git"
    run_plumbing(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(copy))
    for pack in story.path.glob("objects/pack/*.pack"):
        run_plumbing(copy, "unpack-objects", "-q", stdin=pack.read_bytes())
    for loose in story.path.glob("objects/??/*"):
        target = object_file(copy, loose.parent.name + loose.name)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(loose, target)
    run_plumbing(copy, "update-ref", "refs/heads/main", story.ids["later"])
    return copy


@pytest.mark.parametrize("what", ["claim:app/relay.py", "claim:app", "claim^{tree}", "claim", "later", "start"])
@pytest.mark.parametrize("damage", ["garbled", "cut short", "emptied", "exchanged"])
def test_a_damaged_object_is_told_in_one_sentence(
    story: HistoryBuilder, unpacked: Path, log: Path, what: str, damage: str
) -> None:
    name = next(each for each in story.ids if what.startswith(each))
    file = object_file(unpacked, run_plumbing(unpacked, "rev-parse", what.replace(name, story.ids[name], 1)))
    content = file.read_bytes()
    other = object_file(unpacked, run_plumbing(unpacked, "rev-parse", f"{story.ids['start']}:README.md"))
    damaged = {
        "garbled": content[:5] + b"\0\0\0\0" + content[9:],
        "cut short": content[:-6],
        "emptied": b"",
        "exchanged": other.read_bytes(),
    }
    file.chmod(0o600)
    file.write_bytes(damaged[damage])
    ended = assert_untouched(unpacked, log)
    if ended.exit_code == 0:  # git counts the object as absent
        (report,) = ended.reports
        assert (report["decision"]["kind"], report["fix"], report["target"]) == ("none", None, None)
        return
    assert ended.exit_code == 3
    assert str(unpacked) in ended.error_line


def test_a_file_whose_contents_are_lost_was_not_deleted(story: HistoryBuilder, unpacked: Path, log: Path) -> None:
    held = run_plumbing(unpacked, "rev-parse", f"{story.ids['fix']}:app/relay.py")
    object_file(unpacked, held).unlink()
    (report,) = assert_untouched(unpacked, log).reports
    assert (report["deployed"]["commit"], report["introduced"]["commit"]) == (story.ids["claim"], story.ids["break"])
    assert (report["fix"], report["target"]) == (None, None)
    with GitRepository(str(unpacked)) as history:
        assert history.blob_ids([(story.ids["fix"], "app/relay.py")]) == {(story.ids["fix"], "app/relay.py"): held}
        assert history.read(held) is None


def test_a_tree_that_is_none_is_told(story: HistoryBuilder, log: Path) -> None:
    junk = run_plumbing(
        story.path, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=b"100644 relay.py\0short"
    )
    odd = create_commit(story.path, junk, story.ids["later"])
    ended = assert_untouched(story.path, log, "--branch", odd)
    assert ended.exit_code == 3
    assert str(story.path) in ended.error_line


def test_a_tree_of_more_files_than_there_can_be_is_refused(story: HistoryBuilder, log: Path) -> None:
    """Ten trees, each of which lists the one below ten times over: ten thousand million paths in a kilobyte."""
    below = create_tree(story.path, [("100644", create_blob(story.path, b"x = 1\n"), f"{n}.py") for n in range(10)])
    for _ in range(9):
        below = create_tree(story.path, [("040000", below, f"d{n}") for n in range(10)])
    ended = assert_untouched(story.path, log, "--branch", create_commit(story.path, below, story.ids["later"]))
    assert ended.exit_code == 3
    assert "files" in ended.error_line


def test_a_tree_deeper_than_there_can_be_is_refused(story: HistoryBuilder, log: Path) -> None:
    below = create_tree(story.path, [("100644", create_blob(story.path, b"x = 1\n"), "x.py")])
    deep = []
    for _ in range(1200):
        body = b"40000 d\0" + bytes.fromhex(below)
        deep.append(body)
        below = _tree_id(body)
    _write_trees(story.path, deep)
    ended = assert_untouched(story.path, log, "--branch", create_commit(story.path, below, story.ids["later"]))
    assert ended.exit_code == 3
    assert "folders" in ended.error_line


def _tree_id(body: bytes) -> str:
    return hashlib.sha1(b"tree %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


def _write_trees(repository: Path, bodies: list[bytes]) -> None:
    for body in bodies:
        file = object_file(repository, _tree_id(body))
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(b"tree %d\0" % len(body) + body))


def test_names_in_a_tree_that_lead_out_of_it_are_only_names(story: HistoryBuilder, log: Path, tmp_path: Path) -> None:
    decoy = tmp_path / "relay.py"
    decoy.write_text("CANARY-OUTSIDE = = 1\n")
    held = create_blob(story.path, broken_source(5).encode())
    for name in ("..", ".", ".git", "/etc/passwd", "a/b"):
        inner = _raw_tree(story.path, [(b"100644", b"relay.py", held)])
        top = _raw_tree(story.path, [(b"40000", name.encode(), inner)])
        ended = assert_untouched(story.path, log, "--branch", create_commit(story.path, top, story.ids["later"]))
        assert ended.exit_code in {0, 3}
        assert "CANARY" not in ended.out + ended.err


def _raw_tree(repository: Path, entries: list[tuple[bytes, bytes, str]]) -> str:
    body = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    return run_plumbing(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=body)


def test_a_head_whose_objects_are_gone_does_not_hide_the_others(story: HistoryBuilder, log: Path) -> None:
    fork = create_commit(
        story.path, run_plumbing(story.path, "rev-parse", f"{story.ids['fix']}^{{tree}}"), story.ids["claim"]
    )
    run_plumbing(story.path, "update-ref", "refs/heads/fork", fork)
    (story.path / "refs" / "heads" / "gone").write_text("1" * 40 + "\n")
    with GitRepository(str(story.path)) as history:
        assert [each.name for each in history.unmerged_heads(history.branch("main"), None)] == ["refs/heads/fork"]
        with pytest.raises(UsageError):
            history.resolve("gone")
    assert named_commits(story, assert_untouched(story.path, log)) == EXPECTED_COMMITS


def test_a_damaged_index_of_commits_is_told_or_does_no_harm(story: HistoryBuilder, log: Path) -> None:
    run_plumbing(story.path, "commit-graph", "write", "--reachable", "--changed-paths")
    graph = story.path / "objects" / "info" / "commit-graph"
    whole = graph.read_bytes()
    graph.chmod(0o600)
    for damaged in (b"", b"garbage", whole[:100], whole[:-60] + bytes(60), whole[:200] + b"\xff" * (len(whole) - 200)):
        graph.write_bytes(damaged)
        ended = assert_untouched(story.path, log)
        if ended.exit_code == 0:
            assert named_commits(story, ended) == EXPECTED_COMMITS
        else:
            assert ended.exit_code == 3
            assert str(story.path) in ended.error_line


def test_empty_repository_is_handled(log: Path, tmp_path: Path) -> None:
    run_plumbing(tmp_path, "init", "--quiet", "empty")
    for more in ((), ("--branch", "main")):
        ended = assert_untouched(tmp_path / "empty", log, *more)
        assert ended.exit_code == (2 if more else 3)
        assert "commit" in ended.error_line
    assert run_provenfix("check", "--repo", str(tmp_path / "empty")).exit_code == 0
    assert run_provenfix("check", "--repo", str(tmp_path / "empty"), "--staged").exit_code == 0


@pytest.mark.parametrize(
    "head", [None, b"", b"nonsense\n", b"\xff\xfe\n", b"ref: refs/heads/nowhere\n", b"ref: ../../x\n"]
)
def test_unborn_head_is_handled(story: HistoryBuilder, log: Path, head: bytes | None) -> None:
    file = story.path / "HEAD"
    file.unlink()
    if head is not None:
        file.write_bytes(head)
    ended = assert_untouched(story.path, log)
    assert ended.exit_code == 3
    assert str(story.path) in ended.error_line


def test_unborn_head_is_ignored_when_a_branch_is_given(story: HistoryBuilder, log: Path) -> None:
    (story.path / "HEAD").write_bytes(b"ref: refs/heads/nowhere\n")
    assert named_commits(story, assert_untouched(story.path, log, "--branch", "main")) == EXPECTED_COMMITS


@pytest.mark.parametrize(
    "config", [b"\xff\xfe", b"[core\n", b"[core]\n\trepositoryformatversion = 99\n", b"[include]\n\tpath = config\n"]
)
def test_a_configuration_that_git_cannot_read_is_told(story: HistoryBuilder, log: Path, config: bytes) -> None:
    (story.path / "config").write_bytes(config)
    ended = assert_untouched(story.path, log)
    assert ended.exit_code == 3
    assert str(story.path) in ended.error_line


def test_the_file_of_the_log_may_be_spelled_like_any_path(story: HistoryBuilder, tmp_path: Path) -> None:
    log = write_log(tmp_path, cli_runs.export_traceback("/srv/app/relay.py"))
    assert named_commits(story, run_investigate(story.path, log)) == EXPECTED_COMMITS


def test_nothing_is_left_in_the_temporary_folder(
    story: HistoryBuilder, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert run_investigate(story.path, log).exit_code == 0
    assert run_investigate(story.path, log, "--branch", "nowhere").exit_code == 2
    assert run_investigate(tmp_path, log).exit_code == 3
    (story.path / "HEAD").write_bytes(b"ref: refs/heads/nowhere\n")
    assert run_investigate(story.path, log).exit_code == 3
    with pytest.raises(InputError):
        GitRepository(str(tmp_path))
    assert list(scratch.iterdir()) == []
