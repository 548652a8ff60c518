"""What the tests of repositories and of the command share: a small incident, odd trees, and the command itself.

In: a folder, or arguments. Out: a repository and its log; what the command printed, and how it ended.
"""

import hashlib
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from functions.cli.command_line import _run_command
from functions.demo.fast_import import run_git
from tests.support.history_builder import HistoryBuilder, broken_source, running_python, valid_source

SYNTAX_ERROR_LOG = "2026-03-01 00:30:00 Uncaught exception: SyntaxError: invalid syntax (relay.py, line 5)\n"
"""As the service of `write_broken_history` logged it after its commit `claim`."""

IDENTITY_OPTIONS = ("-c", "user.name=Robin Vale", "-c", "user.email=robin@example.org", "-c", "commit.gpgsign=false")


def write_broken_history(path: Path) -> HistoryBuilder:
    """`relay.py` breaks on lines 5 and 9, is half fixed by `claim` (line 5 is left), and fixed by `fix`."""
    story = HistoryBuilder(path)
    story.commit("start", {"app/relay.py": valid_source(), "app/other.py": "a = 1\n", "README.md": "Relays.\n"})
    story.commit("calm", {"app/other.py": "a = 2\n"})
    story.commit("break", {"app/relay.py": twice_broken_source()})
    story.commit("claim", {"app/relay.py": broken_source(5)})
    story.commit("aside", {"app/other.py": "a = 3\n"})
    story.commit("fix", {"app/relay.py": valid_source(1)})
    story.commit("later", {"app/other.py": "a = 4\n"})
    story.write_repository()
    return story


def twice_broken_source() -> str:
    """Fails first on line 3, and again on line 5."""
    return broken_source(5).replace("step_3 = 3\n", "step_3 = = 3\n")


def write_log(folder: Path, text: str = SYNTAX_ERROR_LOG) -> Path:
    """The log in a file."""
    path = folder / "service.log"
    path.write_text(text, "utf-8")
    return path


def export_traceback(path: str, line: int = 5) -> str:
    """A gcloud export of one entry: the traceback of a syntax error in the file at `path`."""
    text = (
        'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    import relay\n'
        f'  File "{path}", line {line}\n    oops = = 1\n           ^\nSyntaxError: invalid syntax'
    )
    return json.dumps([{"textPayload": text, "timestamp": "2026-03-01T00:30:00Z", "severity": "ERROR"}])


def run_plumbing(repository: Path, *arguments: str, stdin: bytes = b"") -> str:
    """One git command on a repository; its output without the last line end."""
    return (
        run_git(["-C", str(repository), *IDENTITY_OPTIONS, *arguments], stdin)
        .decode("utf-8", "surrogateescape")
        .rstrip("\n")
    )


def create_blob(repository: Path, content: bytes) -> str:
    """The id of a new blob."""
    return run_plumbing(repository, "hash-object", "-w", "--stdin", stdin=content)


def create_tree(repository: Path, lines: Sequence[tuple[str, str, str]]) -> str:
    """The id of a new tree of (mode, id, name)."""
    kinds = {"040000": "tree", "160000": "commit"}
    listing = "".join(f"{mode} {kinds.get(mode, 'blob')} {oid}\t{name}\0" for mode, oid, name in lines)
    return run_plumbing(repository, "mktree", "-z", "--missing", stdin=listing.encode("utf-8", "surrogateescape"))


def create_commit(repository: Path, tree_id: str, *parents: str, subject: str = "odd") -> str:
    """The id of a new commit of a tree."""
    above = [word for parent in parents for word in ("-p", parent)]
    return run_plumbing(repository, "commit-tree", *above, "-m", subject, tree_id)


def snapshot_files(*folders: Path) -> Mapping[str, tuple[int, int, str]]:
    """Mode, time of change and contents of everything below; equal where nothing was touched."""
    states: dict[str, tuple[int, int, str]] = {}
    for folder in folders:
        for path in (folder, *sorted(folder.rglob("*"))):
            told = path.lstat()
            content = path.read_bytes() if path.is_file() else os.fsencode(path.name)
            states[str(path)] = (told.st_mode, told.st_mtime_ns, hashlib.sha256(content).hexdigest())
    return states


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How the command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def reports(self) -> list[dict[str, Any]]:
        """What `--format json` printed, which must be all that it printed."""
        reports = json.loads(self.out)
        assert isinstance(reports, list)
        return reports

    @property
    def error_line(self) -> str:
        """The one line on stderr of a command that refused, with nothing on stdout."""
        assert self.out == ""
        assert self.err.startswith("provenfix: ")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err.removeprefix("provenfix: ").rstrip("\n")


def run_provenfix(*arguments: str, stdin: bytes = b"") -> CommandResult:
    """Runs the command in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True) for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    with (
        patch.object(sys, "argv", ["provenfix", *arguments]),
        patch.object(sys, "stdin", given),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = _run_command()
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return CommandResult(code, *texts)


def run_investigate(repository: Path, log: Path, *more: str) -> CommandResult:
    """`provenfix investigate` as JSON, on the Python that runs the tests."""
    given = ("--repo", str(repository), "--log", str(log), "--format", "json", "--python", running_python())
    return run_provenfix("investigate", *given, *more)


def named_commits(story: HistoryBuilder, ended: CommandResult) -> dict[str, str | None]:
    """The commits of the one report, by the names of the story."""
    assert (ended.exit_code, ended.err) == (0, "")
    (report,) = ended.reports
    parts = ("deployed", "introduced", "fix", "target")
    return {part: story.name_of((report[part] or {}).get("commit")) for part in parts}


EXPECTED_COMMITS = {"deployed": "claim", "introduced": "break", "fix": "fix", "target": "later"}
"""`named_commits` of `write_broken_history`, on whichever copy of it."""
