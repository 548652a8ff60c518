"""The verdicts on the Python that a candidate commit declares for its own image."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import UsageError
from shared.proof.declared.deployed_python import (
    PythonFact,
    find_deployed_fact,
    is_declaring_file,
    select_declaring_files,
)
from shared.proof.gating.gates import OwnVerdicts
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.loading.commit_tree import CommitTree, find_changed_paths
from shared.proof.model.checker_report import CheckerRule
from shared.proof.model.finding import DeclaredFile
from shared.proof.model.ports import Compilers, History

_LOST = frozenset((CheckerRule.MODULE, CheckerRule.MODULE_MEMBER, CheckerRule.ATTRIBUTE))
"""What another Python's own library may lack."""


@dataclass(slots=True)
class DeclarationReader:
    """Lists one tree; of every further one only the folders are read whose ids differ from the one before."""

    history: History
    files_read: int = 0
    _root_tree: str = ""
    _blobs: dict[str, str] = field(default_factory=dict)
    """Of all declaring files of the tree that was asked for last."""
    _texts: dict[str, str | None] = field(default_factory=dict)
    """By blob, of the same tree."""

    def read_files(self, commit: str) -> tuple[DeclaredFile, ...]:
        """The files of a commit that say something about Python versions, images or checks."""
        self._move_to(commit)
        texts = [(path, self._read_text(self._blobs[path])) for path in select_declaring_files(self._blobs)]
        return tuple(DeclaredFile(path, commit, text) for path, text in texts if text is not None)

    def find_fact(self, commit: str, failing_path: str, dockerfile: str = "") -> PythonFact | None:
        """What a commit declares for the failing file, by its Dockerfile where that is known."""
        return find_deployed_fact({file.path: file.text for file in self.read_files(commit)}, failing_path, dockerfile)

    def _move_to(self, commit: str) -> None:
        tree = CommitTree(self.history, commit)
        if not self._root_tree:
            listed = self.history.tree(commit)
            self._blobs = {path: listed[path].blob for path in listed if is_declaring_file(path)}
        elif tree.root_tree != self._root_tree:
            for path, _ in find_changed_paths(self.history, self._root_tree, tree.root_tree):
                if is_declaring_file(path):
                    self._replace_blob(path, tree.blob(path))
            held = frozenset(self._blobs.values())
            self._texts = {blob: text for blob, text in self._texts.items() if blob in held}
        self._root_tree = tree.root_tree

    def _replace_blob(self, path: str, blob: str | None) -> None:
        if blob is None:
            self._blobs.pop(path, None)
        else:
            self._blobs[path] = blob

    def _read_text(self, blob: str) -> str | None:
        if blob not in self._texts:
            self.files_read += 1
            content = self.history.read(blob)
            self._texts[blob] = None if content is None else content.decode("utf-8", "replace")
        return self._texts[blob]


def build_verdicts(history: History, compilers: Compilers, python: str) -> CompileVerdicts | None:
    """None for a version without a compiler: that is no reason against a commit, nor for one."""
    try:
        return CompileVerdicts(history, compilers.compiler_for(python), compilers.explainer())
    except UsageError:
        return None


@dataclass(slots=True)
class TargetPython:
    """A redeployment builds a new image: what it ships must compile on the Python of that image as well."""

    history: History
    compilers: Compilers
    deployed_verdicts: CompileVerdicts
    """On the deployed Python."""
    deployed_commit: str
    """The deployed one; "" where it is not known."""
    loaded_files: LoadedFiles
    """What each commit loads: of several Dockerfiles the one counts whose closure was chosen there."""
    declarations: DeclarationReader
    _verdicts_by_python: dict[str, CompileVerdicts | None] = field(default_factory=dict)
    _deployed_facts: list[PythonFact | None] = field(default_factory=list)
    """What the deployed commit declares, once it was asked for."""

    def get_verdicts(self, commit: str) -> OwnVerdicts | None:
        """None where the commit declares the deployed Python, or none, or where its files do not say what runs."""
        declared = self._find_declared(commit)
        if declared is None or declared.version == self.deployed_verdicts.python:
            return None
        deployed = self._find_deployed()
        if deployed is None or deployed.version != self.deployed_verdicts.python:
            return None  # the files do not name the Python that really ran the deployed commit
        if declared.version not in self._verdicts_by_python:
            self._verdicts_by_python[declared.version] = build_verdicts(self.history, self.compilers, declared.version)
        verdicts = self._verdicts_by_python[declared.version]
        if verdicts is None:
            return None
        is_certain = declared.is_of_image and deployed.is_of_image
        return OwnVerdicts(verdicts, is_certain, lambda blobs: self._find_loss(blobs, declared.version))

    def _find_loss(self, blobs: Mapping[str, str], python: str) -> str:
        """What the type checker misses on a Python and not on the deployed one: modules, names and attributes.

        Of a file that it cannot read on both there is nothing to compare.
        """
        contents = {path: self.history.read(blob) or b"" for path, blob in blobs.items() if path.endswith(".py")}
        checker = self.compilers.type_checker()
        former, later = (
            checker.check(contents, version, [""], [*contents]) for version in (self.deployed_verdicts.python, python)
        )
        known = {(entry.path, entry.rule, entry.message) for entry in former.diagnostics}
        compared = frozenset(former.judged_paths).intersection(later.judged_paths)
        lost = (entry for entry in later.diagnostics if entry.rule in _LOST and entry.path in compared)
        first = next((entry for entry in lost if (entry.path, entry.rule, entry.message) not in known), None)
        return "" if first is None else f"{first.path}, line {first.line}, asks in vain for {first.name or 'a module'}"

    def _find_deployed(self) -> PythonFact | None:
        if not self._deployed_facts:
            self._deployed_facts.append(self._find_declared(self.deployed_commit) if self.deployed_commit else None)
        return self._deployed_facts[0]

    def _find_declared(self, commit: str) -> PythonFact | None:
        image = self.loaded_files.get_state(commit).closure.image_path
        return self.declarations.find_fact(commit, self.loaded_files.failing_path, image)
