"""Trees as old tools wrote them: git reads them, so must we."""

from pathlib import Path

from functions.local.showcase.git import git
from shared.adapters.compilers.found import FoundCompilers
from shared.steps.inquiry import Request
from tests.unit.stories import Story, broken, good, incident, investigated, running, sighting


def padded(story: Story, commit: str, *parents: str) -> str:
    """A copy of a commit whose top tree writes the mode of a folder as `040000`."""
    at = f"--git-dir={story.path}"
    entries = git([at, "ls-tree", "-z", commit]).split(b"\0")[:-1]
    raw = b""
    for entry in entries:
        facts, name = entry.split(b"\t", 1)
        mode, _, oid = facts.split(b" ")
        raw += mode + b" " + name + b"\0" + bytes.fromhex(oid.decode())
    assert b"040000 " in raw
    tree = git([at, "hash-object", "-t", "tree", "-w", "--stdin", "--literally"], raw).decode().strip()
    above = "".join(f"parent {parent}\n" for parent in parents)
    person = "Robin Vale <robin@example.org> 1772323200 +0000"
    text = f"tree {tree}\n{above}author {person}\ncommitter {person}\n\n{commit}\n"
    return git([at, "hash-object", "-t", "commit", "-w", "--stdin"], text.encode()).decode().strip()


def test_folders_with_a_padded_mode_are_folders(tmp_path: Path, compilers: FoundCompilers) -> None:
    story = Story(tmp_path / "repo.git")
    story.commit("break", {"chat/app.py": broken(5), "chat/jobs.py": broken(7)})
    story.commit("mend", {"chat/app.py": good(), "chat/jobs.py": good()})
    story.write()
    first = padded(story, story.ids["break"])
    head = padded(story, story.ids["mend"], first)
    request = Request(branch=head, deployed=first, fallback_python=running())
    proof = investigated(story.path, incident("/srv/chat/app.py", sighting(5)), compilers, request)
    assert proof.broken is not None
    assert [each.path for each in proof.broken.also_broken] == ["chat/jobs.py"]
    assert proof.target is not None
    assert proof.target.commit.id == head
