"""Follows the Python that each commit declares for its own image: a file that fails on one may compile on another.

Only what an image is built with counts (a Dockerfile, a buildpack's file), and only where it names, at the deployed
commit, the Python that ran. The result is a fix that changes no Python file, or a break that changed none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proof.declared.deployed_python import PythonFact, find_deployed_fact
from shared.proof.gating.target_python import DeclarationReader, build_verdicts
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.commit_graph import find_ancestors, find_descendants, find_first_failing
from shared.proof.model.finding import PythonChange
from shared.proof.model.history import FileVersion
from shared.proof.model.ports import Compilers, History
from shared.proof.searching.file_history import Blobs, FileHistory, read_contents
from shared.proof.searching.introducing_commit import BreakOrigin, FileAtCommit


@dataclass(slots=True)
class ImagePythons:
    """The Pythons of the image that serves one file."""

    history: History
    compilers: Compilers
    deployed_verdicts: CompileVerdicts
    """On the Python that ran."""
    deployed: FileAtCommit
    dockerfile: str
    """The Dockerfile of the image; "" where none is known."""
    declarations: DeclarationReader
    _facts: dict[frozenset[tuple[str, str]], PythonFact | None] = field(default_factory=dict)
    _verdicts: dict[str, CompileVerdicts | None] = field(default_factory=dict)

    def find_deployed_fact(self) -> PythonFact | None:
        """What the deployed commit declares; None where that is not the Python that ran, or leaves room for others."""
        fact = self._find_fact_at(self.deployed.commit.id)
        return fact if fact is not None and fact.version == self.deployed_verdicts.python else None

    def open_later(self, file_history: FileHistory, head: str) -> Callable[[str], CompileVerdicts]:
        """Returns what gives the verdicts on the Python of each commit after the deployed one."""
        start = self.deployed.commit.id
        paths = self._list_declaring_paths(start, head)
        graph = self.history.file_versions(paths, [head], [start])
        later = [commit for commit in file_history.commits if commit.id in file_history.later_ids]
        declared = read_contents(self.history, start, paths, later, graph)
        return lambda commit: self._get_verdicts(declared[commit])

    def describe_change(self, commit: str) -> PythonChange | None:
        """The Python of a later commit's image, where that is not the one that ran."""
        fact = self._find_fact_at(commit)
        return self._build_change(self.deployed_verdicts.python, fact)

    def correct_origin(self, origin: BreakOrigin) -> BreakOrigin:
        """The origin as it is where the file was sound on its image's Python when it was written.

        Returns `origin` itself where the file failed from then on.
        """
        first = origin.first_failing.commit.id
        fact = self._find_fact_at(first)
        if origin.is_incomplete or fact is None or fact.version == self.deployed_verdicts.python:
            return origin
        return self._find_later_origin(origin)

    def _find_later_origin(self, origin: BreakOrigin) -> BreakOrigin:
        deployed, path = self.deployed.commit.id, self.deployed.path
        paths = self._list_declaring_paths(origin.first_failing.commit.id, deployed)
        versions = self.history.file_versions([path, *paths], [deployed])
        by_id = {version.commit.id: version for version in versions}
        parents = {version.commit.id: version.commit.parents for version in versions}
        start = deployed if deployed in by_id else versions[0].commit.id
        first = find_first_failing(
            start,
            parents,
            lambda commit: self._compiles(by_id[commit]),
            lambda parent, commit: by_id[parent].blobs == by_id[commit].blobs,
        )
        change = self._find_change_from(first, [by_id[parent] for parent in parents[first]])
        if change is None or first in self.history.shallow_boundary():
            return origin
        scope = find_ancestors([start], parents) & find_descendants(first, [version.commit for version in versions])
        later = tuple(version for version in origin.later_failing if version.commit.id in scope)
        broken = FileAtCommit(by_id[first].commit, path, by_id[first].blobs[path])
        return BreakOrigin(broken, later, is_incomplete=False, python_change=change)

    def _compiles(self, version: FileVersion) -> bool | None:
        """Whether the file compiles at a commit on the Python of its image; one that is not there does not fail."""
        blob = version.blobs.get(self.deployed.path)
        if blob is None:
            return True
        return self._get_verdicts(version.blobs).judge(blob, self.deployed.path).compiles

    def _find_change_from(self, commit: str, before: Sequence[FileVersion]) -> PythonChange | None:
        """The change of Python at a commit before which the very same file compiled; None for any other break."""
        fact, blob = self._find_fact_at(commit), self._find_blob(commit)
        for version in before:
            former = self._find_fact(version.blobs)
            if version.blobs.get(self.deployed.path) == blob and former is not None:
                return self._build_change(former.version, fact)
        return None

    def _find_blob(self, commit: str) -> str | None:
        location = (commit, self.deployed.path)
        return self.history.blob_ids([location]).get(location)

    def _build_change(self, before: str, fact: PythonFact | None) -> PythonChange | None:
        if fact is None or fact.version == before:
            return None
        return PythonChange(before, fact.version, f"{fact.path}, line {fact.line}: {fact.text}")

    def _find_fact_at(self, commit: str) -> PythonFact | None:
        fact = self.declarations.find_fact(commit, self.deployed.path, self.dockerfile)
        return fact if fact is not None and fact.is_of_image else None

    def _list_declaring_paths(self, *commits: str) -> list[str]:
        """The files that name the image's Python at one of these commits; few, for a code host is asked for each."""
        facts = [self._find_fact_at(commit) for commit in commits]
        return sorted({fact.path for fact in facts if fact is not None})

    def _find_fact(self, blobs: Blobs) -> PythonFact | None:
        """What these files (path to blob) declare for the image."""
        key = frozenset((path, blob) for path, blob in blobs.items() if path != self.deployed.path)
        if key not in self._facts:
            fact = find_deployed_fact(self._read_texts(key), self.deployed.path, self.dockerfile)
            self._facts[key] = fact if fact is not None and fact.is_of_image else None
        return self._facts[key]

    def _read_texts(self, files: Iterable[tuple[str, str]]) -> Mapping[str, str]:
        return {path: (self.history.read(blob) or b"").decode("utf-8", "replace") for path, blob in files}

    def _get_verdicts(self, blobs: Blobs) -> CompileVerdicts:
        """On the Python that these files declare; where they declare none that can be judged, on the one that ran."""
        fact = self._find_fact(blobs)
        if fact is None or fact.version == self.deployed_verdicts.python:
            return self.deployed_verdicts
        if fact.version not in self._verdicts:
            self._verdicts[fact.version] = build_verdicts(self.history, self.compilers, fact.version)
        return self._verdicts[fact.version] or self.deployed_verdicts
