"""What the imports of a service mean at one commit: opened on its tree, it answers `ServiceModules`.

The image is read once. Where several images or start commands may be the service's, only what all agree on is known.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.importing.image_layout import ImageLayout, TracedFiles, find_layouts
from shared.proof.claims.importing.module_search import ModuleSearch
from shared.proof.claims.importing.started_modules import StartStep
from shared.proof.claims.packages.distribution_modules import list_known_distributions, list_provided_modules
from shared.proof.claims.packages.installed_distributions import InstalledDistributions, read_installed
from shared.proof.claims.ports import ImagePython
from shared.proof.declared.deployed_python import PythonFact, find_deployed_fact, list_buildpack_files
from shared.proof.loading.commit_tree import RecordingTree, SourceTree
from shared.proof.loading.module_providers import normalise_name


class InstalledModules:
    """Answers for one layout; its manifests are read with the first question."""

    def __init__(self, layout: ImageLayout, python: str) -> None:
        self._layout = layout
        self._python = python

    @cached_property
    def _installed(self) -> InstalledDistributions:
        return read_installed(self._layout, self._python)

    def find(self, module: str) -> FoundModule:
        """`OUTSIDE`, `MISSING` or `UNKNOWN`, with the reason."""
        installed = self._installed
        for name, path in installed.certain.items():
            for provided in list_provided_modules(name):
                if provided == module or provided.startswith(module + "."):
                    return FoundModule(ModuleKind.OUTSIDE, reason=f"{path} declares {name}, which provides {provided}")
                if module.startswith(provided + "."):
                    return FoundModule(
                        ModuleKind.UNKNOWN, reason=f"which modules {provided} has depends on the version of {name}"
                    )
        top = module.partition(".")[0]
        for name, path in installed.possible.items():
            if any(provided.partition(".")[0] == top for provided in list_provided_modules(name)):
                return FoundModule(ModuleKind.UNKNOWN, reason=f"whether {path} installs {name} is not plain")
        return self._describe_undeclared(module, installed)

    def _describe_undeclared(self, module: str, installed: InstalledDistributions) -> FoundModule:
        providers = list_known_distributions(module)
        own_name = normalise_name(module.partition(".")[0])
        if own_name in installed.certain:
            path = installed.certain[own_name]
            return FoundModule(ModuleKind.UNKNOWN, reason=f"{path} declares {own_name}, which may bring {module}")
        if not installed.gaps and installed.certain and providers:
            manifest = next(iter(installed.certain.values()))
            reason = f"{manifest} installs no distribution that provides {module}: not {' nor '.join(providers)}"
            return FoundModule(ModuleKind.MISSING, reason=reason)
        names = " or ".join(dict.fromkeys((*providers, own_name)))
        return FoundModule(
            ModuleKind.UNKNOWN, reason=f"nothing declares {names}, but what is installed may bring {module}"
        )


def open_service_modules(
    tree: SourceTree,
    traced: TracedFiles,
    python: str,
    source_roots: Sequence[str] = (),
    is_python_declared: Callable[[], bool] = lambda: False,
) -> "ImageModules":
    """The imports at the commit of `tree`; nothing is read before the first question.

    `is_python_declared`: whether the files of the deployed commit name `python`, so that those of others count, too.
    """
    recording = tree if isinstance(tree, RecordingTree) else RecordingTree(tree)
    return ImageModules(recording, traced, python, source_roots, is_python_declared)


class ImageModules:
    """Answers `shared.proof.claims.ports.ServiceModules` from the image that a commit builds."""

    def __init__(
        self,
        tree: RecordingTree,
        traced: TracedFiles,
        python: str,
        source_roots: Sequence[str] = (),
        is_python_declared: Callable[[], bool] = lambda: False,
    ) -> None:
        self._tree = tree
        self._traced = traced
        self._python = python
        self._source_roots = tuple(source_roots)
        self._is_python_declared = is_python_declared
        self._answers: dict[tuple[str, str, int], FoundModule] = {}

    @property
    def python(self) -> str:
        """The minor version that ran, such as `3.11`."""
        return self._python

    @cached_property
    def image_python(self) -> ImagePython:
        """What the commit's own files declare for its image; the Python that ran where those of the deployed do not."""
        if not self._is_python_declared():
            return ImagePython(self._python)
        facts = {self._find_declared(layout.dockerfile) for layout in self.layouts}
        fact = next(iter(facts)) if len(facts) == 1 else None
        if fact is None:
            return ImagePython("")
        return ImagePython(fact.version, f"{fact.path}, line {fact.line}: {fact.text}")

    def _find_declared(self, dockerfile: str) -> PythonFact | None:
        """Of a Dockerfile; where the image has none, of the files that a buildpack reads."""
        path = self._traced.failing_path
        names = (dockerfile,) if dockerfile else list_buildpack_files(path)
        texts = {name: (self._tree.read(name) or b"").decode("utf-8", "replace") for name in names}
        fact = find_deployed_fact(texts, path, dockerfile)
        return fact if fact is not None and fact.is_of_image else None

    @property
    def tree(self) -> RecordingTree:
        """The commit's files, with what was asked of them."""
        return self._tree

    def find_module(self, importing_path: str, module: str, level: int = 0) -> FoundModule:
        """What `module` means in an import statement of a file; `level`: the dots of a relative import."""
        key = (importing_path, module, level)
        if key not in self._answers:
            self._answers[key] = self._find_module(*key)
        return self._answers[key]

    def is_outside(self, importing_path: str, name: str) -> bool:
        """Whether a top-level name is of no file of the repository that may be on the import path."""
        return all(search.is_outside(importing_path, name) for search in self._searches)

    def list_start_steps(self) -> tuple[StartStep, ...]:
        """What the start runs, in its order; () where that is not one plain command."""
        return self._searches[0].list_start_steps() if len(self._searches) == 1 else ()

    def is_link(self, path: str) -> bool:
        """Whether a link is at a path of the tree."""
        return self._traced.is_link(path)

    @property
    def running_paths(self) -> tuple[str, ...]:
        """Files of the repository that are known to run in the image."""
        return self._traced.running_paths

    @cached_property
    def layouts(self) -> tuple[ImageLayout, ...]:
        """Every layout of the image that may be the service's, at least one."""
        return find_layouts(self._tree, self._traced, self._source_roots)

    @cached_property
    def _searches(self) -> tuple[ModuleSearch, ...]:
        return tuple(
            ModuleSearch(
                layout,
                self._python,
                self._traced,
                InstalledModules(layout, self._python).find,
            )
            for layout in self.layouts
        )

    def _find_module(self, importing_path: str, module: str, level: int) -> FoundModule:
        if not level and not all(part.isidentifier() for part in module.split(".")):
            return FoundModule(ModuleKind.UNKNOWN, reason=f"{module!r} is no name of a module")
        answers = dict.fromkeys(search.find_module(importing_path, module, level) for search in self._searches)
        if len({(answer.kind, answer.path) for answer in answers}) == 1:
            return next(iter(answers))
        return FoundModule(ModuleKind.UNKNOWN, reason="the images that may be the service's differ in it")
