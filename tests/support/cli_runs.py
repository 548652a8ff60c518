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
from functions.demo.git import run_git
from tests.support.history_builder import Story, broken, good, running

LOG = "2026-03-01 00:30:00 Uncaught exception: SyntaxError: invalid syntax (relay.py, line 5)\n"
"""As the service of `incident` logged it after its commit `claim`."""

WHO = ("-c", "user.name=Robin Vale", "-c", "user.email=robin@example.org", "-c", "commit.gpgsign=false")


def incident(path: Path) -> Story:
    """`relay.py` breaks on lines 5 and 9, is half mended by `claim` (line 5 is left), and mended by `fix`."""
    story = Story(path)
    story.commit("start", {"app/relay.py": good(), "app/other.py": "a = 1\n", "README.md": "Relays.\n"})
    story.commit("calm", {"app/other.py": "a = 2\n"})
    story.commit("break", {"app/relay.py": twice_broken()})
    story.commit("claim", {"app/relay.py": broken(5)})
    story.commit("aside", {"app/other.py": "a = 3\n"})
    story.commit("fix", {"app/relay.py": good(1)})
    story.commit("later", {"app/other.py": "a = 4\n"})
    story.write()
    return story


def twice_broken() -> str:
    """Fails first on line 3, and again on line 5."""
    return broken(5).replace("step_3 = 3\n", "step_3 = = 3\n")


def log_at(folder: Path, text: str = LOG) -> Path:
    """The log in a file."""
    path = folder / "service.log"
    path.write_text(text, "utf-8")
    return path


def as_traceback(path: str, line: int = 5) -> str:
    """A gcloud export of one entry: the traceback of a syntax error in the file at `path`."""
    text = (
        'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    import relay\n'
        f'  File "{path}", line {line}\n    oops = = 1\n           ^\nSyntaxError: invalid syntax'
    )
    return json.dumps([{"textPayload": text, "timestamp": "2026-03-01T00:30:00Z", "severity": "ERROR"}])


def plumb(repository: Path, *arguments: str, stdin: bytes = b"") -> str:
    """One git command on a repository; its output without the last line end."""
    return run_git(["-C", str(repository), *WHO, *arguments], stdin).decode("utf-8", "surrogateescape").rstrip("\n")


def blob(repository: Path, content: bytes) -> str:
    """The id of a new blob."""
    return plumb(repository, "hash-object", "-w", "--stdin", stdin=content)


def tree(repository: Path, lines: Sequence[tuple[str, str, str]]) -> str:
    """The id of a new tree of (mode, id, name)."""
    kinds = {"040000": "tree", "160000": "commit"}
    listing = "".join(f"{mode} {kinds.get(mode, 'blob')} {oid}\t{name}\0" for mode, oid, name in lines)
    return plumb(repository, "mktree", "-z", "--missing", stdin=listing.encode("utf-8", "surrogateescape"))


def commit(repository: Path, of: str, *parents: str, subject: str = "odd") -> str:
    """The id of a new commit of a tree."""
    above = [word for parent in parents for word in ("-p", parent)]
    return plumb(repository, "commit-tree", *above, "-m", subject, of)


def digest(*folders: Path) -> Mapping[str, tuple[int, int, str]]:
    """Mode, time of change and contents of everything below; equal where nothing was touched."""
    found: dict[str, tuple[int, int, str]] = {}
    for folder in folders:
        for path in (folder, *sorted(folder.rglob("*"))):
            told = path.lstat()
            content = path.read_bytes() if path.is_file() else os.fsencode(path.name)
            found[str(path)] = (told.st_mode, told.st_mtime_ns, hashlib.sha256(content).hexdigest())
    return found


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def reports(self) -> list[dict[str, Any]]:
        """What `--format json` printed, which must be all that it printed."""
        found = json.loads(self.out)
        assert isinstance(found, list)
        return found

    @property
    def sentence(self) -> str:
        """The one line on stderr of a command that refused, with nothing on stdout."""
        assert self.out == ""
        assert self.err.startswith("provenfix: ")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err.removeprefix("provenfix: ").rstrip("\n")


def provenfix(*arguments: str, stdin: bytes = b"") -> Ended:
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
    return Ended(code, *texts)


def investigate(repository: Path, log: Path, *more: str) -> Ended:
    """`provenfix investigate` as JSON, on the Python that runs the tests."""
    given = ("--repo", str(repository), "--log", str(log), "--format", "json", "--python", running())
    return provenfix("investigate", *given, *more)


def facts(story: Story, ended: Ended) -> dict[str, str | None]:
    """The commits of the one report, by the names of the story."""
    assert (ended.code, ended.err) == (0, "")
    (report,) = ended.reports
    parts = ("deployed", "introduced", "fix", "target")
    return {part: story.name((report[part] or {}).get("commit")) for part in parts}


ANSWER = {"deployed": "claim", "introduced": "break", "fix": "fix", "target": "later"}
"""`facts` of `incident`, on whichever copy of it."""
