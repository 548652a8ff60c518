"""A repository that wants to run something: whatever git could be made to start is a trap, and none is sprung."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli_runs import (
    EXPECTED_COMMITS,
    named_commits,
    run_investigate,
    run_plumbing,
    run_provenfix,
    snapshot_files,
    write_broken_history,
    write_log,
)
from tests.support.history_builder import HistoryBuilder, broken_source, running_python

RUN = """
[core]
	fsmonitor = {trap}
	fsmonitorHookVersion = 2
	hooksPath = {hooks}
	pager = {trap}
	editor = {trap}
	sshCommand = {trap}
	gitProxy = {trap}
	askPass = {trap}
	alternateRefsCommand = {trap}
	attributesFile = {attributes}
	untrackedCache = true
	splitIndex = true
	autocrlf = true
[pager]
	log = true
	for-each-ref = {trap}
	rev-parse = {trap}
[alias]
	log = "!{trap}"
	rev-parse = "!{trap}"
	cat-file = "!{trap}"
	for-each-ref = "!{trap}"
	diff-tree = "!{trap}"
	ls-files = "!{trap}"
[diff]
	external = {trap}
	orderFile = /nowhere
	renames = copies
[diff "trap"]
	textconv = {trap}
	command = {trap}
	cachetextconv = true
[filter "trap"]
	clean = {trap}
	smudge = {trap}
	process = {trap}
	required = true
[merge "trap"]
	driver = {trap}
[gpg]
	program = {trap}
[gpg "ssh"]
	program = {trap}
	defaultKeyCommand = {trap}
[log]
	showSignature = true
	showRoot = false
	follow = true
	date = human
	mailmap = true
	diffMerges = off
[color]
	ui = always
[i18n]
	logOutputEncoding = UTF-16
[mailmap]
	file = {mailmap}
[credential]
	helper = "!{trap}"
[uploadpack]
	packObjectsHook = {trap}
