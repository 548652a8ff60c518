"""Which minor version of Python is deployed, best evidence first, and the files of a commit that tell."""

from collections.abc import Iterator
from dataclasses import replace

from shared.detection.incident import Incident
from shared.proof.declared.deployed_python import find_deployed_fact, find_deployed_python, select_declaring_files
from shared.proof.declared.python_versions import is_permitted
from shared.proof.model.finding import DeclaredFile
from shared.proof.model.ports import History

PythonChoice = tuple[str, str]
"""A minor version such as `3.11`, and the sentence that says where it stands."""

_REQUIRES_PYTHON = "requires-python"


def find_stated_python(incident: Incident, configured: str | None) -> PythonChoice | None:
    """What the log's own library paths say, else what the service's setting says."""
    for sighting in reversed(incident.sightings):
        if sighting.python:
            return sighting.python, f"the traceback's own paths name python{sighting.python}"
    return (configured, "given with --python") if configured else None


def drop_logged_python(incident: Incident) -> Incident:
    """The incident as if its log named no version."""
    return replace(incident, sightings=tuple(replace(each, python="") for each in incident.sightings))


def find_contradiction(history: History, commit: str, failing_path: str, python: str) -> str:
    """The declaration of a commit that a logged version contradicts; "" where the commit leaves room for it.

    Whoever can make a service log a line can name any version there, and sound code fails on one that is old enough.
    """
    files = {each.path: each.text for each in read_declaring_files(history, commit)}
    fact = find_deployed_fact(files, failing_path)
    if fact is None or fact.version == python:
        return ""
    if fact.kind == _REQUIRES_PYTHON:
        return "" if is_permitted(fact.text, python) else f"{fact.path}: {fact.text}"
    others = [find_deployed_fact({path: text}, path) for path, text in files.items()]
    if any(each is not None and each.kind != _REQUIRES_PYTHON and each.version == python for each in others):
        return ""  # one of several images
    return f"{fact.path}: {fact.text}"


def find_declared_python(history: History, commit: str, failing_path: str, dockerfile: str = "") -> PythonChoice | None:
    """What the files of one commit say: Dockerfile (that of `image` first), buildpack files, `requires-python`."""
    files = read_declaring_files(history, commit)
    found = find_deployed_python({each.path: each.text for each in files}, failing_path, dockerfile)
    return None if found is None else (found[0], f"{found[1]} (at {commit})")


def read_declaring_files(history: History, commit: str) -> tuple[DeclaredFile, ...]:
    """The files of a commit that say something about Python versions, images or checks."""
    tree = history.tree(commit)
    return tuple(
        DeclaredFile(path, commit, content.decode("utf-8", "replace"))
        for path in select_declaring_files(tree)
        if (content := history.read(tree[path].blob)) is not None
    )


def find_former_pythons(history: History, head: str, failing_path: str, dockerfile: str = "") -> Iterator[PythonChoice]:
    """What earlier versions of those files said, newest first: the image may be older than the branch's head."""
    paths = [each.path for each in read_declaring_files(history, head)]
    seen: set[str] = set()
    judged: set[frozenset[tuple[str, str]]] = set()
    for version in history.file_versions(paths, [head]) if paths else ():
        contents = frozenset(version.blobs.items())
        if contents in judged:  # most merges: what they join was looked at, or will be, where it was written
            continue
        judged.add(contents)
        choice = find_declared_python(history, version.commit.id, failing_path, dockerfile)
        if choice is not None and choice[0] not in seen:
            seen.add(choice[0])
            yield choice
