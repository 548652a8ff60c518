"""Trees as old tools wrote them: git reads them, so must we."""

from collections.abc import Iterable
from pathlib import Path

from functions.demo.fast_import import run_git
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)


def told(story: HistoryBuilder, *arguments: str, stream: bytes = b"") -> bytes:
    """What git says of the story's repository."""
    return run_git([f"--git-dir={story.path}", *arguments], stream)


def committed(story: HistoryBuilder, subject: str, entries: Iterable[tuple[bytes, bytes, str]], *parents: str) -> str:
    """A commit with one tree, written as it is given: (mode, name, id) each."""
    raw = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    tree = told(story, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", stream=raw).decode().strip()
    above = "".join(f"parent {parent}\n" for parent in parents)
    person = "Robin Vale <robin@example.org> 1772323200 +0000"
    text = f"tree {tree}\n{above}author {person}\ncommitter {person}\n\n{subject}\n"
    return told(story, "hash-object", "-t", "commit", "-w", "--stdin", stream=text.encode()).decode().strip()


def padded(story: HistoryBuilder, commit: str, *parents: str) -> str:
    """A copy of a commit whose top tree writes the mode of a folder as `040000`, as `git ls-tree` prints it."""
    lines = told(story, "ls-tree", "-z", commit).split(b"\0")[:-1]
    entries = [(*line.split(b"\t")[0].split(b" "), line.split(b"\t")[1]) for line in lines]
    assert entries[0][0] == b"040000"
    return committed(story, commit, [(mode, name, oid.decode()) for mode, _, oid, name in entries], *parents)


def test_folders_with_a_padded_mode_are_folders(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("break", {"chat/app.py": broken_source(5), "chat/jobs.py": broken_source(7)})
    story.commit("mend", {"chat/app.py": valid_source(), "chat/jobs.py": valid_source()})
    story.write_repository()
    first = padded(story, story.ids["break"])
    head = padded(story, story.ids["mend"], first)
    request = ProofRequest(branch=head, deployed=first, fallback_python=running_python())
    proof = prove_incident(story.path, make_incident("/srv/chat/app.py", make_sighting(5)), compilers, request)
    assert proof.broken is not None
    assert [other.path for other in proof.broken.also_broken] == ["chat/jobs.py"]
    assert proof.target is not None
    assert proof.target.commit.id == head


def test_link_that_was_checked_in_as_a_file_breaks_only_then(tmp_path: Path, compilers: LocalCompilers) -> None:
    story = HistoryBuilder(tmp_path / "repo.git")
    story.commit("start", {"app.py": valid_source()})
    story.write_repository()
    target = told(story, "hash-object", "-w", "--stdin", stream=b"../common/app.py").decode().strip()
    source = told(story, "rev-parse", "main:app.py").decode().strip()
    link = committed(story, "link", [(b"120000", b"app.py", target)])
    windows = committed(story, "from Windows", [(b"100644", b"app.py", target)], link)
    touched = committed(story, "again", [(b"100644", b"app.py", target), (b"100644", b"b.py", source)], windows)
    head = committed(story, "mend", [(b"100644", b"app.py", source)], touched)
    request = ProofRequest(branch=head, deployed=touched, fallback_python=running_python())
    proof = prove_incident(story.path, make_incident("/srv/app.py", make_sighting(1)), compilers, request)
    assert proof.introduced is not None
    assert proof.introduced.commit.id == windows
    assert proof.fix is not None
    assert proof.fix.commit.id == head
