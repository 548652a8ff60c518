"""A scratch repository that borrows another one's objects and refs, and none of its configuration."""

import os
import re
import shlex
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shared.adapters.git.process import Git, GitError, locate_repository
from shared.errors import InputError

_PREFIX = "provenfix-git-"
"""Then the process that owns it."""
_PROMISOR_SETTING = r"^remote\..*\.promisor$"
_DELTA_CACHE = "32m"
"""What git keeps of trees while it walks; its own 96m takes 67 MB more on 20,000 commits, and no less time."""
_SPARSE_EXTENSION = b"sdir\0\0\0\0"
_INDEX_TAIL_BYTES = 128
"""Bytes, in which a sparse index says what it is: an empty extension, before that of the offsets and the checksum."""


def _remove_orphans() -> None:
    """Removes what processes of this user left that were killed and could clean nothing up."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if owner.isdecimal() and left.lstat().st_uid == os.getuid() and not _is_alive(int(owner)):
                shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's process has this id by now; ours has ended, at an unknown time
        return True
    return True


class ScratchRepository:
    """A bare repository in a temporary directory: refs and HEAD copied, objects read where they are.

    A ref may be looked up here by any name that git understands, and nothing that the borrowed repository configures
    (promisor remotes, hooks, drivers, includes) is in force.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        _remove_orphans()
        self.directory = Path(tempfile.gettempdir(), f"{_PREFIX}{os.getpid()}-{os.urandom(8).hex()}")
        # Before it is made, and runs at the latest when the interpreter ends, whatever interrupted it.
        self._remove = weakref.finalize(self, shutil.rmtree, self.directory, ignore_errors=True)
        self.directory.mkdir(0o700)
        try:
            self._borrow_repository()
        except BaseException:
            self.close()
            raise

    def _borrow_repository(self) -> None:
        trusting = self._trust_owner()
        located = Git(self.path, [], trusting)
        places = locate_repository(self.path, located)
        self.git_dir = Path(places["git_dir"])
        self.objects = places["objects"]
        self.partial = any(Path(self.objects).glob("pack/*.promisor"))
        self.id_bytes = 32 if places["format"] == "sha256" else 20
        self._real = Git(self.path, ["--git-dir", str(self.git_dir)], trusting)
        self.head = self._find_head()
        self.refs, self.symbolic = self._find_refs()
        self._write_repository(sha256=places["format"] == "sha256")
        self.boundary = self._borrow_shallow(Path(places["shallow"]))
        self.processes_started = located.processes_started + self._real.processes_started

    def close(self) -> None:
        """Removes the directory."""
        self._remove()

    def find_promisor_remote(self) -> str:
        """The remote that a partial clone was made from; read from its configuration, which is not put in force."""
        config = self.git_dir / "config"
        try:
            output = self._real.run("config", "--file", str(config), "--no-includes", "--get-regexp", _PROMISOR_SETTING)
        except GitError:
            return "origin"
        names = [line.removeprefix("remote.").rpartition(".promisor")[0] for line in os.fsdecode(output).splitlines()]
        return next((name for name in names if name), "origin")

    def _trust_owner(self) -> dict[str, str]:
        """An environment in which git answers for repositories of other users too.

        A file, because before 2.38 git did not take this setting from the command line; under both names, because
        before 2.32 it did not know the variable.
        """
        file = self.directory / ".gitconfig"
        file.write_text("[safe]\n\tdirectory = *\n", "ascii")
        return {"GIT_CONFIG_GLOBAL": str(file), "HOME": str(self.directory)}

    def git(self, *, literal: bool = True, **extra: str) -> Git:
        """Git on this repository. `literal` paths are names, not patterns."""
        leading = ["--git-dir", str(self.directory), *(["--literal-pathspecs"] if literal else [])]
        return Git(self.path, leading, {"GIT_OBJECT_DIRECTORY": self.objects, **extra})

    def index_arguments(self, index: Path) -> list[str]:
        """The arguments that list an index; folders that a sparse one leaves out are named as they are in it.

        Where git expands them, it *writes* the trees that it makes for that to the object store.
        """
        command = ["ls-files", "--stage", "-z"]
        with index.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _INDEX_TAIL_BYTES))
            if _SPARSE_EXTENSION not in file.read():
                return command
        (self.directory / "info").mkdir(exist_ok=True)
        (self.directory / "info" / "sparse-checkout").write_text("/*\n!/*/\n", "ascii")
        sparse = ["core.sparseCheckout=true", "core.sparseCheckoutCone=true", "index.sparse=true"]
        return [*(word for setting in sparse for word in ("-c", setting)), *command, "--sparse"]

    def _find_head(self) -> str:
        try:
            written = os.fsdecode((self.git_dir / "HEAD").read_bytes()).strip()
        except OSError as error:
            raise InputError(f"{self.path}: its HEAD cannot be read ({error.strerror})") from error
        if written != "ref: refs/heads/.invalid":
            return written
        try:  # the reftable format keeps the real one elsewhere
            return "ref: " + os.fsdecode(self._real.run("symbolic-ref", "HEAD")).strip()
        except GitError as error:
            raise InputError(f"{self.path}: its HEAD cannot be read ({error})") from error

    def _find_refs(self) -> tuple[dict[str, str], dict[str, str]]:
        try:
            listed = self._real.run("for-each-ref", "--format=%(objectname) %(refname) %(symref)")
        except GitError as error:
            raise InputError(f"{self.path}: its refs cannot be listed ({error})") from error
        refs: dict[str, str] = {}
        symbolic: dict[str, str] = {}
        for line in os.fsdecode(listed).split("\n")[:-1]:  # names may hold what else `splitlines` splits at
            oid, name, target = line.split(" ", 2)
            refs[name] = oid
            if target:
                symbolic[name] = target
        return refs, symbolic

    def _write_repository(self, *, sha256: bool) -> None:
        extension = "\n[extensions]\n\tobjectformat = sha256" if sha256 else ""
        core = f"repositoryformatversion = {int(sha256)}\n\tbare = true\n\tdeltaBaseCacheLimit = {_DELTA_CACHE}"
        config = f"[core]\n\t{core}{extension}\n"
        packed = "".join(f"{oid} {name}\n" for name, oid in self.refs.items())
        (self.directory / "refs").mkdir()
        (self.directory / "config").write_text(config, "ascii")
        (self.directory / "packed-refs").write_bytes(os.fsencode(packed))
        (self.directory / "HEAD").write_bytes(os.fsencode(self.head + "\n"))

    def _borrow_shallow(self, listed: Path) -> frozenset[str]:
        if not listed.is_file():
            return frozenset()
        written = listed.read_bytes()
        if not re.fullmatch(rb"(?:[0-9a-f]{40,64}\n)*", written):
            raise InputError(f"{self.path}: its list of shallow commits ({listed}) is damaged; clone it again")
        (self.directory / "shallow").write_bytes(written)
        return frozenset(written.decode("ascii").split())


_MAX_LISTED_BLOBS = 2
"""Blobs that are named one by one; of more than that, one command fetches everything."""


def describe_missing(scratch: ScratchRepository, missing: Sequence[str], *, line_counts: bool) -> list[str]:
    """At most one sentence: for the blobs, else for line counts that could not be had."""
    if not missing and not line_counts:
        return []
    command = _fetch_command(scratch.find_promisor_remote(), missing)
    copy = "partial clone" if scratch.partial else "copy of the repository"
    what = f"the contents of {len(missing)} file versions" if missing else "contents that line counts need"
    what = "the contents of 1 file version" if len(missing) == 1 else what
    return [f"This {copy} lacks {what}; run this in the repository to fetch them: {command}"]


def _fetch_command(remote: str, missing: Sequence[str]) -> str:
    """Fetching the blobs needs git 2.25 or newer, fetching everything 2.36."""
    if missing and len(missing) <= _MAX_LISTED_BLOBS:
        return shlex.join(["git", "fetch", "--no-tags", "--filter=blob:none", remote, *missing])
    return shlex.join(["git", "fetch", "--refetch", "--no-filter", remote])