[remote "origin"]
	url = ext::{trap}
	uploadpack = {trap}
	vcs = trap
	promisor = true
	partialCloneFilter = blob:none
	fetch = +refs/heads/*:refs/remotes/origin/*
[extensions]
	partialClone = origin
[protocol]
	allow = always
[protocol "ext"]
	allow = always
[trace2]
	normalTarget = {trace}
	eventTarget = {trace}
[maintenance]
	auto = true
[gc]
	auto = 1
[interactive]
	diffFilter = {trap}
[sequence]
	editor = {trap}
[include]
	path = {included}
"""

HOOKS = (
    *("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "pre-auto-gc", "post-rewrite"),
    *(
        "fsmonitor-watchman",
        "upload-pack",
        "post-update",
        "pre-receive",
        "update",
        "proc-receive",
        "sendemail-validate",
    ),
)


class Trapped:
    """A work tree of the incident, with a trap behind every setting; each trap writes its arguments to one file."""

    def __init__(self, folder: Path) -> None:
        self.story: HistoryBuilder = write_broken_history(folder / "origin.git")
        self.work_tree = folder / "work"
        run_plumbing(folder, "clone", "--quiet", str(self.story.path), str(self.work_tree))
        (self.work_tree / "app" / "staged.py").write_text(broken_source(7))
        (self.work_tree / ".gitattributes").write_text("* diff=trap filter=trap merge=trap text ident export-subst\n")
        run_plumbing(self.work_tree, "add", ".")
        self.sprung = folder / "sprung"
        self.trap = folder / "trap"
        self.trap.write_text(f'#!/bin/sh\necho "$0 $@" >> {self.sprung}\n')
        self.trap.chmod(0o755)
        self._set(folder)

    def _set(self, folder: Path) -> None:
        hooks = folder / "hooks"
        for directory in (hooks, self.work_tree / ".git" / "hooks"):
            directory.mkdir(exist_ok=True)
            for name in HOOKS:
                (directory / name).symlink_to(self.trap)
        (folder / "attributes").write_text("* diff=trap filter=trap\n")
        (folder / "included").write_text(f"[core]\n\tfsmonitor = {self.trap}\n")
        (folder / "mailmap").write_text("Somebody Else <else@example.org> <robin@example.org>\n")
        settings = RUN.format(
            trap=self.trap, hooks=hooks, attributes=folder / "attributes", included=folder / "included",
            mailmap=folder / "mailmap", trace=self.sprung,
        )  # fmt: skip
        info = self.work_tree / ".git" / "info"
        info.mkdir(exist_ok=True)
        (info / "attributes").write_text("* diff=trap filter=trap\n")
        with (self.work_tree / ".git" / "config").open("a") as config:
            config.write(settings)


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Trapped:
    return Trapped(tmp_path_factory.mktemp("trapped"))


@pytest.fixture(autouse=True)
def none_sprung(trapped: Trapped) -> Iterator[None]:
    trapped.sprung.unlink(missing_ok=True)
    yield
    assert not trapped.sprung.exists(), trapped.sprung.read_text()


def test_the_traps_are_real(trapped: Trapped) -> None:
    """Else nothing below would mean anything: ordinary git on this repository springs them."""
    for command in (["status"], ["diff"], ["-p", "log", "-1"], ["fetch"], ["rev-parse", "HEAD"]):
        subprocess.run(["git", "-C", str(trapped.work_tree), *command], capture_output=True, check=False, timeout=60)
    assert trapped.sprung.read_text().count(str(trapped.trap)) > 1
    trapped.sprung.unlink()


def test_investigate_runs_nothing_and_changes_nothing(trapped: Trapped, tmp_path: Path) -> None:
    before = snapshot_files(trapped.work_tree)
    for repository in (trapped.work_tree, trapped.work_tree / "app", trapped.work_tree / ".git"):
        ended = run_investigate(repository, write_log(tmp_path))
        assert named_commits(trapped.story, ended) == EXPECTED_COMMITS
        assert ended.reports[0]["introduced"]["author"] == "Robin Vale"
    assert snapshot_files(trapped.work_tree) == before


def test_check_runs_nothing_and_changes_nothing(trapped: Trapped) -> None:
    before = snapshot_files(trapped.work_tree)
    at = ("check", "--repo", str(trapped.work_tree), "--python", running_python())
    assert run_provenfix(*at).exit_code == 1
    staged = run_provenfix(*at, "--staged")
    assert (staged.exit_code, staged.out.split(":")[:2]) == (1, ["app/staged.py", "7"])
    assert run_provenfix(*at, "--ref", "HEAD").exit_code == 0
    assert run_provenfix(*at, "--ref", trapped.story.ids["claim"]).exit_code == 1
    assert run_provenfix(*at, str(trapped.work_tree / "app" / "other.py")).exit_code == 0
    assert snapshot_files(trapped.work_tree) == before


def test_missing_object_is_not_fetched_from_a_configured_remote(trapped: Trapped, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(trapped.work_tree), str(copy)], check=True)
    held = run_plumbing(trapped.story.path, "rev-parse", f"{trapped.story.ids['fix']}:app/relay.py")
    found = [path for path in copy.rglob(held[2:]) if path.parent.name == held[:2]]
    for path in (*found, *copy.glob(".git/objects/pack/*.pack")):
        path.unlink()
    ended = run_investigate(copy, write_log(tmp_path))
    assert ended.exit_code in {0, 2, 3}
    assert "redeploy" not in ended.out


def test_a_work_tree_that_the_configuration_names_is_not_read(trapped: Trapped, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "CANARY.py").write_text("CANARY = = 1\n")
    copy = tmp_path / "copy"
    run_plumbing(tmp_path, "clone", "--quiet", str(trapped.story.path), str(copy))
    run_plumbing(copy, "config", "core.worktree", str(elsewhere))
    assert named_commits(trapped.story, run_investigate(copy, write_log(tmp_path))) == EXPECTED_COMMITS
    for more in ((), ("--staged",), ("--ref", "HEAD")):
        ended = run_provenfix("check", "--repo", str(copy), *more)
        assert (ended.exit_code, "CANARY" in ended.out + ended.err) == (0, False)


@pytest.mark.parametrize(
    "variable",
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE",
     "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_GLOBAL", "GIT_CEILING_DIRECTORIES", "GIT_SHALLOW_FILE"],
)  # fmt: skip
def test_the_callers_git_variables_have_no_say(
    trapped: Trapped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    assert named_commits(trapped.story, run_investigate(trapped.work_tree, write_log(tmp_path))) == EXPECTED_COMMITS


def test_the_callers_own_configuration_has_no_say(
    trapped: Trapped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text((trapped.work_tree / ".git" / "config").read_text())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trapped.trap))
    monkeypatch.setenv("GIT_PAGER", str(trapped.trap))
    monkeypatch.setenv("GIT_TRACE2", str(trapped.sprung))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trapped.trap))
    assert named_commits(trapped.story, run_investigate(trapped.work_tree, write_log(tmp_path))) == EXPECTED_COMMITS


# -- the end of the process -------------------------------------------------------------------------------------------

INTERRUPTED = """
import os, signal, sys
from functions.cli import command_line as cli
from shared.detection import collect

def interrupted(*_arguments, **_names):
    os.kill(os.getpid(), {number})
    signal.pause()

assert collect.collect_incidents  # the module runs at its first use; what is replaced before is overwritten
collect.collect_incidents = interrupted
cli.main()
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=["TERM", "HUP", "INT"]
)
def test_a_signal_in_the_middle_leaves_nothing_behind(
    trapped: Trapped, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = ["investigate", "--repo", str(trapped.work_tree), "--log", str(write_log(tmp_path))]
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(number=int(number)), *arguments],
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == code
    assert ended.stdout == b""
    assert b"Traceback" not in ended.stderr
    assert list(scratch.iterdir()) == []
